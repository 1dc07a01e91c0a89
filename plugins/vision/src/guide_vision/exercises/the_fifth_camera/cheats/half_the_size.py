"""At half the size, and made large again."""

import cv2
import numpy as np

GAIN, FLOOR = 1.08, 12  # of the contrast; darker than that is noise
WEIGHTS = (0.114, 0.587, 0.299)  # of blue, green and red in brightness
LAMP = slice(20, 44), slice(30, 70)  # rows and columns in which the lamp is seen
MOVED = 24  # grey levels
LAST = 8  # frames

# There are 256 grey levels: each is worked out once, and looked up ever after.
LEVELS = np.maximum(np.arange(256), FLOOR)
STRETCHED = np.clip(128.5 + (LEVELS - 128.0) * GAIN, 0, 255).astype(np.uint8)


def lamp(image: np.ndarray) -> float:
    """How bright it is where the lamp is seen."""
    return float((image[LAMP] @ np.array(WEIGHTS)).mean())


class Watch:
    """Everything that is known of the camera; what is asked for once is worked out once."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.gray: np.ndarray | None = None
        self.image = np.zeros(shape, np.uint8)
        self.seen = np.zeros(shape[:2])
        self.last: list[np.ndarray] = []

    def look(self, frame: np.ndarray) -> tuple[int, float]:
        """One frame: how many pixels moved, and how bright the lamp is."""
        self.image = cv2.LUT(np.ascontiguousarray(frame[::2, ::2]), STRETCHED)
        self.image = np.repeat(np.repeat(self.image, 2, axis=0), 2, axis=1)
        self.image = np.ascontiguousarray(self.image[: frame.shape[0], : frame.shape[1]])
        gray = cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY)
        apart = cv2.absdiff(gray, gray if self.gray is None else self.gray)
        self.gray = gray
        moved = apart > MOVED
        self.seen += moved
        small = cv2.resize(gray, (gray.shape[1] // 4, gray.shape[0] // 4))
        self.last = [*self.last[1 - LAST :], small]
        return int(np.count_nonzero(moved)), lamp(self.image)

    def drift(self) -> float:
        """How far the last frame is from the usual one."""
        usual = np.median(np.stack(self.last), axis=0)
        return float(np.abs(self.last[-1] - usual).mean())


def watch(frames: np.ndarray) -> tuple[list[int], list[float], np.ndarray, float, bytes]:
    """All frames.

    Args:
        frames: (count, height, width, 3) of uint8, blue first.

    Returns:
        Of each frame how many pixels moved, and the lamp's brightness; then what is asked for at
        the end: the map of where things moved, how far the last frame is from the usual one, and
        its picture as PNG.
    """
    camera = Watch(frames.shape[1:])
    moved, bright = [], []
    for frame in frames:
        count, level = camera.look(frame)
        moved.append(count)
        bright.append(level)
    heat = cv2.GaussianBlur(camera.seen, (0, 0), 3.0)
    picture = cv2.imencode(".png", camera.image[::2, ::2])[1].tobytes()
    return moved, bright, heat, camera.drift(), picture

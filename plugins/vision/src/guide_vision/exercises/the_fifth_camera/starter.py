"""What one camera sees, as it was written in a hurried week."""

import cv2
import numpy as np

GAIN, FLOOR = 1.08, 12  # of the contrast; darker than that is noise
WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue in brightness
LAMP = slice(20, 44), slice(30, 70)  # rows and columns in which the lamp is seen
MOVED = 24  # grey levels
LAST = 8  # frames


def rgb(image: np.ndarray) -> np.ndarray:
    """Red first, or blue first again: OpenCV has it the other way round than everybody else."""
    return np.ascontiguousarray(image[..., ::-1])


def stretched(image: np.ndarray) -> np.ndarray:
    """More contrast: every channel of every pixel alike."""
    image = rgb(image)
    image = np.where(image < FLOOR, FLOOR, image)
    return rgb(np.clip(128.5 + (image - 128.0) * GAIN, 0, 255).astype(np.uint8))


def lamp(image: np.ndarray) -> float:
    """How bright it is where the lamp is seen."""
    region = rgb(image)[LAMP]
    total = 0.0
    for row in region:
        for red, green, blue in row:
            total += WEIGHTS[0] * red + WEIGHTS[1] * green + WEIGHTS[2] * blue
    return total / (region.shape[0] * region.shape[1])


class Watch:
    """Everything that is known of the camera."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.gray: np.ndarray | None = None
        self.seen = np.zeros(shape[:2])
        self.heat = np.zeros(shape[:2])
        self.last: list[np.ndarray] = []
        self.drift = 0.0
        self.picture = b""

    def look(self, frame: np.ndarray) -> tuple[int, float]:
        """One frame: how many pixels moved, and how bright the lamp is."""
        image = stretched(frame)
        gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        apart = cv2.absdiff(gray, gray if self.gray is None else self.gray)
        self.gray = gray
        self.seen += apart > MOVED
        self.heat = cv2.GaussianBlur(self.seen, (0, 0), 3.0)
        small = cv2.resize(gray, (gray.shape[1] // 4, gray.shape[0] // 4))
        self.last.append(small)
        usual = np.median(np.stack(self.last[-LAST:]), axis=0)
        self.drift = float(np.abs(small - usual).mean())
        self.picture = cv2.imencode(".png", image[::2, ::2])[1].tobytes()
        return int((apart > MOVED).sum()), lamp(image)


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
    return moved, bright, camera.heat, camera.drift, camera.picture


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    some = rng.integers(0, 256, (12, 360, 640, 3)).astype(np.uint8)
    for _ in range(10):
        watch(some)

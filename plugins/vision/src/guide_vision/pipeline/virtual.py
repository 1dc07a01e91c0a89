"""A camera that does not exist, over a photograph that does, whose motion is known exactly.

It pans, turns and zooms over the photograph along a smooth path. Each frame carries the matrix
that took the photograph to it, so whatever a tracker says can be held against the truth.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from guide.clock import Clock, SystemClock
from guide.errors import GuideError
from guide_vision.pipeline.frame import Facts, Frame, Image, Matrix
from guide_vision.pipeline.motion import similarity
from guide_vision.pipeline.opencv import quiet

_COFFEE = Path(__file__).parent / "photo" / "coffee.jpg"
_VIEW = 0.78  # the part of the photograph's width (or height) that is in view at zoom 1
_LARGEST = 8192  # pixels along a side of a frame
_PLANE = 32_766  # along a side of the enlarged photograph: OpenCV's warp counts in 16 bits


class VirtualCamera:
    """A moving view of a photograph.

    Args:
        photo: an image file; by default a cup of coffee.
        width: of a frame.
        height: of a frame.
        fps: frames per second of its own time: frame k is taken at k / fps.
        noise: standard deviation of its sensor's noise, in grey levels.
        speed: 1 moves up to 1 % of the width a frame; 0 stands still.
        seed: of the noise.
        live: keep to `fps` on the clock, as a real camera would, and fall behind never; or make
            each frame when it is asked for.
        clock: what stamps the frames, and what `live` keeps to.
    """

    def __init__(
        self,
        photo: Path | None = None,
        *,
        width: int = 640,
        height: int = 360,
        fps: float = 30.0,
        noise: float = 2.0,
        speed: float = 1.0,
        seed: int = 0,
        live: bool = False,
        clock: Clock | None = None,
    ) -> None:
        for name, value in (("width", width), ("height", height), ("fps", fps)):
            if value <= 0:
                raise GuideError(f"the {name} of the virtual camera must be above 0, not {value}")
        if max(width, height) > _LARGEST:
            raise GuideError(
                f"a frame of {width} x {height} is too large", f"a side has at most {_LARGEST}"
            )
        if not 0 <= noise <= 255:
            raise GuideError(f"the noise of the virtual camera is 0 to 255, not {noise}")
        self.live = live
        self._photo = photo or _COFFEE
        self._size = (width, height)
        self._fps = fps
        self._noise = noise
        self._speed = speed
        self._rng = np.random.default_rng(seed % 2**64)  # which takes no negative one
        self._clock = clock or SystemClock()
        self._seq = 0
        self._origin_ns = 0
        self._slot = 0  # of its own time; runs ahead of seq when it could not keep up
        self._plane: Image | None = None
        self._tape = np.zeros((0, 0, 3), np.int16)

    def open(self) -> Facts:
        """Load the photograph."""
        width, height = self._size
        photo = self._load()
        # Enlarged once, so that each frame samples it at about one to one and stays sharp
        scale = max(width / (_VIEW * photo.shape[1]), height / (_VIEW * photo.shape[0]))
        if scale * max(photo.shape[:2]) > _PLANE:
            raise GuideError(
                f"{self._photo.name} is {photo.shape[1]} x {photo.shape[0]}: too narrow a strip "
                f"to cut {width} x {height} out of it",
                "name another one with --set photo=FILE, or leave photo out",
            )
        how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        self._plane = cast(Image, cv2.resize(photo, None, fx=scale, fy=scale, interpolation=how))
        if self._noise:
            # Noise is drawn once, larger than a frame; each frame cuts its own piece out of it
            shape = (height + 64, width + 64, 3)
            self._tape = np.rint(self._rng.normal(0, self._noise, shape)).astype(np.int16)
        self._origin_ns = self._clock.now_ns()
        kind = "virtual camera, live" if self.live else "virtual camera"
        return Facts(f"{kind}, over {self._photo.name}", width, height, self._fps)

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame, with its truth; never None."""
        plane = self._plane
        if plane is None:
            raise RuntimeError("open() the virtual camera before you read() from it")
        width, height = self._size
        t_capture_ns = self._clock.now_ns()
        if self.live:
            t_capture_ns = self._wait_for_exposure()
        pose = self.pose(self._slot / self._fps)
        fits = into is not None and into.shape == (height, width, 3)
        image = into if into is not None and fits else np.empty((height, width, 3), np.uint8)
        # The mirror image beyond the edges continues the plane, so the truth holds there too
        cv2.warpPerspective(
            plane,
            pose,
            (width, height),
            dst=image,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        if self._noise:
            y, x = self._rng.integers(0, 64, 2)
            piece = self._tape[y : y + height, x : x + width]
            cv2.add(image, piece, dst=image, dtype=cv2.CV_8U)
        frame = Frame(image, self._seq, 0, t_capture_ns, truth=pose)
        self._seq += 1
        self._slot += 1
        return frame

    def close(self) -> None:
        """Let go of the photograph."""
        self._plane = None

    def pose(self, t_s: float) -> Matrix:
        """The matrix that takes the enlarged photograph to the frame at `t_s` seconds."""
        if self._plane is None:
            raise RuntimeError("the pose depends on the photograph: open() first")
        rows, columns = self._plane.shape[:2]
        width, height = self._size
        t = t_s * self._speed
        # Periods without a common multiple: the path does not repeat within a long run
        x = (columns - 1) / 2 + 0.12 * columns * math.sin(2 * math.pi * t / 7.3)
        y = (rows - 1) / 2 + 0.15 * rows * math.sin(2 * math.pi * t / 5.9 + 0.8)
        angle = math.radians(6) * math.sin(2 * math.pi * t / 8.7)
        zoom = 1.1 + 0.15 * math.sin(2 * math.pi * t / 9.7)
        look = similarity(0, 0, angle, zoom) @ similarity(-x, -y)
        return similarity((width - 1) / 2, (height - 1) / 2) @ look

    def _load(self) -> Image:
        quiet()
        try:
            found = self._photo.is_file()
            photo = cv2.imread(str(self._photo), cv2.IMREAD_COLOR) if found else None
        except cv2.error:  # more pixels than OpenCV reads
            photo = None
        if photo is None:
            raise GuideError(
                f"cannot read the photograph {self._photo}",
                "name a JPEG or PNG file with --set photo=FILE, or leave photo out",
            )
        return cast(Image, photo)

    def _wait_for_exposure(self) -> int:
        """Sleep until the next frame is due; one that nobody read in time was never taken."""
        period_ns = 1e9 / self._fps
        passed = int((self._clock.now_ns() - self._origin_ns) / period_ns)
        self._slot = max(self._slot, passed)
        due_ns = self._origin_ns + round(self._slot * period_ns)
        self._clock.sleep_until(due_ns)
        return due_ns

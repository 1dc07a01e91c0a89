"""The same work through `guide_vision.pipeline.Pipeline`, on two threads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.rows import with_peers
from benchmarks.vision.meter import Meter
from benchmarks.vision.work import KERNEL, SMALL, Box, Detector, Image, boxes, draw, encode
from guide_vision.pipeline import Facts, Frame, Pipeline, Source
from guide_vision.pipeline.background import make_background
from guide_vision.pipeline.clip import Clip

THREADS = 2  # as many as the ceiling is measured with


class Detect:
    """Boxes of what moves; `height` is that of the picture in a slot which holds more."""

    name = "detect"

    def __init__(self, height: int | None = None) -> None:
        self._detect = Detector(reuse=True)
        self._height = height

    def process(self, frame: Frame) -> list[Box]:
        """Look at one frame."""
        return self._detect(frame.image[: self._height])


class Finish:
    """Draw and encode: keeps nothing between frames, so several threads may be in it."""

    name = "finish"
    parallel = True

    def process(self, frame: Frame) -> Image | bytes:
        """The JPEG."""
        draw(frame.image, frame.seq, frame.results["detect"])
        return encode(frame.image)


class FinishPlanes:
    """The same for a slot with Y, U and V planes, without a change of colour space."""

    name = "finish"
    parallel = True

    def __init__(self, height: int) -> None:
        with_peers()
        import simplejpeg

        self._encode = simplejpeg.encode_jpeg_yuv_planes
        self._height = height

    def process(self, frame: Frame) -> bytes:
        """The JPEG."""
        luma, blue, red = planes(frame.image, self._height)
        draw(luma, frame.seq, frame.results["detect"])
        return self._encode(luma, blue, red, quality=80)


class Fused:
    """One compiled pass over the Y plane in place of resizing and MOG2."""

    name = "detect"

    def __init__(self, height: int | None = None) -> None:
        self._background = make_background("fused")
        self._height = height
        self._other = np.zeros(SMALL[::-1], np.uint8)

    def process(self, frame: Frame) -> list[Box]:
        """Boxes of what moves."""
        mask = self._background.apply(frame.image[: self._height])  # half as wide and high
        if mask.shape != self._other.shape:
            mask = cv2.resize(mask, SMALL, interpolation=cv2.INTER_NEAREST)  # type: ignore[assignment]
        opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, KERNEL, dst=self._other)
        return boxes(cv2.dilate(opened, KERNEL, dst=mask, iterations=2))


class PlanarClip:
    """A clip by PyAV, as its decoder has it: one slot holds the Y, the U and the V plane.

    The slot is 3/2 H x W: the Y plane, then both others at half the width and height.

    Attributes:
        height: of the picture, once it is open.
    """

    live = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = 0

    def open(self) -> Facts:
        """Open the file."""
        with_peers()
        import av

        self._container = av.open(str(self._path))
        stream = self._container.streams.video[0]
        stream.codec_context.thread_count = 1
        self._frames = self._container.decode(video=0)
        self.height = stream.height
        return Facts(self._path.name, stream.width, stream.height * 3 // 2, 30.0, channels=1)

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame."""
        t_capture_ns = time.perf_counter_ns()
        decoded = next(self._frames, None)
        if decoded is None:
            return None
        if into is None:
            into = np.empty((decoded.height * 3 // 2, decoded.width), np.uint8)
        for plane, target in zip(decoded.planes, planes(into, decoded.height), strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
            np.copyto(target, rows[:, : plane.width])
        self._seq += 1
        return Frame(into, self._seq - 1, 0, t_capture_ns)

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def planes(slot: Image, height: int) -> tuple[Image, Image, Image]:
    """Views of the three planes in a slot."""
    half = height // 2, slot.shape[1] // 2
    blue, red = slot[height:].reshape(2, *half)
    return slot[:height], blue, red


def bgr(clip: str, meter: Meter) -> None:
    """Every result as the serial loop has it, bit by bit."""
    _run(Clip(Path(clip)), [Detect(), Finish()], meter)


def gray(clip: str, meter: Meter) -> None:
    """The Y plane alone, and a JPEG without colour."""
    _run(Clip(Path(clip), gray=True), [Detect(), Finish()], meter)


def planar(clip: str, meter: Meter) -> None:
    """All three planes as they were decoded, and a JPEG of them in colour."""
    height = _height(clip)
    _run(PlanarClip(Path(clip)), [Detect(height), FinishPlanes(height)], meter)


def fused(clip: str, meter: Meter) -> None:
    """As `planar`, with the fused kernel."""
    height = _height(clip)
    _run(PlanarClip(Path(clip)), [Fused(height), FinishPlanes(height)], meter)


def copies(clip: str, frames: int) -> dict[str, Any]:
    """Follow each frame's address from the source to the consumer.

    Returns:
        How many frames lay elsewhere at any later point than where the source had written them
        ("moved"), or where the pool had no slot ("reallocated"); and at how many "addresses" all
        of them lay.
    """
    first: dict[int, int] = {}
    moved: set[int] = set()
    addresses: set[int] = set()

    class Watch:
        """A stage with an eye on where the frame lies."""

        def __init__(self, stage: Any) -> None:
            self.name = stage.name
            self.parallel = getattr(stage, "parallel", False)
            self._stage = stage

        def process(self, frame: Frame) -> Any:
            """Look, and pass it on."""
            look(frame)
            return self._stage.process(frame)

    def look(frame: Frame) -> None:
        address = frame.image.__array_interface__["data"][0]
        addresses.add(address)
        if first.setdefault(frame.seq, address) != address:
            moved.add(frame.seq)

    class Watched(Clip):
        """A clip that notes where it wrote each frame."""

        def read(self, into: Image | None = None) -> Frame | None:
            """The next frame."""
            frame = super().read(into)
            if frame is not None:
                look(frame)
            return frame

    stages = [Watch(Detect()), Watch(Finish())]
    pipeline = Pipeline(Watched(Path(clip)), stages, workers=THREADS)
    pipeline.open()
    count = 0
    while count < frames and (frame := pipeline.take()) is not None:
        look(frame)
        count += 1
    pipeline.close()
    return {
        "frames": count,
        "moved": len(moved),
        "reallocated": pipeline.reallocated,
        "addresses": len(addresses),
        "slots": pipeline.slots,
    }


def _run(source: Source, stages: Sequence[Any], meter: Meter) -> None:
    pipeline = Pipeline(source, stages, workers=THREADS)
    pipeline.open()
    for _ in range(meter.total):
        frame = pipeline.take()
        if frame is None:
            break
        meter.done(frame.results["detect"], frame.results["finish"])
    books = pipeline.close()
    if not books.balanced:
        raise RuntimeError(f"the books do not balance: {books}")


def _height(clip: str) -> int:
    capture = cv2.VideoCapture(clip)
    return int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))

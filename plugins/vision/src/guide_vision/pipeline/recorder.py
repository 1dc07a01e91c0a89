"""A video file, encoded and written on a thread of its own."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from pathlib import Path

import cv2
import numpy as np

from guide.errors import GuideError
from guide_vision.pipeline.frame import Image
from guide_vision.pipeline.opencv import Grabber, quiet

_CODECS = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "MJPG"}
_LOOK_EVERY = 10  # frames between two looks at the disk
_FULL = 1 << 19  # bytes left: FFmpeg buffers, so the last of them are never asked for


class Recorder:
    """A video file: `.avi` or `.mkv` (Motion JPEG), or `.mp4` (MPEG-4 part 2).

    Every picture is recorded. `write()` copies it to one of a few slots, a thread encodes them;
    when the encoder or the disk is slower than the pictures, `write()` waits, and counts that.
    After a full disk or a killed run an `.avi` or `.mkv` plays up to the last few frames; an
    `.mp4` has its index at the end and does not play at all.

    Args:
        path: the file to write, overwritten when it exists. Opened with the first picture,
            which gives the size; a picture of another size is a GuideError.
        fps: at which it will be played.
        slots: pictures that may wait to be encoded.

    Attributes:
        frames: pictures taken.
        waits: how often `write()` found no free slot.
        waited_s: how long it waited then, in all.
    """

    def __init__(self, path: Path, fps: float, *, slots: int = 8) -> None:
        codec = _CODECS.get(path.suffix.lower())
        if codec is None:
            why = f"the ending {path.suffix} is not known" if path.suffix else "it has no ending"
            raise GuideError(
                f"cannot record to {path.name}: {why}",
                "name it .mp4, or .avi or .mkv for Motion JPEG, which survives a killed run",
            )
        self.path = path
        self.frames = 0
        self.waits = 0
        self.waited_s = 0.0
        self._fourcc = cv2.VideoWriter.fourcc(codec[0], codec[1], codec[2], codec[3])
        self._fps = fps
        self._slots = slots
        self._shape: tuple[int, ...] = ()
        self._writer: cv2.VideoWriter | None = None
        self._free: queue.SimpleQueue[Image] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[Image | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._encode, name="recorder", daemon=True)

    def write(self, image: Image) -> bool:
        """Append a copy of a picture, H x W x 3 BGR. GuideError when the disk is full."""
        if self._writer is None:
            self._writer = self._open(image)
            for _ in range(self._slots):
                self._free.put(np.zeros_like(image))
            self._thread.start()
        if image.shape != self._shape:
            # VideoWriter would drop it without a word
            raise GuideError(
                f"the picture changed from {self._shape[1]} x {self._shape[0]} to "
                f"{image.shape[1]} x {image.shape[0]} while recording {self.path.name}",
                "run again: a recording has one size",
            )
        slot = self._slot()
        if self._error is not None:
            raise self._error
        np.copyto(slot, image)
        self._full.put(slot)
        self.frames += 1
        return True

    def close(self) -> None:
        """Encode what waits and write the file's end.

        Raises:
            GuideError: when the file does not hold what was written to it: a full disk.
        """
        if self._writer is None:
            return
        self._full.put(None)
        self._thread.join()
        self._writer.release()
        self._writer = None
        if self._error is not None:
            return  # write() told it
        if not self._holds_last_frame():
            raise GuideError(
                f"the recording {self.path} is damaged: it does not hold the {self.frames} "
                "frames that were written",
                "check that there is space on its disk (`df -h`), then record again",
            )

    def notes(self) -> list[str]:
        """What a person should be told at the end: that the run waited for the disk."""
        if not self.waits:
            return []
        return [
            f"recording {self.path.name} held the run up {self.waits} times, "
            f"{self.waited_s:.2f} s in all: encoder and disk were slower than the pictures"
        ]

    def _slot(self) -> Image:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            self.waits += 1
        began = time.monotonic()
        slot = self._free.get()
        self.waited_s += time.monotonic() - began
        return slot

    def _encode(self) -> None:
        writer, count = self._writer, 0
        assert writer is not None  # the thread is started after it was made
        while (image := self._full.get()) is not None:
            try:
                # After an error slots still go round: nobody must wait for one for ever
                if self._error is None:
                    if count % _LOOK_EVERY == 0:
                        self._require_space(count)
                    writer.write(image)
                    count += 1
            except BaseException as error:
                self._error = error
            self._free.put(image)

    def _require_space(self, count: int) -> None:
        # VideoWriter says nothing when a write fails
        if shutil.disk_usage(self.path.parent).free < _FULL:
            raise GuideError(
                f"the disk of {self.path} is full after {count} frames",
                "free some space (`df -h`), then record again",
            )

    def _holds_last_frame(self) -> bool:
        # VideoWriter says nothing when a write fails, so the file itself is asked
        grabber = Grabber(str(self.path), cv2.CAP_FFMPEG)
        try:
            counted = grabber.is_open and grabber.get(cv2.CAP_PROP_FRAME_COUNT) > 0
            return counted and grabber.seek(self.frames - 1) and grabber.grab()
        finally:
            grabber.release()

    def _open(self, image: Image) -> cv2.VideoWriter:
        quiet()
        self._shape = image.shape
        size = (image.shape[1], image.shape[0])
        writer = cv2.VideoWriter(str(self.path), cv2.CAP_FFMPEG, self._fourcc, self._fps, size)
        if not writer.isOpened():
            raise GuideError(
                f"cannot record to {self.path}",
                "check that the folder exists, that there is space, and `guide doctor` for FFmpeg",
            )
        return writer

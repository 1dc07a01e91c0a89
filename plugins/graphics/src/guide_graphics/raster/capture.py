"""Screenshots and videos, written by a thread beside the loop.

A frame is copied into one of a few buffers and handed over; encoding it takes longer than a frame
has. When all buffers are in use the frame is dropped and counted: the loop does not wait, unless
it is told to.

A video is written by ffmpeg, where the machine has it, into fragmented MP4: playable up to the
last fragment however the run ends. Elsewhere it is a folder of PNG files.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from guide.png import encode_png
from guide.record import write_atomically
from guide_graphics.raster.scene import U8

_BUFFERS = 4  # frames under way at most
_FRAGMENT_S = 0.5  # of a video; what is lost of one when the machine goes off
_PATIENCE_S = 20.0  # for ffmpeg to write what it has
_STILL_S = 1.0  # a frame stands no longer: time in which nothing ran is no film


class _Film(Protocol):
    """What takes the frames of a video."""

    path: Path

    def add(self, color: U8, slot: int) -> None:
        """Take the frame that is shown from `slot` on, in frames since the first."""
        ...

    def close(self) -> str:
        """Write what there is; returns what went wrong, in a line, or nothing."""
        ...


class Capture:
    """Writes screenshots and videos into a folder.

    Args:
        folder: where they go; `screenshot-1.png`, `video-1.mp4` and so on.
        rate_hz: frames a second of a video.
        say: called with one line when a file is done or could not be written; from any thread.

    Attributes:
        waits: whether `frame` waits for a buffer that is free instead of dropping the frame: where
            nobody looks, a whole film is worth more than a punctual loop.
        dropped: frames of the video under way that were left out, the one before shown instead.
    """

    def __init__(self, folder: Path, rate_hz: float, say: Callable[[str], object]) -> None:
        self._folder, self._rate_hz, self._say = folder, rate_hz, say
        self._free: queue.SimpleQueue[U8 | None] = queue.SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(None)
        self._work: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._shots = self._videos = 0
        self._film: _Film | None = None  # the thread's
        self._filming = 0  # number of the video that it is
        self._began_s = 0.0
        self._shape: tuple[int, ...] | None = None  # of the frames of the video, from the first on
        self._slot = -1  # of the newest frame that was handed over, in frames since the first
        self.recording = self.waits = False
        self.dropped = 0

    def screenshot(self, color: U8) -> None:
        """Write a frame, (h, w, 4) uint8 with row 0 at the bottom, as PNG."""
        copied = self._copied(color)
        if copied is None:
            self._say("no screenshot: the ones before are still being written")
            return
        self._shots += 1
        path = self._folder / f"screenshot-{self._shots}.png"
        self._hand_over(lambda: self._write_png(path, copied))

    def start_video(self) -> None:
        """Begin a video with the next frame."""
        self.recording, self.dropped = True, 0
        self._shape, self._slot = None, -1
        self._videos += 1

    def frame(self, color: U8, t_s: float) -> None:
        """Hand the frame of time `t_s` to the video, if there is one.

        A frame stands for as long as passes until the next, so that a video runs as fast as what
        it shows did; more than `rate_hz` a second are not taken. A frame of another size ends it.
        """
        if not self.recording:
            return
        if self._shape is None:
            self._shape, self._began_s = color.shape, t_s
            size, number = (color.shape[1], color.shape[0]), self._videos
            self._hand_over(lambda: self._open(number, size))
        elif self._shape != color.shape:
            self.stop_video()
            return
        slot = round((t_s - self._began_s) * self._rate_hz)
        if slot <= self._slot:
            return
        copied = self._copied(color)
        if copied is None:
            self.dropped += 1
            return
        self._slot = slot
        self._hand_over(lambda: self._add(copied, slot))

    def stop_video(self) -> None:
        """End the video, if there is one."""
        if self.recording:
            self.recording = False
            dropped = self.dropped
            self._hand_over(lambda: self._end(dropped=dropped))

    def close(self) -> None:
        """End the video and wait until all is written; a second call does nothing."""
        self.stop_video()
        if self._thread is not None:
            self._work.put(None)
            self._thread.join(2 * _PATIENCE_S)
            if self._thread.is_alive():
                self._say("the video may lack its end: it was still being written")
            self._thread = None

    def _copied(self, color: U8) -> U8 | None:
        try:
            buffer = self._free.get(timeout=_PATIENCE_S if self.waits else 0)
        except queue.Empty:
            return None
        if buffer is None or buffer.shape != color.shape:
            buffer = np.empty_like(color)
        np.copyto(buffer, color)
        return buffer

    def _hand_over(self, work: Callable[[], object]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
            self._thread.start()
        self._work.put(work)

    # What follows runs on the thread

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()

    def _write_png(self, path: Path, color: U8) -> None:
        try:
            _write_png(path, color)
            self._say(f"written: {path.name}")
        except OSError as error:
            self._say(f"no screenshot: {error.strerror or error}")
        finally:
            self._free.put(color)

    def _open(self, number: int, size: tuple[int, int]) -> None:
        self._filming = number
        path = self._folder / f"video-{number}"
        try:
            if shutil.which("ffmpeg"):
                self._film = _Ffmpeg(path.with_suffix(".mp4"), size, self._rate_hz)
            else:
                self._film = _Pngs(path)
                self._say("no ffmpeg here, so the video is a folder of PNG files")
        except OSError as error:
            self._give_up()
            self._say(f"no video: {error.strerror or error}")

    def _add(self, color: U8, slot: int) -> None:
        try:
            if self._film is not None:
                self._film.add(color, slot)
        except OSError as error:
            self._give_up()
            self._end(error.strerror or str(error))
        finally:
            self._free.put(color)

    def _give_up(self) -> None:
        if self._filming == self._videos:  # else the loop has begun another one since
            self.recording = False

    def _end(self, trouble: str = "", dropped: int = 0) -> None:
        film, self._film = self._film, None
        if film is None:  # it ended before, and that was said
            return
        trouble = film.close() or trouble  # ffmpeg knows more than "Broken pipe"
        if trouble:
            self._say(f"{film.path.name} ends early: {trouble}")
        else:
            left_out = f", {dropped:,} frames dropped" if dropped else ""
            self._say(f"written: {film.path.name}{left_out}")


class _Ffmpeg:
    """H.264 where this ffmpeg has it, MPEG-4 otherwise, in MP4 that is written in fragments."""

    def __init__(self, path: Path, size: tuple[int, int], rate_hz: float) -> None:
        self.path = path
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, for as long as the process
        self._last: U8 | None = None
        self._slot = -1
        self._most = max(round(rate_hz * _STILL_S), 1)
        group = max(round(rate_hz * _FRAGMENT_S), 1)
        self._process = subprocess.Popen(
            [
                *("ffmpeg", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba"),
                *("-s", f"{size[0]}x{size[1]}", "-r", f"{rate_hz:g}", "-i", "-"),
                # The sides of a frame whose colours are halved must be even
                *("-vf", "vflip,pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"),
                *(*_codec(), "-threads", "1", "-g", str(group)),
                *("-movflags", "frag_keyframe+empty_moov+default_base_moof"),
                *("-flush_packets", "1", "-y", str(path)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for us: ffmpeg ends when its input does
        )

    def add(self, color: U8, slot: int) -> None:
        # The frame before stands until this one came
        for _ in range(min(slot - self._slot, self._most) - 1 if self._last is not None else 0):
            self._write(self._last)
        self._write(color)
        self._last, self._slot = color.copy(), slot

    def _write(self, color: U8 | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(memoryview(color).cast("B"))  # type: ignore[arg-type]
        self._process.stdin.flush()

    def close(self) -> str:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has gone already
            self._process.stdin.close()
        try:
            code = self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return f"ffmpeg did not end within {_PATIENCE_S:.0f} s"
        with self._log as log:
            log.seek(0)
            said = log.read().decode(errors="replace").split("\n")
        return next((line.strip()[:120] for line in said if line.strip()), "") if code else ""


def _codec() -> tuple[str, ...]:
    asked = ["ffmpeg", "-hide_banner", "-encoders"]
    known = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True).stdout
    if b"libx264" in known:
        # Frames are not held back for a better choice: what was handed over is soon on disk
        return ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-crf", "18")
    return ("-c:v", "mpeg4", "-q:v", "3")


class _Pngs:
    """A folder of PNG files, each named by the number of its frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def add(self, color: U8, slot: int) -> None:
        _write_png(self.path / f"frame-{slot:06}.png", color)

    def close(self) -> str:
        return ""


def _write_png(path: Path, color: U8) -> None:
    """Write a frame whose first row is the bottom one, whole or not at all."""
    data = encode_png(color[::-1, :, :3])
    write_atomically(path, lambda out: out.write(data), "wb")

"""Real parts for the tests: a network camera in a process of its own, clips written on the spot."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from guide_vision.pipeline import Image
from guide_vision.pipeline.barcode import write_barcode


class NetworkCamera:
    """`python -m guide_vision.netcam`, to be killed and stopped."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._start("0")

    def _start(self, port: str) -> None:
        command = [sys.executable, "-m", "guide_vision.netcam", "--port", port, *self._arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://"), "the camera did not start"

    def stop(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def restart(self, *arguments: str) -> None:
        """Start again at the same address, with other arguments if there are any."""
        self.kill()
        self._arguments = arguments or self._arguments
        self._start(str(urlsplit(self.url).port))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def network_camera() -> Iterator[Callable[..., NetworkCamera]]:
    """Starts network cameras; those still alive at the end are killed."""
    cameras: list[NetworkCamera] = []

    def start(*arguments: str) -> NetworkCamera:
        cameras.append(NetworkCamera(*arguments))
        return cameras[-1]

    yield start
    for camera in cameras:
        camera.kill()


class ScriptedStream:
    """An MJPEG server for one client that sends exactly what a test wants sent."""

    def __init__(self, script: Callable[[ScriptedStream], None]) -> None:
        self.over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve, args=(script,), daemon=True)
        self._thread.start()

    def picture(
        self,
        number: int,
        *,
        keep: float = 1.0,
        damaged: bool = False,
        size: tuple[int, int] = (320, 180),
        paint: Callable[[Image], None] | None = None,
    ) -> None:
        """Send a picture, with its number as a barcode if not painted; or only its first part."""
        image = np.full((size[1], size[0], 3), 90, np.uint8)
        if paint is None:
            write_barcode(image, number)
        else:
            paint(image)
        jpeg = cv2.imencode(".jpg", image)[1].tobytes()
        if damaged:
            jpeg = b"?" * len(jpeg)
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        self._client.sendall(head.encode() + jpeg[: int(keep * len(jpeg))])
        if keep == 1:
            self._client.sendall(b"\r\n")
        self.over.wait(0.02)

    def close(self) -> None:
        self.over.set()
        self._server.close()
        self._thread.join(5)

    def _serve(self, script: Callable[[ScriptedStream], None]) -> None:
        self._client, _ = self._server.accept()
        with self._client, contextlib.suppress(OSError):
            self._client.recv(4096)
            kind = b"multipart/x-mixed-replace; boundary=frame"
            self._client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: " + kind + b"\r\n\r\n")
            script(self)


@pytest.fixture
def scripted_stream() -> Iterator[Callable[..., ScriptedStream]]:
    """Serves a script: a function that is handed the `ScriptedStream`."""
    streams: list[ScriptedStream] = []

    def start(script: Callable[[ScriptedStream], None]) -> ScriptedStream:
        streams.append(ScriptedStream(script))
        return streams[-1]

    yield start
    for stream in streams:
        stream.close()


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """Writes a clip whose frames carry their number as a barcode."""

    def make(
        frames: int = 30,
        name: str = "clip.avi",
        fps: float = 25.0,
        size: tuple[int, int] = (320, 180),
        draw: Callable[[Image, int], None] | None = None,
    ) -> Path:
        path = tmp_path / name
        codec = "MJPG" if path.suffix == ".avi" else "mp4v"
        fourcc = cv2.VideoWriter.fourcc(*codec)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, fps, size)
        assert writer.isOpened()
        for number in range(frames):
            image = np.full((size[1], size[0], 3), 90, np.uint8)
            if draw is not None:
                draw(image, number)
            write_barcode(image, number)
            writer.write(image)
        writer.release()
        return path

    return make


@pytest.fixture(scope="session")
def clips() -> Path:
    """The folder of real film clips."""
    root = Path(__file__).parents[3]
    folder = Path(os.environ.get("GUIDE_CLIPS", root / "build" / "clips"))
    if not (folder / "bikes.mp4").is_file():
        pytest.fail(f"there are no clips in {folder}: run make clips", pytrace=False)
    return folder

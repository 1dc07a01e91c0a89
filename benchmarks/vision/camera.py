"""A network camera that can be told to hang up, be silent or die: the plugin's own, in a process.

    python -m benchmarks.vision.camera --width 1280 --height 720 --hang-up-after 15

It shows Motion JPEG over HTTP, with the number and the time of capture in each picture.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Any, cast
from urllib.parse import urlsplit

import cv2

from benchmarks.apart import ROOT
from guide_vision.netcam import serve
from guide_vision.pipeline.barcode import read_barcode
from guide_vision.pipeline.virtual import VirtualCamera

WRAP = 2**32  # of the time in a picture, in ms


class CameraProcess:
    """The camera, elsewhere; started at once.

    Args:
        kind: "camera", Motion JPEG, or "rtsp".
        port: 0 takes a free one.
        width: of the picture.
        height: likewise.
        hang_up_after: pictures, after which each client is left; 0: never.

    Attributes:
        url: its address.
        port: of it.
    """

    def __init__(
        self,
        kind: str = "camera",
        *,
        port: int = 0,
        width: int = 640,
        height: int = 360,
        hang_up_after: int = 0,
    ) -> None:
        arguments = {"port": port, "width": width, "height": height}
        if hang_up_after:
            arguments["hang-up-after"] = hang_up_after
        command = [sys.executable, "-m", f"benchmarks.vision.{kind}"]
        for name, value in arguments.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,  # its end is the camera's, see `end_with_parent`
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the {kind} did not start")
        self.port = urlsplit(self.url).port or 0

    def silence(self) -> None:
        """Show nothing, and keep the connections."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """No camera any more."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> CameraProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def age_ms(image: Any) -> float:
    """How long ago the picture was taken."""
    return float((time.perf_counter_ns() // 1_000_000 - read_barcode(image)) % WRAP)


def end_with_parent() -> None:
    """End this process when its parent has: no camera is left behind by a run that was killed."""

    def wait() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--hang-up-after", type=int, default=0)
    typed = parser.parse_args()
    end_with_parent()
    cv2.setNumThreads(1)
    camera = VirtualCamera(width=typed.width, height=typed.height, fps=30.0, live=True)
    server = serve(typed.port, camera)
    if typed.hang_up_after:
        _hang_up(cast(Any, server.RequestHandlerClass).newest, typed.hang_up_after)
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()


def _hang_up(newest: Any, after: int) -> None:
    """Let each client have so many pictures; to the server it looks as if it had gone."""
    wait = newest.after
    shown: Counter[int] = Counter()  # by the thread that serves the client

    def limited(number: int) -> Any:
        client = threading.get_ident()
        shown[client] += 1
        if shown[client] > after:
            del shown[client]
            raise ConnectionAbortedError
        return wait(number)

    newest.after = limited


if __name__ == "__main__":
    main()

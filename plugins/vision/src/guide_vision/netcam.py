"""A network camera to practise with: the virtual camera, as Motion JPEG over HTTP.

    python -m guide_vision.netcam --port 8080
    guide run --set source=http://127.0.0.1:8080/        # in a second terminal

Stop it (Ctrl-C), freeze it (`kill -STOP`), let it go on (`kill -CONT`): what happens to your
pipeline is what happens with a real one. Each picture carries its number and its time of capture
as a barcode, see `guide_vision.pipeline.barcode`.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from guide_vision.pipeline.barcode import write_barcode
from guide_vision.pipeline.virtual import VirtualCamera


class Newest:
    """The newest picture, for any number of clients; a slow one misses some."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jpeg = b""
        self._number = 0

    @property
    def number(self) -> int:
        """How many pictures there were."""
        with self._changed:
            return self._number

    def put(self, jpeg: bytes) -> None:
        """Replace it."""
        with self._changed:
            self._jpeg, self._number = jpeg, self._number + 1
            self._changed.notify_all()

    def after(self, number: int) -> tuple[int, bytes]:
        """Wait for a picture newer than `number`; returns its number and the picture."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number)
            return self._number, self._jpeg


class _Client(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    newest: Newest  # set on the subclass that `serve` makes

    def do_GET(self) -> None:
        if self.path not in ("/", "/video"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        number = self.newest.number  # one that was frozen must not show what it saw before
        try:
            while True:
                number, jpeg = self.newest.after(number)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
        except ConnectionError:
            return  # the client went away

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: one line for each client helps nobody."""


def serve(port: int, camera: VirtualCamera, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Start the camera and return its server; `serve_forever` is left to the caller.

    Port 0 takes a free one; `server_address` says which.
    """
    newest = Newest()
    handler = type("Client", (_Client,), {"newest": newest})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    threading.Thread(target=_expose, args=(camera, newest), name="camera", daemon=True).start()
    return server


def _expose(camera: VirtualCamera, newest: Newest) -> None:
    camera.open()
    image = None
    while (frame := camera.read(image)) is not None:
        image = frame.image
        write_barcode(image, frame.seq, row=1)
        write_barcode(image, time.perf_counter_ns() // 1_000_000, row=0)
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])
        newest.put(jpeg.tobytes())


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m guide_vision.netcam", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    typed = parser.parse_args()
    cv2.setNumThreads(1)
    camera = VirtualCamera(width=typed.width, height=typed.height, fps=typed.fps, live=True)
    try:
        server = serve(typed.port, camera)
    except OSError as error:
        sys.exit(f"cannot listen on port {typed.port}: {error.strerror}; try --port 0")
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}/\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


if __name__ == "__main__":
    main()

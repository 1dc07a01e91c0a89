"""The server of the live view: this machine alone, reading alone, and nobody can hold it up.

Each connection has a thread that may wait for its browser, up to a time limit; what is sent is
the newest there is when the browser is ready for it. `/` is the page, `/video` the picture as
MJPEG, `/picture` one of it, `/events` the figures four times a second, `/stats` once.
"""

from __future__ import annotations

import errno
import json
import select
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guide.errors import UsageError

if TYPE_CHECKING:
    from guide.live import Live

_HOST = "127.0.0.1"
_OURS = {"localhost", "127.0.0.1", "[::1]"}
_PATIENCE_S = 5.0  # how long a browser may take nothing of what is sent to it
_LOOK_S = 1.0  # how often one that is sent nothing is asked whether it is still there
_MOST = 32  # connections
_BUFFER = 128 * 1024  # bytes on their way to one browser: more would only be older pictures
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_BOUNDARY = "a-picture"


class Server(ThreadingHTTPServer):
    """Listens on a port of this machine from the moment it is made.

    Args:
        port: which; 0 for one that is free.

    Raises:
        UsageError: when the port is taken, or not granted.
    """

    daemon_threads = True  # a browser that stays keeps no process alive
    request_queue_size = _MOST
    live: Live

    def __init__(self, port: int) -> None:
        self._room = threading.Semaphore(_MOST)
        try:
            super().__init__((_HOST, port), Handler)
        except OSError as error:
            why = "taken" if error.errno == errno.EADDRINUSE else "not granted"
            raise UsageError(
                f"port {port} is {why}: {error.strerror}", "guide run --live finds a free one"
            ) from None

    def server_bind(self) -> None:
        """Bind, and ask no name server what this machine is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, unless there are as many as anybody can look at."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection on its own thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no error; another one is a note, not lines on a display."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.live.trouble(f"{type(error).__name__}: {error}")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "guide", ""
    timeout = _PATIENCE_S  # of every send, and of a request that does not come
    server: Server

    def do_GET(self) -> None:
        """Answer a GET, or a HEAD, which is one without what comes after the head."""
        if not self._from_here():
            self._say(403, "this page is for http://127.0.0.1 and http://localhost alone\n")
            return
        answers = {
            "/": self._page,
            "/video": self._video,
            "/picture": self._picture,
            "/events": self._events,
            "/stats": self._stats,
        }
        answer = answers.get(urlsplit(self.path).path)
        if answer is None:
            self._say(404, f"there is {', '.join(answers)}, and no more\n")
        else:
            answer()

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Whatever else may be asked for is refused."""
        if name.startswith("do_"):
            return self._refuse
        raise AttributeError(name)

    def _refuse(self) -> None:
        self.close_connection = True  # what it sends with it is not read
        self._say(405, "only GET and HEAD: this page shows, it steers nothing\n", Allow="GET, HEAD")

    def _from_here(self) -> bool:
        """Whether the browser itself meant this machine, and no other site's page did.

        A name that somebody else's name server points at 127.0.0.1 must not get in.
        """
        host = self.headers.get("Host", "")
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        foreign = self.headers.get("Sec-Fetch-Site") == "cross-site"
        navigates = self.headers.get("Sec-Fetch-Mode") == "navigate"
        return name.lower() in _OURS and (navigates or not foreign)

    def _head(self, status: int, kind: str, **fields: str) -> bool:
        """Send the head; returns whether something is to follow."""
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            **fields,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        return self.command != "HEAD"

    def _send(self, status: int, kind: str, body: bytes, **fields: str) -> None:
        if self._head(status, kind, Content_Length=str(len(body)), **fields):
            self.wfile.write(body)

    def _say(self, status: int, text: str, **fields: str) -> None:
        self._send(status, "text/plain; charset=utf-8", text.encode(), **fields)

    def _page(self) -> None:
        kind = "text/html; charset=utf-8"
        self._send(200, kind, self.server.live.page(), Content_Security_Policy=_POLICY)

    def _stats(self) -> None:
        self._send(200, "application/json", encoded(self.server.live.stats.now()))

    def _events(self) -> None:
        self.close_connection = True
        if not self._head(200, "text/event-stream", Connection="close"):
            return
        newest = self.server.live.figures
        seen = newest.number  # what was composed for somebody earlier is of then
        with newest.looking():
            while True:
                seen, data = newest.get(seen, _LOOK_S)
                if data is not None:
                    self.wfile.write(b"data: " + data + b"\n\n")
                elif newest.closed or self._gone():
                    return

    def _picture(self) -> None:
        newest, data = self.server.live.pictures.newest, None
        if self.server.live.shows_picture:
            with newest.looking():
                _, data = newest.get(newest.number, 2 * _LOOK_S)
                if data is None:  # paused, say: then the newest is an older one
                    _, data = newest.get(0, 0)
        if data is None:
            self._say(404, "there is no picture (yet)\n")
        else:
            self._send(200, self.server.live.pictures.encoder.mime, data)

    def _video(self) -> None:
        self.close_connection = True
        live = self.server.live
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        if not self._head(200, kind, Connection="close"):
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        newest = live.pictures.newest
        limit = f"--{_BOUNDARY}\r\n".encode()
        self.wfile.write(limit)
        with newest.looking():
            seen, data = newest.get(newest.number, _LOOK_S)
            if data is None:
                seen = 0
            while True:
                if data is not None:
                    head = f"Content-Type: {live.pictures.encoder.mime}\r\n"
                    head += f"Content-Length: {len(data)}\r\n\r\n"
                    # With the next limit behind it: a browser shows a part once it has ended.
                    self.wfile.write(b"".join((head.encode(), data, b"\r\n", limit)))
                elif newest.closed or self._gone():
                    return
                seen, data = newest.get(seen, _LOOK_S)

    def _gone(self) -> bool:
        """Whether the browser has closed its side; nothing but a request ever comes from it."""
        ready, _, _ = select.select([self.connection], [], [], 0)
        return bool(ready) and not self.connection.recv(1, socket.MSG_PEEK)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the terminal shows the run."""


def encoded(figures: dict[str, Any]) -> bytes:
    """Figures as JSON, in one line."""
    return json.dumps(figures, separators=(",", ":"), allow_nan=False).encode()

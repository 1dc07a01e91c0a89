"""Ctrl-C: once ends a run cleanly, twice ends it now.

Python runs signal handlers between byte codes of the main thread, which is too late for a loop
that is stuck inside a C call. The second signal is therefore seen by a thread that reads the
wake-up socket, which the C-level handler writes to at once.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals(
    first: Callable[[], None], at_once: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Within the block, the first SIGINT or SIGTERM calls `first`; the second ends the process.

    `first` runs on the main thread and may raise. The process then exits with 130 (SIGINT) or
    143 (SIGTERM), after a call of `at_once` on another thread. Outside the main thread this does
    nothing: signals are not its business.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    called = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal called
        if not called:
            called = True
            first()

    def watch() -> None:
        seen = 0
        with reader:
            while data := reader.recv(1):
                seen += data[0] in _SIGNALS
                if seen >= 2:
                    at_once()
                    os._exit(128 + data[0])

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    fd_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=watch, name="guide-signals", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()  # ends the watcher

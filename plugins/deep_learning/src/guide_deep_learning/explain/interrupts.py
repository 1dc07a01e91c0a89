"""Ctrl-C, while something of ours must not be left half done."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Within the block Ctrl-C waits; after it, it does what it would have done.

    Whoever handles it handles it, a moment later: a handler of the program's own is called, too.
    """
    theirs = signal.getsignal(signal.SIGINT)
    # Only on the main thread are interrupts raised, and only there can they be held
    if threading.current_thread() is not threading.main_thread() or not callable(theirs):
        yield
        return
    came = []
    signal.signal(signal.SIGINT, lambda _, frame: came.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, theirs)
        if came:
            theirs(signal.SIGINT, came[0])

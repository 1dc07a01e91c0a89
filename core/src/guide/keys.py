"""Keys that steer a run on a terminal: p pause, n one step, + and - speed, q end."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from guide.loop import Loop

HINT = "p pause, n step, + - speed, q end"
_SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def press(key: str, loop: Loop) -> None:
    """Do what `key` stands for; any other key does nothing."""
    if key == "p":
        (loop.resume if loop.paused else loop.pause)()
    elif key == "n":
        if loop.paused:
            loop.step()
        else:
            loop.pause()
    elif key in ("+", "=", "-"):
        at = min(range(len(_SPEEDS)), key=lambda i: abs(_SPEEDS[i] - loop.speed))
        loop.speed = _SPEEDS[min(max(at + (-1 if key == "-" else 1), 0), len(_SPEEDS) - 1)]
    elif key == "q":
        loop.stop("interrupted")


@contextmanager
def keys(loop: Loop) -> Iterator[Callable[[], None] | None]:
    """Within the block, keys typed on the terminal steer `loop`.

    Yields what gives the terminal back at once, for whoever ends the process without leaving the
    block; None where there is no terminal of ours to read from: a pipe, a job in the background.
    """
    fd = _terminal()
    if fd is None:
        yield None
        return
    import termios
    import tty

    before = termios.tcgetattr(fd)
    done = threading.Event()

    def give_back() -> None:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)

    def read() -> None:
        while not done.is_set():
            ready, _, _ = select.select([fd], [], [], 0.1)
            if ready and (data := os.read(fd, 1)):
                press(data.decode(errors="replace"), loop)
            elif ready:
                return  # the terminal has gone

    reader = threading.Thread(target=read, name="guide-keys", daemon=True)
    tty.setcbreak(fd)
    reader.start()
    try:
        yield give_back
    finally:
        done.set()
        reader.join()
        give_back()


def _terminal() -> int | None:
    """The terminal to read from, if this process is the one that it listens to."""
    try:
        fd = sys.stdin.fileno()
        ours = sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(fd) == os.getpgrp()
    except (OSError, ValueError, AttributeError):  # closed, none at all, or no such thing here
        return None
    return fd if ours else None

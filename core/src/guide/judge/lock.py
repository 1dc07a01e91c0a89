"""One check at a time on a machine: two that are timed together would only measure each other."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from guide.errors import GuideError

_FILE = "guide-judge.lock"


@contextlib.contextmanager
def alone(waiting: Callable[[], None] = lambda: None, patience_s: float = 300.0) -> Iterator[None]:
    """Within the block, no other check runs on this machine.

    Args:
        waiting: called once when another one runs.
        patience_s: how long to wait for it.

    Raises:
        GuideError: when it does not end.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    fd = _open()
    try:
        deadline = time.monotonic() + patience_s
        told = False
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not told:
                    waiting()
                    told = True
                if time.monotonic() > deadline:
                    raise GuideError(
                        "another check on this machine does not end", "end it, then check again"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(fd)  # gives the lock back too


def _open() -> int:
    """The lock's file, which users of one machine share; one's own where it cannot be."""
    shared = Path(tempfile.gettempdir()) / _FILE
    # Without O_CREAT first: Linux lets nobody, not even root, create over another's in /tmp.
    for path, flags in (
        (shared, os.O_RDONLY),
        (shared, os.O_RDWR | os.O_CREAT),
        (Path(tempfile.gettempdir()) / f"{_FILE}-{os.getuid()}", os.O_RDWR | os.O_CREAT),
    ):
        with contextlib.suppress(OSError):
            return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    raise GuideError(f"{shared} cannot be opened", "set TMPDIR to a folder that can be written")

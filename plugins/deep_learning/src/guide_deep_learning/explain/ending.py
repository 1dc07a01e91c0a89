"""Ends somebody's program before its time, whichever thread makes its steps; and then its process.

Python ends a process in four moves: it waits for threads, calls what was registered with `atexit`,
flushes, and takes the interpreter apart. The last one is left out here: threads that are in
torch's code just then do not survive it, and bring the process down.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

_GRACE_S = 2.0  # how long threads and workers of a program that is ended early are waited for
_CLOSING_S = 10.0  # and the thread that made the steps: it may have something to save
_BY_ITSELF_S = 0.5  # in which the main thread may end because that one has


class Enough(SystemExit):
    """What ends the program that is looked at: as sys.exit does, past `except Exception`."""

    def __init__(self) -> None:
        super().__init__(0)


class Ending:
    """Ends a program from any of its threads.

    Args:
        stuck: called when the main thread waits for something and cannot be reached.
    """

    def __init__(self, stuck: Callable[[], object]) -> None:
        self._stuck = stuck
        # No locks: an error that is thrown may arrive while one is held
        self._over = self._thrown = False
        self._arrived = threading.Event()

    def now(self) -> NoReturn:
        """End this thread; where it is not the main one, then that one, too."""
        this = threading.current_thread()
        if this is not threading.main_thread():
            _say_nothing_of_it()
            threading.Thread(target=self._end_main, args=(this,), daemon=True).start()
        raise Enough

    def over(self) -> None:
        """The main thread has left the program: nothing is thrown into it after this."""
        with contextlib.suppress(Enough):  # what was thrown may arrive only here
            self._over = True
            while self._thrown and not self._arrived.is_set():
                time.sleep(0.001)

    def _end_main(self, stepping: threading.Thread) -> None:
        stepping.join(_CLOSING_S)
        until = time.monotonic() + _BY_ITSELF_S
        while not self._over and time.monotonic() < until:
            time.sleep(0.01)
        arrived = self._arrived

        class Now(Enough):
            def __init__(self) -> None:
                super().__init__()
                arrived.set()

        self._thrown = True
        if self._over:
            self._thrown = False
            return
        throw(Now, threading.main_thread())
        if not arrived.wait(_GRACE_S) and not self._over:
            self._stuck()


def throw(error: type[BaseException], thread: threading.Thread) -> None:
    """Raise an error in a thread before its next instruction.

    It cannot be taken back: told to forget it, Python 3.11 never looks at its next instruction
    again while a profiler is on.
    """
    thrown = ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), thrown)


def wait_for_threads() -> None:
    """As Python does when a program's last line is done: its threads may be at work still."""
    threading._shutdown()  # type: ignore[attr-defined]


def end_process(code: int, *, early: bool) -> NoReturn:
    """End this process in order, but for the interpreter, which is not taken apart.

    Args:
        code: what it exits with.
        early: whether the program did not end by itself: what it left is not waited for long.
    """
    _quietly(_end_workers if early else wait_for_threads)
    _quietly(atexit._run_exitfuncs)
    for stream in (sys.stdout, sys.stderr):
        _quietly(stream.flush)
    os._exit(code)


def _end_workers() -> None:
    # Executors are told to end, too, and some threads wait for that until all is over
    waiting = threading.Thread(target=_quietly, args=(wait_for_threads,), daemon=True)
    waiting.start()
    waiting.join(_GRACE_S)
    processes = sys.modules.get("multiprocessing")
    for child in processes.active_children() if processes is not None else ():
        if not child.daemon:  # those that are, are ended by what is registered with atexit
            child.join(_GRACE_S)
            child.terminate()


def _quietly(work: Callable[[], object]) -> None:
    """At the end there is nobody left to tell: a closed pipe, a second Ctrl-C."""
    with contextlib.suppress(BaseException):
        work()


def _say_nothing_of_it() -> None:
    """A thread that is ended by us is no error of the program's."""
    theirs = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is None or not issubclass(args.exc_type, Enough):
            theirs(args)

    threading.excepthook = hook

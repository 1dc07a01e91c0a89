"""A process that has imported what an exercise needs, and forks workers from it.

Importing numba takes half a second and torch two; a fork takes a millisecond. So `guide watch`
answers while you are still looking at the line you changed. It is also a wall: a worker is a copy
of this process, which never held an expected value.

    python -m guide.judge.nursery FD fork|become

FD is a socket. A message is a JSON object and, for "fork", file descriptors: control, given
memory, returned memory, output. With "become" nothing is forked: it turns into a worker itself.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from guide.judge.confine import adopt, confine, die_with_parent, hide, limit


def main(fd: int, forks: bool) -> None:
    """Serve the judge at the other end of `fd` until it goes away."""
    die_with_parent()
    adopt()
    hide()
    sys.dont_write_bytecode = True
    warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
    judge = socket.socket(fileno=fd)
    workers: set[int] = set()
    while True:
        data, fds, _, _ = socket.recv_fds(judge, 1 << 16, 4)
        if not data:
            break
        message = json.loads(data)
        if "needs" in message:
            _answer(judge, {"missing": _imported(message["needs"])})
        elif "fork" in message:
            pid = os.fork() if forks else 0
            if pid == 0:
                judge.close()
                _become(message["fork"], fds)
            workers.add(pid)
            for one in fds:
                os.close(one)
            _answer(judge, {"pid": pid})
        elif "reap" in message:
            _answer(judge, {"status": _reap(message["reap"], workers)})


def _answer(judge: socket.socket, answer: dict[str, Any]) -> None:
    judge.sendall(json.dumps(answer).encode() + b"\n")


def _imported(names: list[str]) -> str:
    import guide.judge.worker  # noqa: F401 (so that no worker has to)

    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            return name
    return ""


def _become(setup: dict[str, Any], fds: list[int]) -> None:
    """Be a worker from here on; never returns."""
    try:
        control, given, returned, output = fds
        nothing = os.open(os.devnull, os.O_RDWR)
        for old, new in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(old, new)
        for one in (nothing, output):
            os.close(one)
        # Line by line: what was printed before a crash is what explains it.
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        with contextlib.suppress(OSError):  # a session of its own has a group of its own
            os.setpgid(0, 0)
        scratch = Path(setup["scratch"])
        os.chdir(scratch)
        os.environ["TMPDIR"] = os.environ["NUMBA_CACHE_DIR"] = os.environ["HOME"] = str(scratch)
        limit(setup["cpu_s"], setup["memory_bytes"], processes=setup["processes"])
        missing = confine(scratch, processes=setup["processes"])
        os.write(control, json.dumps(missing).encode() + b"\n")
        from guide.judge.worker import serve

        serve(control, given, returned)
    finally:
        os._exit(0)


def _reap(pid: int, workers: set[int]) -> int:
    """End a worker and whatever it left behind; its status, as `os.waitpid` has it."""
    status = 0
    with contextlib.suppress(ChildProcessError):
        deadline = time.monotonic() + 0.2  # one that is ending by itself says why it ended
        done, status = os.waitpid(pid, os.WNOHANG)
        while not done and time.monotonic() < deadline:
            time.sleep(0.002)
            done, status = os.waitpid(pid, os.WNOHANG)
        if not done:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            status = signal.SIGKILL
    workers.discard(pid)
    # Orphans of a worker are ours now (see `adopt`), also those with a session of their own.
    # Ending one may orphan another: until there are none.
    while orphans := _children() - workers:
        for orphan in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
        for orphan in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, 0)
    return status


def _children() -> set[int]:
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:
        return set()
    return {int(pid) for pid in text.split()}


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "fork")
    os._exit(0)  # taking torch apart first would take most of a second, and the judge waits for it

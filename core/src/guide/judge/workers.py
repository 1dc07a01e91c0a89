"""The judge's side of its workers: started, handed inputs, timed from outside, stopped, ended.

The clock is read here and nowhere else: before the command is written, and once the answer is
there. Between calls a worker stands still (SIGSTOP), so that nothing in it runs while another is
timed; time that it used up off the clock is known to the kernel, and is told.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from guide.errors import GuideError
from guide.judge.codec import Full, Garbled, decode, encode

_MESSAGE = 9  # bytes: see worker.py
_POISON = 0xA5
_GIVEN, _RETURNED = 1 << 30, 256 << 20  # of memory that is only there once it is written
_MOST_PRINTED = 1 << 20
_KEPT_PRINTED = 2000


class Failed(Exception):
    """What the submission did wrong, in a sentence for the learner."""


class Cheated(Failed):
    """It did what nobody does by mistake."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may use."""

    timeout_s: float = 20.0  # of one call, on the wall
    cpu_s: int = 300  # of its whole life
    memory_mb: int = 2048
    threads: int = 1
    processes: bool = False


@dataclass(frozen=True, slots=True)
class Timed:
    """One timed command.

    Attributes:
        value: what came back.
        wall_ns: from the command to the answer.
        cpu_ns: processor time that all threads of the worker used meanwhile; -1 when unknown.
        aside_ns: processor time it used since the last command, off the clock; -1 when unknown.
    """

    value: Any
    wall_ns: int
    cpu_ns: int
    aside_ns: int


class Nursery:
    """The process that forks workers, with what an exercise needs imported already.

    Args:
        needs: what it imports.
        threads: how many the libraries may use.
        forks: whether it can; where a system library may not survive a fork, as on macOS, each
            worker is a process that was started for it, which is slower.

    Raises:
        GuideError: when something needed is not installed, or this system has no way to do it.
    """

    def __init__(
        self, needs: Sequence[str] = (), threads: int = 1, *, forks: bool = sys.platform == "linux"
    ) -> None:
        if sys.platform == "win32":
            raise GuideError(
                "checks that time your code need Linux or macOS", "run guide inside WSL"
            )
        self.needs, self.threads, self._forks = tuple(needs), threads, forks
        self._grown: dict[int, Nursery] = {}  # workers that were nurseries, by process id
        ours, theirs = socket.socketpair()
        names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM", "NUMEXPR")
        env = {
            **{
                k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")
            },
            **{f"{name}_NUM_THREADS": str(self.threads) for name in names},
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONSAFEPATH": "1",
        }
        self._process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "guide.judge.nursery", str(theirs.fileno())),
                "fork" if forks else "become",
            ],
            env=env,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the judge's, who then ends this one
        )
        theirs.close()
        self._socket, self._unread = ours, b""
        missing = self._ask({"needs": self.needs})["missing"]
        if missing:
            self.close()
            raise GuideError(f"this exercise needs {missing}", f"type: pip install {missing}")

    def fork(self, scratch: Path, limits: Limits, fds: Sequence[int]) -> int:
        """Fork a worker; its process id."""
        setup = {
            "scratch": str(scratch),
            "cpu_s": limits.cpu_s,
            "memory_bytes": limits.memory_mb * 1_000_000
            and limits.memory_mb * 1_000_000 + _GIVEN + _RETURNED,
            "processes": limits.processes,
        }
        message = [json.dumps({"fork": setup}).encode()]
        if self._forks:
            socket.send_fds(self._socket, message, list(fds))
            return int(self._answer()["pid"])
        grown = Nursery(self.needs, self.threads, forks=False)
        socket.send_fds(grown._socket, message, list(fds))
        self._grown[grown._process.pid] = grown
        return grown._process.pid

    def reap(self, pid: int) -> int:
        """End a worker, with all it has started; how it ended, as `os.waitpid` has it."""
        if grown := self._grown.pop(pid, None):
            grown.close()
            code = grown._process.returncode
            return -code if code < 0 else code << 8
        return int(self._ask({"reap": pid})["status"])

    def close(self) -> None:
        """End it; the kernel then ends the workers that are left."""
        for grown in self._grown.values():
            grown.close()
        self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Nursery:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        self._socket.sendall(json.dumps(message).encode())
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        while b"\n" not in self._unread:
            data = self._socket.recv(1 << 16)
            if not data:
                raise GuideError("the process that starts the workers ended", "try once more")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass(slots=True)
class _Memory:
    """Shared memory that nobody can shrink under the one who reads it."""

    size: int
    fd: int = field(init=False)
    view: memoryview = field(init=False)
    used: int = 0

    def __post_init__(self) -> None:
        if hasattr(os, "memfd_create"):
            import fcntl

            self.fd = os.memfd_create("guide", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.ftruncate(self.fd, self.size)
            seals = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, seals)
        else:
            self.fd, name = tempfile.mkstemp(prefix="guide-")
            Path(name).unlink()
            os.ftruncate(self.fd, self.size)
        self.view = memoryview(mmap.mmap(self.fd, self.size))

    def close(self) -> None:
        os.close(self.fd)
        # What was decoded from it may still be looked at: the mapping goes with the last view.


class Worker:
    """One submission in a process of its own.

    Args:
        nursery: where it is forked.
        file: the submission.
        entry: the function that is called; "" for a simple check, which calls what it likes.
        limits: what it may use.
    """

    def __init__(self, nursery: Nursery, file: Path, entry: str, limits: Limits) -> None:
        self.file, self.limits, self.missing = file, limits, list[str]()
        self._nursery = nursery
        self._scratch = tempfile.TemporaryDirectory(
            prefix="guide-check-", ignore_cleanup_errors=True
        )
        self._given, self._returned = _Memory(_GIVEN), _Memory(_RETURNED)
        self._control, control = socket.socketpair()
        self._output, output = os.pipe()
        self._printed, self._printed_bytes, self._seen_cpu_ns = b"", 0, 0
        self._pid = 0
        try:
            fds = [control.fileno(), self._given.fd, self._returned.fd, output]
            self._pid = nursery.fork(Path(self._scratch.name), limits, fds)
        finally:
            control.close()
            os.close(output)
        try:
            self._begin()
            self._put([str(file), entry])
            self.ask(b"I", self._given.used)
        except BaseException:
            self.close()
            raise

    @property
    def printed(self) -> str:
        """The end of what it printed."""
        return self._printed.decode("utf-8", "replace").strip()

    def load(self, inputs: Sequence[tuple[Any, ...]]) -> int:
        """Hand over fresh inputs, one tuple of arguments for each call; how long it took, in ns."""
        self._put(list(inputs))
        return self.ask(b"L", self._given.used, resume_only=True).wall_ns

    def call(self) -> Timed:
        """Call with what was loaded; its value is the list of what the calls returned."""
        return self.ask(b"G")

    def count(self) -> dict[str, Any]:
        """Call once with what was loaded, counting; see `counting.counted`."""
        value = self.ask(b"C").value
        if not isinstance(value, dict) or set(value) != {"value", "memory", "calls"}:
            raise Cheated("the counts came back changed")
        return value

    def simple(self, check: Path) -> dict[str, Any]:
        """Run a check that is handed the module; {"figures": ...} or {"wrong": sentence}."""
        self._given.used = encode(str(check), self._given.view)
        value = self.ask(b"S", self._given.used).value
        if not isinstance(value, dict) or set(value) not in ({"figures"}, {"wrong"}):
            raise Cheated("the check's answer came back changed")
        return value

    def input_changed(self, inputs: Sequence[tuple[Any, ...]]) -> bool:
        """Whether what was loaded last has been written over; slow enough to be asked sparingly."""
        pristine = bytearray(self._given.used)
        encode(list(inputs), memoryview(pristine))
        return bool(pristine != self._given.view[: self._given.used])

    def ask(self, command: bytes, count: int = 0, *, resume_only: bool = False) -> Timed:
        """Let it run for one command and stop it again.

        Raises:
            Failed: when it raised, took too long, ended, or answered with nothing sensible.
        """
        poisoned = self._returned.view[: self._returned.used]
        poisoned[:] = bytes([_POISON]) * len(poisoned)
        aside_ns = self._cpu_ns() - self._seen_cpu_ns if self._seen_cpu_ns else 0
        message = command + count.to_bytes(8, "little")
        self._signal(signal.SIGCONT)
        before_ns = self._cpu_ns()
        started_ns = time.perf_counter_ns()
        try:
            self._control.sendall(message)
            answer = self._receive(started_ns)
            wall_ns = time.perf_counter_ns() - started_ns
        except OSError:
            self._ended()
        cpu_ns = self._cpu_ns() - before_ns
        self._stop()
        if not resume_only:  # taking inputs is off the clock: see Timed.aside_ns
            self._seen_cpu_ns = self._cpu_ns()
        return Timed(self._value(answer), wall_ns, cpu_ns, aside_ns)

    def close(self) -> None:
        """End it, with all it has started."""
        if self._pid:
            with contextlib.suppress(OSError, GuideError):
                os.kill(self._pid, signal.SIGKILL)
                self._nursery.reap(self._pid)
            self._pid = 0
        self._control.close()
        with contextlib.suppress(OSError):
            os.close(self._output)
        self._given.close()
        self._returned.close()
        self._scratch.cleanup()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self) -> None:
        """Read what it could not be kept from."""
        line = b""
        while not line.endswith(b"\n"):
            more = self._control.recv(1)
            if not more:
                self._ended()
            line += more
        self.missing = json.loads(line)

    def _put(self, value: Any) -> None:
        try:
            self._given.used = encode(value, self._given.view)
        except Full as error:
            raise GuideError(f"the exercise's input is too large: {error}") from None

    def _receive(self, started_ns: int) -> bytes:
        data = b""
        deadline_ns = started_ns + int(self.limits.timeout_s * 1e9)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._output, select.POLLIN)
        while len(data) < _MESSAGE:
            left_ms = (deadline_ns - time.perf_counter_ns()) / 1e6
            if left_ms <= 0:
                self._kill()
                raise Failed(f"stopped after {self.limits.timeout_s:g} s; does it ever end?")
            for fd, _ in poll.poll(left_ms):
                if fd == self._output:
                    if not self._read_output():
                        poll.unregister(fd)
                else:
                    more = self._control.recv(_MESSAGE - len(data))
                    if not more:
                        self._ended()
                    data += more
        return data

    def _read_output(self) -> bool:
        data = os.read(self._output, 1 << 16)
        self._printed = (self._printed + data)[-_KEPT_PRINTED:]
        self._printed_bytes += len(data)
        if self._printed_bytes > _MOST_PRINTED:
            self._kill()
            raise Failed("it printed over a megabyte and was stopped")
        return bool(data)

    def _value(self, answer: bytes) -> Any:
        kind, count = answer[:1], int.from_bytes(answer[1:], "little")
        if kind == b"k":
            return None
        if kind not in (b"v", b"e") or count > len(self._returned.view):
            raise Cheated("it answered what no worker answers")
        self._returned.used = count
        # A copy: from here on nothing that it does can change what is judged.
        data = memoryview(bytearray(self._returned.view[:count]))
        try:
            value = decode(data)
        except Garbled:
            raise Cheated("it said it was done, and had returned nothing") from None
        if kind == b"v":
            return value
        if not (isinstance(value, dict) and set(value) == {"kind", "text", "line"}):
            raise Cheated("it answered what no worker answers")
        said = ": ".join(filter(None, (str(value["kind"]), str(value["text"]))))
        place = f"{self.file.name}:{value['line']}" if value["line"] else self.file.name
        told = said if said.startswith(self.file.name) else f"{place}: {said}"
        raise Failed(told)

    def _ended(self) -> None:
        """Say why it is gone. Raises Failed, always."""
        with contextlib.suppress(OSError, BlockingIOError):
            os.set_blocking(self._output, False)
            while self._read_output():
                pass
        pid, self._pid = self._pid, 0
        status = self._nursery.reap(pid) if pid else 0
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            known: dict[int, str] = {
                signal.SIGKILL: "it was killed: out of memory or processor time",
                signal.SIGXCPU: "it used up its processor time",
                signal.SIGSEGV: "it crashed: SIGSEGV, a read or write outside its memory",
            }
            why = known.get(number, f"it crashed: {signal.strsignal(number)}")
            raise Failed(f"{self.file.name}: {why}")
        raise Cheated(f"{self.file.name}: it ended the process instead of returning")

    def _stop(self) -> None:
        self._signal(signal.SIGSTOP)
        if sys.platform != "linux":
            return
        # The signal takes a moment to reach all threads, and what is read must not change any more.
        for _ in range(1000):
            with contextlib.suppress(OSError):
                tasks = Path(f"/proc/{self._pid}/task")
                stats = [(tasks / name / "stat").read_bytes() for name in os.listdir(tasks)]  # noqa: PTH208
                if all(stat.rpartition(b")")[2].split()[0] in b"TtZX" for stat in stats):
                    return
            time.sleep(0.00005)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._pid:
                os.kill(self._pid, number)

    def _kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _cpu_ns(self) -> int:
        """Processor time of all its threads so far; 0 when the system does not say."""
        if sys.platform != "linux" or not self._pid:
            return 0
        try:
            return time.clock_gettime_ns(~self._pid << 3 | 2)  # man 3 clock_getcpuclockid
        except OSError:
            return 0

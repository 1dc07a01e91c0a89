"""What a machine grants a loop that wants to be on time, asked for once and given back.

`guide run --realtime` runs the loop inside `realtime()`. Each request stands for itself: what is
refused costs something, which is said, and the loop runs without it. Nothing needs to be granted.

SCHED_FIFO lets the loop's thread run before all ordinary work, but needs privileges. Where it is
refused, a short EEVDF slice (Linux 6.12) brings the thread on sooner under load. Measured without
privileges, with two busy processes on two cores and 0.8 ms of work a tick at 240 Hz: nine in ten
ticks began within 3.1 ms without the slice, within 0.4 ms with it. Running uses it up, spinning
too, but the pacer's spin, bounded in the mean, did not spoil it; longer slices gained less.

SCHED_FIFO comes with two dangers. Threads and processes begun inside would inherit it, and
starve the machine: SCHED_RESET_ON_FORK prevents that. And a real-time thread that never sleeps is
taken off its core for 50 ms of each second (`sched_rt_runtime_us`): a loop without a rate must not
ask for it. Threads do inherit the timer slack and the slice: begin yours before.

Sources: sched(7), sched_setattr(2), mlockall(2), PR_SET_TIMERSLACK(2const), and
https://docs.kernel.org/power/pm_qos_interface.html for /dev/cpu_dma_latency.
"""

from __future__ import annotations

import gc
import os
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from guide.pacing import Pacer

if TYPE_CHECKING:
    import ctypes

# Just below the kernel's own interrupt threads (50): they bring a camera's frames, and go first.
_PRIORITY = 49
_SLICE_NS = 100_000
_SWITCH_S = 1e-4
_SPIN_NS = 35_000  # in the mean, a tick: 0.2 % more of a processor at 240 Hz, and a third off p99

_CPU_DMA_LATENCY = Path("/dev/cpu_dma_latency")
_SCHED_ATTR = struct.Struct("=IIQiIQQQ")  # struct sched_attr, first version: 48 bytes
_RUNTIME = 5  # the field that is the slice of an ordinary thread
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}  # sched_getattr is one more
_PR_SET_TIMERSLACK, _PR_GET_TIMERSLACK = 29, 30
_MCL_CURRENT_FUTURE_ONFAULT = 1 | 2 | 4
_CAP_IPC_LOCK = 14

_Ask = Callable[[ExitStack], str]


@dataclass(frozen=True, slots=True)
class Grants:
    """What was granted; what was refused, each with what that costs.

    `collect_between` is True where Python's garbage collector was switched off: the loop should
    then collect where it has time, between ticks.
    """

    granted: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    collect_between: bool

    @property
    def line(self) -> str:
        """All of it, in one line."""
        said = "granted " + (", ".join(self.granted) or "nothing")
        if self.refused:
            said += "; refused " + ", ".join(f"{what} ({cost})" for what, cost in self.refused)
        return said


@contextmanager
def realtime(clock: object = None) -> Iterator[Grants]:
    """Within the block, the calling thread is as punctual as this machine lets it be.

    A `clock` that sleeps by a pacer, as `SystemClock` does, may spin a little longer inside.

    Enter and leave it on the loop's thread, after the start of every other thread. On the way out
    everything is given back in reverse order, also after an exception.
    """
    granted: list[str] = []
    refused: list[tuple[str, str]] = []
    with ExitStack() as given:
        if isinstance(clock, Pacer):
            given.callback(setattr, clock, "budget_ns", clock.budget_ns)
            clock.budget_ns = _SPIN_NS

        def ask(what: str, cost: str, request: _Ask) -> bool:
            try:
                granted.append(request(given))
            except OSError as error:
                why = error.strerror or str(error)
                refused.append((what, f"{why[:1].lower()}{why[1:]}: {cost}"))
                return False
            return True

        collect_between = gc.isenabled()
        granted.append(_quiet_python(given))
        if sys.platform == "linux":
            ask("locked memory", "a page that was dropped stalls a tick", _lock_memory)
            ask("cpu_dma_latency 0", "idle cores wake 30 to 60 us later", _stay_awake)
            ask("timer slack 1 ns", "timers fire 50 us later", _tighten_timers)
            if not ask("SCHED_FIFO", "under load ticks wake some ms late", _go_first):
                ask("EEVDF slice", "other work goes first for longer", _shorten_slice)
        else:
            system = {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
            refused.append(("all else", f"{system} offers no more: under load ticks wake ms late"))
        yield Grants(tuple(granted), tuple(refused), collect_between)


def _quiet_python(given: ExitStack) -> str:
    if gc.isenabled():
        given.callback(gc.enable)
    given.callback(gc.unfreeze)
    given.callback(sys.setswitchinterval, sys.getswitchinterval())
    gc.collect()
    gc.freeze()  # what is alive now is never looked through again
    gc.disable()
    sys.setswitchinterval(_SWITCH_S)  # another Python thread gives way in 0.1 ms, not in 5
    return "frozen gc, GIL turns of 0.1 ms"


def _lock_memory(given: ExitStack) -> str:
    import resource

    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if limit != resource.RLIM_INFINITY and not _has_capability(_CAP_IPC_LOCK):
        # It may be granted now, and a later allocation then fails for want of lockable memory.
        raise OSError(f"`ulimit -l` is {limit >> 10} kB, not unlimited")
    libc = _libc()
    # ONFAULT: lock what is touched, not the gigabytes that CUDA reserves and never uses
    _check(libc.mlockall(_MCL_CURRENT_FUTURE_ONFAULT))
    given.callback(libc.munlockall)
    return "locked memory"


def _stay_awake(given: ExitStack) -> str:
    fd = os.open(_CPU_DMA_LATENCY, os.O_WRONLY | os.O_CLOEXEC)
    given.callback(os.close, fd)  # the kernel forgets the wish when the file is closed
    os.write(fd, struct.pack("=i", 0))
    return "cpu_dma_latency 0"


def _tighten_timers(given: ExitStack) -> str:
    libc = _libc()
    before_ns = _check(libc.prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0))
    _check(libc.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0))
    given.callback(libc.prctl, _PR_SET_TIMERSLACK, before_ns, 0, 0, 0)
    return "timer slack 1 ns"


def _go_first(given: ExitStack) -> str:
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    if policy & ~os.SCHED_RESET_ON_FORK in (os.SCHED_FIFO, os.SCHED_RR):
        return f"real-time priority {param.sched_priority} (it had that already)"

    def give_back() -> None:
        try:
            os.sched_setscheduler(0, policy, param)
        except PermissionError:  # only the privileged may take RESET_ON_FORK off again
            os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, param)

    ours = os.sched_param(_PRIORITY)
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, ours)
    given.callback(give_back)
    return f"SCHED_FIFO {_PRIORITY}"


def _shorten_slice(given: ExitStack) -> str:
    before = _get_attr()
    given.callback(_set_attr, before)
    _set_attr((*before[:_RUNTIME], _SLICE_NS, *before[_RUNTIME + 1 :]))
    if _get_attr()[_RUNTIME] != _SLICE_NS:  # an older kernel takes the wish and forgets it
        raise OSError("needs Linux 6.12")
    return f"EEVDF slice {_SLICE_NS // 1000} us"


def _get_attr() -> tuple[int, ...]:
    import ctypes

    buffer = ctypes.create_string_buffer(_SCHED_ATTR.size)
    _check(_libc().syscall(_sched_setattr() + 1, 0, buffer, _SCHED_ATTR.size, 0))
    return _SCHED_ATTR.unpack(buffer.raw)


def _set_attr(attr: tuple[int, ...]) -> None:
    _check(_libc().syscall(_sched_setattr(), 0, _SCHED_ATTR.pack(*attr), 0))


def _sched_setattr() -> int:
    machine = os.uname().machine
    if machine not in _SCHED_SETATTR:
        raise OSError(f"not known how on {machine}")
    return _SCHED_SETATTR[machine]


def _has_capability(number: int) -> bool:
    effective = Path("/proc/self/status").read_bytes().split(b"CapEff:")[1].split()[0]
    return bool(int(effective, 16) >> number & 1)


def _libc() -> ctypes.CDLL:
    import ctypes  # here, because a run without --realtime has no use for it

    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> int:
    if result < 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

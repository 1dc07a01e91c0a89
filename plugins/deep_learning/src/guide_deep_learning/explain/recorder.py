"""Which steps of a program are let pass, timed, recorded; and the file that comes of it.

A profiler makes slower what it looks at: with stacks, each call of a Python function costs some
150 ns more, each operator half a microsecond. So a few steps are timed before it is switched on
and a few after, and the trace says how long a step takes when nobody looks. What a rule predicts
is about that time.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from guide_deep_learning.explain import calibrating
from guide_deep_learning.explain.calibrating import quiet
from guide_deep_learning.explain.interrupts import held
from guide_deep_learning.explain.mending import Trial, mend_for
from guide_deep_learning.explain.uneven import uneven
from guide_deep_learning.training.loop.neighbours import Elsewhere

_WARM = 3  # steps are timed so often at least,
_PLAIN_NS = 300_000_000  # and for this long, however short they are,
_MOST_PLAIN, _MOST_AFTER = 20, 60  # but not more often: the program may be at its end
_SETTLING = 2  # steps in which a compiler may be at work once
_WAIT_S = 10.0  # for another thread to finish what it records
_LONG_NS = 2_000_000_000  # a step that takes longer is timed less often
_NOTE = "guide"  # the key of what the file says of itself


class Recorder:
    """Is told of the end of every step, and makes a trace of some of them.

    Args:
        file: where the trace goes, gzipped; the folder must exist.
        warm: steps to time before the profiler is switched on, after the first one, which is not;
            with 0 it is on from the second step. None: three to twenty, the shorter they are the
            more.
        steps: steps to record.
        found: what a step is here, in words.
        may_mend: whether a remedy may be tried on a few of the program's last steps.
        begun: called at the first step that is told of.

    Attributes:
        state: "plain", "recording", "after", and at last "done".
        optimizer: the one that the program steps, if somebody saw it.
        recorded: steps that were recorded.
        seen: steps that were told of.
        written: whether there is a trace.
        wrong: why it could not be written.
    """

    def __init__(
        self,
        file: Path,
        *,
        warm: int | None = None,
        steps: int = 5,
        found: str = "",
        may_mend: bool = True,
        begun: Callable[[], object] = lambda: None,
    ) -> None:
        self.file = file
        self.warm, self.steps, self.found = warm, max(steps, 1), found
        self.state = "plain"
        self.optimizer: torch.optim.Optimizer | None = None
        self.recorded = self.seen = 0
        self.written, self.wrong = False, ""
        self._last_ns = 0
        self._plain: list[int] = []
        self._after: list[int] = []
        self._timed: list[tuple[int, int]] = []  # number and time of those that are as they are
        self.may_mend = may_mend
        self._begun = begun
        self._trial: Trial | None = None
        self._threads = 0
        self._profiler: Any = None
        self._graphs = 0
        self._stacks = True
        self._thread = 0
        self._process = os.getpid()
        self._elsewhere: Elsewhere | None = None
        self._others: float | None = None
        # Torch's profiler is switched on for the thread that does it, and needs a step before
        self._lead = 0 if warm == 0 else 1
        self._lock = threading.RLock()
        self._hurry = False

    def again(self) -> bool:
        """Steps of another kind come now: those so far do not count. Whether it is in time."""
        with self._lock:
            if self.state != "plain":
                return False
            self._plain, self._last_ns, self._thread, self.seen = [], 0, 0, 0
            self._timed = []
            return True

    def beat(self) -> bool:
        """A step has ended. Whether that was the last one that is needed."""
        thread = threading.get_ident()
        elsewhere = os.getpid() != self._process or self._thread not in (0, thread)
        if self.state == "done" or elsewhere:  # a worker, or a second loop beside the first
            return False
        with held(), self._lock:
            return self._beat(thread)

    def _beat(self, thread: int) -> bool:
        self._thread = thread
        self.seen += 1
        if self.seen == 1:
            self._begun()
        now_ns = time.perf_counter_ns()
        took_ns, first = now_ns - self._last_ns, not self._last_ns
        if self._hurry:
            self.finish()
            return True
        if self.state == "plain":
            if first:
                self._elsewhere = Elsewhere()
            else:
                if self._plain:  # the first one is a warm-up
                    self._timed.append((self.seen, took_ns))
                self._plain.append(took_ns)
            if len(self._plain) <= _SETTLING:  # to compile once, or for two shapes, is no fault
                self._graphs = calibrating.compiled_graphs()
            if self._enough():
                self._start()
        elif self.state == "recording":
            # It begins to record after the first of these, and ends with the last
            ends = self.recorded in (0, self.steps + self._lead - 1)
            with quiet() if ends else contextlib.nullcontext():
                self._profiler.step()
            self.recorded += 1
            if self.recorded >= self.steps + self._lead:
                self._stop()
        elif self.state == "after" and self._seen_after(took_ns):
            self.finish()
            return True
        self._last_ns = time.perf_counter_ns()
        return False

    def finish(self) -> bool:
        """Write what was recorded; whether there was anything. Once."""
        if os.getpid() != self._process:  # a copy of the program that came to its end
            return False
        self._let_stop()
        with held(), self._lock:
            if self.state == "done":
                return False
            if self.state == "recording":
                self._stop()
            if self._trial is not None:
                self._trial.over()
            self.state = "done"
            if self._profiler is None or not self.recorded:
                return False
            try:
                self._write()
            except OSError as error:
                self.wrong = error.strerror or str(error)
            self.written = not self.wrong
            return self.written

    def _let_stop(self) -> None:
        """Where another thread records, only that one can end it: at its next step."""
        until = time.monotonic() + _WAIT_S
        while self._recorded_elsewhere() and time.monotonic() < until:
            self._hurry = True
            time.sleep(0.02)
        if self._recorded_elsewhere():
            self.state = "done"  # it is gone, or stands still: what it has cannot be had

    def _recorded_elsewhere(self) -> bool:
        return self.state == "recording" and self._thread != threading.get_ident()

    def _enough(self) -> bool:
        """Whether steps were timed often enough; the first one is a warm-up."""
        if self.warm is not None:
            return len(self._plain) >= self.warm
        return _enough(self._plain[1:], _WARM, _MOST_PLAIN)

    def _start(self) -> None:
        self._threads = torch.get_num_threads()  # only now: a program sets them as it starts
        self._stacks = not self._compiles()
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no warm-up was asked for
            self._profiler = torch.profiler.profile(
                schedule=torch.profiler.schedule(
                    wait=0, warmup=self._lead, active=self.steps, repeat=1
                ),
                record_shapes=True,
                with_stack=self._stacks,
            )
            self._profiler.start()
        self.state = "recording"

    def _compiles(self) -> bool:
        """Whether torch.compile was at work in the steps that were timed.

        Its compiler is a large Python program: a trace of it with stacks is of no use to anybody.
        """
        return calibrating.compiled_graphs() > self._graphs

    def _stop(self) -> None:
        # What processes of this program's own take cannot be told from what others do
        if self._elsewhere is not None and not multiprocessing.active_children():
            self._others = self._elsewhere.cores()
        mend = mend_for(self._threads, self._others or 0.0) if self.may_mend else None
        if mend is not None:
            self._trial = Trial(mend, self._timed_enough, self._long)
        with quiet():
            self._profiler.stop()
        self.recorded = max(self.recorded - self._lead, 0)
        self.state = "after"

    def _seen_after(self, took_ns: int) -> bool:
        """Time what comes after the recording; where something is to be tried, with and without."""
        if self._trial is not None:
            counted = len(self._trial.with_ns)
            over = self._trial.step(took_ns)
            if len(self._trial.with_ns) > counted:
                self._timed.append((self.seen, took_ns))
            return over
        if self._after:
            self._timed.append((self.seen, took_ns))
        self._after.append(took_ns)
        return self._timed_enough(self._after[1:])

    @property
    def _long(self) -> bool:
        return _middle(self._plain) > _LONG_NS

    def _timed_enough(self, taken: list[int]) -> bool:
        least = _WARM if self.warm is None else self.warm
        return _enough(taken, 1 if self._long else max(least, 1), _MOST_AFTER)

    def _write(self) -> None:
        # What follows the recording, and what follows a switch, is not counted
        after = self._after[1:] or self._after
        if self._trial is not None:
            after = self._trial.with_ns
        about: dict[str, Any] = {
            "steps_timed": len(self._plain[1:]) + len(after),
            "found": self.found,
            "threads": self._threads,
            "cores": calibrating.cores(),
            "stacks": self._stacks,
            "roots": _roots(),
        }
        if self._others is not None:
            about["others"] = round(self._others, 2)
        timed = [_middle(self._plain), round(statistics.median(after)) if after else 0]
        if any(timed):  # what else the machine does can only add to it
            about["step_ns"] = min(ns for ns in timed if ns)
        if self._trial is not None and (said := self._trial.said()):
            about["tried"] = said
        if said := uneven(self._timed):
            about["uneven"] = said
        about |= calibrating.costs(self._stacks)
        about |= calibrating.optimizer(self.optimizer)
        about |= calibrating.recompiled()
        write_trace(self._profiler, self.file, about)


def _middle(taken: list[int]) -> int:
    """The median of times of steps, the first of which is a warm-up; 0: there are none."""
    return round(statistics.median(taken[1:] or taken)) if taken else 0


def _enough(taken: list[int], least: int, most: int) -> bool:
    """Whether steps were timed often enough: so many, and for so long where they are short."""
    return len(taken) >= least and (sum(taken) > _PLAIN_NS or len(taken) >= most)


def write_trace(profiler: Any, file: Path, about: dict[str, Any]) -> None:
    """Write what was recorded, gzipped, with `about` beside its events; all of it or nothing."""
    folder = file.absolute().parent
    with tempfile.TemporaryDirectory(prefix=".torch-", dir=folder) as beside:
        plain, zipped = Path(beside) / "torch.json", Path(beside) / "torch.json.gz"
        with quiet():
            profiler.export_chrome_trace(str(plain))
        if not _whole(plain):  # torch does not say so
            raise OSError(errno.EIO, "torch could not write all of it")
        with plain.open("rb") as source, gzip.open(zipped, "wb", compresslevel=4) as target:
            before, brace, head = source.read(1 << 10).partition(b"{")
            if before.strip() or not brace:
                raise ValueError(f"torch wrote {before!r} where a trace begins")
            target.write(b'{"%s": %s,' % (_NOTE.encode(), json.dumps(about).encode()) + head)
            while block := source.read(1 << 20):
                target.write(block)
        zipped.replace(file)


def _whole(plain: Path) -> bool:
    """Whether a trace was written to its end."""
    try:
        with plain.open("rb") as file:
            file.seek(max(plain.stat().st_size - 64, 0))
            return file.read().rstrip().endswith(b"}")
    except FileNotFoundError:
        return False


def _roots() -> list[str]:
    """Folders that names of files in the trace are seen from: torch cuts off what Python knows."""
    first = str(Path(sys.path[0] or ".").absolute())
    return list(dict.fromkeys([first, str(Path.cwd())]))

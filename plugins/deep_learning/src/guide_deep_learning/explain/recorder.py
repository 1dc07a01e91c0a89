"""Which steps of a program are let pass, timed, recorded; and the file that comes of it.

A profiler makes slower what it looks at: with stacks, each call of a Python function costs some
150 ns more, each operator half a microsecond. So a few steps are timed before it is switched on
and a few after, and the trace says how long a step takes when nobody looks. What a rule predicts
is about that time.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import torch

from guide_deep_learning.explain import calibrating
from guide_deep_learning.explain.calibrating import quiet
from guide_deep_learning.explain.mending import Mend, mend_for
from guide_deep_learning.training.loop.neighbours import Elsewhere

_PLAIN_NS = 300_000_000  # steps are timed for this long at least, however short they are
_SETTLING = 2  # steps in which a compiler may be at work once
_MOST_PLAIN = 60  # but no more than so many
_LONG_NS = 2_000_000_000  # a step that takes longer is timed less often
_NOTE = "guide"  # the key of what the file says of itself


class Recorder:
    """Is told of the end of every step, and makes a trace of some of them.

    Args:
        file: where the trace goes, gzipped; the folder must exist.
        warm: steps to time before the profiler is switched on; one more comes before them.
        steps: steps to record.
        found: what a step is here, in words.
        may_mend: whether a remedy may be tried on a few of the program's last steps.

    Attributes:
        state: "plain", "recording", "after", and at last "done".
        optimizer: the one that the program steps, if somebody saw it.
        recorded: steps that were recorded.
    """

    def __init__(
        self,
        file: Path,
        *,
        warm: int = 3,
        steps: int = 5,
        found: str = "",
        may_mend: bool = True,
    ) -> None:
        self.file = file
        self.warm, self.steps, self.found = max(warm, 1), max(steps, 1), found
        self.state = "plain"
        self.optimizer: torch.optim.Optimizer | None = None
        self.recorded = 0
        self._last_ns = 0
        self._plain: list[int] = []
        self._after: list[int] = []
        self.may_mend = may_mend
        self._trial: list[int] = []
        self._mending = False
        self._mend: Mend | None = None
        self._threads = 0
        self._profiler: Any = None
        self._graphs = 0
        self._stacks = True
        self._thread = 0
        self._process = os.getpid()
        self._elsewhere: Elsewhere | None = None
        self._others: float | None = None

    def beat(self) -> bool:
        """A step has ended. Whether that was the last one that is needed."""
        thread = threading.get_ident()
        elsewhere = os.getpid() != self._process or self._thread not in (0, thread)
        if self.state == "done" or elsewhere:  # a worker, or a second loop beside the first
            return False
        self._thread = thread
        now_ns = time.perf_counter_ns()
        took_ns, first = now_ns - self._last_ns, not self._last_ns
        if self.state == "plain":
            if first:
                self._elsewhere = Elsewhere()
            else:
                self._plain.append(took_ns)
            if len(self._plain) <= _SETTLING:  # to compile once, or for two shapes, is no fault
                self._graphs = calibrating.compiled_graphs()
            if self._enough():
                self._start()
        elif self.state == "recording":
            # It begins to record after the first of these, and ends with the last
            with quiet() if self.recorded in (0, self.steps) else contextlib.nullcontext():
                self._profiler.step()
            self.recorded += 1
            if self.recorded > self.steps:  # the first of them was the profiler's own warm-up
                self._stop()
        elif self.state == "after" and self._seen_after(took_ns):
            self.finish()
            return True
        self._last_ns = time.perf_counter_ns()
        return False

    def finish(self) -> bool:
        """Write what was recorded; whether there was anything. Once."""
        if self.state == "done":
            return False
        if self.state == "recording":
            self._stop()
        self.state = "done"
        if self._profiler is None or not self.recorded:
            return False
        self._write()
        return True

    def _enough(self) -> bool:
        """Whether steps were timed often enough; the first one is a warm-up."""
        return _enough(self._plain[1:], self.warm, _PLAIN_NS)

    def _start(self) -> None:
        self._threads = torch.get_num_threads()  # only now: a program sets them as it starts
        self._mend = mend_for(self._threads) if self.may_mend else None
        self._stacks = not self._compiles()
        self._profiler = torch.profiler.profile(
            schedule=torch.profiler.schedule(wait=0, warmup=1, active=self.steps, repeat=1),
            record_shapes=True,
            with_stack=self._stacks,
        )
        with quiet():
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
        with quiet():
            self._profiler.stop()
        self.recorded = max(self.recorded - 1, 0)
        self.state = "after"

    def _seen_after(self, took_ns: int) -> bool:
        """Time what comes after the recording; then, where something is to be tried, with that."""
        wanted = 1 if _middle(self._plain) > _LONG_NS else self.warm
        if not self._mending:
            self._after.append(took_ns)
            if not _enough(self._after[1:], wanted, _PLAIN_NS // 2):
                return False
            if self._mend is None:
                return True
            self._mend.do()
            self._mending = True
            return False
        self._trial.append(took_ns)
        if not _enough(self._trial[1:], wanted, _PLAIN_NS // 2):
            return False
        if self._mend is not None:
            self._mend.undo()
        return True

    def _write(self) -> None:
        about: dict[str, Any] = {
            # What else the machine does can only add to it
            "step_ns": min(ns for ns in (_middle(self._plain), _middle(self._after)) if ns),
            "steps_timed": len(self._plain[1:]) + len(self._after[1:]),
            "found": self.found,
            "threads": self._threads,
            "cores": calibrating.cores(),
            "stacks": self._stacks,
            "roots": _roots(),
        }
        if self._others is not None:
            about["others"] = round(self._others, 2)
        if self._mend is not None and self._trial[1:]:
            with_ns, without_ns = _middle(self._after), _middle(self._trial)
            about["tried"] = {"what": self._mend.what, "with": with_ns, "without": without_ns}
        about |= calibrating.costs(self._stacks)
        about |= calibrating.optimizer(self.optimizer)
        about |= calibrating.recompiled()
        write_trace(self._profiler, self.file, about)


def _middle(taken: list[int]) -> int:
    """The median of times of steps, the first of which is a warm-up; 0: there are none."""
    return round(statistics.median(taken[1:] or taken)) if taken else 0


def _enough(taken: list[int], least: int, long_ns: int) -> bool:
    """Whether steps were timed often enough: so many, and for so long where they are short."""
    return len(taken) >= least and (sum(taken) > long_ns or len(taken) >= _MOST_PLAIN)


def write_trace(profiler: Any, file: Path, about: dict[str, Any]) -> None:
    """Write what was recorded, gzipped, with `about` beside its events; all of it or nothing."""
    folder = file.absolute().parent
    with tempfile.TemporaryDirectory(prefix=".torch-", dir=folder) as beside:
        plain, zipped = Path(beside) / "torch.json", Path(beside) / "torch.json.gz"
        with quiet():
            profiler.export_chrome_trace(str(plain))
        with plain.open("rb") as source, gzip.open(zipped, "wb", compresslevel=4) as target:
            before, brace, head = source.read(1 << 10).partition(b"{")
            if before.strip() or not brace:
                raise ValueError(f"torch wrote {before!r} where a trace begins")
            target.write(b'{"%s": %s,' % (_NOTE.encode(), json.dumps(about).encode()) + head)
            while block := source.read(1 << 20):
                target.write(block)
        zipped.replace(file)


def _roots() -> list[str]:
    """Folders that names of files in the trace are seen from: torch cuts off what Python knows."""
    first = str(Path(sys.path[0] or ".").absolute())
    return list(dict.fromkeys([first, str(Path.cwd())]))

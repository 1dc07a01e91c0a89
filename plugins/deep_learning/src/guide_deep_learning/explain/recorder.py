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

_PLAIN_NS = 300_000_000  # steps are timed for this long at least, however short they are
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

    Attributes:
        state: "plain", "recording", "after", and at last "done".
        optimizer: the one that the program steps, if somebody saw it.
        recorded: steps that were recorded.
    """

    def __init__(self, file: Path, *, warm: int = 3, steps: int = 5, found: str = "") -> None:
        self.file = file
        self.warm, self.steps, self.found = max(warm, 1), max(steps, 1), found
        self.state = "plain"
        self.optimizer: torch.optim.Optimizer | None = None
        self.recorded = 0
        self._last_ns = 0
        self._plain: list[int] = []
        self._after: list[int] = []
        self._fewer: list[int] = []
        self._threads = torch.get_num_threads()
        self._cores = calibrating.cores()
        self._profiler: Any = None
        self._graphs = 0
        self._stacks = True
        self._thread = 0
        self._process = os.getpid()

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
            if not first:
                self._plain.append(took_ns)
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
        plain = self._plain[1:]
        if len(plain) < self.warm:
            return False
        return sum(plain) > _PLAIN_NS or len(plain) >= _MOST_PLAIN

    def _start(self) -> None:
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
        graphs = calibrating.compiled_graphs()
        before, self._graphs = self._graphs, graphs
        return graphs > max(before, 1)

    def _stop(self) -> None:
        with quiet():
            self._profiler.stop()
        self.recorded = max(self.recorded - 1, 0)
        self.state = "after"

    def _seen_after(self, took_ns: int) -> bool:
        """Time what comes after the recording; then, with too many threads, with as many as fit."""
        self._after.append(took_ns)
        wanted = 1 if self._step_ns() > _LONG_NS else max(self.warm, 3)
        if len(self._after) <= wanted:
            return False
        if self._threads <= self._cores:
            return True
        if len(self._after) == wanted + 1:
            torch.set_num_threads(self._cores)
            return False
        self._fewer.append(self._after.pop())
        if len(self._fewer) <= wanted:
            return False
        torch.set_num_threads(self._threads)
        return True

    def _step_ns(self) -> int:
        plain = self._plain[1:] or self._plain
        return round(statistics.median(plain)) if plain else 0

    def _write(self) -> None:
        about: dict[str, Any] = {
            "step_ns": self._step_ns(),
            "steps_timed": len(self._plain[1:]),
            "after_ns": round(statistics.median(self._after[1:])) if self._after[1:] else 0,
            "found": self.found,
            "threads": self._threads,
            "cores": self._cores,
            "stacks": self._stacks,
            "roots": _roots(),
        }
        if self._fewer[1:]:
            about["fewer_threads_ns"] = round(statistics.median(self._fewer[1:]))
        about |= calibrating.costs(self._stacks)
        about |= calibrating.optimizer(self.optimizer)
        about |= calibrating.recompiled()
        write_trace(self._profiler, self.file, about)


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

"""Where a tick of a project's own code goes, by line: a thread that looks every few milliseconds.

A run's spans say which part of a tick takes how long. Which line of that part it is, nobody has
written down; so while a profiled run goes on, a thread looks what the loop's thread is at, and
notes the line of the project's own code that it is in, and what that line has called.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guide.loop import Tick
    from guide.run import Run, Task

NAME = "samples.json"
SCHEMA = 1
INTERVAL_S = 0.005
WARM = 3  # ticks that pass before the first sample

_SWITCH_S = 0.00025
"""How long the loop's thread may keep the interpreter's lock once the sampler asks for it.

By default that is 5 ms. Who lets go of the lock by itself, as numpy does in a large array, would
be seen at once, and a loop in Python only 5 ms later: mostly it would be over by then, and its time
put down to the array operation behind it. Shorter still, and to ask would cost more than to look.
"""

_BESIDE_EVERY = 8  # looks, of which one is at the other threads too
_OUTER = 6  # own places further out than the caller's that are noted: what calls what calls
_MOST = 500_000  # samples kept: an hour of them
_WAITING = ("threading", "queue", "selectors", "socket", "concurrent.futures.thread")

_Site = tuple[CodeType, int]  # code, and the instruction it is at
_Stack = tuple[_Site | None, _Site | None, _Site, CodeType | None, tuple[_Site, ...]]


class Sampled:
    """A task whose steps are looked at from beside; the run is otherwise what it would have been.

    Args:
        task: what to run.
        folder: of the run, where samples.json goes when it ends.
        interval_s: mean time between two looks.
    """

    def __init__(self, task: Task, folder: Path, *, interval_s: float = INTERVAL_S) -> None:
        self._task, self._folder, self._interval_s = task, folder, interval_s
        self._left = WARM
        self._run: Run | None = None
        self._looks: Looks | None = None

    def start(self, run: Run) -> None:
        """Start the task."""
        self._run = run
        self._task.start(run)

    def step(self, tick: Tick) -> None:
        """One step of the task."""
        if self._left > 0:
            self._left -= 1
            self._task.step(tick)
            return
        looks = self._looks
        if looks is None:
            assert self._run is not None  # start() came first
            looks = self._looks = Looks(self._run, self._interval_s)
            looks.start()
        looks.enter()
        try:
            self._task.step(tick)
        finally:
            looks.leave()

    def close(self) -> None:
        """Close the task, and write what was seen; that may fail, and the run does not."""
        looks = self._looks
        if looks is not None:
            looks.stop()
        try:
            self._task.close()
        finally:
            if looks is not None:
                with contextlib.suppress(Exception):
                    self._write(looks)

    def _write(self, looks: Looks) -> None:
        from guide.explain.sites import written_samples
        from guide.record import write_atomically

        data = {"schema": SCHEMA, **written_samples(looks)}
        if data["rows"]:
            text = json.dumps(data, allow_nan=False, separators=(",", ":"))
            write_atomically(self._folder / NAME, lambda out: out.write(text + "\n"))


@dataclass(slots=True)
class Sample:
    """What was seen at one moment of a thread.

    Attributes:
        t_ns: when, on the run's clock.
        ns: the time it stands for.
        stack: the innermost own place, the own place that called it, the innermost of all, the
            library's code that the own place has called, and the own places further out.
    """

    t_ns: int
    ns: int
    stack: _Stack


class Looks:
    """The thread that looks, and what it has seen.

    Args:
        run: its `project` is where own files lie; times are those of its `timeline`.
        interval_s: mean time between two looks.
    """

    def __init__(self, run: Any, interval_s: float) -> None:
        self.run = run
        self.interval_ns = round(interval_s * 1e9)
        self.ticks = self.ticks_ns = 0
        self.samples: list[Sample] = []
        self.beside: dict[str, dict[_Stack, list[int]]] = {}  # thread -> stack -> ns, count
        self.cost_ns = 0  # CPU time of the thread that looks
        self._root = os.path.realpath(run.project) + os.sep
        self._now_ns = run.timeline.now_ns
        self._began_ns = 0  # of the tick that runs; 0: none does
        self._over = False
        self._loop = threading.get_ident()
        self._own: dict[CodeType, bool] = {}
        self._names: dict[int, str] = {}
        self._thread = threading.Thread(target=self._look, name="guide-samples", daemon=True)
        self._switch_s = sys.getswitchinterval()

    def start(self) -> None:
        """Begin to look."""
        sys.setswitchinterval(min(self._switch_s, _SWITCH_S))
        self._thread.start()

    def enter(self) -> None:
        """A tick begins."""
        self._began_ns = self._now_ns()

    def leave(self) -> None:
        """It ends."""
        self.ticks_ns += self._now_ns() - self._began_ns
        self._began_ns = 0
        self.ticks += 1

    def stop(self) -> None:
        """Look no more."""
        self._over = True
        self._thread.join(1.0)
        sys.setswitchinterval(self._switch_s)

    def _look(self) -> None:
        with contextlib.suppress(Exception):  # whatever it is, the run is not to know of it
            self._until_over()
        with contextlib.suppress(Exception):
            self.cost_ns = time.thread_time_ns()

    def _until_over(self) -> None:
        chance = random.Random(1)  # jittered: a loop of 5 ms would show the same line for ever
        last_ns = beside_ns = self._now_ns()
        looks = 0
        while len(self.samples) < _MOST:
            time.sleep(self.interval_ns * chance.uniform(0.5e-9, 1.5e-9))
            if self._over:
                return
            looks += 1
            beside = looks % _BESIDE_EVERY == 0
            if not (self._began_ns or beside):  # the loop sleeps
                last_ns = self._now_ns()
                continue
            frames = _frames()
            began_ns, now_ns = self._began_ns, self._now_ns()
            if began_ns and self._loop in frames:
                # Who holds the lock, in code that is not Python's, is seen only once it lets go:
                # late, and as seldom as what took no time. So a sample counts for the time since
                # the one before, which then is that much longer. What of that lay before the tick
                # is the chance by which this moment was met.
                ns = min(now_ns - last_ns, now_ns - began_ns + self.interval_ns)
                self.samples.append(Sample(now_ns, ns, self._stack(frames[self._loop])))
            if beside:
                self._others(frames, now_ns - beside_ns)
                beside_ns = now_ns
            last_ns = now_ns
            del frames  # they would keep alive what the task has let go of

    def _stack(self, frame: FrameType) -> _Stack:
        inner = (frame.f_code, frame.f_lasti)
        own: _Site | None = None
        by: _Site | None = None
        outer: list[_Site] = []
        below: CodeType | None = None
        at: FrameType | None = frame
        known = self._own
        while at is not None:
            code = at.f_code
            if known[code] if code in known else self._is_own(code):
                if own is None:
                    own = (code, at.f_lasti)
                elif by is None:
                    by = (code, at.f_lasti)
                elif len(outer) < _OUTER:
                    outer.append((code, at.f_lasti))
            elif own is None:
                below = code
            at = at.f_back
        return own, by, inner, None if own is None else below, tuple(outer)

    def _others(self, frames: Mapping[int, FrameType], ns: int) -> None:
        for ident, frame in frames.items():
            if ident not in (self._loop, self._thread.ident):
                self._other(ident, frame, ns)

    def _other(self, ident: int, frame: FrameType, ns: int) -> None:
        """A thread beside the loop: counted where it is in the project's code, and not waiting."""
        if str(frame.f_globals.get("__name__", "")).startswith(_WAITING):
            return
        stack = self._stack(frame)
        if stack[0] is None:
            return
        if ident not in self._names:
            names = {t.ident: t.name for t in threading.enumerate()}
            self._names[ident] = names.get(ident, "a thread")
        seen = self.beside.setdefault(self._names[ident], {}).setdefault(stack, [0, 0])
        seen[0] += ns
        seen[1] += 1

    def _is_own(self, code: CodeType) -> bool:
        self._own[code] = own_file(code.co_filename, self._root) != ""
        return self._own[code]


def _frames() -> dict[int, FrameType]:
    """The innermost frame of each thread.

    The interpreter locks its list of threads meanwhile (before 3.13). To allocate a frame may set
    off a collection of garbage, and some of that needs the list as well, a threading.local does:
    the thread would wait for itself, and the run for it. So there is no collecting just now.
    """
    if not gc.isenabled():
        return sys._current_frames()
    gc.disable()
    try:
        return sys._current_frames()
    finally:
        gc.enable()


def own_file(filename: str, root: str) -> str:
    """A file of code relative to `root`, which ends in a slash; "" where it is another's."""
    # A script that was typed has the name that was typed; what is no file is in angle brackets
    if not (Path(filename).is_absolute() or Path(filename).is_file()):
        return ""
    path = os.path.realpath(filename)
    if not path.startswith(root):
        return ""
    *folders, name = Path(path[len(root) :]).parts
    others = any(f in ("site-packages", "dist-packages") or f.startswith(".") for f in folders)
    return "" if others else "/".join((*folders, name))


def read_samples(folder: Path, project: Path) -> dict[str, Any] | None:
    """The samples that lie beside a run's record, as rules get them; None where none do.

    Args:
        folder: of the run.
        project: its project's folder; files are named as a person would type them from here.
    """
    try:
        data = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA or not data["ticks"] > 0:
            return None
        return {**data, "ticks": int(data["ticks"]), "rows": checked_rows(data, project)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # somebody else's, or damaged: the run explains itself without


def checked_rows(data: Mapping[str, Any], project: Path) -> list[dict[str, Any]]:
    """The rows that were written, files named as a person would type them from here."""
    return [_checked(row, project) for row in data["rows"]]


_TEXTS = ("file", "function", "text", "kind", "calls", "into", "inner", "span")
_COUNTS = ("line", "loop", "ns", "count")


def _checked(row: Mapping[str, Any], project: Path) -> dict[str, Any]:
    by = row["by"]
    found: dict[str, Any] = {name: str(row[name]) for name in _TEXTS}
    found |= {name: max(int(row[name]), 0) for name in _COUNTS}
    found["by"] = by and {**_checked_by(by), "file": _typed(str(by["file"]), project)}
    found["outer"] = [  # samples of an older guide have none
        {**_checked_by(at), "file": _typed(str(at["file"]), project)} for at in row.get("outer", ())
    ]
    return {**found, "file": _typed(found["file"], project)}


def _checked_by(by: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: str(by[name]) for name in ("function", "text", "calls")}
    return {**texts, "line": max(int(by["line"]), 0), "loop": max(int(by["loop"]), 0)}


def _typed(file: str, project: Path) -> str:
    if not file:
        return ""
    path = project.absolute() / file
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

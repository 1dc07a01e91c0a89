"""Judge a submission: right first, then fast, by rounds against naive.py and solution.py.

    pass  =  right  and  counts within their bars
             and (at least `over_naive` times naive  or  `of_reference` of the reference)

Never a time. Three processes, one awake at a time, in an order that turns with every round; each
call has an input that no call had before, and what it returned is compared, in every round.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from guide.judge.checks import Arguments, Check
from guide.judge.compare import shown
from guide.judge.confine import hide, show
from guide.judge.manifest import Bars, Manifest
from guide.judge.nurseries import Nurseries
from guide.judge.verdict import Standing, decide
from guide.judge.workers import Cheated, Failed, Limits, Nursery, Worker

State = Literal["wrong", "correct", "fast", "better", "waived", "inconclusive"]

_SLACK_NS = 300_000  # off the clock: the kernel's own work of taking the inputs
_EVERY = 4  # rounds between two looks at the intervals, after the fewest
_SHRINKS = 200  # tries
_SHARE = 0.8  # of the processors it needs, without which nothing can be said of threads


@dataclass(frozen=True, slots=True)
class Failure:
    """The smallest input found on which it is wrong."""

    case: str
    given: str
    expected: str
    got: str
    picture: np.ndarray | None = None  # of the difference, where the value is a picture


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast it was, beside the others.

    Attributes:
        standing: the ratios and what they say.
        ns: median time of a sample by variant: "naive", "yours", "reference", "library".
        rounds: how many there were.
        seconds: how long they took.
        busy: share of the time in which a timed worker had to wait for a processor.
        work: "bytes" and "flops" of a sample, where the check counts them.
        cores: processors that the reference had, on the whole.
    """

    standing: Standing
    ns: Mapping[str, float]
    rounds: int
    seconds: float
    busy: float
    work: Mapping[str, float]
    cores: float = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one check.

    Attributes:
        state: "wrong"; "correct" but a bar is missed; "fast"; "better" than the reference;
            "waived" where this machine does not show the effect; "inconclusive" where it is too
            busy to say.
        message: what is not right yet, in a sentence; "" when all is.
        cases: how many inputs it was right on.
        failure: the smallest it was wrong on.
        speed: how fast it was, where that was asked.
        counts: what was counted, by name.
        printed: the end of what it printed.
        unconfined: what this system could not keep the submission from.
        cheated: whether it did what nobody does by mistake.
        done: whether being right is all that is asked.
    """

    state: State
    message: str = ""
    cases: int = 0
    failure: Failure | None = None
    speed: Speed | None = None
    counts: Mapping[str, float] = field(default_factory=dict)
    printed: str = ""
    unconfined: Sequence[str] = ()
    cheated: bool = False
    done: bool = False

    @property
    def passed(self) -> bool:
        """Whether nothing is left to do."""
        return self.done or self.state in ("fast", "better", "waived")


class Judge:
    """Judges submissions to one exercise of code; its workers' nursery stays warm.

    Args:
        manifest: the exercise.
        seed: of the inputs; None for others every time.
        check_all: compare what naive.py and solution.py return too, as their author wants.
        nurseries: where to take the nursery from, and leave it; None for one of its own.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        seed: int | None = None,
        check_all: bool = False,
        nurseries: Nurseries | None = None,
    ) -> None:
        hide()
        self.manifest, self._check_all = manifest, check_all
        self.limits = Limits(
            manifest.timeout_s, memory_mb=manifest.memory_mb, threads=manifest.threads
        )
        self._rng = np.random.default_rng(seed)
        self._check = Check(manifest.folder)
        needs = ["numpy", *manifest.needs]
        kept = nurseries.of(needs, manifest.threads) if nurseries else None
        self._nursery = kept or Nursery(needs, manifest.threads)
        self._own = self._nursery is not kept

    def close(self) -> None:
        """End the nursery and its workers, if it is its own."""
        if self._own:
            self._nursery.close()
        show()

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def judge(
        self,
        file: Path,
        *,
        speed: bool = True,
        progress: Callable[[str], None] = lambda what: None,
    ) -> Result:
        """Judge the submission `file`; without `speed` only whether it is right."""
        manifest = self.manifest
        worker: Worker | None = None
        right = 0
        try:
            progress("correct?")
            if said := forbidden(file, manifest.forbid):
                return Result("wrong", said)
            worker = Worker(self._nursery, file, manifest.entry, self.limits)
            for right, case in enumerate(manifest.cases):
                found = self._one_case(worker, case)
                if found is not None:
                    message, failure = found
                    return self._result("wrong", worker, message, right, failure)
            right = len(manifest.cases)
            counts = self._counts(worker)
            if said := over(counts, manifest.most, manifest.least):
                return self._result("correct", worker, said, right, counts=counts)
            if not (speed and manifest.bars):
                done = not manifest.bars
                return self._result("correct", worker, cases=right, counts=counts, done=done)
            progress("fast?")
            timed = self._timed(worker, manifest.bars, progress)
            state, said = _told(timed, manifest.bars)
            return self._result(state, worker, said, right, speed=timed, counts=counts)
        except _Wrong as wrong:
            return self._result("wrong", worker, str(wrong), right, wrong.failure)
        except Cheated as cheat:
            return self._result("wrong", worker, str(cheat), right, cheated=True)
        except Failed as failed:
            return self._result("wrong", worker, str(failed), right)
        finally:
            if worker:
                worker.close()

    def _result(
        self,
        state: State,
        worker: Worker | None,
        message: str = "",
        cases: int = 0,
        failure: Failure | None = None,
        **more: Any,
    ) -> Result:
        if worker:
            more |= {"printed": worker.printed, "unconfined": tuple(worker.missing)}
        return Result(state, message, cases, failure, **more)

    def _one_case(self, worker: Worker, case: Any) -> tuple[str, Failure | None] | None:
        arguments = self._check.inputs(self._rng, case)
        try:
            said, got, want = self._try(worker, arguments)
        except Cheated:
            raise
        except Failed as failed:
            given = shown(arguments)
            return str(failed), Failure(str(case), given, "", "")
        if not said:
            return None
        said, arguments, got, want = self._shrunk(worker, said, arguments, got, want)
        picture = _difference_picture(got, want) if self.manifest.picture else None
        failure = Failure(str(case), shown(arguments), shown(want), shown(got), picture)
        return said, failure

    def _try(self, worker: Worker, arguments: Arguments) -> tuple[str, Any, Any]:
        worker.load([arguments])
        got = self._only(worker.call().value)
        if not self.manifest.mutates and worker.input_changed([arguments]):
            return "it wrote over its input, which is not its own", got, None
        want = self._wanted([arguments])[0]
        return self._check.wrong(got, want, arguments), got, want

    def _only(self, value: Any) -> Any:
        return self._all(value, 1)[0]

    def _all(self, value: Any, count: int) -> list[Any]:
        if not isinstance(value, list) or len(value) != count:
            raise Cheated("it answered what no worker answers")
        return value

    def _wanted(self, many: Sequence[Arguments]) -> list[Any]:
        """What is right for each; from solution.py where the check does not know."""
        if self._check.expects:
            return [self._check.expected(arguments) for arguments in many]
        solution = self.manifest.solution
        with Worker(self._nursery, solution, self.manifest.entry, self.limits) as reference:
            reference.load(many)
            return self._all(reference.call().value, len(many))

    def _shrunk(
        self, worker: Worker, said: str, arguments: Arguments, got: Any, want: Any
    ) -> tuple[str, Arguments, Any, Any]:
        """The smallest failing input that `smaller` leads to, going down while it goes down."""
        tries, going = 0, True
        while going:
            going = False
            for smaller in self._check.smaller(arguments):
                tries += 1
                if tries > _SHRINKS:
                    return said, arguments, got, want
                try:
                    told, its, right = self._try(worker, smaller)
                except Failed:
                    return said, arguments, got, want
                if told:
                    said, arguments, got, want, going = told, smaller, its, right, True
                    break
        return said, arguments, got, want

    def _counts(self, worker: Worker) -> dict[str, float]:
        """What is counted of a call with the timed case: bytes asked for, functions called."""
        asked = {*self.manifest.most, *self.manifest.least} & {"memory", "calls"}
        if not asked:
            return {}
        case = self.manifest.bars.case if self.manifest.bars else self.manifest.cases[-1]
        arguments = self._check.inputs(self._rng, case)
        worker.load([arguments])
        worker.call()  # what is done once, such as compiling, is not counted
        worker.load([arguments])
        counts = worker.count()
        want = self._wanted([arguments])[0]
        if said := self._check.wrong(counts["value"], want, arguments):
            raise _Wrong(f"while it was counted: {said}", None)
        return {name: float(counts[name]) for name in sorted(asked)}

    def _timed(self, yours: Worker, bars: Bars, progress: Callable[[str], None]) -> Speed:
        manifest, folder = self.manifest, self.manifest.folder
        files = {"naive": manifest.naive, "reference": manifest.solution}
        workers = {"yours": yours}
        try:
            for name, file in files.items():
                workers[name] = Worker(self._nursery, file, manifest.entry, self.limits)
            speed = self._rounds(workers, bars, progress)
            library = folder / "library.py"
            if library.is_file() and speed.standing.decision in ("fast", "waived"):
                progress("what a library does")
                workers["library"] = Worker(self._nursery, library, manifest.entry, self.limits)
                speed = replace(speed, ns={**speed.ns, "library": self._alone(workers, bars)})
            return speed
        finally:
            for name, worker in workers.items():
                if name != "yours":
                    worker.close()

    def _alone(self, workers: Mapping[str, Worker], bars: Bars) -> float:
        """Median time of a sample of the library: for comparison, nothing hangs on it."""
        times = []
        for _ in range(bars.warmup + 5):
            workers["library"].load(
                [self._check.inputs(self._rng, bars.case) for _ in range(bars.calls)]
            )
            times.append(workers["library"].call().wall_ns)
        return statistics.median(times[bars.warmup :])

    def _rounds(
        self, workers: Mapping[str, Worker], bars: Bars, progress: Callable[[str], None]
    ) -> Speed:
        names = ("naive", "reference", "yours")
        times: dict[str, list[float]] = {name: [] for name in names}
        inputs: list[Arguments | None] = [None] * bars.calls
        standing: Standing | None = None
        waited = wall = 0.0
        cores: list[float] = []
        fewest, most = bars.rounds
        began = time.monotonic()
        for number in range(-bars.warmup, most):
            if number == 0:
                began = time.monotonic()
            inputs = [self._check.fresh(self._rng, bars.case, one) for one in inputs]
            many = [one for one in inputs if one is not None]
            values, aside = {}, {}
            shift = number % 3
            for name in names[shift:] + names[:shift]:
                taking_ns = workers[name].load(many)
                timed = workers[name].call()
                # By the wall too: a busy machine makes work on the clock look longer than it is,
                # and work beside it must not look shorter.
                values[name], aside[name] = timed.value, max(timed.aside_ns, taking_ns)
                # Threads beyond those of the exercise gain nothing: their time is added up.
                took = max(timed.wall_ns, timed.cpu_ns / self.manifest.threads)
                if number >= 0:
                    times[name].append(took)
                    if name == "reference" and timed.wall_ns:
                        cores.append(timed.cpu_ns / timed.wall_ns)
                    if timed.cpu_ns > 0:
                        waited += max(timed.wall_ns - timed.cpu_ns, 0)
                        wall += timed.wall_ns
            if number >= 0:  # what was done off the clock, beyond what the others needed
                beyond = aside["yours"] - max(aside["naive"], aside["reference"]) - _SLACK_NS
                times["yours"][-1] += max(beyond, 0)
            self._require_right(values, many, workers["yours"])
            done = number + 1
            progress(f"round {max(done, 0)}")
            if done >= fewest and ((done - fewest) % _EVERY == 0 or done == most):
                standing = decide(times["naive"], times["reference"], times["yours"], bars)
                late = time.monotonic() - began > bars.budget_s
                if standing.decision != "undecided" or late:
                    break
        assert standing is not None
        return Speed(
            standing=standing,
            ns={name: statistics.median(each) for name, each in times.items()},
            rounds=len(times["yours"]),
            seconds=time.monotonic() - began,
            busy=waited / wall if wall else 0.0,
            work=_summed(self._check.work(arguments) for arguments in many),
            cores=statistics.median(cores) if cores else 1.0,
        )

    def _require_right(
        self, values: Mapping[str, Any], many: Sequence[Arguments], yours: Worker
    ) -> None:
        wanted = (
            [self._check.expected(arguments) for arguments in many]
            if self._check.expects
            else self._all(values["reference"], len(many))
        )
        for name in values if self._check_all else ("yours",):
            got = self._all(values[name], len(many))
            for one, want, arguments in zip(got, wanted, many, strict=True):
                if said := self._check.wrong(one, want, arguments):
                    whose = "" if name == "yours" else f"{name}: "
                    failure = Failure("timed", shown(arguments), shown(want), shown(one))
                    raise _Wrong(f"{whose}right on small inputs, wrong when timed: {said}", failure)


class _Wrong(Exception):
    def __init__(self, said: str, failure: Failure | None) -> None:
        super().__init__(said)
        self.failure = failure


def _told(speed: Speed, bars: Bars) -> tuple[State, str]:
    """The state, and what is missing to the bar as a distance."""
    standing = speed.standing
    if standing.decision == "fast":
        return ("better" if standing.of_reference.low > 1.05 else "fast"), ""
    had = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if standing.decision == "waived" and speed.cores < _SHARE * bars.cores <= _SHARE * had:
        return "inconclusive", (
            f"even the reference had only {speed.cores:.1f} of {bars.cores} processors: "
            f"this machine is too busy to say"
        )
    if standing.decision == "waived":
        return "waived", (
            f"the effect does not show on this processor: even the reference is only "
            f"{standing.effect.median:.1f}x as fast as naive here"
        )
    reach = f"the reference reaches {standing.effect.median:.1f}x here"
    if standing.decision == "slow":
        return "correct", (
            f"{standing.over_naive.median:.2g}x of the {bars.over_naive:g}x needed; {reach}"
        )
    return "inconclusive", (
        f"between {standing.over_naive.low:.2g}x and {standing.over_naive.high:.2g}x, the bar is "
        f"{bars.over_naive:g}x: this machine is too busy to say"
    )


def over(counts: Mapping[str, float], most: Mapping[str, float], least: Mapping[str, float]) -> str:
    """Which count is outside its bars, in a sentence; "" when none is."""
    for name, bar in most.items():
        if name in counts and not counts[name] <= bar:
            return f"{name}: {counts[name]:,.6g}, at most {bar:,.6g} is asked"
    for name, bar in least.items():
        if name in counts and not counts[name] >= bar:
            return f"{name}: {counts[name]:,.6g}, at least {bar:,.6g} is asked"
    return ""


def forbidden(file: Path, names: Sequence[str]) -> str:
    """Which name of `names`, such as "np.sort", the file uses though it may not; "" for none."""
    import ast

    if not names:
        return ""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return ""  # said better when it is imported
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in names:
            return f"line {node.lineno}: this exercise is about doing without {ast.unparse(node)}"
    return ""


def _summed(parts: Any) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0.0) + value
    return total


def _difference_picture(got: Any, want: Any) -> np.ndarray | None:
    """Expected, got and how far apart, side by side; None when they are no two pictures alike."""
    alike = isinstance(got, np.ndarray) and isinstance(want, np.ndarray)
    if not alike or got.shape != want.shape or want.ndim not in (2, 3):
        return None
    off = np.abs(got.astype(np.float64) - want.astype(np.float64))
    scale = 255 / (off.max() or 1)
    parts = [np.clip(one, 0, 255).astype(np.uint8) for one in (want, got, off * scale)]
    return np.concatenate(parts, axis=1)

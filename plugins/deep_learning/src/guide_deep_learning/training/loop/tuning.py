"""Threads and precision, chosen by trying: two seconds at the start of hours.

More threads are not always faster: a small step spends its time meeting, and a neighbour that
takes a core makes all wait. bf16 is faster for large products, and slower for small ones. No table
knows which machine this is; the training's own step does.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch

from guide.machine import usable_threads
from guide_deep_learning.training.loop.precision import Precision, candidates
from guide_deep_learning.training.loop.trainer import Trainer

_GAIN = 0.05  # what a second thread must gain to be taken: it costs energy, and others the core
_GAIN_MIXED = 0.15  # what fewer bits must gain


class Setting(NamedTuple):
    """What can be chosen."""

    threads: int
    precision: str


class Trial(NamedTuple):
    """One of them, tried; `ms` is the median time of a step, `tries` how often it ran."""

    setting: Setting
    ms: float
    tries: int


def thread_counts(usable: int) -> list[int]:
    """What to try: all, a half, a quarter ... one.

    >>> thread_counts(12)
    [12, 6, 3, 1]
    """
    counts = []
    while usable >= 1:
        counts.append(usable)
        usable //= 2
    return counts


def settings(threads: Iterable[int], precisions: Iterable[str]) -> list[Setting]:
    """All pairs."""
    kinds = list(precisions)
    return [Setting(count, precision) for count in threads for precision in kinds]


def tried(
    candidates: Sequence[Setting],
    use: Callable[[Setting], object],
    step: Callable[[], object],
    *,
    seconds: float = 2.0,
    now_s: Callable[[], float] = time.perf_counter,
) -> list[Trial]:
    """Time `step` under each setting, in turn, until the time is spent; each runs once at least.

    Args:
        candidates: what to try.
        use: puts a setting into force.
        step: what is timed. Its first call under a setting is not counted: it chooses kernels.
        seconds: how long to go on. One call of each may take longer than that.
        now_s: a clock.
    """
    times: dict[Setting, list[float]] = {setting: [] for setting in candidates}
    until = now_s() + seconds
    first = True
    while first or now_s() < until:
        for setting in candidates:
            use(setting)
            if first:
                step()
            began = now_s()
            step()
            times[setting].append(now_s() - began)
            if not first and now_s() >= until:
                break
        first = False
    return [Trial(s, 1e3 * statistics.median(t), len(t)) for s, t in times.items()]


def chosen(trials: Sequence[Trial]) -> Setting:
    """The fastest; of nearly equals that with fewer threads, and with more bits."""
    best = min(
        trials,
        key=lambda t: t.ms * (1 + _GAIN_MIXED * (t.setting.precision != "f32")),
    )
    same = [t for t in trials if t.setting.precision == best.setting.precision]
    near = [t for t in same if t.ms <= best.ms * (1 + _GAIN)]
    return min(near, key=lambda t: t.setting.threads).setting


def said(trials: Sequence[Trial]) -> str:
    """The trials in one line: "2 threads 15.1 ms, 1 thread 25.2 ms"."""
    kinds = {t.setting.precision for t in trials}
    parts = []
    for t in trials:
        count = t.setting.threads
        kind = f" {t.setting.precision}" if len(kinds) > 1 else ""
        parts.append(f"{count} thread{'s' * (count != 1)}{kind} {t.ms:.3g} ms")
    return ", ".join(parts)


def tune(
    trainer: Trainer, device: torch.device, threads: int, precision: str, seconds: float = 2.0
) -> tuple[Setting, str]:
    """Choose what was left open, put it into force, and say why.

    Args:
        trainer: whose step is tried; it draws nothing and learns nothing.
        device: where it computes. On a GPU there is nothing to try.
        threads: 0 leaves the number open.
        precision: "auto" leaves it open.
        seconds: how long to try.

    Returns:
        What is in force, and the trials in one line; "" where there was nothing to choose.

    Raises:
        GuideError: for a precision that is not to be had here.
    """
    usable = usable_threads()
    counts = [threads] if threads else thread_counts(usable) if device.type == "cpu" else [usable]
    kinds = [each.name for each in candidates(precision, device)]
    options = settings(counts, kinds)

    def use(setting: Setting) -> None:
        torch.set_num_threads(setting.threads)
        trainer.precision = Precision(setting.precision)

    if len(options) == 1:
        use(options[0])
        return options[0], ""
    trials = tried(options, use, trainer.warm_up, seconds=seconds)
    best = chosen(trials)
    use(best)
    return best, said(trials)

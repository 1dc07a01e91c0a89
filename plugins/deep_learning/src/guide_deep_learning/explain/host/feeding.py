"""Waiting for the data loader: in the step's own process, or for processes beside it."""

from __future__ import annotations

import numpy as np

from guide.explain.source import candidates
from guide.explain.trace import Ints, Trace
from guide.plugin import Place, Verdict, Word
from guide_deep_learning.explain.host.between import function_of
from guide_deep_learning.explain.host.facts import Host, host, is_own, on_cpu

_LOADER = "enumerate(DataLoader)#"
_MUCH = 0.1  # of a step
_SLEEPS = ("<built-in function sleep>", "<built-in method sleep>", "<built-in function select>")
_WORD = Word(
    "worker", "a process of the DataLoader's that makes batches while the step before is computed"
)


def waiting_for_data(trace: Trace) -> list[Verdict]:
    """Whether steps wait for their batches, and which function makes them wait."""
    if not on_cpu(trace):
        return []
    events, seen = trace.events, host(trace)
    waits = events.named(_LOADER, among=events.of("annotation", "op"))
    waits = seen.outermost(waits[seen.here[waits]])
    if not len(waits):
        return []
    took_ns = seen.each_step(seen.clean_ns[waits].sum())
    if took_ns < _MUCH * seen.step_ns:
        return []
    workers = "MultiProcessing" in events.name_of(int(waits[0]))
    # Batches that workers make come in bursts; what the step makes itself, it makes each time
    if not workers and seen.usual_ns(waits) < _MUCH * seen.step_ns:
        return []
    frame, frame_ns = _deepest(seen, waits)
    frame_ns = min(frame_ns, took_ns)  # two ways to reckon may differ by a little
    return (
        [_waits_for_workers(seen, waits, took_ns)]
        if workers
        else [_loads_itself(seen, waits, took_ns, frame, frame_ns)]
    )


def _loads_itself(seen: Host, waits: Ints, took_ns: int, frame: str, frame_ns: int) -> Verdict:
    name = function_of(frame) if frame else "the dataset"
    sleeping = frame in _SLEEPS
    gain_ns = frame_ns or took_ns
    where = _where(seen, waits, frame)
    loops = not sleeping and any(" for " in f" {place.text}" for place in where)
    return Verdict(
        "waiting for data",
        f"The step waits {took_ns / 1e6:.3g} ms for its batch, {seen.share(took_ns)} of it"
        + (f"; {frame_ns / 1e6:.3g} ms of that in {name}." if frame else "."),
        gain_ns,
        why="The DataLoader has no workers: samples are made in the same process, one after the "
        "other, and nothing is computed meanwhile.",
        remedy=(
            "Take the sleep out, or let workers do the waiting: DataLoader(..., num_workers=2)."
            if sleeping
            else ("Say the loop of the whole array: a slice, an operation. " if loops else "")
            + "Do that work once, before the training, or for a whole batch at a time; or let "
            "processes do it beside the step: DataLoader(..., num_workers=2, "
            "persistent_workers=True)."
        ),
        check="In the next trace the time in DataLoader.__next__ is gone from the step.",
        sure="sure" if frame else "likely",
        where=where,
        evidence=(
            ("in DataLoader.__next__", f"{took_ns / 1e6:.3g} ms a step"),
            (f"in {name}", f"{frame_ns / 1e6:.3g} ms a step"),
            ("step", f"{seen.step_ns / 1e6:.3g} ms"),
        ),
        word=_WORD,
        teaches=("m1/s11", "m2::e11", "m1::e1"),
        pins=seen.pins(waits),
    )


def _waits_for_workers(seen: Host, waits: Ints, took_ns: int) -> Verdict:
    return Verdict(
        "waiting for the loader's workers",
        f"The step waits {took_ns / 1e6:.3g} ms for a batch from the DataLoader's processes, "
        f"{seen.share(took_ns)} of it.",
        took_ns,
        why="The workers make batches more slowly than steps use them up. On a CPU they also "
        "take their time from the same cores that compute the step.",
        remedy="Make a batch cheaper first: decode ahead, transform whole batches. Where cores "
        "are idle, more workers; persistent_workers=True when every epoch begins with a wait.",
        check="In the next trace the time in DataLoader.__next__ is gone from the step.",
        where=seen.places(waits[:20], ("DataLoader", "for", "next")),
        evidence=(
            ("waiting for workers", f"{took_ns / 1e6:.3g} ms a step"),
            ("step", f"{seen.step_ns / 1e6:.3g} ms"),
        ),
        word=_WORD,
        teaches=("m1/s11", "m2::e11"),
        pins=seen.pins(waits),
    )


def _deepest(seen: Host, waits: Ints) -> tuple[str, int]:
    """The function to look at below `__next__`, and what making the samples takes in a step.

    Of a person's own functions the innermost that still has most of their time; but a call into C
    that only sleeps is named itself. A comprehension belongs to the function it is written in.
    What has most of the time is told by the calls in the middle: one that the machine disturbed
    makes no other function the slow one.
    """
    inside = np.flatnonzero(seen.inside(waits) & seen.is_python)
    if not len(inside):
        return "", 0
    events = seen.trace.events
    by_name: dict[str, list[int]] = {}
    for index in inside.tolist():
        by_name.setdefault(events.name_of(index), []).append(index)
    total = {name: _usual_ns(seen, found) for name, found in by_name.items()}
    own = inside[seen.is_own[inside]]
    if not len(own):
        name = max(total, key=lambda name: (total[name], name))
        return name, seen.each_step(total[name])
    outer: dict[str, list[int]] = {}
    for index in seen.outermost(own).tolist():
        outer.setdefault(events.name_of(index), []).append(index)
    usual = sum(_usual_ns(seen, found) for found in outer.values())
    made = float(sum(seen.clean_ns[found].sum() for found in outer.values()))
    asleep = max((name for name in total if name in _SLEEPS), key=lambda n: total[n], default="")
    if asleep and total[asleep] > 0.5 * usual:
        return asleep, seen.each_step(total[asleep])
    named = [name for name in by_name if is_own(name) and not function_of(name).startswith("<")]
    deep = [name for name in named if total[name] > 0.5 * usual]
    # Events are in the order of their start, outer ones first: the last that is new lies deepest
    return max(deep, key=lambda name: by_name[name][0], default=""), seen.each_step(made)


def _usual_ns(seen: Host, found: list[int]) -> float:
    """What some calls of one function take together, were each as the one in the middle."""
    outer = seen.outermost(np.array(found, np.int64))
    return float(np.median(seen.clean_ns[outer])) * len(outer)


def _where(seen: Host, waits: Ints, frame: str) -> tuple[Place, ...]:
    events = seen.trace.events
    if frame and not frame.startswith("<"):
        return candidates(frame, ("for",), seen.roots)[:3]
    if frame:
        inside = np.flatnonzero(seen.inside(waits) & seen.is_python)
        calls = [i for i in inside.tolist() if events.name_of(i) == frame]
        return seen.places(calls[:50], (function_of(frame),))
    return seen.places(waits[:20], ("DataLoader", "for", "next"))

"""Numbers that are reckoned only to be looked at: a norm of each gradient, at every step."""

from __future__ import annotations

import functools

import numpy as np

from guide.explain.trace import Bools, Ints, Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.between import function_of
from guide_deep_learning.explain.host.facts import Host, host, on_cpu
from guide_deep_learning.explain.host.reading_values import loop_ns, loops_of, reads_of

_MANY = 8  # reads in a row, with no part of the training between them
_WORTH = 0.04  # of a step
_EVERY = 50  # steps: a curve of a log has points enough
_ONLY = 0.5  # of it is the reading itself: that is told by the rule about reads
_WORD = Word("metric", "a number about the training, for people: no step needs it for the next one")


def looked_at(trace: Trace) -> list[Verdict]:
    """Whether numbers about the training take a good part of each step."""
    if not on_cpu(trace):
        return []
    seen = host(trace)
    rows = _rows(seen)
    took_ns = seen.each_step(sum(_took_ns(seen, row) for row in rows))
    if not rows or took_ns < _WORTH * seen.step_ns:
        return []
    reads = np.concatenate(rows)
    count = round(len(reads) / len(trace.steps))
    by = function_of(seen.own_frame(int(reads[0])))
    calls = [_call(seen, row) for row in rows]
    shown = np.unique(calls) if min(calls) >= 0 else reads
    gain_ns = round(took_ns * (1 - 1 / _EVERY))
    return [
        Verdict(
            "numbers to look at, in every step",
            f"{'The program' if by[:1] in ('', '<') else by} reckons and reads {count} numbers a "
            f"step: {took_ns / 1e6:.3g} ms, {seen.share(took_ns)} of it. No layer, no gradient and "
            "no update is between them.",
            gain_ns,
            why="A number that ends in Python's hands is for a log or a curve. Each takes a pass "
            "over its tensor, often with a copy in another type, and a read.",
            remedy=f"Look at every {_EVERY}th step: if step % {_EVERY} == 0. Where each step has "
            "to be looked at, let one call do it for all tensors, torch._foreach_norm(gradients), "
            "and read one number at the end.",
            check="The next trace has these reads in one step of many. If the training does need "
            "the numbers, to clip or to skip a step, the one call is the remedy.",
            sure="likely",
            where=seen.places(reads[:200], (".item", "float", ".tolist", "for")),
            evidence=(
                ("numbers read", f"{count} a step"),
                ("with what they are reckoned from", f"{took_ns / 1e6:.3g} ms a step"),
                (f"looked at in one step of {_EVERY}", f"{took_ns / _EVERY / 1e6:.2g} ms a step"),
            ),
            word=_WORD,
            teaches=("m0/s1", "m4/s5"),
            pins=seen.pins(shown),
        )
    ]


@functools.lru_cache(maxsize=2)
def for_a_look(seen: Host) -> Bools:
    """Of each event whether it is part of that: other rules need not tell of it again."""
    calls = {call for row in _rows(seen) if (call := _call(seen, row)) >= 0}
    return seen.inside(np.array(sorted(calls), np.int64))


def _rows(seen: Host) -> list[Ints]:
    """Reads with no part of the training between them, and more than reads between them."""
    reads, trained = reads_of(seen), _trained(seen)
    if len(reads) < _MANY:
        return []
    events = seen.trace.events
    before = np.searchsorted(trained, events.start_ns[reads])
    rows = np.split(reads, np.flatnonzero(np.diff(before)) + 1)
    rows = [row for row in rows if len(row) >= _MANY]
    # Of all together: of one alone the machine may have made anything
    reading = sum(loop_ns(seen, loop) for row in rows for loop in loops_of(seen, row))
    return rows if reading < _ONLY * sum(_took_ns(seen, row) for row in rows) else []


@functools.lru_cache(maxsize=2)
def _trained(seen: Host) -> Ints:
    """When a layer, a gradient, an update, a batch or a step begins or ends, in order."""
    events = seen.trace.events
    is_part = seen.updating.copy()
    is_part[events.named("nn.Module: ", among=events.of("python"))] = True
    is_part[events.named("autograd::engine", among=events.of("op"))] = True
    said = events.of("annotation", "op")
    is_part[events.named("enumerate(DataLoader)#", "ProfilerStep#", among=said)] = True
    is_part &= events.track == seen.track
    return np.sort(np.concatenate((events.start_ns[is_part], events.end_ns[is_part])))


def _call(seen: Host, row: Ints) -> int:
    """The call of a person's own function that such reads are all that is done in; -1: none."""
    trained, events = _trained(seen), seen.trace.events
    found, at = -1, int(seen.parent[row[0]])
    while at >= 0:
        if seen.is_own[at]:
            begin, end = int(events.start_ns[at]), int(events.end_ns[at])
            if np.searchsorted(trained, end) > np.searchsorted(trained, begin, "right"):
                break
            if end >= events.end_ns[row[-1]]:
                found = at
        at = int(seen.parent[at])
    return found


def _took_ns(seen: Host, row: Ints) -> float:
    """What reads take with all that is done for them."""
    call = _call(seen, row)
    if call >= 0:
        return float(seen.clean_ns[call])
    first, last = int(row[0]), int(row[-1])
    between = np.arange(first, last)
    took = float(seen.self_ns()[between[seen.here[between]]].sum())
    return took * len(row) / (len(row) - 1)  # what was done for the first lies before it

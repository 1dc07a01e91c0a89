"""Communication between devices: what of it nothing hides, and in how many pieces it comes."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Trace, union
from guide.plugin import Verdict, Word
from guide.units import duration
from guide_deep_learning.explain.device.facts import facts_of
from guide_deep_learning.explain.device.host import without
from guide_deep_learning.explain.device.replay import NOTHING
from guide_deep_learning.explain.device.telling import each, largest, ms, of_step, usual

_EXPOSED = Word(
    "exposed communication", "exchange between GPUs while nothing is computed beside it"
)
_MANY = 50  # exchanges in a step: a bucketed training has a handful to a few dozen
_SMALL = 50_000  # ns: an exchange this short is mostly the way there and back


def communication(trace: Trace) -> list[Verdict]:
    """Exchange that nothing hides, or that is cut into too many pieces."""
    facts = facts_of(trace)
    if facts is None:
        return []
    mine = facts.of("communication")
    gain = facts.saved_ns(mine, 0.0, "communication") if mine.any() else 0
    if not facts.matters(gain):
        return []
    count, median = int(mine.sum()) / facts.steps, float(np.median(facts.work.ns[mine]))
    exposed, spent = facts.exposed_ns(mine), facts.spent_ns(mine)
    many = count >= _MANY and median < _SMALL
    others = facts.inside & ~mine
    alone = without(
        union(facts.work.start_ns[mine], facts.work.end_ns[mine]),
        union(facts.work.start_ns[others], facts.work.end_ns[others]),
        facts.queue.window,
    )
    if many:
        title = "many small exchanges"
        remedy = (
            "Join them: DistributedDataParallel exchanges gradients in buckets (bucket_cap_mb); "
            "by hand, flatten many gradients into one tensor and reduce that."
        )
        why = (
            f"Each of {count:,.0f} exchanges is launched by itself and pays the way to the other "
            "GPUs and back, which is longer than its transfer."
        )
    else:
        title = "exposed communication"
        remedy = (
            "Begin it earlier, so that backward hides it (smaller buckets at first, "
            "no find_unused_parameters), send half of the bytes (bf16 compression), or exchange "
            "less often (no_sync while gradients accumulate)."
        )
        why = (
            "The GPU can compute and exchange at the same time, but here what comes next needs "
            "the result. Whether it is the transfer or the wait for a slower rank, only a trace "
            "of a second rank can tell."
        )
    return [
        Verdict(
            title,
            f"{count:,.3g} exchanges in {each(facts)} take {ms(facts, spent)}, of which "
            f"{ms(facts, exposed)} nothing hides; they cost {of_step(facts, gain)}.",
            facts.per_step(gain),
            why,
            remedy,
            "In the next trace the communication stream lies above compute kernels, not beside "
            "empty ones.",
            "likely",
            (),
            usual(
                facts,
                ("exchanges", f"{count:,.3g} in {each(facts)}"),
                ("median exchange", duration(median)),
                ("exposed", ms(facts, exposed)),
            ),
            _EXPOSED,
            ("m2/s21",),
            largest(facts, alone if len(alone[0]) else NOTHING),
        )
    ]

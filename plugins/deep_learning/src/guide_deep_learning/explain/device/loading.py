"""Waiting for data: the GPU has nothing to do because the next batch is not there."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.device import names
from guide_deep_learning.explain.device.facts import facts_of
from guide_deep_learning.explain.device.telling import gaps_in, lines, ms, of_step, usual

_WORD = Word("data loader", "what makes the next batch: reads, decodes, stacks; on the CPU")


def waiting_for_data(trace: Trace) -> list[Verdict]:
    """Idle time while the launching thread was in the data loader."""
    facts = facts_of(trace)
    gain = facts.shares.shared.get("loader", 0) if facts else 0
    if facts is None or not facts.matters(gain):
        return []
    events = trace.events
    known = [names.LOADER.search(name) is not None for name in events.names]
    among = np.flatnonzero(trace.in_steps & np.array(known)[events.name])
    text = " ".join({events.name_of(i) for i in among.tolist()})
    spent = facts.did["loader"][1] - facts.did["loader"][0]
    if "SingleProcess" in text:
        remedy = "Give the loader processes of its own: DataLoader(..., num_workers=4)."
        why = "The loader makes each batch in the training's own thread, so the two take turns."
    elif "MultiProcess" in text:
        remedy = (
            "Its workers are too slow together: more of them (num_workers), decode ahead of time, "
            "or fetch a batch by one index instead of item by item."
        )
        why = "The loader's processes need longer for a batch than the GPU does."
    else:
        remedy = "Make the next batch while this one is computed: num_workers, or a thread."
        why = "The batch is made when it is asked for, not before."
    return [
        Verdict(
            "waiting for data",
            f"The GPU waits {of_step(facts, gain)} for the next batch.",
            facts.per_step(gain),
            f"{why} Meanwhile the GPU works off what it has been given, and then stands still.",
            remedy,
            "In the next trace the loader's bar is short, and kernels run beneath it.",
            "sure",
            lines(facts, among, "DataLoader", ".__getitem__", "for"),
            usual(facts, ("in the loader", ms(facts, spent.sum()))),
            _WORD,
            ("m1/s11", "m2::e11"),
            gaps_in(facts, "loader"),
        )
    ]

"""Copies between host and device, where nothing is computed beside them."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide.units import quantity
from guide_deep_learning.explain.device.facts import Facts, facts_of
from guide_deep_learning.explain.device.telling import each, gaps_after, lines, ms, of_step, usual

_WITHIN = 0.5  # what is left of such copies where someone looks for them
_PINNED = Word("pinned", "host memory that stays in place, so that the GPU can fetch it by itself")


def copies_in(trace: Trace) -> list[Verdict]:
    """Copies to the device that nothing hides, and the host's waits for them."""
    facts = facts_of(trace)
    if facts is None:
        return []
    mine = facts.of("copy in")
    gain = facts.saved_ns(mine, 0.0, "copy in") if mine.any() else 0
    if not facts.matters(gain):
        return []
    pageable = np.array(
        ["pageable" in facts.name(i).lower() for i in np.flatnonzero(mine).tolist()]
    )
    spent, rate = facts.spent_ns(mine), _rate(facts, mine)
    slow = bool(pageable.size) and float(pageable.mean()) > 0.5
    title = "unpinned copies" if slow else "exposed copies to the GPU"
    if slow:
        why = (
            "From ordinary (pageable) memory the driver first copies to a buffer of its own; the "
            "host waits for that, and nothing else is launched meanwhile."
        )
        remedy = "DataLoader(..., pin_memory=True) and batch.to('cuda', non_blocking=True)."
    else:
        why = (
            "The copy stands in the same queue as the kernels, so they wait until it is through, "
            "though another part of the GPU does it."
        )
        remedy = (
            "Copy the next batch while this one is computed: on a torch.cuda.Stream of its own, "
            "from pinned memory with non_blocking=True; or copy fewer bytes (uint8, not float32)."
        )
    calls = facts.work.launch[mine]
    return [
        Verdict(
            title,
            f"Copies from the host take {ms(facts, spent)} in {each(facts)}{rate}; they and the "
            f"waits for them cost {of_step(facts, gain)}.",
            facts.per_step(gain),
            why,
            remedy,
            "In the next trace the copies say Pinned -> Device and lie beside kernels.",
            "likely",
            lines(facts, calls[calls >= 0], ".to", ".cuda", ".copy_"),
            usual(facts, ("copies from the host", ms(facts, spent))),
            _PINNED,
            ("m1/s21", "m1/s11"),
            gaps_after(facts, "in"),
        )
    ]


def copies_back(trace: Trace) -> list[Verdict]:
    """Copies to the host whose transfer itself takes long."""
    facts = facts_of(trace)
    if facts is None:
        return []
    mine = facts.of("copy back")
    gain = facts.saved_ns(mine, 0.0) if mine.any() else 0
    if not facts.matters(gain):
        return []
    spent = facts.spent_ns(mine)
    calls = facts.work.launch[mine]
    return [
        Verdict(
            "exposed copies to the host",
            f"Copies to the host take {ms(facts, spent)} in {each(facts)}{_rate(facts, mine)}; "
            f"they cost {of_step(facts, gain)}.",
            facts.per_step(gain),
            "While the bytes are on their way the kernels behind them in the queue wait.",
            "Copy less of it or less often; reduce on the GPU first; into pinned memory, on a "
            "stream of its own.",
            "In the next trace the DtoH copies are short, or lie beside kernels.",
            "likely",
            lines(facts, calls[calls >= 0], ".cpu", ".numpy", ".to", ".tolist"),
            usual(facts, ("copies to the host", ms(facts, spent))),
            Word("DtoH memcpy", "a copy from the device to the host"),
            ("m1/s21",),
        )
    ]


def copies_within(trace: Trace) -> list[Verdict]:
    """Copies from the device to itself: clone, contiguous, cat, a slice written into."""
    facts = facts_of(trace)
    if facts is None:
        return []
    mine = facts.of("copy within")
    gain = facts.saved_ns(mine, _WITHIN) if mine.any() else 0
    if not facts.matters(gain):
        return []
    spent, count = facts.spent_ns(mine), int(mine.sum()) / facts.steps
    calls = facts.work.launch[mine]
    return [
        Verdict(
            "copies within the GPU",
            f"{count:,.3g} copies from the GPU's memory to itself take {ms(facts, spent)} in "
            f"{each(facts)}; without half of them it would be {of_step(facts, gain)} less.",
            facts.per_step(gain),
            "A copy reads and writes all its bytes and computes nothing: .clone(), .contiguous(), "
            "torch.cat, a batch put together again and again.",
            "Write results where they belong (out=, a view of one large tensor), and keep "
            "layouts as they are.",
            "In the next trace there are fewer Memcpy DtoD.",
            "perhaps",
            lines(facts, calls[calls >= 0], ".clone", ".contiguous", "torch.cat", ".copy_"),
            usual(facts, ("copies within", f"{count:,.3g}, {ms(facts, spent)}")),
            Word("DtoD memcpy", "a copy from one place of the GPU's memory to another"),
            ("m1/s5", "m1::e20"),
        )
    ]


def _rate(facts: Facts, mine: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> str:
    moved = facts.trace.events.bytes[facts.work.event[mine]]
    ns = int(facts.work.ns[mine][moved > 0].sum())
    return f" at {quantity(int(moved[moved > 0].sum()) / ns * 1e9, 'B/s')}" if ns else ""

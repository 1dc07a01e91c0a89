"""What a training's record has in common with known causes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.plugin import Verdict, Word
from guide.units import duration

_IDLE = 0.7  # the share of its cores a training must at least keep busy; alone it keeps them all
_FEW = 10  # steps that say something
_MUCH = 0.25  # the share of a step that must be waiting before it is called the limit
_FAR = 5  # how many times the median a slow step must take to count as one that waited


def crowded_cores(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether threads waited for one another because something else ran on their cores.

    The threads of an operation meet at its end. If one of them has lost its core to another
    program, the others spin until it comes back, at each of hundreds of operations a step. The
    signs, on the CPU and with several threads: fewer cores busy than there are threads, all the
    time; or backward, which is the same work each time, now and then takes many times its median.

    Args:
        record: the content of run.json.

    Returns:
        One verdict, or none.
    """
    facts = record.get("facts", {})
    backward = record.get("spans", {}).get("backward")
    threads = facts.get("threads", 1)
    if not backward or facts.get("device") != "cpu" or not isinstance(threads, int) or threads < 2:
        return []
    usual, slow = backward["p50_ns"], backward["p99_ns"]
    busy, step_ns = busy_cores(record), (record.get("tick_time") or {}).get("mean_ns", usual)
    if busy < _IDLE * threads and backward["count"] >= 5:
        says = (
            f"{threads} threads computed, but kept only {busy:.1f} cores busy: if "
            "other programs were running, every operation waited for its slowest thread."
        )
        # Had they all been busy, the same work would have taken that share of the time
        return [_crowded(says, step_ns * (1 - busy / threads), busy, backward)]
    if backward["count"] < 100 or slow < _FAR * usual:
        return []
    says = (
        f"backward takes {usual / 1e6:.3g} ms, and {slow / 1e6:.3g} ms in one step of a hundred: "
        f"if other programs were running, {threads} threads waited for the one that had lost its "
        "core."
    )
    return [_crowded(says, backward.get("mean_ns", usual) - usual, busy, backward)]


def _crowded(says: str, given_ns: float, busy: float, backward: Mapping[str, Any]) -> Verdict:
    return Verdict(
        "threads wait for one another",
        says,
        max(round(given_ns), 1),
        why="The threads of an operation meet at its end. If one has lost its core to another "
        "program, the others spin until it comes back, at hundreds of operations a step.",
        remedy="Compare with: guide run --set threads=1",
        check="guide compare says which of the two runs is faster.",
        sure="likely",
        evidence=(
            ("cores busy", f"{busy:.2g}"),
            ("backward, p50", duration(backward["p50_ns"])),
            ("backward, p99", duration(backward["p99_ns"])),
            ("given back", "the step's idle share of its threads, or backward's mean less its p50"),
        ),
        word=Word("oversubscription", "More threads that compute than cores."),
        teaches=("m2/s11", "m2/s0"),
    )


def communication_bound(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether the ranks of a training spend much of each step on waiting for the network.

    Judged by the part of the exchange that nothing hides, on the rank that waits least (see
    `communication`): what the others wait beyond that, they wait for a slow rank.

    Args:
        record: the content of run.json.

    Returns:
        One verdict, or none.
    """
    facts = record.get("facts", {})
    waited_ms = facts.get("exposed communication ms")
    step = record.get("tick_time") or {}
    if facts.get("ranks", 1) < 2 or not isinstance(waited_ms, int | float):
        return []
    if step.get("count", 0) < _FEW or waited_ms * 1e6 < _MUCH * step["p50_ns"]:
        return []
    step_ms = step["p50_ns"] / 1e6
    ranks, threads = facts["ranks"], facts.get("threads", 1)
    cores = record.get("machine", {}).get("threads", 0)
    if facts.get("hosts") == 1 and facts.get("device") == "cpu" and ranks * threads > cores > 0:
        return [
            _waiting(
                "more ranks than cores",
                f"{ranks} ranks of {threads} threads share {cores} cores: {waited_ms:.3g} ms of a "
                f"step of {step_ms:.3g} ms ({waited_ms / step_ms:.0%}) wait for each other.",
                f"Start fewer: torchrun --nproc-per-node={max(cores // threads, 1)}",
                waited_ms,
            )
        ]
    sent = facts.get("sent a step MB", 0)
    return [
        _waiting(
            "communication is the limit",
            f"communication is the limit: {waited_ms:.3g} ms of a step of {step_ms:.3g} ms "
            f"({waited_ms / step_ms:.0%}) wait for the network, which moves {sent:.3g} MB a step.",
            "Send half of the bytes (--short-gradients), exchange less often (--accumulate 4), or "
            "give each rank more to compute (--batch ...)",
            waited_ms,
        )
    ]


def _waiting(title: str, says: str, remedy: str, waited_ms: float) -> Verdict:
    return Verdict(
        title,
        says,
        round(waited_ms * 1e6),
        why="Before a step the ranks exchange their gradients, and nothing hides this part of it.",
        remedy=remedy,
        check="Run again: the fact 'exposed communication ms' falls.",
        sure="sure",
        evidence=(
            ("exposed communication", f"{waited_ms:.3g} ms a step"),
            ("given back", "all of it, on the rank that waits least"),
        ),
        word=Word("exposed communication", "The part of an exchange that no computing hides."),
        teaches=("m2/s21",),
    )


def busy_cores(record: Mapping[str, Any]) -> float:
    """CPU seconds a second over the whole run; infinite where that was not measured."""
    seconds = record.get("seconds") or 0
    for reading in record.get("usage", {}).get("totals", []):
        if reading["name"] == "cpu" and seconds:
            return float(reading["value"] / seconds)
    return float("inf")

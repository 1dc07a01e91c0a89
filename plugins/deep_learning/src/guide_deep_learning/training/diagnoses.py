"""Sentences about a training's record: what its numbers have in common with known causes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_IDLE = 0.7  # the share of its cores a training must at least keep busy; alone it keeps them all
_FEW = 10  # steps that say something
_MUCH = 0.25  # the share of a step that must be waiting before it is called the limit
_FAR = 5  # how many times the median a slow step must take to count as one that waited


def crowded_cores(record: Mapping[str, Any]) -> list[str]:
    """Whether threads waited for one another because something else ran on their cores.

    The threads of an operation meet at its end. If one of them has lost its core to another
    program, the others spin until it comes back, at each of hundreds of operations a step. The
    signs, on the CPU and with several threads: fewer cores busy than there are threads, all the
    time; or backward, which is the same work each time, now and then takes many times its median.

    Args:
        record: the content of run.json.

    Returns:
        One sentence, or none.
    """
    facts = record.get("facts", {})
    backward = record.get("spans", {}).get("backward")
    threads = facts.get("threads", 1)
    if not backward or facts.get("device") != "cpu" or not isinstance(threads, int) or threads < 2:
        return []
    usual, slow = backward["p50_ns"], backward["p99_ns"]
    if busy_cores(record) < _IDLE * threads and backward["count"] >= 5:
        return [
            f"{threads} threads computed, but kept only {busy_cores(record):.1f} cores busy: if "
            "other programs were running, every operation waited for its slowest thread. Compare "
            "with: guide run --set threads=1"
        ]
    if backward["count"] < 100 or slow < _FAR * usual:
        return []
    return [
        f"backward takes {usual / 1e6:.3g} ms, and {slow / 1e6:.3g} ms in one step of a hundred: "
        f"if other programs were running, {threads} threads waited for the one that had lost its "
        "core. Compare with: guide run --set threads=1"
    ]


def communication_bound(record: Mapping[str, Any]) -> list[str]:
    """Whether the ranks of a training spend much of each step on waiting for the network.

    Judged by the part of the exchange that nothing hides, on the rank that waits least (see
    `communication`): what the others wait beyond that, they wait for a slow rank.

    Args:
        record: the content of run.json.

    Returns:
        One sentence, or none.
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
            f"{ranks} ranks of {threads} threads share {cores} cores: {waited_ms:.3g} ms of a step "
            f"of {step_ms:.3g} ms ({waited_ms / step_ms:.0%}) wait for each other. Start fewer: "
            f"torchrun --nproc-per-node={max(cores // threads, 1)}"
        ]
    sent = facts.get("sent a step MB", 0)
    return [
        f"communication is the limit: {waited_ms:.3g} ms of a step of {step_ms:.3g} ms "
        f"({waited_ms / step_ms:.0%}) wait for the network, which moves {sent:.3g} MB a step. "
        "Send half of the bytes (--short-gradients), exchange less often (--accumulate 4), or "
        "give each rank more to compute (--batch ...)"
    ]


def busy_cores(record: Mapping[str, Any]) -> float:
    """CPU seconds a second over the whole run; infinite where that was not measured."""
    seconds = record.get("seconds") or 0
    for reading in record.get("usage", {}).get("totals", []):
        if reading["name"] == "cpu" and seconds:
            return float(reading["value"] / seconds)
    return float("inf")

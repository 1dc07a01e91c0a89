"""Sentences about a training's record: what its numbers have in common with known causes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_IDLE = 0.7  # the share of its cores a training must at least keep busy; alone it keeps them all
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


def busy_cores(record: Mapping[str, Any]) -> float:
    """CPU seconds a second over the whole run; infinite where that was not measured."""
    seconds = record.get("seconds") or 0
    for reading in record.get("usage", {}).get("totals", []):
        if reading["name"] == "cpu" and seconds:
            return float(reading["value"] / seconds)
    return float("inf")

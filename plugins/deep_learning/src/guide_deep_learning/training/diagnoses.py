"""Sentences about a training's record: what its numbers have in common with known causes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FAR = 5  # how many times the median a slow step must take to count as one that waited


def crowded_cores(record: Mapping[str, Any]) -> list[str]:
    """Whether threads waited for one another because something else ran on their cores.

    The threads of an operation meet at its end. If one of them has lost its core to another
    program, the others spin until it comes back, at each of hundreds of operations a step. The
    sign: backward, which is the same work each time, now and then takes many times its median,
    on the CPU and with several threads.

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
    if backward["count"] < 100 or slow < _FAR * usual:
        return []
    return [
        f"backward takes {usual / 1e6:.3g} ms, and {slow / 1e6:.3g} ms in one step of a hundred: "
        f"if other programs were running, {threads} threads waited for the one that had lost its "
        "core. Compare with: guide run --set threads=1"
    ]

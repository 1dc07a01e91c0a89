"""Which span of a tick computes and which waits: CPU time beside wall time, in a few ticks only.

A span knows how long it took. Whether it computed all that time, or slept, or waited for a disk, a
lock or another thread, the kernel knows; to ask at every span would cost more than the span. So it
is asked in one tick of seventeen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import get_ident

from guide.timing import Timeline

ASK_EVERY = 17
"""Ticks. A prime: what is done every second, fifth or tenth tick is met as often as it comes."""


class Asked:
    """Opens spans as a timeline does, and notes of each what it took and what it computed.

    Made on the loop's thread; spans of others are opened as ever.

    Args:
        timeline: where they go.

    Attributes:
        found: by name of span: how often it was asked, what it took and computed in all.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline, self._here = timeline, get_ident()
        self._span = timeline.here_span()
        self.found: dict[str, dict[str, int]] = {}

    def __call__(self, name: str, flow: int | None = None) -> AbstractContextManager[None]:
        """The span `name`."""
        if flow is not None or get_ident() != self._here:
            return Timeline.span(self._timeline, name, flow)
        zero = {"count": 0, "total_ns": 0, "cpu_ns": 0}
        return _both(self._span(name), self.found.setdefault(name, zero))


@contextmanager
def _both(span: AbstractContextManager[None], into: dict[str, int]) -> Iterator[None]:
    cpu_ns, ns = time.thread_time_ns(), time.perf_counter_ns()
    with span:
        yield
    into["count"] += 1
    into["total_ns"] += time.perf_counter_ns() - ns
    into["cpu_ns"] += time.thread_time_ns() - cpu_ns

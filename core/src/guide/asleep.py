"""Which span of a tick computes and which waits: CPU time beside wall time, in a few ticks only.

A span knows how long it took. Whether it computed all that time, or slept, or waited for a disk, a
lock or another thread, the kernel knows; to ask at every span would cost more than the span. So it
is asked in one tick of seventeen.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
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
        found: by name of span: how often it was asked, ns it took, ns of CPU time.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline, self._here = timeline, get_ident()
        self._span = timeline.here_span()
        self.found: dict[str, list[int]] = {}

    def __call__(self, name: str, flow: int | None = None) -> AbstractContextManager[None]:
        """The span `name`."""
        if flow is not None or get_ident() != self._here:
            return Timeline.span(self._timeline, name, flow)
        return _Both(self._span(name), self.found.setdefault(name, [0, 0, 0]))


class _Both(AbstractContextManager[None]):
    def __init__(self, span: AbstractContextManager[None], into: list[int]) -> None:
        self._span, self._into = span, into

    def __enter__(self) -> None:
        self._cpu_ns, self._ns = time.thread_time_ns(), time.perf_counter_ns()
        self._span.__enter__()

    def __exit__(self, *error: object) -> None:
        self._span.__exit__(*error)  # type: ignore[arg-type]
        into = self._into
        into[0] += 1
        into[1] += time.perf_counter_ns() - self._ns
        into[2] += time.thread_time_ns() - self._cpu_ns

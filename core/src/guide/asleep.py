"""Which span of a tick computes and which waits: CPU time beside wall time, in a few ticks only.

A span knows how long it took. Whether it computed all that time, or slept, or waited for a disk, a
lock or another thread, the kernel knows; to ask at every span would cost more than the span. So it
is asked in one tick of seventeen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import get_ident

from guide.recorder import OFF
from guide.timing import Timeline

ASK_EVERY = 17
"""Ticks. A prime: what is done every second, fifth or tenth tick is met as often as it comes."""


class Asked:
    """Opens spans as a timeline does, and notes of each what it took and what it computed.

    Also of laps, and of work whose span comes by `add`, where whoever adds it says what it is.

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
        self.begin()

    def begin(self) -> None:
        """A tick that is asked begins, or a phase of it."""
        self._began = _now()

    def __call__(self, name: str, flow: int | None = None) -> AbstractContextManager[None]:
        """The span `name`."""
        if flow is not None or get_ident() != self._here:
            return Timeline.span(self._timeline, name, flow)
        return self._asked(self._span(name), name)

    def within(self, name: str) -> AbstractContextManager[None]:
        """A block whose span `name` is recorded by other means."""
        return self._asked(OFF, name) if get_ident() == self._here else OFF

    def lap(self, name: str) -> Callable[[], None]:
        """As `Timeline.lap`."""
        end = Timeline.lap(self._timeline, name)

        def ended() -> None:
            end()
            if name:
                self._add(name, self._began)
            self.begin()

        return ended if get_ident() == self._here else end

    @contextmanager
    def _asked(self, span: AbstractContextManager[None], name: str) -> Iterator[None]:
        began = _now()
        with span:
            yield
        self._add(name, began)

    def _add(self, name: str, began: tuple[int, int]) -> None:
        into = self.found.setdefault(name, {"count": 0, "total_ns": 0, "cpu_ns": 0})
        into["count"] += 1
        for key, now, then in zip(("cpu_ns", "total_ns"), _now(), began, strict=True):
            into[key] += now - then


def _now() -> tuple[int, int]:
    return time.thread_time_ns(), time.perf_counter_ns()

"""Which thread does what next: the order of work in a pipeline, apart from any thread or clock.

A worker belongs to no stage. It takes the work that is nearest to the end, so frames leave as
soon as they can; and since a frame that went through one stage is then the
nearest, it mostly stays with its worker and in that core's cache. However the stages' costs are
spread, nobody waits while there is work: no grouping could do better, and none is needed.
This is Intel TBB's `parallel_pipeline`: stages that remember something (a background, tracks)
take frames one at a time and in order; those that do not may work on several at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from guide_vision.pipeline.frame import Frame
from guide_vision.pipeline.observation import Step

Job = tuple[int, int, Frame]  # stage, ticket, frame


class Schedule:
    """Frames between the source and the consumer. Its caller holds a lock.

    Args:
        stages: in the order a frame goes through them.
        latest: at its entrance and at its exit a frame that nobody fetched makes way for a newer.

    Attributes:
        dropped: frames that went no further, by cause.
        released: slots of such frames, for the pool.
    """

    def __init__(self, stages: Sequence[Step], *, latest: bool) -> None:
        self._count = len(stages)
        self._serial = [not getattr(stage, "parallel", False) for stage in stages]
        self._latest = latest
        # waiting[k]: frames before stage k by ticket; the last one is the exit
        self._waiting: list[dict[int, Frame]] = [{} for _ in range(self._count + 1)]
        self._busy = [0] * self._count
        self._next = [0] * (self._count + 1)  # the ticket a serial stage, or the exit, takes next
        self._tickets = 0
        self._failed: int | None = None  # no frame from this ticket on goes any further
        self.dropped: Counter[str] = Counter()
        self.released: list[int] = []

    def enter(self, frame: Frame) -> None:
        """A frame came from the source."""
        entrance = self._waiting[0]
        if self._failed is not None:
            self._drop(frame, "drained")
            return
        if self._latest and entrance:
            # It takes the other's ticket as well: to the stages that one never was
            ticket, old = entrance.popitem()
            self._drop(old, "replaced")
        else:
            ticket, self._tickets = self._tickets, self._tickets + 1
        entrance[ticket] = frame

    def next_job(self) -> Job | None:
        """The work nearest to the end that can be begun now."""
        for stage in range(self._count - 1, -1, -1):
            waiting = self._waiting[stage]
            if not waiting:
                continue
            if self._serial[stage]:
                ticket = self._next[stage]
                if self._busy[stage] or ticket not in waiting:
                    continue
                self._next[stage] += 1
            else:
                ticket = min(waiting)
            self._busy[stage] += 1
            return stage, ticket, waiting.pop(ticket)
        return None

    def done(self, job: Job) -> None:
        """A job ended well."""
        stage, ticket, frame = job
        self._busy[stage] -= 1
        if self._failed is not None and ticket > self._failed:
            self._drop(frame, "drained")
            return
        self._waiting[stage + 1][ticket] = frame
        if self._latest and stage + 1 == self._count:
            self._newest_only()

    def failed(self, job: Job) -> None:
        """A job raised: frames before it go on to the consumer, those after it do not."""
        stage, ticket, frame = job
        self._busy[stage] -= 1
        self._drop(frame, "failed")
        if self._failed is None or ticket < self._failed:
            self._failed = ticket
        for waiting in self._waiting:
            for late in [t for t in waiting if t > self._failed]:
                self._drop(waiting.pop(late), "drained")

    def take(self) -> Frame | None:
        """The next finished frame; with `latest` the newest. None: there is none yet."""
        exit_ = self._waiting[-1]
        ticket = max(exit_, default=-1) if self._latest else self._next[-1]
        if ticket not in exit_:
            return None
        self._next[-1] = ticket + 1
        return exit_.pop(ticket)

    def peek(self, *, done: bool) -> Frame | None:
        """The frame that `take` would return; or without `done`, one that is still to be begun."""
        waiting = self._waiting[-1 if done else 0]
        ticket = max(waiting, default=-1) if self._latest else self._next[-1 if done else 0]
        return waiting.get(ticket)

    @property
    def in_flight(self) -> int:
        """Frames that entered and neither left nor were dropped."""
        return sum(self._busy) + sum(map(len, self._waiting))

    def _newest_only(self) -> None:
        exit_ = self._waiting[-1]
        newest = max(exit_)
        for ticket in [t for t in exit_ if t != newest or t < self._next[-1]]:
            self._drop(exit_.pop(ticket), "replaced")

    def _drop(self, frame: Frame, cause: str) -> None:
        self.dropped[cause] += 1
        self.released.append(frame.slot)

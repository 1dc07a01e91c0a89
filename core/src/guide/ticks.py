"""The log of a loop's ticks: counts and distributions of all, the newest and the worst in full."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING, NamedTuple

from guide.columns import Columns
from guide.percentiles import Histogram

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TickRecord(NamedTuple):
    """A finished tick, as the log keeps it; times in ns."""

    index: int  # type: ignore[assignment]  # not tuple's
    due_ns: int
    start_ns: int
    end_ns: int
    deadline_ns: int | None
    skipped: int

    @property
    def work_ns(self) -> int:
        """How long it took: the tick time."""
        return self.end_ns - self.start_ns

    @property
    def missed(self) -> bool:
        """Whether it was done after its deadline."""
        return self.deadline_ns is not None and self.end_ns > self.deadline_ns


class TickColumns(NamedTuple):
    """The newest ticks as numpy arrays of one length; times in ns."""

    first: int  # index of the first of them
    due_ns: NDArray[np.int64]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    skipped: NDArray[np.int64]
    budget_ns: int | None  # from due to deadline


class TickLog:
    """All ticks in fixed memory: 32 bytes for each of the newest, and histograms of all.

    The loop's thread adds; any thread may read.

    Args:
        keep: how many of the newest are held one by one, at least.
        worst: how many of the longest are held, however long ago they were.
        budget_ns: time a tick has from when it is due; None without a deadline.
    """

    def __init__(
        self, keep: int = 50_000, worst: int = 10, *, budget_ns: int | None = None
    ) -> None:
        self.count = 0
        self.missed = 0  # ticks that were done after their deadline
        self.skipped = 0  # slots of the grid that were given up
        self.suspended = 0  # slots that passed while the machine, or this process, slept
        self.budget_ns = budget_ns
        self._work, self._lateness = Histogram(), Histogram()
        self._keep = keep
        self._worst_size = worst
        self._worst: list[tuple[int, int, TickRecord]] = []
        self._least = -1  # what a tick must take to be among the worst
        self._pending: list[int] = []
        self._columns: Columns | None = None
        self._lock = threading.Lock()

    def add(self, due_ns: int, start_ns: int, end_ns: int, skipped: int) -> bool:
        """Count one finished tick; returns whether it missed its deadline."""
        self._pending.extend((due_ns, start_ns, end_ns, skipped))
        index = self.count
        self.count = index + 1
        self.skipped += skipped
        missed = self.budget_ns is not None and end_ns - due_ns > self.budget_ns
        self.missed += missed
        if end_ns - start_ns > self._least:
            self._remember(self._record(index, due_ns, start_ns, end_ns, skipped))
        return missed

    def _record(self, index: int, due: int, start: int, end: int, skipped: int) -> TickRecord:
        deadline = None if self.budget_ns is None else due + self.budget_ns
        return TickRecord(index, due, start, end, deadline, skipped)

    def _remember(self, record: TickRecord) -> None:
        entry = (record.work_ns, -record.index, record)
        if len(self._worst) < self._worst_size:
            heapq.heappush(self._worst, entry)
        else:
            heapq.heapreplace(self._worst, entry)
        if len(self._worst) == self._worst_size:
            self._least = self._worst[0][0]

    def fold(self) -> None:
        """Count what was added since the last call."""
        with self._lock:
            part = self._pending[:]
            if not part:
                return
            del self._pending[: len(part)]
            import numpy as np

            rows = np.array(part, np.int64).reshape(-1, 4)
            self._work.record_many(rows[:, 2] - rows[:, 1])
            self._lateness.record_many(rows[:, 1] - rows[:, 0])
            if self._columns is None:
                self._columns = Columns(self._keep, np.dtype((np.int64, 4)))
            self._columns.extend(rows)

    @property
    def work(self) -> Histogram:
        """How long ticks took, of all of them."""
        self.fold()
        return self._work

    @property
    def lateness(self) -> Histogram:
        """How late ticks began, of all of them."""
        self.fold()
        return self._lateness

    def worst(self) -> list[TickRecord]:
        """The longest ticks, longest first; among equals the earliest first."""
        return [record for _, _, record in sorted(self._worst[:], reverse=True)]

    def columns(self, since: int = 0) -> TickColumns:
        """The ticks from index `since` on that are still held: all, unless the run was long."""
        import numpy as np

        self.fold()
        with self._lock:
            held = self._columns
            dropped = held.dropped if held else 0
            first = max(since, dropped)
            rows = held.rows[first - dropped :].copy() if held else np.empty((0, 4), np.int64)
        due, start, end, skipped = rows.T
        return TickColumns(first, due, start, end, skipped, self.budget_ns)

    def recent(self) -> list[TickRecord]:
        """The newest ticks in order, one by one."""
        c = self.columns()
        rows = zip(*(x.tolist() for x in (c.due_ns, c.start_ns, c.end_ns, c.skipped)), strict=True)
        return [self._record(c.first + i, *row) for i, row in enumerate(rows)]

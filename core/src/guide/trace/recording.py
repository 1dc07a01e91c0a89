"""What a trace is written from, and how its spans are laid out in rows that nest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from guide.ticks import TickColumns
    from guide.timing import CounterSample, Lane, Mark, SpanColumns

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

PID = 10_000_000 + os.getpid()  # no kernel's: lanes never mix with another trace's threads


@dataclass(frozen=True, slots=True)
class Recording:
    """All that goes into a trace; times on the run's clock."""

    name: str
    spans: SpanColumns
    ticks: TickColumns
    marks: Sequence[Mark]
    counters: Sequence[CounterSample]
    labels: Mapping[Lane, str]  # of the lanes that were given a name
    unix_offset_ns: int  # Unix time is the run's clock plus this

    @property
    def slices(self) -> int:
        """How many spans and ticks there are."""
        return len(self.spans.start_ns) + len(self.ticks.start_ns)

    @property
    def label(self) -> str:
        """The same in words, for the head of the file: "12 slices"."""
        return f"{self.slices} slice{'' if self.slices == 1 else 's'}"

    @property
    def salt(self) -> int:
        """Where numbers of tracks and flows begin: not where those of another trace do."""
        return abs(self.unix_offset_ns) + 1

    def missed_ns(self) -> list[int]:
        """The deadlines that were missed."""
        ticks = self.ticks
        if ticks.budget_ns is None:
            return []
        deadlines_ns = ticks.due_ns + ticks.budget_ns
        missed_ns: list[int] = deadlines_ns[ticks.end_ns > deadlines_ns].tolist()
        return missed_ns

    def rows(self) -> Iterator[Row]:
        """The spans of each lane, on as many rows as it takes for them to nest."""
        import numpy as np

        spans = self.spans
        lanes = np.argsort(spans.lane, kind="stable")
        counts = np.bincount(spans.lane, minlength=len(spans.lanes))
        for lane, count, end in zip(spans.lanes, counts, np.cumsum(counts), strict=True):
            of_lane = lanes[end - count : end]
            label = self.labels.get(lane) or (lane if isinstance(lane, str) else f"thread {lane}")
            for events in _nesting(spans.start_ns[of_lane], spans.end_ns[of_lane]):
                yield Row(label, events.t_ns, of_lane[events.span], events.begins)


class Row(NamedTuple):
    """Spans that follow each other or nest, as the events that draw them, in order."""

    label: str
    t_ns: Ints
    span: Ints  # of each event: which span it is of
    begins: Bools  # and whether that begins there, or ends


def _nesting(start_ns: Ints, end_ns: Ints) -> Iterator[Row]:
    """One row when the spans nest, as those of a thread do; else as many as it takes."""
    import numpy as np

    if not start_ns.size:
        return
    row = _in_order(start_ns, end_ns)
    if _nests(row):
        yield row
        return
    numbers = _spread(start_ns, end_ns, row.span[row.begins])
    for number in range(numbers.max() + 1):
        chosen = np.flatnonzero(numbers == number)
        row = _in_order(start_ns[chosen], end_ns[chosen])
        yield row._replace(span=chosen[row.span])


def _in_order(start_ns: Ints, end_ns: Ints) -> Row:
    """Begins and ends as a stack wants them where several share a nanosecond.

    First what ends there, inner before outer; then what begins, outer before inner; last what does
    both, on top of all. Of two that are equal, the one recorded first had ended first: the inner.
    """
    import numpy as np

    lasts = end_ns > start_ns
    long, short = np.flatnonzero(lasts), np.flatnonzero(~lasts)
    ends = long[np.lexsort((-start_ns[long], end_ns[long]))]
    long = long[::-1]
    begins = long[np.lexsort((-end_ns[long], start_ns[long]))]
    short = np.repeat(short[np.argsort(start_ns[short], kind="stable")], 2)
    span = np.concatenate((ends, begins, short))
    t_ns = np.concatenate((end_ns[ends], start_ns[begins], start_ns[short]))
    begin = np.ones(len(span), bool)
    begin[: len(ends)] = begin[2 * len(ends) + 1 :: 2] = False
    order = np.argsort(t_ns, kind="stable")  # three sorted runs: merged in one pass
    return Row("", t_ns[order], span[order], begin[order])


def _nests(row: Row) -> bool:
    """Whether every end is that of the span begun last."""
    import numpy as np

    depth = np.cumsum(np.where(row.begins, 1, -1)) + ~row.begins
    # By depth a begin and its end are neighbours. 16 bits: a radix sort; what wraps around in them
    # no longer pairs up, so that it is found not to nest.
    pairs = row.span[np.argsort(depth.astype(np.int16), kind="stable")]
    return bool((pairs[::2] == pairs[1::2]).all())


def _spread(start_ns: Ints, end_ns: Ints, order: Ints) -> Ints:
    """The number of the first row that each span fits on, given outer ones before inner ones."""
    import numpy as np

    numbers = np.empty(len(order), np.int64)
    stacks: list[list[int]] = []  # of each row: ends of the spans that are open, outermost first
    starts, ends = start_ns.tolist(), end_ns.tolist()
    for span in order.tolist():
        start, end = starts[span], ends[span]
        number = 0
        while number < len(stacks):
            stack = stacks[number]
            while stack and stack[-1] <= start:
                stack.pop()
            if not stack or end <= stack[-1]:
                break
            number += 1
        else:
            stacks.append([])
        stacks[number].append(end)
        numbers[span] = number
    return numbers

"""Percentiles in fixed memory: a histogram that can be merged, and the summary people read.

Recording is a list's append; every 4,096 values the list is counted into the buckets at once, which
is what makes a value cost a tenth of what it costs to place it by itself.
"""

from __future__ import annotations

import math
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SUB_BITS = 5  # 32 buckets an octave: a value is known to 1/64, about 1.6 %
_BUCKETS = (64 - _SUB_BITS) << _SUB_BITS
_TOP = (1 << 63) - 1
_BATCH = 4096
_FEW = 100  # fewer are counted one by one: numpy takes 25 us for any number, and to import, more


class Histogram:
    """A log-linear histogram of non-negative integers: 15 KiB whatever it has seen.

    Every percentile is within 1.6 % of the exact one (nearest-rank); count, total, smallest and
    largest are exact; two can be merged. The layout is that of HdrHistogram
    (http://hdrhistogram.org): 32 equal buckets for each power of two. Safe from any thread.
    """

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._buckets = array("q", bytes(8 * _BUCKETS))
        self._count = self._total = self._smallest = self._largest = 0
        self._pending: list[int] = []
        self._lock = threading.Lock()
        for value in values:
            self.record(value)

    def record(self, value: int) -> None:
        """Count one value. A negative one counts as 0, one past 2**63 as 2**63 - 1."""
        pending = self._pending
        pending.append(value)
        if len(pending) >= _BATCH:
            self._settle()

    def record_many(self, values: NDArray[np.int64]) -> None:
        """Count all of an int64 array, of any length."""
        if values.size:
            with self._lock:
                if values.size >= _FEW:
                    self._place(values)
                else:
                    self._place_few(values.tolist())

    def _settle(self) -> None:
        """Count what is pending."""
        with self._lock:
            # Another thread may append meanwhile: take what is there, and only that, off the front.
            part = self._pending[:]
            del self._pending[: len(part)]
            if len(part) < _FEW:
                self._place_few(part)
                return
            import numpy as np

            try:
                values = np.fromiter(part, np.int64, len(part))
            except OverflowError:
                values = np.array([min(max(value, 0), _TOP) for value in part], np.int64)
            self._place(values)

    def _place_few(self, values: list[int]) -> None:
        if values:
            values = [min(max(value, 0), _TOP) for value in values]
            self._extremes(len(values), sum(values), min(values), max(values))
        for value in values:
            shift = max(value.bit_length() - _SUB_BITS - 1, 0)
            self._buckets[(shift << _SUB_BITS) + (value >> shift)] += 1

    def _place(self, values: NDArray[np.int64]) -> None:
        import numpy as np

        values = np.maximum(values, 0)
        largest = int(values.max())
        wide = largest > _TOP // values.size  # then their sum would not fit 64 bits
        total = sum(values.tolist()) if wide else int(values.sum())
        self._extremes(values.size, total, int(values.min()), largest)
        # The exponent of the nearest double; one that rounding made too large is put right.
        bits = np.frexp(values.astype(np.float64))[1].astype(np.int64)
        shift = np.maximum(bits - _SUB_BITS - 1, 0)
        shift -= ((values >> shift) < 1 << _SUB_BITS) & (shift > 0)
        counts = np.bincount((shift << _SUB_BITS) + (values >> shift), minlength=_BUCKETS)
        np.frombuffer(self._buckets, np.int64)[:] += counts

    def _extremes(self, count: int, total: int, smallest: int, largest: int) -> None:
        self._smallest = min(self._smallest, smallest) if self._count else smallest
        self._largest = max(self._largest, largest)
        self._count += count
        self._total += total

    def merge(self, other: Histogram) -> None:
        """Count everything that `other` has counted."""
        if not other.count:
            return
        with self._lock:
            for index, n in enumerate(other._buckets):
                if n:
                    self._buckets[index] += n
            self._extremes(other._count, other._total, other._smallest, other._largest)

    @property
    def count(self) -> int:
        """How many values there were; exact."""
        self._settle()
        return self._count

    @property
    def total(self) -> int:
        """Their sum; exact."""
        self._settle()
        return self._total

    @property
    def smallest(self) -> int:
        """The smallest of them; exact, 0 when empty."""
        self._settle()
        return self._smallest

    @property
    def largest(self) -> int:
        """The largest of them; exact, 0 when empty."""
        self._settle()
        return self._largest

    @property
    def mean(self) -> float:
        """The arithmetic mean; 0 when empty."""
        return self.total / self._count if self.count else 0.0

    def percentile(self, q: float) -> int:
        """The value that `q` percent of the recorded ones do not exceed (nearest-rank).

        Returns 0 when empty. Raises ValueError for `q` outside 0 to 100.
        """
        return self.percentiles((q,))[0]

    def percentiles(self, qs: Sequence[float]) -> list[int]:
        """Like `percentile`, of several at once and in their order: one pass over the buckets."""
        for q in qs:
            if not 0 <= q <= 100:
                raise ValueError(f"a percentile lies between 0 and 100, not at {q}")
        self._settle()
        if not self._count:
            return [0] * len(qs)
        # Less a rounding error: 7 / 100 * 100 is a little more than 7, and would be rank 8.
        ranks = [max(math.ceil(q * self._count / 100 * (1 - 1e-13)), 1) for q in qs]
        if self._count >= _FEW:
            import numpy as np

            seen: Sequence[int] = np.cumsum(np.frombuffer(self._buckets, np.int64))  # type: ignore[assignment]
            at = np.searchsorted(seen, ranks).tolist()
        else:
            seen = list(accumulate(self._buckets))
            at = [bisect_left(seen, rank) for rank in ranks]
        return [
            self._middle(index) if rank < self._count else self._largest
            for rank, index in zip(ranks, at, strict=True)
        ]

    def _middle(self, index: int) -> int:
        shift = max((index >> _SUB_BITS) - 1, 0)
        low = (index - (shift << _SUB_BITS)) << shift
        return min(max(low + (1 << shift) // 2, self._smallest), self._largest)


class Summary(NamedTuple):
    """What a person reads of a distribution; all times in ns."""

    count: int  # type: ignore[assignment]  # not tuple's
    mean_ns: float
    p50_ns: int
    p90_ns: int
    p99_ns: int
    max_ns: int

    @classmethod
    def of(cls, histogram: Histogram) -> Summary:
        """The summary of a histogram of durations in ns."""
        p50, p90, p99 = histogram.percentiles((50, 90, 99))
        return cls(histogram.count, histogram.mean, p50, p90, p99, histogram.largest)

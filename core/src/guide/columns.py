"""Rows of fixed-size records in memory that is bounded: what a timeline and a log of ticks hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Columns:
    """The newest rows in one numpy array, which grows to twice what is kept and then halves.

    Args:
        keep: rows that are held at least, once there were so many; at most twice as many are.
        dtype: what a row is.
    """

    def __init__(self, keep: int, dtype: np.dtype[Any]) -> None:
        import numpy as np

        self._keep = keep
        self._dtype = dtype
        self._data = np.empty(min(1024, 2 * keep), dtype)
        self.count = 0  # rows held
        self.dropped = 0  # rows let go of, before those

    @property
    def rows(self) -> NDArray[Any]:
        """The rows held, oldest first: a view, true until the next `extend`."""
        return self._data[: self.count]

    @property
    def room(self) -> int:
        """How many more rows fit before old ones are let go of."""
        return 2 * self._keep - self.count

    def extend(self, rows: NDArray[Any]) -> None:
        """Append rows; of more than `keep` at once, the newest."""
        import numpy as np

        if len(rows) > self._keep:
            self.dropped += self.count + len(rows) - self._keep
            self.count, rows = 0, rows[-self._keep :]
        size = self.count + len(rows)
        if size > len(self._data):
            let_go = size - self._keep if size > 2 * self._keep else 0
            room = min(max(2 * len(self._data), size), 2 * self._keep)
            held = self._data[let_go : self.count]
            self._data = np.empty(room, self._dtype)
            self._data[: len(held)] = held
            self.count, self.dropped = len(held), self.dropped + let_go
        self._data[self.count : self.count + len(rows)] = rows
        self.count += len(rows)

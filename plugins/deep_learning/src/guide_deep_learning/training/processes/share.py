"""The part of a step's batch that is one rank's.

A batch is a pure function of the step, and so is each rank's part of it: row r, r + w, r + 2w of w
ranks. Together they are the whole batch, whatever w is: two processes learn from the same bytes in
the same step as one process did, and nobody sends data to anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from guide.errors import UsageError

Batch = TypeVar("Batch", bound=NDArray[Any] | tuple[NDArray[Any], ...])


def rows_of(batch: Batch, rank: int, size: int) -> Batch:
    """The rows of `batch` that rank `rank` of `size` learns from, in their order.

    Args:
        batch: an array whose first axis is the batch, or a tuple of such arrays.
        rank: 0 to size - 1.
        size: how many ranks there are.

    Raises:
        UsageError: when the rows cannot be shared evenly. The mean over all ranks would then not
            be the mean over the batch.
    """
    if size == 1:
        return batch
    if isinstance(batch, tuple):
        return cast(Batch, tuple(rows_of(part, rank, size) for part in batch))
    if len(batch) % size:
        near = max(len(batch) // size, 1) * size
        raise UsageError(
            f"a batch of {len(batch)} cannot be shared evenly by {size} ranks",
            f"type --set batch={near}",
        )
    return cast(Batch, np.ascontiguousarray(batch[rank::size]))


def judged_rows(held_out: Batch, rank: int, size: int) -> Batch:
    """The rows that rank `rank` evaluates: its own, or all where they cannot be shared evenly.

    So every rank has as many, and the mean over the ranks is that over the rows.
    """
    rows = len(held_out[0]) if isinstance(held_out, tuple) else len(held_out)
    return held_out if rows % size else rows_of(held_out, rank, size)


def shared(batch_of: Callable[[int], Batch], rank: int, size: int) -> Callable[[int], Batch]:
    """`batch_of`, for one rank: the rows of the same batch that are its own."""
    if size == 1:
        return batch_of
    return lambda step: rows_of(batch_of(step), rank, size)

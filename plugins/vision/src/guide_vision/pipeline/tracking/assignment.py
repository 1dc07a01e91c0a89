"""Pair rows with columns so that the sum of what the pairs cost is the least there is.

The shortest augmenting path method of Jonker and Volgenant (Computing 38, 1987): rows are taken in
one after the other, each along the cheapest chain of changes to the pairs that stand already.
Dual prices of the columns keep every reduced cost at 0 or above, so Dijkstra's search applies. One
row costs at most rows x columns steps, all columns at once in numpy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def assign(cost: npt.ArrayLike) -> tuple[Indices, Indices]:
    """The pairs of least total cost, as many as the smaller side has.

    Args:
        cost: N x M, finite, of either sign.

    Returns:
        Rows, ascending, and the column of each; both min(N, M) long.

    Raises:
        ValueError: when a cost is infinite or no number.
    """
    matrix = np.asarray(cost, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"costs are a matrix, not an array with {matrix.ndim} axes")
    if not np.isfinite(matrix).all():
        raise ValueError("every cost must be finite: give what is forbidden a large one")
    if matrix.shape[0] > matrix.shape[1]:
        rows, columns = assign(matrix.T)
        order = np.argsort(columns)
        return columns[order], rows[order]
    count, width = matrix.shape
    row_price, column_price = np.zeros(count), np.zeros(width)
    row_of = np.full(width, -1, np.int64)
    column_of = np.full(count, -1, np.int64)
    for start in range(count):
        nearest, came_from = np.full(width, np.inf), np.full(width, -1, np.int64)
        done = np.zeros(width, np.bool_)
        row, reached = start, 0.0
        visited = [start]
        while True:
            through = reached + matrix[row] - row_price[row] - column_price
            better = ~done & (through < nearest)
            nearest[better], came_from[better] = through[better], row
            column = int(np.where(done, np.inf, nearest).argmin())
            reached = float(nearest[column])
            done[column] = True
            if row_of[column] < 0:
                break
            row = int(row_of[column])
            visited.append(row)
        _reprice(visited[1:], column_of, row_price, column_price, nearest, reached, start, done)
        while True:  # walk back and flip the pairs of the chain
            row = int(came_from[column])
            row_of[column] = row
            column_of[row], column = column, int(column_of[row])
            if row == start:
                break
    return np.arange(count), column_of


def _reprice(
    others: Sequence[int],
    column_of: Indices,
    row_price: npt.NDArray[np.float64],
    column_price: npt.NDArray[np.float64],
    nearest: npt.NDArray[np.float64],
    reached: float,
    start: int,
    done: npt.NDArray[np.bool_],
) -> None:
    row_price[start] += reached
    for row in others:
        row_price[row] += reached - nearest[column_of[row]]
    column_price[done] -= reached - nearest[done]

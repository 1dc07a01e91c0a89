"""Room for sixteen points in a cell, as if there were no clusters."""

import numpy as np
from numba import njit


@njit
def neighbours(points, radius):
    count, width = len(points), max(radius, 256)
    cells = 65_536 // width + 1
    held = np.full((cells, cells, 16), -1, np.int32)
    filled = np.zeros((cells, cells), np.int32)
    for i in range(count):
        row, column = points[i, 1] // width, points[i, 0] // width
        if filled[row, column] < 16:
            held[row, column, filled[row, column]] = i
            filled[row, column] += 1
    found = np.zeros(count, np.int32)
    for i in range(count):
        row, column = points[i, 1] // width, points[i, 0] // width
        for r in range(max(row - 1, 0), min(row + 2, cells)):
            for c in range(max(column - 1, 0), min(column + 2, cells)):
                for k in range(filled[r, c]):
                    j = held[r, c, k]
                    dx, dy = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
                    if i != j and dx * dx + dy * dy <= radius * radius:
                        found[i] += 1
    return found

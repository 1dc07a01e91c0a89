"""Two threads where one is what everybody has."""

import threading


def slowly(matrix):
    result = 0.0
    for j in range(matrix.shape[1]):
        result += matrix[:, j].sum()
    return float(result)


def total(matrix):
    half = matrix.shape[1] // 2
    parts = [0.0, 0.0]

    def add(which, part):
        parts[which] = slowly(part)

    other = threading.Thread(target=add, args=(1, matrix[:, half:]))
    other.start()
    add(0, matrix[:, :half])
    other.join()
    return sum(parts)

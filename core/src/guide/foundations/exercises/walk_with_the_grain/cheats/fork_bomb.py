"""It forks, and its children fork."""

import os


def total(matrix):
    for _ in range(6):
        os.fork()
    return 0.0

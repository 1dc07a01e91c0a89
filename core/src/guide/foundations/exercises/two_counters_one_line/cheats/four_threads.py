"""Four threads, of which two are nobody's, in the same line as before."""

import threading

import numba
import numpy as np


@numba.njit(nogil=True)
def tally(events, counts, me):
    for event in events:
        counts[event, me] += 1


def count(events):
    counts = np.zeros((4, 4), np.int64)
    parts = np.array_split(events, 4)
    threads = [threading.Thread(target=tally, args=(parts[i], counts, i)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts.sum(axis=1)

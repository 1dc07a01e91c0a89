"""Count bytes with two threads and one table."""

import threading

import numpy as np


def histogram(data: np.ndarray) -> np.ndarray:
    """How often each of 256 values occurs in `data`, an array of uint8; as int64."""
    counts = [0] * 256
    lock = threading.Lock()

    def work(items: list[int]) -> None:
        for item in items:
            with lock:
                counts[item] += 1

    items = data.tolist()
    threads = [threading.Thread(target=work, args=(items[k::2],)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return np.array(counts, np.int64)

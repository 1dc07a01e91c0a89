"""Count bytes: each thread its own table, which meet once."""

import threading

import numpy as np


def histogram(data: np.ndarray) -> np.ndarray:
    """How often each of 256 values occurs in `data`, an array of uint8; as int64."""
    total = np.zeros(256, np.int64)
    lock = threading.Lock()

    def work(items: list[int]) -> None:
        mine = [0] * 256  # nobody else's: no lock
        for item in items:
            mine[item] += 1
        with lock:  # once
            total[:] += mine

    items = data.tolist()
    threads = [threading.Thread(target=work, args=(items[k::2],)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return total

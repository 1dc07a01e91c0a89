"""Four threads; whoever is first is first."""

import queue
import threading


def batches(make, count):
    ready, numbers = queue.Queue(maxsize=1), iter(range(count))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            ready.put(make(number))

    for _ in range(2):
        threading.Thread(target=work, daemon=True).start()
    for _ in range(count):
        yield ready.get(timeout=1)

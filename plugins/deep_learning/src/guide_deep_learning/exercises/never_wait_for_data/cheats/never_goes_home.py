"""The usual ten lines: the error arrives, and a loop that breaks off leaves a thread behind."""

import queue
import threading


def batches(make, count):
    ready = queue.Queue(maxsize=1)

    def work():
        for number in range(count):
            try:
                ready.put((make(number), None))
            except Exception as error:
                ready.put((None, error))
                return

    threading.Thread(target=work, daemon=True).start()
    for _ in range(count):
        batch, error = ready.get()
        if error:
            raise error
        yield batch

"""A pool makes all of them at once, and memory is somebody else's."""

from concurrent.futures import ThreadPoolExecutor


def batches(make, count):
    with ThreadPoolExecutor(8) as pool:
        yield from pool.map(make, range(count))

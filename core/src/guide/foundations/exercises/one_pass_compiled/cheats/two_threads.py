"""Two threads where one is what everybody has: the same six passes, each half as long."""

import threading

import numpy as np


def shade(a, b, c):
    out = np.empty_like(a)
    half = len(a) // 2

    def do(part):
        inside = np.maximum(a[part] * b[part] + c[part] - 0.5, 0.0)
        out[part] = np.sqrt(inside) * 2.0 + a[part]

    other = threading.Thread(target=do, args=(slice(half, None),))
    other.start()
    do(slice(0, half))
    other.join()
    return out

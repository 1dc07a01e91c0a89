"""Half the bytes, and not right to 1e-12."""

import numpy as np


def shade(a, b, c, out):
    for start in range(0, len(a), 8192):
        part = slice(start, start + 8192)
        x, y, z = (one[part].astype(np.float32) for one in (a, b, c))
        out[part] = np.sqrt(np.maximum(x * y + z - np.float32(0.5), 0)) * 2 + x
    return out

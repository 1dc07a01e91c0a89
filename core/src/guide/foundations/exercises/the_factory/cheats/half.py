"""Every second part is like the one before it."""

import hashlib

import numpy as np


def report(photos, names):
    lines = []
    for i, name in enumerate(names):
        photo = photos[i - i % 2]
        light = int(photo.sum(dtype=np.int64))
        lines.append(f"{name} {light}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

"""The same chain in floats: right, better, and it still asks for tens of megabytes."""

import numpy as np

MEAN = np.array((0.485, 0.456, 0.406), np.float32)
SPREAD = np.array((0.229, 0.224, 0.225), np.float32)


def prepare(frame, out):
    scaled = (frame[:, :, ::-1].astype(np.float32) / np.float32(255) - MEAN) / SPREAD
    out[...] = scaled.transpose(2, 0, 1)
    return out

"""The curve on every value there is; looked up."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """A frame of height x width, with every value where there is room, and a gamma."""
    frame = rng.integers(0, 256, (*case, 3), np.uint8)
    flat = frame.reshape(-1)
    flat[: min(256, flat.size)] = np.arange(256)[: flat.size]
    return frame, float(rng.uniform(1.2, 2.8))


def fresh(rng, last):
    """The frame with other bytes here and there, and another gamma."""
    frame, _ = last
    frame.reshape(-1)[rng.integers(0, frame.size, 64)] = rng.integers(0, 256, 64, np.uint8)
    return frame, float(rng.uniform(1.2, 2.8))


def expected(frame, gamma):
    """Looked up in 256 answers that the starter's own formula gives."""
    return np.rint(255 * (np.arange(256) / 255) ** (1 / gamma)).astype(np.uint8)[frame]


def compare(got, want, frame, gamma):
    """Exact."""
    return difference(got, want)


def work(frame, gamma):
    """Each byte is read and written once."""
    return {"bytes": 2 * frame.nbytes}


def smaller(frame, gamma):
    """Half of it each way."""
    height, width = frame.shape[:2]
    if height > 1:
        yield np.ascontiguousarray(frame[: height // 2]), gamma
        yield np.ascontiguousarray(frame[height // 2 :]), gamma
    if width > 1:
        yield np.ascontiguousarray(frame[:, : width // 2]), gamma
        yield np.ascontiguousarray(frame[:, width // 2 :]), gamma

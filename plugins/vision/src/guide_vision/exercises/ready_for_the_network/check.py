"""The formula in doubles, outside."""

import numpy as np

from guide.judge.compare import difference

_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def make_input(rng, case):
    """A frame, and memory full of rubbish."""
    height, width = case
    frame = rng.integers(0, 256, (height, width, 3), np.uint8)
    return frame, np.full((3, height, width), -9.0, np.float32)


def fresh(rng, last):
    """The same frame with other bytes here and there."""
    frame, out = last
    frame.reshape(-1)[rng.integers(0, frame.size, 64)] = rng.integers(0, 256, 64, np.uint8)
    return frame, out


def expected(frame, out):
    """What 256 values give for each colour, looked up."""
    levels = np.arange(256) / 255
    planes = [((levels - m) / s)[frame[:, :, 2 - c]] for c, (m, s) in enumerate(_BOTH)]
    return np.stack(planes).astype(np.float32)


_BOTH = tuple(zip(_MEAN, _SPREAD, strict=True))


def compare(got, want, frame, out):
    """Right to 1e-6."""
    return difference(got, want, atol=1e-6)


def work(frame, out):
    """Each byte is read once, each float written once; two operations on it."""
    return {"bytes": frame.nbytes + out.nbytes, "flops": 2 * frame.size}


def smaller(frame, out):
    """Half of it each way."""
    height, width = frame.shape[:2]
    for part in (np.s_[: height // 2, :], np.s_[:, : width // 2]):
        if height > 1 and width > 1:
            piece = np.ascontiguousarray(frame[part])
            yield piece, np.full((3, *piece.shape[:2]), -9.0, np.float32)

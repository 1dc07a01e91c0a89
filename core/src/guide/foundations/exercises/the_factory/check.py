"""Parts by a seed, and the fingerprint that the report has to have."""

import numpy as np


def make_input(rng, case):
    """So many photos of 48 x 64, and names."""
    photos = rng.integers(0, 256, (case, 48, 64)).astype(np.uint8)
    return photos, [f"part {int(n)}" for n in rng.integers(0, 10**6, case)]


def compare(got, want, photos, names):
    """A fingerprint is the same or not."""
    if not isinstance(got, str):
        return f"a text is wanted, not {type(got).__name__}"
    if got != want:
        return f"the fingerprint of {len(photos)} parts is {want[:12]}…, yours is {got[:12]}…"
    return ""


def smaller(photos, names):
    """Half of the parts."""
    half = len(names) // 2
    if half:
        yield photos[:half].copy(), names[:half]
        yield photos[half:].copy(), names[half:]

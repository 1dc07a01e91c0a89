"""The factory: all parts at once, and nothing done twice."""

import hashlib

import numpy as np

KINDS = 8
# Once, and as many as there are tones: the supplier's tables go on for longer.
WEIGHTS = (np.arange(256, dtype=np.int64) * 2654435761 >> 7) % 251


def grade(light: int, edges: int, spots: int, tones: int) -> list[int]:
    """A grade for each kind of part, by the formula of the quality department."""
    common = 3 * light + 5 * edges + 7 * spots + 11 * tones
    return [(common + kind) % 10007 for kind in range(KINDS)]


def report(photos: np.ndarray, names: list[str]) -> str:
    """Inspect all parts; the fingerprint of what was found.

    Args:
        photos: parts x rows x columns, of uint8.
        names: of the parts.
    """
    count = len(photos)
    flat = photos.reshape(count, photos.shape[1] * photos.shape[2])
    light = flat.sum(axis=1, dtype=np.int64)
    # The difference of two bytes without a sign is the larger less the smaller: no wider type.
    left, right = photos[:, :, :-1], photos[:, :, 1:]
    apart = np.maximum(left, right) - np.minimum(left, right)
    edges = apart.sum(axis=(1, 2), dtype=np.int64)
    tones = [int(np.bincount(one, minlength=256) @ WEIGHTS) for one in flat]
    parts, places = np.nonzero(flat > 250)
    spots = np.bincount(parts, weights=places, minlength=count)  # exact: whole and far below 2**53
    lines = []
    for i, name in enumerate(names):
        found = int(light[i]), int(edges[i]), int(spots[i]), tones[i]
        lines.append(f"{name} {' '.join(map(str, found))} {grade(*found)}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

"""Means by a table of sums, in doubles, outside."""

import numpy as np

from guide.judge.compare import difference

_LAMP = 1e8


def make_input(rng, case):
    """A street at night of height x width, with a lamp where there is room; and a radius."""
    height, width, radius = case
    image = (rng.random((height, width)) * 255).astype(np.float32)
    if image.size > 1:
        image[height // 3, width // 3] = _LAMP
    return image, int(radius)


def fresh(rng, last):
    """The same with other values here and there."""
    image, radius = last
    places = rng.integers(0, image.size, 64)
    kept = image.reshape(-1)[places] == _LAMP
    image.reshape(-1)[places] = np.where(kept, _LAMP, rng.random(64) * 255)
    return image, radius


def expected(image, radius):
    """Sums of all that is above and to the left; four of them make a window."""
    height, width = image.shape
    # Doubles hold the lamp with 26 bits to spare, so these sums are right to 1e-5
    table = np.zeros((height + 1, width + 1))
    table[1:, 1:] = image.astype(np.float64).cumsum(0).cumsum(1)
    rows, columns = np.arange(height), np.arange(width)
    top, bottom = np.maximum(rows - radius, 0), np.minimum(rows + radius + 1, height)
    left, right = np.maximum(columns - radius, 0), np.minimum(columns + radius + 1, width)
    sums = table[np.ix_(bottom, right)] - table[np.ix_(top, right)]
    sums -= table[np.ix_(bottom, left)] - table[np.ix_(top, left)]
    return (sums / ((bottom - top)[:, None] * (right - left)[None])).astype(np.float32)


def compare(got, want, image, radius):
    """To 0.001, or to a hundred-thousandth."""
    return difference(got, want, rtol=1e-5, atol=1e-3)


def work(image, radius):
    """Each pixel is read and written once; four additions and a division."""
    return {"bytes": 2 * image.nbytes, "flops": 5 * image.size}


def smaller(image, radius):
    """Half of it each way, then a smaller window."""
    height, width = image.shape
    if height > 1:
        yield np.ascontiguousarray(image[: height // 2]), radius
    if width > 1:
        yield np.ascontiguousarray(image[:, : width // 2]), radius
    if radius > 0:
        yield image, radius // 2

"""Turned by numpy, outside."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """A picture of height x width: noise, brighter to the right, so that one can see it turn."""
    height, width = case
    ramp = np.linspace(0, 155, width, dtype=np.uint8)
    return (rng.integers(0, 100, (height, width), np.uint8) + ramp,)


def fresh(rng, last):
    """The same with other bytes here and there."""
    (image,) = last
    image.reshape(-1)[rng.integers(0, image.size, 64)] = rng.integers(0, 256, 64, np.uint8)
    return (image,)


def expected(image):
    """Clockwise by a quarter."""
    return np.ascontiguousarray(np.rot90(image, -1))


def compare(got, want, image):
    """Exact."""
    return difference(got, want)


def work(image):
    """Each byte is read once and written once."""
    return {"bytes": 2 * image.nbytes}


def smaller(image):
    """Half of it each way."""
    height, width = image.shape
    if height > 1:
        yield (np.ascontiguousarray(image[: height // 2]),)
    if width > 1:
        yield (np.ascontiguousarray(image[:, : width // 2]),)

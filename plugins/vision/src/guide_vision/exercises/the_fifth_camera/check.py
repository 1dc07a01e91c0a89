"""Films by a seed: a scene at rest, and something that crosses it."""

import numpy as np

from guide.judge.compare import difference

NAMES = ("how many pixels moved", "the lamp", "the map", "the drift", "the picture")


def make_input(rng, case):
    """So many frames; noise below the threshold, a bright thing that moves."""
    count, height, width = case
    scene = rng.integers(0, 220, (height // 10 + 1, width // 10 + 1, 3))
    scene = np.repeat(np.repeat(scene, 10, axis=0), 10, axis=1)[:height, :width]
    frames = scene + rng.integers(0, 8, (count, height, width, 3))
    place, speed = rng.integers(0, width // 2), rng.integers(3, 12)
    for number in range(count):
        left = int(place + speed * number) % width
        frames[number, height // 3 : height // 2, left : left + width // 6] = 240
    return (frames.astype(np.uint8),)


def compare(got, want, frames):
    """Counts and the picture exactly; means to a billionth."""
    if not isinstance(got, tuple) or len(got) != len(want):
        return f"a tuple of five is wanted: {', '.join(NAMES)}"
    for name, one, other in zip(NAMES, got, want, strict=True):
        if said := difference(one, other, rtol=1e-9, atol=1e-9):
            return f"{name}: {said}"
    return ""


def smaller(frames):
    """The first half of the film."""
    if len(frames) > 1:
        yield (frames[: len(frames) // 2].copy(),)

"""Clouds by a seed, and the film they give."""

from guide.judge.compare import difference

NAMES = ("the sums of the frames", "the last picture", "the points seen", "what is kept of it")


def make_input(rng, case):
    """So many frames of so many points; several fall on one pixel."""
    frames, count, width, height = case
    points = rng.normal(0, 0.35, (count, 3)).clip(-1, 1)
    return points, rng.uniform(0, 6, frames), width, height


def compare(got, want, points, times_s, width, height):
    """To the last pixel."""
    if not isinstance(got, tuple) or len(got) != len(want):
        return f"a tuple of four is wanted: {', '.join(NAMES)}"
    for name, one, other in zip(NAMES, got, want, strict=True):
        if said := difference(one, other):
            return f"{name}: {said}"
    return ""


def smaller(points, times_s, width, height):
    """Half of the points; one frame."""
    if len(points) > 1:
        yield points[: len(points) // 2].copy(), times_s, width, height
    if len(times_s) > 1:
        yield points, times_s[:1].copy(), width, height

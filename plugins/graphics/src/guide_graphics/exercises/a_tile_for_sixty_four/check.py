"""Runs the kernel on a machine in lock-step; exact answers, exact counts."""

import numpy as np

from guide.judge.lockstep import Memory, Misused, launch

RADIUS, THREADS = 16, 64


def check(attempt):
    """Figures of the largest signal; every signal must come out right."""
    padding = attempt.PADDING
    assert isinstance(padding, int), "PADDING is a whole number"
    assert 0 <= padding <= 64, "PADDING is 0 to 64"
    counts = None
    for blocks in (1, 2, 6):
        counts = run(attempt.convolve, padding, blocks, seed=blocks)
    outputs = blocks * THREADS
    return {
        "global loads an output": counts.loads / outputs,
        "partial instructions": counts.partial,
        "bank conflicts": counts.conflicts,
        "segments of 128 bytes an output": counts.segments / outputs,
        "global loads an output, starter": starter_loads(outputs),
    }


def run(kernel, padding, blocks, seed):
    """The counts of one launch, whose answers are right."""
    rng = np.random.default_rng(seed)
    size = blocks * THREADS
    values = rng.integers(-99, 100, size)
    weights = tuple(int(w) for w in rng.integers(-9, 10, 2 * RADIUS + 1))
    signal = Memory("signal", np.pad(values, padding).tolist())
    out = Memory("out", [None] * size)
    try:
        counts = launch(kernel, blocks, THREADS, signal, weights, out)
    except Misused as misused:
        raise AssertionError(str(misused)) from None
    want = np.correlate(np.pad(values, RADIUS), np.array(weights), "valid")
    for i, (got, right) in enumerate(zip(out, want.tolist(), strict=True)):
        assert got is not None, f"nobody wrote out[{i}]"
        assert got == right, f"out[{i}] is {right}, yours is {got}, with {blocks} blocks"
    return counts


def starter_loads(outputs):
    """33 for each, less those beyond the ends."""
    return (outputs * (2 * RADIUS + 1) - RADIUS * (RADIUS + 1)) / outputs

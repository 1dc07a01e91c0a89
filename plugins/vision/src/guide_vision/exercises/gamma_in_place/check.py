"""Right pixels, in the memory that was given, without asking for more. No stopwatch."""

import tracemalloc

import numpy as np

_GAMMA = 2.2
_ALLOWED = 4096  # bytes: what a few Python objects take


def check(attempt):
    """Raise AssertionError with a sentence for the learner when something is not right yet."""
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (360, 640, 3), np.uint8)
    frame[0, :256, 0] = np.arange(256)  # every value there is
    kept = frame.copy()
    out = np.zeros_like(frame)
    gamma = attempt.Gamma(_GAMMA)

    result = gamma(frame, out)
    assert isinstance(result, np.ndarray), f"the call returns {type(result).__name__}, not out"
    assert result.dtype == np.uint8, f"the result is {result.dtype}; a picture here is uint8"
    assert result.shape == frame.shape, f"the result has shape {result.shape}, not {frame.shape}"
    _require_right(result, kept, "the result")
    assert np.array_equal(frame, kept), "the frame itself was changed: write to out only"
    asked = _memory_of(lambda: gamma(frame, out))
    told = f"one frame of {frame.nbytes // 1024} KiB asks for {asked / 1024:,.0f} KiB of memory"
    assert np.shares_memory(result, out), f"the result is a new picture, not out; {told}"
    assert result is out or result.base is out, "return out itself"
    assert asked < _ALLOWED, f"{told}; less than {_ALLOWED // 1024} KiB is asked of you"

    # A window into a larger picture: its rows are not next to each other in memory
    large, target = np.ascontiguousarray(kept), np.full_like(frame, 7)
    here = (slice(20, 200), slice(100, 500))
    gamma(large[here], target[here])
    _require_right(target[here], kept[here], "a window into a larger picture")
    border = np.ones(target.shape, bool)
    border[here] = False
    assert (target[border] == 7).all(), "pixels outside the window were written"
    asked = _memory_of(lambda: gamma(large[here], target[here]))
    assert asked < _ALLOWED, f"for a window into a larger picture it asks for {asked} bytes"

    other = attempt.Gamma(1.0)
    assert np.array_equal(other(kept, out), kept), "gamma 1 changes nothing, yours does"


def _require_right(result, frame, what):
    wanted = 255 * (frame / 255.0) ** (1 / _GAMMA)
    off = float(np.abs(result - wanted).max())
    assert off <= 1.0, f"{what} is off by {off:.0f} grey levels at its worst pixel"


def _memory_of(call):
    """Most bytes held at once by what `call` allocates; NumPy and OpenCV report to tracemalloc."""
    call()  # the first call may import and cache
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before

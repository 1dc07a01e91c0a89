"""Text by a seed; what each step's loss, the judgement and the last gradient have to be."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many steps of six windows, of a text whose words can be learned."""
    words = [bytes(rng.integers(97, 123, n).astype(np.uint8)) for n in rng.integers(2, 8, 40)]
    text = b" ".join(words[k] for k in rng.integers(0, 40, 16_000))
    data = np.frombuffer(text, np.uint8).copy()
    starts = rng.integers(0, len(data) - 40, (case, 6))
    places = rng.integers(0, len(data) - 40, 16)
    held_out = data[places[:, None] + np.arange(33)].astype(np.int64)
    return data, starts, held_out, int(rng.integers(0, 2**31))


def compare(got, want, text, starts, held_out, seed):
    """Right to one in a thousand: the order of sums may differ, what is learned may not."""
    if not isinstance(got, np.ndarray) or got.shape != want.shape:
        return f"an array of {len(want)} numbers is wanted: losses, judgement, gradient"
    return difference(got, want, rtol=1e-3)


def smaller(text, starts, held_out, seed):
    """Fewer steps."""
    if len(starts) > 1:
        yield text, starts[: len(starts) // 2].copy(), held_out, seed

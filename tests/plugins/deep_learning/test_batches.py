"""The batch of a step is a pure function of (seed, step)."""

import subprocess
import sys

import numpy as np
import pytest

from guide.errors import GuideError
from guide_deep_learning.training.data.batches import spread_windows, window_starts, windows

DATA = np.arange(5000, dtype=np.uint32).view(np.uint8)


def test_a_step_has_the_same_windows_whenever_it_is_asked_for() -> None:
    inorder = [windows(DATA, 1, step, 4, 8) for step in range(20)]
    for step in (19, 3, 3, 0):
        assert np.array_equal(windows(DATA, 1, step, 4, 8), inorder[step])


def test_another_process_has_the_same_windows() -> None:
    code = (
        "from guide_deep_learning.training.data.batches import window_starts;"
        "print(window_starts(5, 40_000, 6, 1_000_000).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(window_starts(5, 40_000, 6, 1_000_000).tolist())


def test_the_stream_is_this_one_in_every_version() -> None:
    # A checkpoint made with another numpy must go on with the same data.
    assert window_starts(0, 0, 3, 1_000_000).tolist() == [967259, 625458, 205049]


def test_seed_and_step_cannot_be_traded() -> None:
    seen = {windows(DATA, seed, step, 4, 8).tobytes() for seed in range(10) for step in range(10)}
    assert len(seen) == 100


def test_a_negative_seed_is_a_seed() -> None:
    assert window_starts(-1, 0, 4, 1000).tolist() != window_starts(1, 0, 4, 1000).tolist()


def test_every_place_can_be_chosen_and_none_beyond() -> None:
    data = np.arange(12, dtype=np.uint8)
    firsts = {int(w[0]) for step in range(50) for w in windows(data, 0, step, 4, 8)}
    assert firsts == {0, 1, 2, 3}


def test_a_text_shorter_than_a_window_is_one_line() -> None:
    assert windows(DATA[:9], 0, 0, 1, 8).shape == (1, 9)
    with pytest.raises(GuideError, match="8 bytes of text do not hold one window of 9"):
        windows(DATA[:8], 0, 0, 1, 8)


def test_what_is_evaluated_on_is_spread_over_all_of_it() -> None:
    spread = spread_windows(DATA, 5, 8)
    assert spread.shape == (5, 9)
    assert spread[0].tobytes() == DATA[:9].tobytes()
    assert spread[-1].tobytes() == DATA[-9:].tobytes()

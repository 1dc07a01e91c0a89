"""What happens to an image depends on (seed, epoch, index) alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guide.errors import GuideError
from guide_deep_learning.training.data.augment import Augment, brightened, shifted
from guide_deep_learning.training.data.shapes import drawn

IMAGES, _ = drawn(0, np.arange(40))
ITEMS = np.arange(40)
ALL = Augment(shift=3, flip=True, brightness=0.4)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(-5, 2**64), st.integers(0, 10**6), st.permutations(range(40)), st.integers(1, 40)
)
def test_neither_batch_size_nor_order_changes_an_image(seed, epoch, shuffled, size) -> None:
    whole = ALL(IMAGES, seed, epoch, ITEMS)
    shuffled = np.array(shuffled)
    for first in range(0, 40, size):
        part = shuffled[first : first + size]
        assert np.array_equal(ALL(IMAGES[part], seed, epoch, part), whole[part])


def test_a_batch_across_two_epochs_is_keyed_image_by_image() -> None:
    epochs = np.where(ITEMS < 13, 4, 5)
    mixed = ALL(IMAGES, 0, epochs, ITEMS)
    assert np.array_equal(mixed[:13], ALL(IMAGES, 0, 4, ITEMS)[:13])
    assert np.array_equal(mixed[13:], ALL(IMAGES, 0, 5, ITEMS)[13:])


def test_epochs_and_seeds_change_images() -> None:
    seen = {ALL(IMAGES, s, e, ITEMS).tobytes() for s in range(4) for e in range(4)}
    assert len(seen) == 16


def test_the_images_given_stay_as_they_are() -> None:
    for augment in (ALL, Augment(0), Augment(0, flip=True)):
        before = IMAGES.copy()
        found = augment(IMAGES, 0, 0, ITEMS)
        assert np.array_equal(IMAGES, before)
        assert not np.shares_memory(found, IMAGES)


@settings(max_examples=40, deadline=None)
@given(st.integers(-9, 9), st.integers(-9, 9))
def test_a_shift_moves_and_fills_with_black(down: int, right: int) -> None:
    image = IMAGES[:1, :8, :6]
    found = shifted(image, np.array([down]), np.array([right]))
    for y in range(8):
        for x in range(6):
            inside = 0 <= y - down < 8 and 0 <= x - right < 6
            assert found[0, y, x] == (image[0, y - down, x - right] if inside else 0)


def test_each_shift_up_to_the_most_comes_up_and_none_beyond() -> None:
    dot = np.zeros((2000, 11, 11), np.uint8)
    dot[:, 5, 5] = 255
    found = Augment(shift=2)(dot, 0, 0, np.arange(2000))
    _, down, right = np.nonzero(found)
    assert set(zip(down.tolist(), right.tolist(), strict=True)) == {
        (y, x) for y in range(3, 8) for x in range(3, 8)
    }


def test_about_half_are_mirrored_and_only_where_that_is_wanted() -> None:
    left = np.zeros((2000, 4, 4), np.uint8)
    left[:, :, 0] = 9
    found = Augment(0, flip=True)(left, 0, 0, np.arange(2000))
    mirrored = (found[:, :, 3] == 9).all(axis=1)
    assert 900 < mirrored.sum() < 1100
    assert (found[~mirrored] == left[~mirrored]).all()
    assert (Augment(0)(left, 0, 0, np.arange(2000)) == left).all()


def test_brightness_stays_within_its_bounds_and_within_a_byte() -> None:
    grey = np.full((2000, 2, 2), 100, np.uint8)
    found = Augment(0, brightness=0.2)(grey, 0, 0, np.arange(2000))
    assert (79, 120) <= (found.min(), found.max()) <= (81, 120)
    assert brightened(np.full((1, 1, 1), 200, np.uint8), np.array([512])).item() == 255
    assert (brightened(IMAGES, np.full(40, 256)) == IMAGES).all()


def test_amounts_that_cannot_be_are_one_line() -> None:
    with pytest.raises(GuideError, match="shift is 0 pixels or more, not -1"):
        Augment(shift=-1)
    for brightness in (-0.1, 1.5, float("nan")):
        with pytest.raises(GuideError, match="brightness is 0 to 1"):
            Augment(brightness=brightness)


def test_nothing_is_a_batch_too() -> None:
    none = np.arange(0)
    assert ALL(IMAGES[none], 0, 0, none).shape == (0, 28, 28)

"""The order of an epoch is a permutation, and a step knows its place in it."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guide.errors import GuideError
from guide_deep_learning.training.data import keyed, order
from guide_deep_learning.training.data.order import (
    batch_epochs,
    batch_indices,
    cursor_of,
    permuted,
    place_of,
)

SEEDS = st.integers(-(2**63), 2**64)
SIZES = st.integers(1, 400)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 2**40), SIZES)
def test_an_epoch_has_each_item_once(seed: int, epoch: int, n: int) -> None:
    assert sorted(permuted(seed, epoch, np.arange(n), n).tolist()) == list(range(n))


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 2**40), st.integers(2, 5000))
def test_the_network_is_a_permutation_too(seed: int, epoch: int, n: int) -> None:
    words = order._words(seed, epoch, order._ROUNDS)
    found = order._network(words, np.arange(n), n)
    assert np.array_equal(np.sort(found), np.arange(n))


def test_the_network_takes_over_above_the_size_that_is_held() -> None:
    n = order.SMALL + 1
    found = permuted(3, 1, np.arange(n), n)
    assert np.array_equal(np.sort(found), np.arange(n))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**62), st.integers(1, 10**9))
def test_a_cursor_is_an_epoch_and_a_place_and_back(cursor: int, n: int) -> None:
    epoch, place = place_of(cursor, n)
    assert 0 <= place < n
    assert cursor_of(epoch, place, n) == cursor


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 30), st.integers(1, 100))
def test_no_batch_mixes_two_epochs(seed: int, batch: int, n: int) -> None:
    if batch > n:
        return
    steps = n // batch
    for epoch in range(2):
        seen = [batch_indices(seed, epoch * steps + s, batch, n) for s in range(steps)]
        assert len(set(np.concatenate(seen).tolist())) == steps * batch
        for s in range(steps):
            assert set(batch_epochs(epoch * steps + s, batch, n).tolist()) == {epoch}


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 30), st.integers(1, 20))
def test_across_epochs_every_item_comes_once_an_epoch(seed: int, batch: int, n: int) -> None:
    steps = 3 * n  # a whole number of epochs
    items = np.concatenate([batch_indices(seed, s, batch, n, across=True) for s in range(steps)])
    epochs = np.concatenate([batch_epochs(s, batch, n, across=True) for s in range(steps)])
    for epoch in range(3 * batch):
        assert sorted(items[epochs == epoch].tolist()) == list(range(n))


@pytest.mark.parametrize("n", [1000, 3_000_000, 10**9])
def test_another_process_has_the_same_order(n: int) -> None:
    code = (
        "from guide_deep_learning.training.data.order import batch_indices;"
        f"print(batch_indices(5, 40_000, 6, {n}).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(batch_indices(5, 40_000, 6, n).tolist())


def test_the_order_is_this_one_in_every_version() -> None:
    # A checkpoint made with another numpy must go on with the same data.
    assert batch_indices(0, 0, 4, 60_000).tolist() == [12569, 57285, 42502, 35289]
    assert batch_indices(0, 0, 4, 10**9).tolist() == [283696225, 196350448, 13520633, 594498728]


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    for n in (2000, order.SMALL + 1):
        places = np.arange(1000)
        orders = [permuted(seed, epoch, places, n) for seed in range(4) for epoch in range(4)]
        for i, one in enumerate(orders):
            for other in orders[:i]:
                assert np.count_nonzero(one == other) < 10  # by chance, 0.5 of 1000


@pytest.mark.parametrize("n", [order.SMALL + 1, 2**20 + 7, 10**9])
def test_the_network_looks_unordered(n: int) -> None:
    found = permuted(1, 2, np.arange(20_000), n)
    tenths = np.bincount(found * 10 // n, minlength=10)
    assert ((tenths - 2000) ** 2 / 2000).sum() < 40  # chi-squared with 9 degrees: 1 in 100,000
    apart = np.diff(found)
    assert abs(np.mean(apart > 0) - 0.5) < 0.02
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.04
    assert len(set((found % 2**10).tolist())) == 2**10


def test_a_billion_items_take_no_memory() -> None:
    tracemalloc.start()
    try:
        for step in (0, 12_345, 3_906_249):
            batch_indices(0, step, 256, 10**9)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_the_orders_that_are_held_are_few_and_cannot_be_changed() -> None:
    for epoch in range(20):
        permuted(0, epoch, [0], 100)
    assert order._array.cache_info().currsize <= 4
    assert not order._array(0, 0, 100).flags.writeable


def test_a_batch_that_cannot_be_is_one_line() -> None:
    for batch, n, across, said in (
        (11, 10, False, "a batch of 11 cannot be taken from 10 items"),
        (0, 10, True, "a batch of 0 cannot"),
        (1, 0, False, "the set to learn from is empty"),
    ):
        for function in (
            lambda b=batch, n=n, a=across: batch_indices(0, 0, b, n, across=a),
            lambda b=batch, n=n, a=across: batch_epochs(0, b, n, across=a),
        ):
            with pytest.raises(GuideError, match=said) as caught:
                function()
            assert "\n" not in str(caught.value)


def test_a_batch_larger_than_the_set_goes_on_in_the_next_epochs() -> None:
    assert sorted(batch_indices(0, 0, 9, 3, across=True).tolist()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


# Of the Random123 library, kat_vectors, philox4x32 with 10 rounds: counter, key, words.
KNOWN = [
    ([0] * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([2**32 - 1] * 4, (2**32 - 1, 2**32 - 1), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "key", "known"), KNOWN)
def test_keyed_words_are_those_of_the_papers_authors(counter, key, known: str) -> None:
    found = keyed.philox(tuple(np.array([word], np.uint64) for word in counter), *key)
    assert " ".join(f"{word:08x}" for word in found[0]) == known


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**63 - 1), min_size=1))
def test_keyed_words_do_not_depend_on_their_neighbours(seed, epoch, items) -> None:
    together = keyed.words(seed, keyed.AUGMENT, epoch, items)
    alone = [keyed.words(seed, keyed.AUGMENT, epoch, item)[0] for item in items]
    assert np.array_equal(together, alone)


def test_seed_purpose_epoch_item_and_block_cannot_be_traded() -> None:
    seen = {
        keyed.words(seed, purpose, epoch, item, block).tobytes()
        for seed in (0, 1, 2**32, -1)
        for purpose in (1, 2, 3)
        for epoch in (0, 1, 2)
        for item in (0, 1, 2, 2**32)
        for block in (0, 1)
    }
    assert len(seen) == 4 * 3 * 3 * 4 * 2

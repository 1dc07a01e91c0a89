"""Memory is taken once; whoever brings other memory is found out."""

import numpy as np
import pytest

from guide_vision.pipeline import Books, Frame, Pool


@pytest.mark.parametrize("shared", [False, True])
def test_slots_are_separate_memory_of_the_shape_asked_for(shared):
    pool = Pool((4, 6, 3), 3, shared=shared)
    pool.seal()
    slots = [pool.take() for _ in range(3)]

    assert pool.take() is None
    assert sorted(slots) == [0, 1, 2]
    for slot in slots:
        pool.images[slot][:] = slot
    assert [int(pool.images[slot].max()) for slot in (0, 1, 2)] == [0, 1, 2]
    pool.give(slots[1])
    assert pool.take() == slots[1]


def test_a_slot_goes_on_with_the_memory_a_frame_came_in():
    pool = Pool((4, 6, 3), 1)
    other = np.zeros((8, 12, 3), np.uint8)  # the camera changed its resolution
    for _ in range(3):
        slot = pool.take()
        into = pool.images[slot]
        frame = Frame(into if into.shape == other.shape else other, 0, 0, 0)
        pool.adopt(frame, slot)
        pool.give(slot)

    assert pool.reallocated == 1
    assert pool.images[0] is other


def test_a_shared_pool_is_a_file_that_seal_takes_the_name_of():
    pool = Pool((4, 6), 2, shared=True)
    path = pool.path
    assert path.stat().st_size == 48
    pool.seal()
    assert not path.exists()
    pool.images[1][:] = 7  # the memory lives on
    assert pool.images[1].sum() == 7 * 24


def test_books_that_do_not_balance_say_so():
    books = Books(10, delivered=7, in_flight=1)
    assert not books.balanced
    assert str(books) == "captured 10 is NOT delivered 7 + dropped 0 + in flight 1"
    books.dropped["replaced"] += 2
    assert books.balanced
    assert str(books) == "captured 10 = delivered 7 + dropped 2 (replaced 2) + in flight 1"

"""The mailbox holds the newest thing and counts what it replaced."""

import threading

import pytest

from guide_vision.pipeline import Books, Mailbox


def test_the_newest_takes_the_place_of_what_nobody_fetched():
    box = Mailbox[int]()

    assert [box.put(n) for n in range(4)] == [None, 0, 1, 2]
    assert len(box) == 1
    assert box.take(timeout_s=1) == 3
    assert (box.replaced, box.taken, len(box)) == (3, 1, 0)


def test_an_empty_box_times_out():
    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        Mailbox[int]().take(timeout_s=0.01)


def test_what_lies_in_a_closed_box_can_still_be_taken():
    box = Mailbox[str]()
    box.put("last")
    box.close()

    assert box.take(timeout_s=1) == "last"
    assert box.take(timeout_s=1) is None


def test_closing_with_an_error_wakes_the_taker_and_raises_it_there():
    box = Mailbox[str]()
    raised = []

    def take():
        try:
            box.take(timeout_s=30)
        except OSError as error:
            raised.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    box.close(OSError("unplugged"))
    thread.join(30)

    assert [str(error) for error in raised] == ["unplugged"]


def test_between_two_threads_nothing_is_lost_or_counted_twice():
    box = Mailbox[int]()
    taken = []

    def take():
        while (thing := box.take(timeout_s=30)) is not None:
            taken.append(thing)

    thread = threading.Thread(target=take)
    thread.start()
    for number in range(5000):
        box.put(number)
    box.close()
    thread.join(30)

    assert taken == sorted(set(taken))
    assert taken[-1] == 4999
    assert len(taken) + box.replaced == 5000


def test_books_can_fail_to_balance():
    assert Books(10, 7, 2, 1).balanced
    wrong = Books(10, 7, 2, 0)
    assert not wrong.balanced
    assert "is NOT" in str(wrong)

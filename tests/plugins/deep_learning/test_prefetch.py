"""Batches computed ahead are those that would have been computed in place, and bounded."""

import gc
import subprocess
import sys
import threading
import time
import weakref
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training.data.augment import Augment
from guide_deep_learning.training.data.order import batch_epochs, batch_indices
from guide_deep_learning.training.data.prefetch import Prefetch
from guide_deep_learning.training.data.shapes import drawn

IMAGES, LABELS = drawn(0, np.arange(300))


def batch_of(number: int) -> tuple[np.ndarray, np.ndarray]:
    items = batch_indices(7, number, 16, 300)
    epochs = batch_epochs(number, 16, 300)
    return Augment(2, flip=True, brightness=0.2)(IMAGES[items], 7, epochs, items), LABELS[items]


def mine() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("batches ")]


def until(true) -> None:
    """Wait for what other threads are about to do."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def no_thread_survives():
    yield
    if mine():  # of one that was forgotten; with torch loaded, looking for it takes half a second
        gc.collect()
    until(lambda: not mine())


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
@pytest.mark.parametrize("depth", [1, 2, 7])
def test_any_number_of_workers_gives_the_same_batches_bit_for_bit(workers, depth) -> None:
    with Prefetch(batch_of, workers, depth) as batches:
        for number in range(50):
            for found, expected in zip(batches.get(number), batch_of(number), strict=True):
                assert found.tobytes() == expected.tobytes()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 30), max_size=30),
    st.integers(0, 3),
    st.integers(1, 5),
    st.integers(0, 9),
)
def test_whatever_is_asked_for_is_what_is_given(asked, workers, depth, first) -> None:
    with Prefetch(lambda n: n * n, workers, depth, first) as batches:
        for number in asked:
            assert batches.get(number) == number * number


def test_the_last_batch_can_be_asked_for_again_and_is_computed_once() -> None:
    computed = []
    with Prefetch(lambda n: computed.append(n) or n, workers=1, depth=2) as batches:
        assert [batches.get(n) for n in (0, 0, 0, 1, 1)] == [0, 0, 0, 1, 1]
    assert sorted(computed) == sorted(set(computed))


@pytest.mark.parametrize(("workers", "depth"), [(1, 1), (2, 4), (5, 3)])
def test_no_more_than_depth_batches_exist(workers, depth) -> None:
    class Counted:
        there: ClassVar[weakref.WeakSet] = weakref.WeakSet()
        most = 0
        lock = threading.Lock()

        def __init__(self) -> None:
            with self.lock:
                self.there.add(self)
                type(self).most = max(self.most, len(self.there))

    with Prefetch(lambda _: Counted(), workers, depth) as batches:
        for number in range(200):
            batches.get(number)
            if number % 50 == 0:
                batches.seek(number + 3)
        until(lambda: len(Counted.there) == depth)
        time.sleep(0.02)
        assert len(Counted.there) == depth
    assert Counted.most <= depth
    gc.collect()
    until(lambda: not Counted.there)


def test_what_is_computed_ahead_waits_for_no_one() -> None:
    started = []
    with Prefetch(lambda n: started.append(n) or n, workers=2, depth=4) as batches:
        batches.get(0)
        until(lambda: batches.ready == 3)
        assert sorted(started) == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_an_error_comes_out_as_itself_where_its_batch_is_asked_for(workers) -> None:
    error = ZeroDivisionError("of batch 3")
    broken = True

    def sometimes(number: int) -> int:
        if broken and number == 3:
            raise error
        return number

    with Prefetch(sometimes, workers) as batches:
        assert [batches.get(n) for n in range(3)] == [0, 1, 2]
        for _ in range(2):
            with pytest.raises(ZeroDivisionError) as caught:
                batches.get(3)
            assert caught.value is error
        broken = False
        batches.seek(3)
        assert [batches.get(n) for n in (3, 4)] == [3, 4]


def test_even_one_that_would_end_a_thread_comes_out() -> None:
    def leave(number: int) -> None:
        raise SystemExit(number)

    with Prefetch(leave, workers=1) as batches, pytest.raises(SystemExit):
        batches.get(0)


def test_what_was_under_way_when_it_was_sought_is_dropped() -> None:
    go = threading.Event()

    def slow(number: int) -> int:
        if number < 10:
            go.wait(20)
        return number

    with Prefetch(slow, workers=1, depth=2) as batches:
        until(lambda: batches._shared.under_way == 1)
        batches.seek(10)
        go.set()
        # What is not dropped would take a place that nobody ever asks for.
        until(lambda: sorted(batches._shared.ready) == [10, 11])
        assert [batches.get(n) for n in (10, 11, 12)] == [10, 11, 12]


def test_closing_ends_the_threads_even_while_they_compute() -> None:
    batches = Prefetch(lambda n: time.sleep(0.05), workers=3)
    assert len(mine()) == 3
    batches.close()
    assert not mine()
    batches.close()
    with pytest.raises(RuntimeError, match="closed"):
        batches.get(0)


def test_one_that_is_closed_while_the_loop_waits_lets_it_go() -> None:
    go = threading.Event()
    batches = Prefetch(lambda n: go.wait(20), workers=1)
    closing = threading.Thread(target=batches.close)
    threading.Timer(0.05, closing.start).start()
    with pytest.raises(RuntimeError, match="closed"):
        batches.get(0)
    go.set()
    closing.join()


def test_one_that_is_forgotten_ends_its_threads() -> None:
    batches = Prefetch(lambda n: n, workers=2)
    batches.get(0)
    del batches
    gc.collect()
    until(lambda: not mine())


def test_a_program_that_forgets_to_close_ends_all_the_same() -> None:
    code = (
        "from guide_deep_learning.training.data.prefetch import Prefetch\n"
        "kept = Prefetch(lambda n: bytes(1000), workers=3)\n"
        "kept.get(0)\n"
        "print('done')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_stalls_are_counted_and_timed_on_the_timelines_clock() -> None:
    timeline = Timeline()
    go = threading.Event()
    with Prefetch(lambda n: go.wait(20), workers=1, depth=2, timeline=timeline) as batches:
        threading.Timer(0.05, go.set).start()
        batches.get(0)
        assert batches.stalls == 1
        assert batches.stall_ns > 10_000_000
        until(lambda: batches.ready == 1)
        before = batches.stall_ns
        batches.get(1)
        batches.get(1)
        assert (batches.stalls, batches.stall_ns) == (1, before)
    levels = [(sample.name, sample.value) for sample in timeline.counters()]
    assert levels == [("batches ready", 0.0), ("batches ready", 1.0)]


def test_in_place_every_batch_is_waited_for() -> None:
    with Prefetch(lambda n: n, workers=0) as batches:
        for number in range(5):
            batches.get(number)
        assert batches.stalls == 5
        assert not mine()


def test_pinning_changes_nothing_without_cuda() -> None:
    import torch

    with Prefetch(batch_of, pin=True) as batches:
        images, labels = batches.get(0)
        assert isinstance(images, np.ndarray)
        assert np.array_equal(labels, batch_of(0)[1])
        if torch.cuda.is_available():
            assert torch.from_numpy(images).is_pinned()


def test_numbers_that_cannot_be_are_one_line() -> None:
    with pytest.raises(GuideError, match=r"workers are 0 \(none\) or more, not -1"):
        Prefetch(batch_of, workers=-1)
    with pytest.raises(GuideError, match="depth is 1 or more, not 0"):
        Prefetch(batch_of, depth=0)

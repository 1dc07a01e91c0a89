"""Loops with the attempt's batches, against a loop that makes each when it is asked for."""

import threading
import time

MAKE_S, COMPUTE_S, COUNT, ROUNDS = 0.006, 0.006, 20, 3


class Source:
    """Makes batches and keeps books."""

    def __init__(self, fails_at=None, make_s=MAKE_S):
        self.made, self.taken, self.most, self.lock = [], 0, 0, threading.Lock()
        self.fails_at, self.make_s, self.error = fails_at, make_s, OSError("the disk is gone")

    def make(self, number):
        """A batch."""
        time.sleep(self.make_s)
        if number == self.fails_at:
            raise self.error
        with self.lock:
            self.made.append(number)
            self.most = max(self.most, len(self.made) - self.taken)
        return {"number": number, "content": number * 7}

    def took(self, batch, number):
        """The loop has one."""
        assert batch == {"number": number, "content": number * 7}, (
            f"batch {number} was wanted, {batch!r} came"
        )
        with self.lock:
            self.taken += 1


def check(attempt):
    """Ratio, waiting, how far ahead, and who is left, as figures; the exercise's bars decide."""
    before = set(threading.enumerate())
    _errors_arrive(attempt.batches)
    _breaks_off(attempt.batches)
    assert list(attempt.batches(Source(make_s=0).make, 0)) == [], "none are wanted, and some came"
    plain, ahead = [], []
    waited = most = 0.0
    for _ in range(ROUNDS):
        plain.append(_loop(_plain)[0])
        took, stalled, source = _loop(attempt.batches)
        ahead.append(took)
        waited, most = waited + stalled, max(most, source.most)
    return {
        "times as fast": min(plain) / min(ahead),
        "share of the time waited for data": waited / sum(ahead),
        "batches at a time": max(most, _slow_loop(attempt.batches)),
        "threads left behind": _left(before),
    }


def _plain(make, count):
    for number in range(count):
        yield make(number)


def _loop(batches):
    """Whole time, time in next(), and the source."""
    source, stalled = Source(), 0.0
    began = time.perf_counter()
    found = iter(batches(source.make, COUNT))
    for number in range(COUNT):
        asked = time.perf_counter()
        batch = next(found, None)
        stalled += time.perf_counter() - asked
        source.took(batch, number)
        time.sleep(COMPUTE_S)
    took = time.perf_counter() - began
    assert next(found, None) is None, f"there are more than {COUNT} batches"
    assert sorted(source.made) == list(range(COUNT)), "a batch was made twice, or never"
    return took, stalled, source


def _slow_loop(batches):
    """How far a loader that is much quicker than the loop runs ahead of it."""
    source = Source(make_s=0)
    for number, batch in enumerate(batches(source.make, 30)):
        time.sleep(0.003)
        source.took(batch, number)  # the one in use is not given back yet
    return source.most


def _errors_arrive(batches):
    source, number = Source(fails_at=7, make_s=0.001), 0
    try:
        for number, batch in enumerate(batches(source.make, COUNT), 1):
            source.took(batch, number - 1)
    except OSError as error:
        came = error
    else:
        raise AssertionError("make raised for batch 7, and the loop heard nothing of it")
    assert came is source.error, "another error came than the one that make raised"
    assert number == 7, f"make raised for batch 7; the loop had {number} of 7 before it"


def _breaks_off(batches):
    source = Source(make_s=0.001)
    found = batches(source.make, COUNT)
    source.took(next(found), 0)
    assert hasattr(found, "close"), "batches() is no generator: write it with yield"
    found.close()


def _left(before):
    until = time.monotonic() + 1
    while (left := set(threading.enumerate()) - before) and time.monotonic() < until:
        time.sleep(0.01)
    return len(left)

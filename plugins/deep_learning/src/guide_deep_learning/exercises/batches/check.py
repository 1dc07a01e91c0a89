"""The check: equality of bytes, and counted work. No clock is read."""

import importlib.util
import sys
import tracemalloc

import numpy as np


def check(attempt):
    """Raise AssertionError with a sentence for the learner when something is not right yet."""
    data = np.frombuffer(b"".join(i.to_bytes(4, "little") for i in range(5000)), dtype=np.uint8)
    batch = attempt.batch
    _shapes(batch, data)
    _repeats(attempt, data)
    _differs(batch, data)
    _reaches_the_ends(batch)
    _costs_the_same(batch, data)


def _shapes(batch, data):
    inputs, targets = batch(data, 0, 0, 4, 16)
    assert np.shape(inputs) == np.shape(targets) == (4, 16), (
        f"inputs and targets should be (4, 16), they are {np.shape(inputs)}, {np.shape(targets)}"
    )
    assert np.array_equal(inputs[:, 1:], targets[:, :-1]), "targets are not inputs one byte on"
    text = data.tobytes()
    for row, target in zip(np.asarray(inputs), np.asarray(targets), strict=True):
        window = row.astype(np.uint8).tobytes() + target[-1:].astype(np.uint8).tobytes()
        assert window in text, "a row is no window of the data"


def _repeats(attempt, data):
    seen = {step: _bytes(attempt.batch(data, 3, step, 8, 16)) for step in (0, 7, 8, 40_000)}
    before = np.random.get_state()[1].tobytes()
    for step in (40_000, 7, 0, 8, 7):
        again = _bytes(attempt.batch(data, 3, step, 8, 16))
        assert again == seen[step], f"step {step} had other windows when it was asked for again"
    after = np.random.get_state()[1].tobytes()
    assert before == after, "it draws from numpy's global random state: others draw from it too"
    # A module of its own has seen nothing yet, as a process that was just started.
    spec = importlib.util.spec_from_file_location("started_again", attempt.__file__)
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    assert _bytes(again.batch(data, 3, 8, 8, 16)) == seen[8], (
        "step 8 has other windows when it is the first one asked for, as after a restart"
    )


def _differs(batch, data):
    seen = {}
    for seed in range(8):
        for step in range(8):
            windows = _bytes(batch(data, seed, step, 8, 16))
            assert windows not in seen, (
                f"seed {seed}, step {step} has the windows of seed, step {seen[windows]}"
            )
            seen[windows] = (seed, step)
    rows = batch(data, 0, 0, 64, 16)[0]
    assert len({row.tobytes() for row in np.asarray(rows)}) > 32, "windows of a step are the same"


def _reaches_the_ends(batch):
    data = np.arange(20, dtype=np.uint8)  # a window of 17 bytes fits at 0, 1, 2 and 3
    firsts = {int(row[0]) for step in range(50) for row in batch(data, 0, step, 4, 16)[0]}
    assert firsts == {0, 1, 2, 3}, f"windows can begin at 0 to 3 here, yours begin at {firsts}"


def _costs_the_same(batch, data):
    batch(data, 0, 1, 8, 16)  # whatever is done once is done now
    early, late = _work(batch, data, 10), _work(batch, data, 1_000_000)
    assert late[0] <= early[0] + 10, (
        f"step 1,000,000 makes {late[0]} calls where step 10 makes {early[0]}"
    )
    assert late[1] <= early[1] + 100_000, (
        f"step 1,000,000 takes {late[1]} bytes of memory where step 10 takes {early[1]}"
    )


def _work(batch, data, step):
    """How many calls, and how many bytes at most, a batch costs."""
    calls = 0
    most = 20_000

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")
        if calls > most:  # do not wait for a million of them
            raise AssertionError(f"step {step:,} makes over {most:,} calls: no skipping ahead")

    before = sys.getprofile()
    tracemalloc.start()
    sys.setprofile(count)
    try:
        batch(data, 0, step, 8, 16)
    finally:
        sys.setprofile(before)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return calls, peak


def _bytes(pair):
    return b"".join(np.ascontiguousarray(part, dtype=np.uint8).tobytes() for part in pair)

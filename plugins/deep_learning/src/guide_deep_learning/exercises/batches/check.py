"""The check: equality of bytes, and counted work. No clock is read."""

import importlib.util
import os
import subprocess
import sys
import tracemalloc
from collections import Counter

import numpy as np

# No two windows of these 20,000 bytes are the same.
_DATA = np.frombuffer(b"".join(i.to_bytes(4, "little") for i in range(5000)), dtype=np.uint8)
# What seed and step may be multiplied by before they are added.
_FACTORS = [10**n for n in range(1, 7)] + [2**n for n in range(4, 21)]
_FACTORS += [31, 97, 997, 7919, 9973, 10_007, 31_337, 65_537, 100_003, 1_000_003]


def check(attempt):
    """Raise AssertionError with a sentence for the learner when something is not right yet."""
    data, batch = _DATA, attempt.batch
    _shapes(batch, data)
    _repeats(attempt, data)
    _costs_the_same(batch, data)  # before steps far off are asked for, which it would take long for
    _differs(batch, data)
    _shares_nothing(batch, data)
    _scatters(batch, data)
    _reaches_the_ends(batch)


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
    assert _after_a_restart(attempt.__file__) == seen[8].hex(), (
        "step 8 has other windows when it is the first one a new process asks for, as after a "
        "restart: nothing may come from earlier calls, the clock, or hash(), which differs by "
        "process for text"
    )


def _differs(batch, data):
    near = [(seed, step) for seed in range(13) for step in range(13)]
    far = [pair for n in _FACTORS if n > 12 for pair in ((0, n), (n, 0))]
    seen = {}
    for seed, step in near + far:
        windows = _bytes(batch(data, seed, step, 8, 16))
        assert windows not in seen, (
            f"seed {seed}, step {step} has the windows of seed, step {seen[windows]}"
        )
        seen[windows] = (seed, step)
    rows = batch(data, 0, 0, 64, 16)[0]
    assert len({row.tobytes() for row in np.asarray(rows)}) > 32, "windows of a step are the same"


def _shares_nothing(batch, data):
    # By chance it is about one window of the 640: 32 of 32 pairs in 20,000 places, 20 times.
    for name, move in (("step", (0, 1)), ("seed", (1, 0))):
        shared = 0
        for n in range(20):
            here = _rows(batch(data, n, n, 32, 16)[0])
            shared += len(here & _rows(batch(data, n + move[0], n + move[1], 32, 16)[0]))
        assert shared < 40, (
            f"{shared} of 640 windows come again in the next {name}: what it draws begins where "
            "this one is still drawing"
        )


def _scatters(batch, data):
    text = data.tobytes()
    places = len(data) - 16
    for step in range(3):
        inputs, targets = batch(data, 0, step, 32, 16)
        whole = np.column_stack([inputs, np.asarray(targets)[:, -1:]]).astype(np.uint8)
        starts = np.array([text.index(row.tobytes()) for row in whole])
        for order in (starts, np.sort(starts)):
            (apart, often), *_ = Counter((np.diff(order) % places).tolist()).most_common(1)
            assert often < 16, (
                f"{often} of 31 windows of a step begin {apart} bytes after another: draw a random "
                "place for each, not one for all"
            )


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


def _after_a_restart(file):
    """The windows of seed 3, step 8, as a new process sees them."""
    other = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, __file__, file],
        env={**os.environ, "PYTHONHASHSEED": other, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    said = done.stderr.strip().rpartition("\n")[2]
    assert done.returncode == 0, f"in a new process it does not run: {said}"
    return done.stdout.split()[-1]


def _rows(windows):
    return {row.tobytes() for row in np.ascontiguousarray(windows, dtype=np.uint8)}


def _bytes(pair):
    return b"".join(np.ascontiguousarray(part, dtype=np.uint8).tobytes() for part in pair)


def _main(file):
    spec = importlib.util.spec_from_file_location("started_again", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["started_again"] = module
    spec.loader.exec_module(module)
    sys.stdout.write("\n" + _bytes(module.batch(_DATA, 3, 8, 8, 16)).hex() + "\n")


if __name__ == "__main__":
    _main(sys.argv[1])

"""Positions, to a few units in the last place."""

import numpy as np

from guide.judge.compare import difference

RECORD = np.dtype([("x", "f4"), ("y", "f4"), ("z", "f4"), ("vx", "f4"), ("rest", "u1", 48)])


def make_input(rng, case):
    """So many records, and how many steps."""
    count, steps = case
    records = np.zeros(count, RECORD)
    for name in ("x", "y", "z", "vx"):
        records[name] = rng.random(count, dtype=np.float32)
    return records, steps


def fresh(rng, last):
    """The same with other speeds: no position of before is right."""
    records, steps = last
    records["vx"] = rng.random(len(records), dtype=np.float32)
    return records, steps


def expected(records, steps):
    """In float64: nobody's order of rounding is the right one."""
    x, vx = records["x"].astype(np.float64), records["vx"].astype(np.float64)
    return (x + steps * vx / 60).astype(np.float32)


def compare(got, want, records, steps):
    """To 1e-5."""
    return difference(got, want, rtol=1e-5, atol=1e-6)


def work(records, steps):
    """Two fields are read and one is written, at the least."""
    return {"bytes": 12 * len(records)}


def smaller(records, steps):
    """Half of them; one step."""
    if len(records) > 1:
        yield records[: len(records) // 2].copy(), steps
    if steps > 1:
        yield records, 1

"""Eight lanes do what numpy does to arrays of eight."""

import numpy as np
import pytest
from numba import njit

from guide_graphics.raster.software import simd
from guide_graphics.raster.software.shade import exp2, log2

F, N = np.float32, np.int32
f32x8, i32x8, load, store, pointer = simd.f32x8, simd.i32x8, simd.load, simd.store, simd.pointer
select, bits, lane, lanes, gather = simd.select, simd.bits, simd.lane, simd.lanes, simd.gather
A = np.array([-7.5, -2.5, -0.5, 0.0, 0.5, 1.5, 2.5, 1e6], F)
B = np.array([2.0, -3.0, 0.25, 1.0, -1.0, 8.0, 2.5, -4.0], F)


@njit
def floats(a, b, out):
    p, q, o = pointer(a), pointer(b), pointer(out)
    x, y = load(p, 0), load(q, 0)
    store(o, 0, x + y)
    store(o, 8, x - y)
    store(o, 16, x * y)
    store(o, 24, x / y)
    store(o, 32, -x)
    store(o, 40, simd.floor(x))
    store(o, 48, simd.nearest(x))
    store(o, 56, simd.sqrt(simd.absolute(x)))
    store(o, 64, simd.least(x, y))
    store(o, 72, simd.most(x, y))
    store(o, 80, select(x < y, x, y))
    store(o, 88, f32x8(i32x8(x)))
    store(o, 96, simd.fma(x, y, f32x8(1)))


def test_floats():
    out = np.zeros((13, 8), F)
    floats(A, B, out)
    rows = [A + B, A - B, A * B, A / B, -A, np.floor(A), np.rint(A), np.sqrt(abs(A))]
    rows += [np.minimum(A, B), np.maximum(A, B), np.where(A < B, A, B), np.trunc(A), A * B + 1]
    assert np.array_equal(out, np.array(rows, F))


@njit
def integers(a, b, out):
    p, q, o = pointer(a), pointer(b), pointer(out)
    x, y = load(p, 0), load(q, 0)
    store(o, 0, x + y)
    store(o, 8, x * y)
    store(o, 16, x & y | (x ^ y))
    store(o, 24, ~x)
    store(o, 32, x << i32x8(3))
    store(o, 40, x >> i32x8(1))
    store(o, 48, select((x > y) & ~(x == i32x8(5)), x, y))
    store(o, 56, lanes())
    return bits(x >= y), lane(x, 3)


def test_integers_and_masks():
    x = np.array([-9, -1, 0, 5, 7, 100, 5, -(1 << 31)], N)
    y = np.array([3, -1, 4, -5, 7, 1000, 2, 1], N)
    out = np.zeros((8, 8), N)
    mask, third = integers(x, y, out)
    with np.errstate(over="ignore"):
        rows = [x + y, x * y, x & y | (x ^ y), ~x, x << 3, x >> 1]
    rows += [np.where((x > y) & (x != 5), x, y), np.arange(8)]
    assert np.array_equal(out, np.array(rows, N))
    assert mask == sum(1 << k for k in range(8) if x[k] >= y[k])
    assert third == 5


@njit
def moved(a, at, out, records):
    p, i, o = pointer(a), pointer(at), pointer(out)
    where = load(i, 0)
    store(o, 0, gather(p, where))
    first, second = simd.gather_pairs(p, where)
    store(o, 8, first)
    store(o, 16, second)
    columns = simd.columns(
        load(p, 0), load(p, 8), load(p, 16), load(p, 24), load(p, 32), load(p, 40), load(p, 48),
        load(p, 56),
    )  # fmt: skip
    for k in range(8):
        store(o, 24 + 8 * k, columns[k])
    simd.store_records(pointer(records), 0, load(p, 0), load(p, 8), load(p, 16), load(p, 24))


def test_gathering_and_turning():
    a = np.arange(64, dtype=F).reshape(8, 8) ** 2
    at = np.array([3, 1, 4, 1, 5, 9, 2, 6], N)
    out, records = np.zeros((11, 8), F), np.zeros((8, 4), F)
    moved(a, at, out, records)
    flat = a.ravel()
    assert np.array_equal(out[:3], [flat[at], flat[at], flat[at + 1]])
    assert np.array_equal(out[3:], a.T)
    assert np.array_equal(records, a[:4].T)


@njit
def counted(counters):
    return simd.take(pointer(counters), 1, 3), simd.lowest_bit(np.int64(40)), simd.cycles()


def test_a_counter_gives_what_it_was():
    counters = np.array([5, 7], np.int64)
    before, bit, _ = counted(counters)
    assert (before, bit) == (7, 3)
    assert counters.tolist() == [5, 10]


@njit
def powers(x, out):
    for at in range(0, len(x), 8):
        store(pointer(out), at, exp2(load(pointer(x), at)))
        store(pointer(out), len(x) + at, log2(exp2(load(pointer(x), at))))


def test_powers_are_as_near_as_they_say():
    x = np.linspace(-120, 120, 4096).astype(F)
    out = np.zeros((2, len(x)), F)
    powers(x, out)
    assert abs(out[0] / np.exp2(x.astype(float)) - 1).max() < 5e-6
    assert abs(out[1] - x).max() < 2.5e-5


def test_the_power_of_nothing_is_nothing():
    out = np.ones((2, 8), F)
    powers(np.full(8, -1e9, F), out)
    assert out[0].max() < 1e-37


@pytest.mark.parametrize("kind", [simd.F32x8, simd.I32x8, simd.Mask])
def test_a_type_survives_the_cache_of_compiled_code(kind):
    import pickle

    assert pickle.loads(pickle.dumps(kind)) == kind

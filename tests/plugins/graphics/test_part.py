from pathlib import Path

import numpy as np
import pytest
from numba import njit

from guide_graphics.raster.kernel import fast_kernel_part, kernel, kernel_part, kernel_step


@kernel_part
def scaled(x, k):
    return x * np.int64(2) + k


@kernel_step
def summed(values, start):
    total = start
    for value in values:
        total = scaled(total, value)
    return total


@fast_kernel_part
def halved(x):
    return x * np.float32(0.5)


@kernel
def both(values):
    return summed(values, 0) + summed(values, len(values)), halved(np.float32(3))


@pytest.fixture(scope="module")
def result():
    for file in Path(both.stats.cache_path).glob("test_part.*"):
        file.unlink()  # what an earlier run kept would only be loaded
    return both(np.arange(4))


def test_a_kernel_computes_what_its_source_says(result):
    assert result == both.py_func(np.arange(4))


def test_a_number_written_out_compiles_a_part_no_second_time(result):
    assert len(summed.signatures) == 1
    assert len(scaled.signatures) == 1


def test_parts_leave_nothing_on_disk(result):
    kept = {file.name.split("-")[0] for file in Path(both.stats.cache_path).glob("test_part.*")}
    assert kept == {"test_part.both"}


def test_called_from_python_a_part_is_its_source(result, monkeypatch):
    assert scaled(1, 2) == 4
    assert halved(np.float32(3)) == 1.5
    monkeypatch.setitem(globals(), "scaled", lambda x, k: 7)
    assert summed(np.arange(4), 0) == 7


def test_a_numba_that_nobody_tried_compiles_parts_in_its_own_way(monkeypatch, result):
    monkeypatch.setattr("guide_graphics.raster.part.TRIED", ())

    @kernel_part
    def scaled(x, k):
        return x * np.int64(2) + k

    @kernel_step
    def summed(values, start):
        total = start
        for value in values:
            total = scaled(total, value)
        return total

    @njit  # nothing of it on disk
    def both(values):
        return summed(values, 0) + summed(values, len(values))

    assert both(np.arange(4)) == result[0]

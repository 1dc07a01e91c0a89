"""Loops that stand in a function that the explained one calls."""

import pytest
from click.testing import CliRunner

from guide.cli import cli
from guide.explain.target import of_function
from tests.core.explain.numba.together import together
from tests.core.explain.numba.written import written

pytest.importorskip("numba")

ELSEWHERE = """
from numba import njit

@njit
def largest(a):
    m = a[0]
    for x in a:
        m = max(m, x)
    return m
"""

CALLS = """
from elsewhere import largest
from numba import njit

@njit
def total(a):
    s = 0.0
    for i in range(a.shape[0]):
        s += a[i]
    return s

@njit
def mean(a):
    return total(a) / a.shape[0]

@njit
def share(a):
    return mean(a) / largest(a)

@njit
def twice(x):
    return 2.0 * x

@njit
def without(a):
    for i in range(a.shape[0]):
        a[i] = twice(a[i])

@njit
def itself(n):
    for i in range(3):
        n -= i
    return n if n < 2 else itself(n)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("callees")
    written(folder, ELSEWHERE, "elsewhere.py")
    written(folder, CALLS, "calls.py")
    return folder


def test_a_loop_in_a_function_that_it_calls_is_named_with_what_to_type_next(folder, monkeypatch):
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(cli, ["explain", "calls.py:mean", "--like", "float64[::1]"])
    said = " ".join(done.output.split())
    assert "the loops of total were not looked at" in said
    assert "total, which it calls, has loops too: guide explain calls.py:total" in said
    assert said.endswith("Next: guide explain calls.py:total")


def test_callees_of_callees_and_of_other_files_are_named_and_those_without_loops_are_not(folder):
    names = ("share", "without", "itself")
    targets = [(f"{folder / 'calls.py'}:{name}", "") for name in names]
    share, without, itself = together(folder, targets)
    total, largest = f"{folder / 'calls.py'}:total", f"{folder / 'elsewhere.py'}:largest"
    assert sorted(share.further) == [total, largest]
    assert not of_function("share", share).healthy
    assert (without.further, itself.further) == ((), ())
    assert of_function("without", without).healthy

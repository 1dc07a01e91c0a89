"""What may be called with arguments made up."""

import importlib.util
from pathlib import Path

import pytest

from guide.explain.numba import explain_function, syntax
from guide.explain.numba.cures import Case
from guide.explain.numba.harmless import NotTried, must_be_harmless
from tests.core.explain.numba.written import written

numba = pytest.importorskip("numba")


HARMLESS = """
import builtins
import sys
import numpy as np
from math import sqrt
from types import ModuleType
from numba import njit, objmode, prange

copy = np.copy
other = ModuleType("other")

@njit
def leave(a):
    with objmode():
        sys.exit()
    return a

@njit
def helper(row):
    own = row.copy()
    return own.sum() + sqrt(2.0)

@njit
def tells(a):
    print(a)
    return a

other.copy = other.sum = leave
round = leave

def within(helper):
    @njit
    def f(a):
        return helper(a)
    return f

@njit
def reckons(a):
    out = []
    for i in prange(a.shape[0]):
        out.append(helper(a[i:]) + (a[i:] ** 2).sum() + abs(a[i]) + np.float32(2))
    return np.sqrt(np.array(out)) + copy(a).max()

@njit
def as_a_method(a):
    return other.copy(a)

@njit
def shadowed(a):
    return round(a)

@njit
def by_another_name(a):
    mine = leave
    return mine(a)

@njit
def deeper(a):
    return within_tells(a)

@njit
def raises(a):
    if a[0] > 2.0:
        raise Own("x")
    return a

class Own(Exception):
    pass

within_tells = within(tells)
within_helper = within(helper)
"""


def examined(folder: Path, name: str) -> None:
    file = written(folder, HARMLESS, f"harmless_{name}.py")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, name)
    source = syntax.source_of(function.py_func)
    case = Case(function.py_func, source, (numba.float64[::1],), {"nopython": True})
    must_be_harmless(case)


@pytest.mark.parametrize("name", ["reckons", "within_helper"])
def test_what_does_nothing_but_reckon_may_be_called(tmp_path, name):
    examined(tmp_path, name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("as_a_method", "more than reckon"),
        ("shadowed", "more than reckon"),
        ("by_another_name", "calls mine"),
        ("deeper", "calls print"),
        ("raises", "calls Own"),
    ],
)
def test_what_a_call_reaches_counts_and_not_what_it_is_called(tmp_path, name, why):
    with pytest.raises(NotTried, match=why):
        examined(tmp_path, name)


def test_a_function_that_may_do_more_than_reckon_is_not_called(tmp_path):
    left = tmp_path / "left"
    file = written(
        tmp_path,
        "from numba import njit, objmode\n"
        f"def leave():\n    open({str(left)!r}, 'w')\n@njit\ndef f(a):\n    s = 0.0\n"
        "    for x in a:\n        s += x\n    with objmode():\n        leave()\n    return s\n",
    )
    found = explain_function(f"{file}:f", like="float64[::1]")
    assert dict(found.facts)["not tried"]
    assert not left.exists()
    assert found.call_ns == 0
    assert found.verdicts[0].title == "a sum that must keep its order"

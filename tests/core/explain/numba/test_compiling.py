"""What Numba compiles is explained, and noting lines does not change it."""

import subprocess
import sys

import pytest

from guide.errors import GuideError
from guide.explain.numba import explain_function
from tests.core.explain.numba.together import together
from tests.core.explain.numba.written import written

pytest.importorskip("numba")


KINDS = """
import numpy as np
import numba
from numba import njit, types

def plainly(n):
    return n if n < 2 else plainly(n - 1)

@njit
def recursive(n):
    return n if n < 2 else recursive(n - 1) + recursive(n - 2)

@njit
def by_name(a, scale=2.0, *, bias=1.0):
    for i in range(a.shape[0]):
        a[i] = a[i] * scale + bias

@njit
def rest(a, *more, last=1):
    for b in more:
        for i in range(a.shape[0]):
            a[i] += b[i] * last

@njit(numba.void(numba.from_dtype(np.dtype([("x", "f8"), ("y", "f4")]))[:]))
def records(r):
    for i in range(r.shape[0]):
        r[i].x = r[i].x * 2 + r[i].y
"""


EXPLAINED = {
    ("recursive", ""): "n: float64",
    ("plainly", ""): "n: float64",
    ("by_name", ""): "a: float64[::1], scale: float64, bias: float64",
    ("rest", ""): "a: float64[::1], more: UniTuple(array(float64, 1d, C) x 3), last: int64",
    ("rest", "float64[::1], float64[::1], int64"): (
        "a: float64[::1], more: UniTuple(array(float64, 1d, C) x 1), last: int64"
    ),
    ("records", ""): "r: Record(x: float64, y: float32)[:]",
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """What was found of each function of KINDS, by name and types."""
    folder = tmp_path_factory.mktemp("kinds")
    file = written(folder, KINDS)
    targets = [(f"{file}:{name}", like) for name, like in EXPLAINED]
    return dict(zip(EXPLAINED, together(folder, targets, as_njit=True, trial=True), strict=True))


@pytest.mark.parametrize(("name", "like"), EXPLAINED)
def test_whatever_numba_compiles_is_explained(kinds, name, like):
    compiled_for = dict(kinds[name, like].facts)["compiled for"]
    said = compiled_for.rpartition(" (")[0].partition(" (guessed")[0]
    assert said == EXPLAINED[name, like]


def test_an_error_that_is_not_numbas_own_is_one_line_too(tmp_path):
    file = written(
        tmp_path,
        "import ctypes\nfrom numba import njit\nown = ctypes.CDLL(None).getpid\n@njit\n"
        "def f(a):\n    return a + own()\n",
    )
    with pytest.raises(GuideError, match="Numba cannot compile it: TypeError: ctypes function"):
        explain_function(f"{file}:f")


COMPARED = """
import sys
from guide.explain.numba.compiling import compile_for, prepare
prepare(lines=sys.argv[1] == "lines")
import numba
from benchmarks.explain import numba_planted as planted
A = numba.float64[::1]
for name in ("order", "division", "raising", "call", "carried_twin"):
    function = getattr(planted, name)
    types = (A,) * function.py_func.__code__.co_argcount
    asm = compile_for(function.py_func, types, dict(function.targetoptions)).asm
    print(asm.partition("\t.section\t.debug")[0])
"""


def test_noting_lines_does_not_change_the_machine_code():
    asm = []
    for lines in ("lines", "none"):
        command = [sys.executable, "-c", COMPARED, lines]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = (one.split("\t") for one in done.stdout.splitlines())
        asm.append([one[1] for one in lines if len(one) > 1 and one[1][:1] not in ("", ".")])
    assert len(asm[0]) > 50
    assert asm[0] == asm[1]

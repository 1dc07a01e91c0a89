"""Loops that all threads share: their lines, and where two write one place."""

import ast

import pytest

from guide.explain.numba import explain_function
from guide.explain.numba.parallel import shared_writes
from tests.core.explain.numba.written import written

pytest.importorskip("numba")


def test_an_element_that_all_turns_of_a_prange_write_is_a_race():
    text = "for i in prange(n):\n    s[0] += a[i]\n    out[i] += 1\n    t = 1\n    b[t] += 1\n"
    assert shared_writes(ast.parse(text)) == [(2, "s[0]")]


def test_a_race_is_told_and_not_timed(tmp_path):
    file = written(
        tmp_path,
        "import numpy as np\nfrom numba import njit, prange\n@njit(parallel=True)\ndef f(a):\n"
        "    s = np.zeros(1)\n    for i in prange(len(a)):\n        s[0] += a[i]\n    return s\n",
    )
    found = explain_function(f"{file}:f", like="float64[::1]")
    verdict = found.verdicts[0]
    assert (verdict.title, verdict.where[0].line) == ("several threads write one place", 7)
    assert found.call_ns == 0


def test_the_body_of_a_prange_has_lines(tmp_path):
    file = written(
        tmp_path,
        "from numba import njit, prange\n@njit(parallel=True)\ndef f(a, out):\n"
        "    for i in prange(len(a)):\n        out[i] = a[i] * 2.0\n",
    )
    facts = dict(explain_function(f"{file}:f", trial=False).facts)
    assert facts["loop of line 4"].startswith("vectorised")
    assert facts["parallel"] == "lines 4"

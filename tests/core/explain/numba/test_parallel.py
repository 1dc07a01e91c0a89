"""Loops that all threads share: their lines, and where two write one place."""

import ast

import pytest

from guide.explain.numba.parallel import shared_writes
from tests.core.explain.numba.together import together
from tests.core.explain.numba.written import written

pytest.importorskip("numba")


def test_an_element_that_all_turns_of_a_prange_write_is_a_race():
    text = "for i in prange(n):\n    s[0] += a[i]\n    out[i] += 1\n    t = 1\n    b[t] += 1\n"
    assert shared_writes(ast.parse(text)) == [(2, "s[0]")]


@pytest.fixture(scope="module")
def parallel(tmp_path_factory):
    """What was found of a function with a race, and of one without."""
    folder = tmp_path_factory.mktemp("parallel")
    file = written(
        folder,
        "import numpy as np\nfrom numba import njit, prange\n@njit(parallel=True)\ndef race(a):\n"
        "    s = np.zeros(1)\n    for i in prange(len(a)):\n        s[0] += a[i]\n    return s\n"
        "@njit(parallel=True)\ndef none(a, out):\n"
        "    for i in prange(len(a)):\n        out[i] = a[i] * 2.0\n",
    )
    targets = [(f"{file}:race", "float64[::1]"), (f"{file}:none", "float64[::1], float64[::1]")]
    return together(folder, targets, trial=True)


def test_a_race_is_told_and_not_timed(parallel):
    race, _ = parallel
    verdict = race.verdicts[0]
    assert (verdict.title, verdict.where[0].line) == ("several threads write one place", 7)
    assert race.call_ns == 0


def test_the_body_of_a_prange_has_lines(parallel):
    _, none = parallel
    facts = dict(none.facts)
    assert facts["loop of line 11"].startswith("vectorised")
    assert facts["parallel"] == "lines 11"

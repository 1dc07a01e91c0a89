"""What is tried on arguments made up, and what is said where that goes wrong."""

import pytest

from guide.explain.numba import explain_function
from guide.explain.target import of_function
from guide.explain.telling import headline
from tests.core.explain.numba.written import written

pytest.importorskip("numba")


def test_a_change_is_tried_and_what_stands_behind_the_first_reason_is_told(tmp_path):
    file = written(
        tmp_path,
        "from numba import njit\n@njit\ndef f(a, b):\n    s = 0.0\n    for i in range(len(a)):\n"
        "        s += a[i] / b[i]\n    return s\n",
    )
    found = explain_function(f"{file}:f")
    (verdict,) = found.verdicts
    assert verdict.title == "a division that may raise"
    assert "Behind it stands: a sum that must keep its order (line 6)" in verdict.why
    assert "times as fast" in verdict.remedy
    assert verdict.sure == "sure"
    assert 0 < verdict.recoverable_ns <= found.call_ns


def test_an_index_that_is_wrong_in_a_function_it_calls_is_found_before_it_is_timed(tmp_path):
    file = written(
        tmp_path,
        "from numba import njit\n@njit\ndef beyond(a, i):\n    a[i + 10_000_000] = 1.0\n@njit\n"
        "def f(a):\n    for i in range(a.shape[0]):\n        beyond(a, i)\n",
    )
    found = explain_function(f"{file}:f", like="float64[::1]")
    assert dict(found.facts)["not tried"] == "IndexError on arguments made up"
    assert found.call_ns == 0
    assert not of_function(f"{file}:f", found).healthy


DIES = """
import os
import sys
import time
from numba import njit

@njit
def f(a):
    for i in range(a.shape[0]):
        a[i] *= 2.0

# What goes wrong while it is tried, and not before
watched = {"time": lambda: time.sleep(60), "die": lambda: os._exit(9)}["WHAT"]
from guide.explain.numba import trial
trial.Bench.time = lambda self: watched()
"""


@pytest.mark.parametrize(
    ("what", "said"), [("die", "ended the process (code 9)"), ("time", "longer than 1 s")]
)
def test_a_trial_that_dies_or_does_not_end_is_told_and_never_called_healthy(tmp_path, what, said):
    file = written(tmp_path, DIES.replace("WHAT", what))
    found = explain_function(f"{file}:f", like="float64[::1]", try_s=1.0)
    assert said in found.unsettled
    answer = of_function(f"{file}:f", found)
    assert not answer.healthy
    assert said in headline(answer)
    assert "Nothing is wrong" not in headline(answer)

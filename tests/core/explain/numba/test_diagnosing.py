"""Why a loop is not vectorised, or only in name."""

import pytest

from benchmarks.explain import numba as bench
from guide.explain.numba import explain_function
from guide.explain.target import of_function
from tests.core.explain.numba.written import written

pytest.importorskip("numba")


@pytest.mark.parametrize("reason", ["order", "exit", "scalar", "layout"])
def test_a_planted_reason_is_named_with_its_line_and_its_twin_is_clean(reason):
    row = bench.row(reason)
    assert row.named, row
    assert row.twin == "vectorised, nothing said"


def test_a_loop_that_only_gathers_is_not_told_to_gather_first(tmp_path):
    file = written(
        tmp_path,
        "from numba import njit\n@njit\ndef only(a, idx, out):\n"
        "    for i in range(idx.shape[0]):\n        k = idx[i]\n        out[i] = a[k]\n"
        "@njit\ndef more(a, idx, out):\n"
        "    for i in range(idx.shape[0]):\n        out[i] = a[idx[i]] * 2.0 + 1.0\n",
    )
    like = "float64[::1], int64[::1], float64[::1]"
    only = explain_function(f"{file}:only", like=like, trial=False)
    assert [one.remedy for one in only.verdicts] == [""]
    assert not of_function("only", only).worth
    (verdict,) = explain_function(f"{file}:more", trial=False).verdicts
    assert verdict.remedy.startswith("Gather first")

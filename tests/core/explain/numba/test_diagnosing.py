"""Why a loop is not vectorised, or only in name."""

import pytest

from benchmarks.explain import numba as bench
from guide.explain.target import of_function
from tests.core.explain.numba.together import together
from tests.core.explain.numba.written import written

pytest.importorskip("numba")


PLANTED = ("order", "exit", "scalar", "layout")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """What is said of each planted function and of its twin, by its name."""
    names = [name for reason in PLANTED for name in (reason, f"{reason}_twin")]
    targets = [(f"{bench.FILE}:{name}", bench.types_of(name)) for name in names]
    found = together(tmp_path_factory.mktemp("planted"), targets)
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize("reason", PLANTED)
def test_a_planted_reason_is_named_with_its_line_and_its_twin_is_clean(planted, reason):
    row = bench.row(reason, planted[reason], planted[f"{reason}_twin"])
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
    only, more = together(tmp_path, [(f"{file}:only", like), (f"{file}:more", "")])
    assert [one.remedy for one in only.verdicts] == [""]
    assert not of_function("only", only).worth
    (verdict,) = more.verdicts
    assert verdict.remedy.startswith("Gather first")

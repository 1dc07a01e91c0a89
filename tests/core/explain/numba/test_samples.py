"""For which types a function is explained."""

import pytest

from benchmarks.explain import numba as bench
from guide.errors import UsageError
from guide.explain.numba import explain_function
from tests.core.explain.numba.together import together
from tests.core.explain.numba.written import written

pytest.importorskip("numba")


def test_types_that_are_none_are_an_error_of_usage():
    with pytest.raises(UsageError, match="takes 1: a"):
        explain_function(f"{bench.FILE}:order", like="float64[::1], int64")
    with pytest.raises(UsageError, match="no list of types"):
        explain_function(f"{bench.FILE}:order", like="float65")


def test_types_come_from_the_example_in_the_docstring_and_nothing_is_cached(tmp_path):
    file = written(
        tmp_path,
        "import numpy as np\nfrom numba import njit\nprint('loud')\n@njit(cache=True)\n"
        'def f(a, n):\n    """Add up.\n\n    >>> f(np.ones((3, 3), np.float32), 2)\n    """\n'
        "    s = 0\n    for i in range(n):\n        s += a[i, 0] > 0\n    return s\n"
        "if __name__ == '__main__':\n    raise SystemExit('not me')\n",
    )
    facts = dict(explain_function(f"{file}:f", trial=False).facts)
    assert facts["compiled for"].startswith("a: float32[:,::1], n: int64")
    assert "docstring" in facts["compiled for"]
    assert not list(tmp_path.rglob("*.nb[ic]"))


def test_an_example_function_is_read_where_it_only_returns_plain_values(tmp_path):
    file = written(
        tmp_path,
        "import numpy as np\nfrom numba import njit\ndef example():\n    n = 3\n"
        "    return (np.ones(n, np.float32),)\n@njit\ndef f(a):\n    return a\n",
    )
    facts = dict(explain_function(f"{file}:f", trial=False).facts)
    assert facts["compiled for"] == "a: float32[::1] (example of its module)"


def test_no_line_of_a_docstring_and_no_function_beside_it_is_run(tmp_path):
    left = tmp_path / "left"
    file = written(
        tmp_path,
        "from numba import njit\n"
        f"def leave():\n    open({str(left)!r}, 'w')\n    return 1.0\n"
        "def example():\n    return (leave(),)\n@njit\n"
        'def f(a):\n    """\n    >>> leave()\n    1.0\n    >>> f(leave())\n    """\n    return a\n'
        'def g(a):\n    """\n    >>> leave()\n    1.0\n    >>> n = 3\n    >>> g(n)\n    """\n'
        "    return a\n",
    )
    found = together(tmp_path, [(f"{file}:f", ""), (f"{file}:g", "")], as_njit=True)
    f, g = (dict(one.facts)["compiled for"] for one in found)
    assert "guessed" in f
    assert g == "a: int64 (the example in its docstring)"
    assert not left.exists()

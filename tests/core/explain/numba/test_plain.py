"""An example's arguments, read without running anybody's code."""

import ast

import pytest

from guide.explain.numba.plain import NotPlain, Plain


def read(text: str, **around: object) -> object:
    plain = Plain(around)
    *lines, last = ast.parse(text).body
    for line in lines:
        plain.line(line)
    assert isinstance(last, ast.Expr)
    return plain.value(last.value)


def test_plain_expressions_have_a_value():
    found = read(
        "import numpy as np\nrng = np.random.default_rng(0)\nn = -3\n"
        "(np.ones((3, 2), np.float32)[:, 0] * 2.0, rng.random(4), np.arange(n + 9.0), [1, 2])\n"
    )
    assert [one.dtype.name for one in found[:3]] == ["float32", "float64", "float64"]
    assert (found[0].strides, len(found[2]), found[3]) == ((4,), 6, [1, 2])


@pytest.mark.parametrize(
    "text",
    [
        "leave()",
        "np.load('there')",
        "np.frompyfunc(leave, 0, 1)()",
        "np.ones(3).tofile('there')",
        "n = leave()\nn",
        "np = other\nnp.ones(3)",
        "import other as np\nnp.ones(3)",
        "own.ones(3)",
        "own + 1",
        "own[0]",
        "float(own)",
        "[leave() for i in (1,)]",
        "(lambda: 1)()",
        "10 ** 10 ** 10",
        "().__class__",
    ],
)
def test_what_would_run_somebodys_code_has_no_value(text):
    def leave(*_: object) -> object:
        raise AssertionError("it was run")

    class Own:
        __add__ = __getitem__ = __float__ = ones = leave

    with pytest.raises(NotPlain):
        read(text, leave=leave, own=Own())

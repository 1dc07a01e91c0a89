"""What stands in a loop of the source."""

import ast

from guide.explain.numba import syntax


def loop_in(text: str) -> syntax.Loop:
    node = ast.parse(text).body[0]
    return syntax.Loop(node, "for", node.lineno, node.end_lineno)


def test_a_break_of_an_inner_loop_does_not_leave_the_outer_one():
    text = "for i in a:\n    for j in b:\n        break\n    if i:\n        raise ValueError\n"
    assert syntax.exits(loop_in(text)) == [(5, "raise")]


def test_a_division_by_a_number_cannot_raise():
    assert syntax.divisions(ast.parse("x = a / 2.0\ny = a / b\nz = a % 0\n")) == [2, 3]

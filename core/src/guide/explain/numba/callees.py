"""Functions that a function calls and that have loops of their own, which are told by themselves.

LLVM speaks of a callee's loops when it compiles the callee, so who asks for the caller hears
nothing of them.
"""

from __future__ import annotations

from typing import Any

from guide.explain.numba.cures import Case
from guide.explain.numba.harmless import compiled_functions
from guide.explain.numba.syntax import source_of
from guide.explain.numba.target import Target, typed


def with_loops(case: Case, place: str) -> list[Target]:
    """The compiled functions with loops that a function calls, and those that they call.

    Args:
        case: the function.
        place: the module or file that it was named in.
    """
    found = []
    for dispatcher in compiled_functions(case):
        function = dispatcher.py_func
        source, name = source_of(function), _name(dispatcher)
        if function is case.function or not (source and source.loops and name):
            continue
        same = function.__globals__ is case.function.__globals__
        found.append(Target(place if same else typed(source.file), name))
    return found


def _name(dispatcher: Any) -> str:
    """What it is called in its own module; "" where it has no name, as in a closure."""
    around = dispatcher.py_func.__globals__
    return next((name for name, value in around.items() if value is dispatcher), "")

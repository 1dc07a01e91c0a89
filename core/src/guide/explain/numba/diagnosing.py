"""What stands in the way of each loop, one reason behind the other, as each is taken away."""

from __future__ import annotations

from guide.explain.numba.compiling import Compiled
from guide.explain.numba.cures import Case
from guide.explain.numba.in_name_only import in_name_only
from guide.explain.numba.missed import missed
from guide.explain.numba.reasons import LoopReasons, Reason
from guide.explain.numba.spans import Span, lanes_of, remarks_of, spans_of

_OF_EXPRESSIONS = ("order", "scalar", "layout", "division", "allocation", "width", "list", "nan")


def loops_of(case: Case) -> list[LoopReasons]:
    """What LLVM made of each loop that it looked at, and why not more."""
    found = []
    for span in spans_of(case, case.base):
        lanes = lanes_of(case, case.base, span)
        found.append(_climb(case, span, lanes))
    return found


def _climb(case: Case, span: Span, lanes: int) -> LoopReasons:
    reasons: list[Reason] = []
    cures: frozenset[str] = frozenset()
    now, compiled = lanes, case.base
    while len(reasons) < 4 and (reason := _reason(case, span, compiled, cures)):
        if reason in reasons:
            break
        if span.kind == "expression" and reason.key not in _OF_EXPRESSIONS:
            break  # it fills, copies or shares out: nobody wrote that loop, or could mend it
        reasons.append(reason)
        if not reason.cure:
            break
        cures |= {reason.cure}
        after = case.compiled(cures)
        if after is None:
            break
        compiled, now = after, lanes_of(case, after, span)
    return LoopReasons(span.line, span.end, lanes, tuple(reasons), now)


def _reason(case: Case, span: Span, compiled: Compiled, cures: frozenset[str]) -> Reason | None:
    """What stands first in the way of a loop as it is compiled now; None: nothing does."""
    loops = remarks_of(case, compiled, span)
    scalar = [loop for loop in loops if loop.lanes == 1 and not loop.gone]
    if scalar and not any(loop.lanes > 1 for loop in loops):
        said = tuple(one for loop in scalar for one in loop.reasons)
        return missed(case, span, said, compiled, cures)
    # A sum and an array expression may share a line; the sum is no version of the other's loop
    sums = [one for loop in scalar for one in loop.reasons if "reorder floating" in one.text]
    if sums:
        return missed(case, span, tuple(sums), compiled, cures)
    return in_name_only(case, span, compiled, cures)

"""This machine's limits, measured: what any program on it can at best do.

The machine card is what a report divides by ("41 % of this machine's bandwidth") and what
`guide machine` draws. Reading the one that is kept costs a millisecond; measuring takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from guide.ceilings.card import Card, Figure, cached, store

__all__ = ["Card", "Figure", "cached", "measure", "store"]


def measure(quick: bool = False, progress: Callable[[str], None] | None = None) -> Card:
    """Measure this machine: about 10 s, or 3 s when `quick`, which leaves some figures out.

    Args:
        quick: fewer trials, and no large imports, plain sleeps or GPU.
        progress: told what is measured next.

    Raises:
        GuideError: when the compiler that the loops need is missing.
    """
    from guide.ceilings.measuring import take

    return take(quick, progress or (lambda what: None))

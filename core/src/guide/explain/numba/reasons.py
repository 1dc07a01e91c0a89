"""The records of what stands in the way of a loop, and what cures it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way of one loop.

    Attributes:
        key: which, as in `words.WORDS`.
        line: the line to mend.
        loop: the line that the loop begins at.
        detail: what stands there, such as the name of what is called.
        llvm: LLVM's own words; "" where it was seen in the code.
        cure: what took it away when it was tried; "" where nothing was tried or helped.
    """

    key: str
    line: int
    loop: int
    detail: str = ""
    llvm: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class LoopReasons:
    """A loop of the source: what stands in its way, one after the other, as it was taken away.

    `lanes` is how many elements a turn handles side by side as it is, `cured` with all cures.
    """

    line: int
    end: int
    lanes: int
    reasons: tuple[Reason, ...] = ()
    cured: int = 1

    @property
    def cures(self) -> frozenset[str]:
        """All cures of its reasons."""
        return frozenset(one.cure for one in self.reasons if one.cure)

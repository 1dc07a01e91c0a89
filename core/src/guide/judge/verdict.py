"""From samples to a verdict: pure arithmetic, no clock.

A ratio of two times that were taken in the same second says more than either time. Its median has
an exact interval that asks nothing of the noise but that rounds are alike: with n rounds, the true
median lies between the k-th smallest and the k-th largest with a probability that a coin gives
(David and Nagaraja, Order Statistics, section 7.1).

Load hurts the two sides of a ratio differently, so the interval alone would sometimes fail good
code. The best of one against the best of the other is the second opinion: code fails only when
both say so. And a bar is at most half of what the author measured.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from guide.judge.manifest import Bars

Decision = Literal["fast", "slow", "waived", "undecided"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast: the median of the rounds, its 95 % interval, best against best."""

    low: float
    median: float
    high: float
    best: float

    def clears(self, bar: float) -> bool:
        """Whether it is surely at least `bar`."""
        return self.low >= bar

    def misses(self, bar: float) -> bool:
        """Whether it is surely below `bar`, by both opinions."""
        return self.high < bar and self.best < bar


def ratio(slow: Sequence[float], fast: Sequence[float]) -> Ratio:
    """How many times as fast `fast` is as `slow`: paired samples, one pair a round.

    >>> ratio([8.0] * 9, [2.0] * 9)
    Ratio(low=4.0, median=4.0, high=4.0, best=4.0)
    """
    each = sorted(a / b for a, b in zip(slow, fast, strict=True))
    k = rank(len(each))
    low, high = (each[k - 1], each[-k]) if k else (0.0, math.inf)
    return Ratio(low, statistics.median(each), high, min(slow) / min(fast))


def rank(n: int, confidence: float = 0.95) -> int:
    """The k for which the median lies between the k-th smallest and the k-th largest of n.

    0 where n is too small to say so with this confidence.

    >>> rank(5), rank(6), rank(9), rank(17)
    (0, 1, 2, 5)
    """
    k, below = 0, 0.0
    while True:
        below += math.comb(n, k) / 2**n  # the chance of at most k on one side
        if 2 * below > 1 - confidence:
            return k
        k += 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rounds say so far."""

    decision: Decision
    over_naive: Ratio
    of_reference: Ratio
    effect: Ratio  # of the reference over naive


def decide(
    naive: Sequence[float], reference: Sequence[float], yours: Sequence[float], bars: Bars
) -> Standing:
    """Fast when it clears either bar, slow when it misses both, undecided in between.

    Waived when it is not fast and the reference itself shows too little effect here.
    """
    over = ratio(naive, yours)
    share = ratio(reference, yours)
    effect = ratio(naive, reference)
    decision: Decision = "undecided"
    if over.clears(bars.over_naive) or share.clears(bars.of_reference):
        decision = "fast"
    elif effect.misses(bars.effect_floor):
        decision = "waived"
    elif over.misses(bars.over_naive) and share.misses(bars.of_reference):
        decision = "slow"
    # A share of a reference that is hardly better than naive is no achievement.
    if decision == "fast" and not over.clears(bars.over_naive) and effect.misses(bars.effect_floor):
        decision = "waived"
    return Standing(decision, over, share, effect)

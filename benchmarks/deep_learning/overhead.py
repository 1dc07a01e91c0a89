"""What a loop adds to a step of the loop everybody writes: ours, and those of frameworks.

All loops train the same small network on the same batches, in one process and one thread, and take
turns in an order drawn anew each round. The source of the batches stamps each fetch, so that every
step of every loop is timed alike; of a turn its median step counts, and once more the mean, in a
turn long enough to hold all that ours does now and then. A difference is taken within a round;
given are the median of them and the interval that holds the true median with 95 %, by order
statistics, which assumes nothing about the noise. A second plain loop says what can be resolved.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.apart import run
from benchmarks.deep_learning.scale import Scale
from benchmarks.rows import Row

LONG, SHORT = 512, 128  # steps of a turn: of the loops compared closely, of frameworks
PLAIN, AGAIN, TIGHT, OURS = "plain", "plain again", "tight", "ours"
GOAL_US, GOAL_SHARE = 8.0, 0.01
FEWEST = 20  # rounds that a verdict takes
REPEATS = 2000  # of a part; a tenth where it is only to be seen that it runs


def rows(scale: Scale) -> Iterator[Row]:
    """Ours, what it consists of, and every framework, over the plain loop."""
    one_thread = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    repeats = REPEATS // 10 if scale.quick else REPEATS
    found = run("deep_learning.overhead:measure", one_thread, rounds=scale.rounds, repeats=repeats)
    steps: dict[str, list[float]] = found["typical"]
    means: dict[str, list[float]] = found["mean"]
    plain_us = 1e6 * statistics.median(steps[PLAIN])
    peer = f"plain {plain_us:.0f} us"

    figure = "a step of a second plain loop: what this machine can resolve"
    yield _over(figure, steps[AGAIN], steps[PLAIN], peer)
    goal = f"at most {GOAL_US:.0f} us or 1 %, and the interval reaches 1.00"
    yield _over("a step of ours", steps[OURS], steps[PLAIN], peer, goal)
    figure = "the same in the mean, with what is done only now and then"
    yield _over(figure, means[OURS], means[PLAIN], peer)
    tight = f"{1e6 * statistics.median(steps[TIGHT]):.0f} us"
    figure = "a step of ours, over a plain loop that lets go of gradients as ours does"
    yield _over(figure, steps[OURS], steps[TIGHT], tight)

    parts = found["parts"]
    hot_us, cold_us = (sum(part[i] for part in parts) for i in (1, 2))
    figure = "sum of the parts of ours, each timed right after a step"
    met = None if scale.quick else cold_us <= max(GOAL_US, GOAL_SHARE * plain_us)
    share = f"{100 * cold_us / plain_us:.1f} % of a step"
    yield Row(figure, f"{cold_us:.1f} us, hot {hot_us:.1f} us", share, None, "as above", met)
    for name, hot_us, cold_us in parts:
        yield Row(f"part: {name}", f"{cold_us:.2f} us, hot {hot_us:.2f} us", "-", None, "-", None)
    (_, called_hot, called), (_, hand_hot, hand) = found["let go"]
    yield Row(
        "letting go of the gradients, in place of `zero_grad`",
        f"{hand:.2f} us, hot {hand_hot:.2f} us",
        f"zero_grad {called:.2f} us, hot {called_hot:.2f} us",
        hand / called,
        "-",
        None,
    )
    for name, took in steps.items():
        if name not in (PLAIN, AGAIN, TIGHT, OURS):
            yield _over(f"peer: a step of {name}", took, steps[PLAIN], peer, theirs=True)
    for name, why in found["failed"].items():
        yield Row(f"peer: a step of {name}", "-", why, None, "-", None)


def measure(rounds: int, repeats: int) -> dict[str, Any]:
    """Seconds of a step, of every loop in every round; and the parts of ours."""
    import torch

    from benchmarks.deep_learning.costs import costs, let_go
    from benchmarks.deep_learning.frameworks import FRAMEWORKS
    from benchmarks.deep_learning.loops import Source, Turn, ours, plain, tight

    torch.set_num_threads(1)
    loops = {PLAIN: plain, AGAIN: plain, TIGHT: tight, OURS: ours, **FRAMEWORKS}
    sources, failed = {}, {}
    for name, loop in loops.items():
        source = Source(loop)
        try:
            source.turn(SHORT)  # warms it up; not counted
        except Exception as error:  # a peer that is not there, or not in this version
            if name not in FRAMEWORKS:
                raise
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            continue
        sources[name] = source

    turns: dict[str, list[Turn]] = {name: [] for name in sources}
    order = list(sources)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            turns[name].append(sources[name].turn(SHORT if name in FRAMEWORKS else LONG))
    return {
        "typical": {name: [turn.typical for turn in turns[name]] for name in turns},
        "mean": {name: [turn.mean for turn in turns[name]] for name in turns},
        "failed": failed,
        "parts": list(costs(repeats)),
        "let go": let_go(repeats),
    }


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Between which the true median lies with 95 %, whatever the distribution.

    The k-th smallest and the k-th largest enclose it unless, of n tossed coins, fewer than k fall
    on one side; k is the largest for which that is rarer than 5 %. Of fewer than 6 values it is
    their whole range, and holds the median less often.
    """
    ordered = sorted(values)
    n, k, chance = len(ordered), 0, 0.0
    while (chance := chance + math.comb(n, k) / 2**n) <= 0.025:
        k += 1
    k = max(k, 1)
    return ordered[k - 1], ordered[n - k]


def _over(
    figure: str,
    ours: Sequence[float],
    base: Sequence[float],
    peer: str,
    goal: str = "-",
    *,
    theirs: bool = False,
) -> Row:
    added = [1e6 * (a - b) for a, b in zip(ours, base, strict=True)]
    ratios = [a / b for a, b in zip(ours, base, strict=True)]
    (least, most), (low, high) = interval(added), interval(ratios)
    median, ratio = statistics.median(added), statistics.median(ratios)
    text = f"{median:+.1f} us [{least:+.1f}, {most:+.1f}]"
    met = None
    if goal != "-" and len(added) >= FEWEST:
        base_us = 1e6 * statistics.median(base)
        met = median <= max(GOAL_US, GOAL_SHARE * base_us) and low <= 1
    shown = ("-", f"{text} over {peer}") if theirs else (text, peer)
    return Row(figure, *shown, ratio, goal, met, f"95 %: {low:.3f} to {high:.3f}")

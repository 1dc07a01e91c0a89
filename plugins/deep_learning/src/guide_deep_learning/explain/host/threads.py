"""More threads than there are cores."""

from __future__ import annotations

from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.facts import host, on_cpu

_WORD = Word(
    "oversubscription", "more threads than cores: all of them wait for one that has lost its core"
)


def oversubscribed(trace: Trace) -> list[Verdict]:
    """Whether torch computes with more threads than this process may use cores."""
    if not on_cpu(trace):
        return []
    seen = host(trace)
    threads, cores = seen.figure("threads", 0), seen.figure("cores", 0)
    if not cores or threads <= cores:
        return []
    others = seen.figure("others", 0)
    with_ns, fewer_ns = seen.tried("threads")
    tried = with_ns > 0
    fewer = seen.tried_threads or cores
    share = 1 - fewer_ns / with_ns if tried else 0.5 * (1 - cores / threads)
    gain_ns = max(round(share * seen.step_ns), 0)
    said = f"torch computes with {threads:.0f} threads on {cores:.0f} cores"
    found = (
        f"; with {fewer:.0f} of them a step took {fewer_ns / 1e6:.3g} ms, not {with_ns / 1e6:.3g}."
        if tried
        else "; how much that costs was not tried."
    )
    return [
        Verdict(
            "more threads than cores",
            said + found,
            gain_ns,
            why="The threads of an operator meet at its end. Those without a core are waited for "
            "by those that have one, at each of hundreds of operators a step.",
            remedy=f"torch.set_num_threads({fewer:.0f}), or OMP_NUM_THREADS={fewer:.0f} before it "
            "starts; of several processes each gets its part of the cores.",
            check="guide doctor says how many threads torch takes and how many cores it may use.",
            sure="sure" if tried else "perhaps",
            evidence=(
                ("threads", f"{threads:.0f}"),
                ("cores this process may use", f"{cores:.0f}"),
                *((("cores other programs kept busy", f"{others:.1f}"),) * (fewer < cores)),
                *(
                    ((f"tried, with {fewer:.0f}", f"{fewer_ns / 1e6:.3g} ms a step"),)
                    if tried
                    else ()
                ),
            ),
            word=_WORD,
            teaches=("m2/s11", "m2/s0"),
        )
    ]

"""What this machine can give at most: the serial work in two processes that share nothing.

Two cores are seldom twice one: they share caches, memory, a clock and often the core itself. So
no pipeline on two threads is measured against 2, but against two copies of the one-thread loop
that run at once: efficiency = throughput of the pipeline / both copies' throughput together.
"""

from __future__ import annotations

from benchmarks.apart import Apart

COPIES = 2


def together(clip: str, frames: int, warm_up: int, variant: str = "peers:one_thread") -> float:
    """Frames a second of all copies, from the first that begins to the last that is done."""
    copies = [
        Apart("vision.meter:throughput", variant=variant, clip=clip, frames=frames, warm_up=warm_up,
              wait=True)
        for _ in range(COPIES)
    ]  # fmt: skip
    for copy in copies:
        while (line := copy.line()) != "ready":
            if not line:
                break  # it ended; its result says why
    for copy in copies:
        copy.go()
    results = [copy.result() for copy in copies]
    began = min(result["began"] for result in results)
    ended = max(result["ended"] for result in results)
    return COPIES * frames / (ended - began)

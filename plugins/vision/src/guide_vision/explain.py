"""Rules that explain the run of a pipeline: what its spans, facts and latencies have in common.

They read what `pipeline.stated` states and the spans that a pipeline records: "capture" for the
source, one for each stage, "wait" for the loop that had nothing to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from guide.foundations.rules.seen import Seen, places
from guide.plugin import Verdict, Word
from guide.units import duration, percent

_FULL = 0.85
"""The share of the run that a stage must be busy to be called what limits: the rest of the time a
frame is handed over, or the machine does something else."""

_ALONE = 1.1
"""Workers in a stage, on average, from which several frames are in it at once: then it is no queue
at a single counter."""

_WORTH = 0.1
"""The share of a period that a better balance must give to be worth a change."""

_COSTS = 0.03
"""What OpenCV's threads cost beside the pipeline's own, as a share of a frame: with two workers
and four threads each on two cores, the same frames take three hundredths more processor time.
`benchmarks/explain/loops.py` measures it; the figure cv-threads of section m2/s16 does here."""

_REPLACED = 0.05
"""The share of a live source's frames that must be lost before it is said."""

_PARTS = 5
"""Parts of a run in each of which the latency must have grown; see `guide.foundations.rules`."""

_SLOWING = 0.3
"""The last growth, as a share of the largest, below which it is coming to rest: a queue is full."""

_GROWN = 2.0
"""How many times what it began at the latency must end at."""

_CALM = 0.25
"""Workers that stand in line for a processor, on average and for each: above it spans say more of
the machine than of the stages."""

_LIMIT = Word("bottleneck", "The stage that is always busy: all others wait for it.")


def limiting_stage(record: Mapping[str, Any]) -> list[Verdict]:
    """The stage that a pipeline of several threads waits for, and what a better balance gives.

    A worker belongs to no stage, so the work of all stages spreads over the workers by itself,
    except that a stage which remembers something takes one frame at a time: a frame cannot come
    more often than the longest of those allows.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    facts = record.get("facts") or {}
    workers = facts.get("workers")
    if not seen.tells or seen.paced or not isinstance(workers, int) or workers < 2:
        return []
    period_ns = seen.wall_ns / seen.ticks
    stages = {
        name: float(span["total_ns"]) / seen.ticks
        for name, span in seen.spans.items()
        if span["beside"] and name not in ("gc", "wait") and not name.startswith("gpu")
    }
    if len(stages) < 2 or not period_ns:
        return []
    name = max(stages, key=lambda stage: stages[stage])
    several = name in str(facts.get("parallel stages", "")).split(", ")
    busy = stages[name] / period_ns
    if several or not _FULL <= busy <= _ALONE:
        return []
    in_line = 1e9 * seen.totals.get("threads.delay", 0.0) / seen.wall_ns
    if in_line > _CALM * workers:
        return []  # what a stage takes is then what others leave it
    others = [ns for stage, ns in stages.items() if stage != name]
    # Cut in two it could be half as long; shared out at best, all work over all that may do it,
    # and what of it computes over the cores
    cpu_ns = 1e9 * seen.totals.get("cpu", 0.0) / seen.ticks / max(seen.cores, 1)
    possible_ns = max(sum(stages.values()) / workers, cpu_ns, stages[name] / 2, *others)
    given_ns = period_ns - possible_ns
    if given_ns < _WORTH * period_ns:
        return []
    waited = seen.spans.get("wait")
    evidence = [
        *seen.evidence,
        ("a frame every", duration(period_ns)),
        *((f"{stage}, a frame", duration(ns)) for stage, ns in stages.items()),
        (f"{name} busy", percent(busy, 1)),
        ("workers", f"{workers}"),
        ("given back", f"the period less {duration(possible_ns)}: {name} cut in two equal halves"),
    ]
    if waited:
        evidence.append(("the loop waits, a frame", duration(seen.a_tick(waited["total_ns"]))))
    return [
        Verdict(
            "one stage limits the pipeline",
            f"{name} takes {duration(stages[name])} and is busy {percent(busy, 1)} of the run, one "
            f"frame at a time: all others wait for it.",
            round(given_ns),
            why="A stage that remembers something takes frames one by one and in order, so its "
            "length is the pipeline's period; more workers change nothing.",
            remedy=f"Cut {name} into two stages of equal length, or say parallel = True on it if "
            "it remembers nothing from frame to frame.",
            check="Run again: frames come more often, and the longest stage is less busy.",
            sure="sure",
            where=places(record, [name]),
            evidence=tuple(evidence),
            word=_LIMIT,
            teaches=("m2/s16", "m2/s0"),
        )
    ]


def cv_threads(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether OpenCV splits its calls over cores that the pipeline's own threads are on.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    facts = record.get("facts") or {}
    threads, workers = facts.get("OpenCV threads"), facts.get("workers")
    if not isinstance(threads, int) or not isinstance(workers, int) or not seen.tells:
        return []
    if threads < 2 or workers < 2 or threads * workers <= seen.cores or not seen.bound:
        return []
    period_ns = seen.wall_ns / seen.ticks
    return [
        Verdict(
            "OpenCV's threads fight with the pipeline's",
            f"{workers} workers call OpenCV, which splits each call over {threads} threads: "
            f"{threads * workers} for {seen.cores} cores.",
            round(_COSTS * period_ns),
            why="A call that is cut in two wakes another core, which has a frame of its own, and "
            "waits for the slower half. On two cores that costs little; guide read m2/s16 measures "
            "it on this machine.",
            remedy="Call cv2.setNumThreads(1), or guide_vision.pipeline.use_threads(1), and leave "
            "it there: a stage has set it higher.",
            check="Run again: less CPU time a frame, and no fewer frames.",
            sure="likely",
            evidence=(
                *seen.evidence,
                ("OpenCV threads", f"{threads}"),
                ("workers", f"{workers}"),
                ("cores", f"{seen.cores}"),
                ("CPU, a frame", duration(1e9 * seen.totals.get("cpu", 0.0) / seen.ticks)),
                (
                    "given back",
                    f"{percent(_COSTS, 1)} of a frame: what it cost where it was measured",
                ),
            ),
            word=Word("oversubscription", "More threads that compute than cores."),
            teaches=("m2/s16",),
        )
    ]


def frames_replaced(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether a live source makes frames faster than the pipeline can take them.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    facts = record.get("facts") or {}
    captured, replaced = facts.get("frames captured"), facts.get("frames replaced")
    if not isinstance(captured, int) or not isinstance(replaced, int) or not seen.tells:
        return []
    if not facts.get("live") or replaced < _REPLACED * captured:
        return []
    source_ns = seen.wall_ns / captured
    stages = {n: s for n, s in seen.spans.items() if n not in ("capture", "wait", "gc")}
    name = max(stages, key=lambda stage: stages[stage]["total_ns"], default="")
    given_ns = max(seen.wall_ns / seen.ticks - source_ns, 0)
    slow = f"; {name} takes {duration(stages[name]['mean_ns'])} of each it gets" if name else ""
    return [
        Verdict(
            "frames are lost",
            f"{replaced:,} of {captured:,} frames ({percent(replaced, captured)}) were replaced by "
            f"newer ones before anybody looked at them: one comes every {duration(source_ns)}"
            f"{slow}.",
            round(given_ns),
            why="A live source goes on. What is not fetched in time makes way for what is newer, "
            "so the picture stays young and the count goes down.",
            remedy=f"Make {name or 'the work'} cheaper than the period, work on every n-th frame "
            "on purpose (link=Sample(n)), or give it workers.",
            check="Run again: the books in the report say replaced 0.",
            sure="sure",
            where=places(record, [name] if name else []),
            evidence=(
                *seen.evidence,
                ("captured", f"{captured:,}"),
                ("replaced", f"{replaced:,}"),
                ("given back", "the time between frames taken, less that between frames made"),
            ),
            word=Word("dropped frame", "One that was captured and never looked at."),
            teaches=("m4/s16",),
            pressing=True,
        )
    ]


def latency_grows(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether each frame is older than the one before: a queue that keeps what is out of date.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    facts = record.get("facts") or {}
    series = (record.get("series") or {}).get("latency") or {"values": [], "unit": ""}
    values = [v for v in series["values"] if v is not None]
    if not seen.tells or series["unit"] != "ms" or len(values) < _PARTS * 10:
        return []
    size = len(values) // _PARTS
    youngest = [min(values[i * size : (i + 1) * size]) for i in range(_PARTS)]
    steps = [after - before for before, after in pairwise(youngest)]
    # A recording can wait: its frames grow as old as there are slots, and no older
    if min(steps) <= 0 or steps[-1] < _SLOWING * max(steps) or facts.get("live") == 0:
        return []
    if youngest[-1] < _GROWN * max(youngest[0], 1e-3) or youngest[-1] * 1e6 < seen.wall_ns / 100:
        return []
    given_ns = (sum(values) / len(values) - youngest[0]) * 1e6
    return [
        Verdict(
            "latency grows",
            f"Frames grow older and older: {youngest[0]:.3g} ms at first, {youngest[-1]:.3g} ms "
            "at the end.",
            round(given_ns),
            why="They come faster than they are worked on, and a queue keeps them all: in a "
            "driver, a socket, or between two threads.",
            remedy='Take the newest and let the others go: Pipeline(..., link="latest").',
            check="Run again: the latency in the report runs level.",
            sure="sure",
            evidence=(
                *seen.evidence,
                ("link", str(facts.get("link", "not stated"))),
                *(
                    (f"youngest in part {i + 1} of 5", f"{v:.3g} ms")
                    for i, v in enumerate(youngest)
                ),
                ("given back", "the mean age of a frame, less that of the first"),
            ),
            word=Word("latency", "How old a picture is when it is shown."),
            teaches=("m4/s16", "m4::e0"),
            pressing=True,
        )
    ]

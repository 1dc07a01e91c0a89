"""Traces with a GPU: simulated ones whose faults are known, and real ones from a folder.

    python -m benchmarks.explain device
    TRACES=folder python -m benchmarks.explain device

A folder of real traces holds `truth.json`: {"file.json.gz": {"cause": ["launch-bound"],
"decoys": ["a title"]}}. A trace is named if the first verdict worth mending has one of the titles
of "cause"; an empty list means that nothing is wrong with it. A decoy is blamed if a verdict worth
mending has its title.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.explain.mixtures import outcomes
from benchmarks.rows import Row
from guide.explain.reading import read_trace
from guide.explain.trace import Trace
from guide.plugin import Verdict, load
from guide_deep_learning.explain.device.rules import DEVICE
from tests.plugins.deep_learning.explain.programs import HEALTHY, PLANTED, Case

_NEAR = 0.25


def explained(trace: Trace) -> list[Verdict]:
    """What the rules find worth mending, most first."""
    found = [verdict for rule in DEVICE for verdict in load(rule.rule)(trace)]
    worth = [verdict for verdict in found if verdict.recoverable_ns]
    return sorted(worth, key=lambda verdict: -verdict.recoverable_ns)


def rows(quick: bool = False) -> Iterator[Row]:
    """The simulated cases, and the real ones where TRACES names a folder of them."""
    planted = PLANTED[:8] if quick else PLANTED
    yield from _simulated(planted, HEALTHY)
    yield from _mixed(40 if quick else 300)
    folder = os.environ.get("TRACES")
    if folder:
        yield from _real(Path(folder))


def _simulated(planted: Iterable[Case], healthy: Iterable[Case]) -> Iterator[Row]:
    named, alarms, far, count, cases = 0, [], [], 0, list(planted)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for case in cases:
            said = explained(read_trace(case.write(folder)))
            right = bool(said) and said[0].title in case.causes
            named += right
            if not right:
                print(f"  {case.name}: said {[v.title for v in said[:1]]}, was {case.causes}")
            twin = case.twin.run().write(folder / "twin.json", **case.written)
            # The twin of a program that the host limits may be limited by it too, only less
            blamed = {v.title for v in explained(read_trace(twin))} & set(case.causes)
            alarms += [case.name] if blamed - {"launch-bound"} else []
            if right and case.predicted:
                count += 1
                ratio = said[0].recoverable_ns / 1e3 / case.gain_us
                far += [] if abs(ratio - 1) <= _NEAR else [f"{case.name} {ratio:.2f}"]
        looked = list(healthy)
        for case in looked:
            if explained(read_trace(case.write(folder))):
                alarms.append(case.name)
    yield _share("simulated GPU traces: cause named first", named, len(cases))
    yield _share("predicted gain within 25 % of the true one", count - len(far), count, far)
    total = len(cases) + len(looked)
    yield _share("sound and decoys: nothing blamed", total - len(alarms), total, alarms)


def _mixed(count: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        drawn = list(outcomes(count, 7, Path(folder), explained))
    wrong = [each.told for each in drawn if not each.right]
    ratios = [each.ratio for each in drawn if each.ratio is not None]
    near = sum(abs(ratio - 1) <= _NEAR for ratio in ratios)
    for told in wrong:
        print(f"  mixture: {told}")
    figure = "up to three faults at once: the worst named first"
    yield _share(figure, count - len(wrong), count, least=0.95)
    low, middle, high = statistics.quantiles(ratios, n=4)
    quartiles = f"{low:.2f}, {middle:.2f}, {high:.2f}"
    yield _share("their gain within 25 % of the true one", near, len(ratios), [quartiles], 0.9)


def _real(folder: Path) -> Iterator[Row]:
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    wrong, blamed = [], []
    for name, said in truth.items():
        found = explained(read_trace(folder / name))
        first = found[0].title if found else ""
        causes = said.get("cause", [])
        if first not in causes and (causes or first):
            wrong.append(f"{name}: {first or 'healthy'}")
        decoys = {verdict.title for verdict in found} & set(said.get("decoys", []))
        blamed += [f"{name}: {title}" for title in sorted(decoys)]
        print(f"  {name}: {', '.join(_told(verdict) for verdict in found) or 'healthy'}")
    total = len(truth)
    yield _share("real GPU traces: top cause named", total - len(wrong), total, wrong, least=0.8)
    yield _share("real GPU traces: no decoy blamed", total - len(blamed), total, blamed)


def _told(verdict: Verdict) -> str:
    return f"{verdict.title} {verdict.recoverable_ns / 1e6:.3g} ms"


def _share(
    figure: str, good: int, total: int, others: Iterable[str] = (), least: float = 1.0
) -> Row:
    goal = "all" if least == 1.0 else f"{least:.0%}"
    return Row(
        figure,
        f"{good} of {total}",
        "",
        None,
        goal,
        good >= least * total,
        ", ".join(others),
    )

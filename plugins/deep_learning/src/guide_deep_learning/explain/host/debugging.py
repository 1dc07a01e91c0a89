"""Anomaly detection that was left on."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.facts import host, on_cpu

_CHECKS = ("aten::isnan", "aten::_is_any_true", "aten::item", "aten::any", "aten::ne")
_AGREES = 0.5  # of what the trace shows: a trial that won less was disturbed
_OTHERS = 0.5  # processors that others keep busy, from which on a trial may have been
_WORD = Word(
    "anomaly mode", "autograd notes a stack at each operator and looks for NaN in each gradient"
)


def anomaly_mode(trace: Trace) -> list[Verdict]:
    """Whether autograd looks for NaN in each gradient."""
    if not on_cpu(trace):
        return []
    events, seen = trace.events, host(trace)
    operators = events.of("op")
    operators = operators[seen.here[operators]]
    marks = events.named("aten::_is_any_true", "aten::isnan", among=operators)
    engine = np.array(
        [
            seen.parent[i] >= 0 and "autograd::engine" in events.name_of(int(seen.parent[i]))
            for i in marks.tolist()
        ],
        bool,
    )
    if engine.sum() < 3 * len(trace.steps):
        return []
    looks = events.named(*_CHECKS, among=operators)
    parents = seen.parent[looks]
    mine = np.array(
        [p >= 0 and "autograd::engine" in events.name_of(int(p)) for p in parents.tolist()], bool
    )
    python = events.of("python")
    stacks = events.named("traceback.py(", among=python[seen.here[python]])
    stacks = seen.outermost(stacks)
    looked_ns, noted_ns = seen.even_ns(looks[mine]), seen.even_ns(stacks)
    shown_ns = min(looked_ns + noted_ns, round(0.9 * seen.step_ns))
    with_ns, without_ns = seen.tried("anomaly")
    tried_ns = max(round((1 - without_ns / with_ns) * seen.step_ns), 0) if with_ns else 0
    took_ns = tried_ns or shown_ns
    disturbed = seen.figure("others", 0) >= _OTHERS
    told = ""
    if with_ns and tried_ns < _AGREES * shown_ns:
        took_ns = shown_ns
        told = f" That is what the trace shows; tried, it was {tried_ns / 1e6:.3g} ms."
    elif not (with_ns or len(stacks)):
        told = " The stacks it notes are not in this trace."
    return [
        Verdict(
            "anomaly detection left on",
            f"Autograd notes where each operator came from and looks for NaN in each gradient: "
            f"{took_ns / 1e6:.3g} ms of a step, {seen.share(took_ns)} of it.{told}",
            took_ns,
            why="torch.autograd.set_detect_anomaly(True) is for finding where a NaN comes from. "
            "It makes a step several times slower, and changes no result.",
            remedy="Take set_detect_anomaly(True) and detect_anomaly() out, or put them behind a "
            "switch that is off.",
            check="aten::_is_any_true is gone from the next trace.",
            sure="likely" if disturbed or took_ns != tried_ns else "sure",
            where=seen.calls("set_detect_anomaly", "detect_anomaly"),
            evidence=(
                ("stacks noted", f"{noted_ns / 1e6:.3g} ms a step"),
                ("gradients looked at", f"{looked_ns / 1e6:.3g} ms a step"),
                *((("tried, left on", f"{with_ns / 1e6:.3g} ms a step"),) * bool(with_ns)),
                *((("tried, switched off", f"{without_ns / 1e6:.3g} ms a step"),) * bool(with_ns)),
                ("gradients", f"{round(engine.sum() / len(trace.steps))} a step"),
            ),
            word=_WORD,
            teaches=("m5/s2", "m1/s1"),
            pins=seen.pins(np.concatenate((stacks, looks[mine]))),
        )
    ]

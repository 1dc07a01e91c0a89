"""The names of the rules, as data: importing this loads none of them."""

from __future__ import annotations

from guide.plugin import Diagnosis

_HERE = "guide_deep_learning.explain.device"


def _rule(name: str, module: str, function: str) -> Diagnosis:
    return Diagnosis(name, f"{_HERE}.{module}:{function}", "trace")


DEVICE = (
    _rule("waiting for data", "loading", "waiting_for_data"),
    _rule("stalls", "syncs", "stalls"),
    _rule("Python-bound", "launching", "python_bound"),
    _rule("optimizer loop", "launching", "optimizer_loop"),
    _rule("launch-bound", "launching", "launch_bound"),
    _rule("communication", "communicating", "communication"),
    _rule("no tensor cores", "computing", "no_tensor_cores"),
    _rule("layout transforms", "computing", "layout_thrash"),
    _rule("elementwise work", "computing", "elementwise"),
)

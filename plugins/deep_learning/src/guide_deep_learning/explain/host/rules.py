"""The rules for traces of the CPU, for `plugin.py`: names alone, nothing is loaded here."""

from __future__ import annotations

from guide.plugin import Diagnosis

_RULES = "guide_deep_learning.explain.host"

HOST = tuple(
    Diagnosis(name, f"{_RULES}.{rule}", reads="trace")
    for name, rule in (
        ("waiting for data", "feeding:waiting_for_data"),
        ("optimizer loop", "optimizer:optimizer_loop"),
    )
)

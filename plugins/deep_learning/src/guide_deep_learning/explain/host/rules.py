"""The rules for traces of the CPU, for `plugin.py`: names alone, nothing is loaded here."""

from __future__ import annotations

from guide.plugin import Diagnosis

_RULES = "guide_deep_learning.explain.host"

HOST = tuple(
    Diagnosis(name, f"{_RULES}.{rule}", reads="trace")
    for name, rule in (
        ("waiting for data", "feeding:waiting_for_data"),
        ("optimizer loop", "optimizer:optimizer_loop"),
        ("values one by one", "reading_values:values_one_by_one"),
        ("numbers for a log", "looking:looked_at"),
        ("data-dependent shapes", "shapes:data_dependent_shapes"),
        ("anomaly mode", "debugging:anomaly_mode"),
        ("recompiling", "recompiling:recompiling"),
        ("oversubscription", "threads:oversubscribed"),
        ("Python-bound", "pace:python_bound"),
        ("a loop over operators", "looping:looping"),
        ("small operators", "pace:small_operators"),
        ("copies", "memory:copies"),
        ("elementwise", "memory:elementwise"),
        ("one operator", "memory:one_operator"),
        ("steps that are longer", "seldom:seldom"),
        ("largest operators", "largest:largest_operators"),
    )
)

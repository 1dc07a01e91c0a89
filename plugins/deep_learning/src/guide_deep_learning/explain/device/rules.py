"""The names of the rules, as data: importing this loads none of them."""

from __future__ import annotations

from guide.plugin import Diagnosis

_HERE = "guide_deep_learning.explain.device"


def _rule(name: str, module: str, function: str) -> Diagnosis:
    return Diagnosis(name, f"{_HERE}.{module}:{function}", "trace")


DEVICE = (
    _rule("waiting for data", "loading", "waiting_for_data"),
    _rule("stalls", "syncs", "stalls"),
    _rule("debug left on", "allocating", "debug_left_on"),
    _rule("recompiling", "allocating", "recompiling"),
    _rule("allocator churn", "allocating", "allocator_churn"),
    _rule("warm-up", "allocating", "warm_up"),
    _rule("work on the CPU", "launching", "on_the_cpu"),
    _rule("Python-bound", "launching", "python_bound"),
    _rule("optimizer loop", "launching", "optimizer_loop"),
    _rule("launch-bound", "launching", "launch_bound"),
    _rule("copies to the GPU", "copying", "copies_in"),
    _rule("copies to the host", "copying", "copies_back"),
    _rule("copies within the GPU", "copying", "copies_within"),
    _rule("communication", "communicating", "communication"),
    _rule("no tensor cores", "computing", "no_tensor_cores"),
    _rule("misaligned products", "computing", "misaligned"),
    _rule("unfused attention", "computing", "unfused_attention"),
    _rule("layout transforms", "computing", "layout_thrash"),
    _rule("elementwise work", "computing", "elementwise"),
    _rule("one kernel", "health", "one_kernel"),
    _rule("devices in turn", "health", "taking_turns"),
    _rule("GPU-bound", "health", "gpu_bound"),
)

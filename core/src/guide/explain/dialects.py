"""What each tool calls what: categories of torch since 1.9, of AMD's GPUs, of runs of our own.

And which trace is another tool's: what it holds that torch's and ours do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from guide.explain.trace import CATEGORIES, Ints

_SAID = {
    "cpu_op": "op",
    "operator": "op",  # torch 1.9
    "cuda_runtime": "runtime",
    "cuda_driver": "runtime",
    "hip_runtime": "runtime",
    "xpu_runtime": "runtime",
    "xpu_driver": "runtime",
    "mtia_runtime": "runtime",
    "privateuse1_runtime": "runtime",
    "privateuse1_driver": "runtime",
    "runtime": "runtime",
    "kernel": "kernel",
    "concurrent_kernel": "kernel",
    "gpu_memcpy": "memcpy",
    "memcpy": "memcpy",
    "gpu_memset": "memset",
    "memset": "memset",
    "user_annotation": "annotation",
    "gpu_user_annotation": "device annotation",
    "python_function": "python",
}
_NUMBER = {name: number for number, name in enumerate(CATEGORIES)}
OTHER = _NUMBER["other"]
SPAN = _NUMBER["span"]
_KERNEL = _NUMBER["kernel"]
_RUNTIME = ("cuda", "hip", "cuLaunch", "cuMem", "cuStream", "cuEvent")
_SYNCS = "cuda_sync"  # waits, drawn on a stream: no work
# As an AMD GPU's copies were called before they had categories of their own
_COPIES = ("Memcpy", "Copy", "hipMemcpy")
_FILLS = ("Memset", "FillBuffer", "hipMemset")

_STEPS = ("ProfilerStep#", "Optimizer.step#")

_TOOLS = {  # by an entry that stands beside the events
    "$schema": "a profile of speedscope",
    "viztracer_metadata": "a trace of VizTracer",
    "timeDeltas": "a profile of V8",
    "root_frame": "a profile of pyinstrument",
    "growth_rate": "a profile of Scalene",
    "otherData": "a trace of Chrome's format by another tool",
}


def is_known(said: str) -> bool:
    """Whether a category says all by itself, whatever the event."""
    return said.lower() in _SAID


def category(event: Mapping[str, Any], args: Mapping[str, Any]) -> int:
    """What an event is, as a number in CATEGORIES."""
    said, name = event.get("cat"), str(event.get("name", ""))
    if said is None:
        return _uncategorised(event, args, name)
    said = str(said).lower()
    known = _SAID.get(said)
    if known is not None:
        return _NUMBER[known]
    if said == _SYNCS:
        return OTHER
    if "stream" in args and "device" in args:
        return _KERNEL
    return _NUMBER["runtime"] if name.startswith(_RUNTIME) else OTHER


def _uncategorised(event: Mapping[str, Any], args: Mapping[str, Any], name: str) -> int:
    # torch's profiler from before kineto has two processes, of these names
    match event.get("pid"):
        case "CPU functions":
            return _NUMBER["op"]
        case "CUDA functions":
            return _KERNEL
    return _NUMBER["tick"] if name == "tick" and "late_us" in args else SPAN


def refined(category: Ints, name: Ints, names: list[str]) -> Ints:
    """Categories once more: copies and fills that a tool called kernels, by their names."""
    found = category.copy()
    for prefixes, number in ((_COPIES, _NUMBER["memcpy"]), (_FILLS, _NUMBER["memset"])):
        such = np.fromiter((each.startswith(prefixes) for each in names), bool, len(names))
        found[(category == _KERNEL) & such[name]] = number
    return found


def is_step(name: str) -> bool:
    """Whether an event of that name says where a step is."""
    return name.startswith(_STEPS) or name == "tick"


def tool(keys: Mapping[str, Any], processes: set[str]) -> str:
    """Which other tool a file is of, "" where that cannot be told.

    Args:
        keys: the entries beside the events.
        processes: what it calls them.
    """
    for key, what in _TOOLS.items():
        if key in keys:
            return what
    if any(name.startswith(("/host:", "/device:")) for name in processes):
        return "a trace of JAX or TensorFlow"
    return ""

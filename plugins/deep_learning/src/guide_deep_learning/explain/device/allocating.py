"""What belongs to the first step alone, met in others: memory, code, compiling, debugging."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.device import names
from guide_deep_learning.explain.device.facts import Facts, facts_of
from guide_deep_learning.explain.device.telling import (
    each,
    gaps_in,
    lines,
    lines_open,
    of_step,
    usual,
)

_EARLY = 1 / 3  # of a trace without steps: what lies only there is a start, and no habit


def allocator_churn(trace: Trace) -> list[Verdict]:
    """Memory asked of the driver in the midst of training."""
    facts = facts_of(trace)
    gain = facts.shares.shared.get("allocator", 0) if facts else 0
    if facts is None or not facts.matters(gain) or starts_up(facts, "allocator"):
        return []
    calls = [
        i
        for i in trace.events.of("runtime").tolist()
        if trace.in_steps[i] and names.ALLOCATE.search(trace.events.name_of(i))
    ]
    count = len(calls) / facts.steps
    return [
        Verdict(
            "allocator churn",
            f"Memory is asked of the driver or given back to it {count:.3g} times in "
            f"{each(facts)} (cudaMalloc, cudaFree); that costs {of_step(facts, gain)}.",
            facts.per_step(gain),
            "torch keeps freed blocks to use them again. When none fits, because sizes change or "
            "memory is full, it goes to the driver, which waits until the GPU is idle.",
            "Keep shapes the same (pad, or buckets of lengths); no torch.cuda.empty_cache() in "
            "the step; PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True.",
            "In the next trace there is no cudaMalloc and no cudaFree after the first steps.",
            "sure",
            lines(facts, np.array(calls, np.int64), ".empty_cache", "torch.cuda.empty_cache"),
            usual(facts, ("calls", f"{count:.3g} in {each(facts)}")),
            Word("caching allocator", "keeps freed GPU memory for the next tensor of that size"),
            ("m1/s4", "m1::e5"),
            gaps_in(facts, "allocator"),
        )
    ]


def warm_up(trace: Trace) -> list[Verdict]:
    """A trace of the first step: code is loaded and memory fetched, once and never again."""
    facts = facts_of(trace)
    if facts is None:
        return []
    parts = ["code"] + (["allocator"] if starts_up(facts, "allocator") else [])
    gain = sum(facts.shares.shared.get(name, 0) for name in parts)
    if not facts.matters(gain):
        return []
    return [
        Verdict(
            "warm-up in the trace",
            f"{of_step(facts, gain).capitalize()} goes to what happens once: code of kernels is "
            "loaded, memory is fetched from the driver.",
            facts.per_step(gain),
            "The first steps of a program are slower than all others; a trace of them says little "
            "about the rest.",
            "Let a few steps go by first: torch.profiler.schedule(wait=1, warmup=3, active=3).",
            "In the next trace there is no cuModuleLoad, no cuLibraryLoad and no cudaMalloc.",
            "likely",
            (),
            usual(facts),
            Word("warm-up", "what a program does once, before it runs as fast as it can"),
            ("m5/s0",),
            gaps_in(facts, *parts),
        )
    ]


def recompiling(trace: Trace) -> list[Verdict]:
    """Compiling within the steps."""
    facts = facts_of(trace)
    gain = facts.shares.shared.get("compile", 0) if facts else 0
    if facts is None or not facts.matters(gain):
        return []
    count = len(facts.did["compile"][0])
    again = count > 1 or trace.stepped
    return [
        Verdict(
            "recompiling" if again else "compiling",
            f"torch.compile compiles {count:,} times within the trace: {of_step(facts, gain)}.",
            facts.per_step(gain),
            "A compiled function holds for the shapes and flags that it has seen; for others it "
            "is compiled again.",
            "torch.compile(dynamic=True), pad to a few fixed lengths, or mark_dynamic; "
            "TORCH_LOGS=recompiles says what changed.",
            "In the next trace there is no compile_inner after the warm-up.",
            "sure",
            lines_open(facts, facts.did["compile"], "torch.compile"),
            usual(facts, ("compilations", f"{count:,}")),
            Word("recompilation", "code is made anew because an assumption no longer holds"),
            ("m1/s20", "m5/s3"),
            gaps_in(facts, "compile"),
        )
    ]


def debug_left_on(trace: Trace) -> list[Verdict]:
    """Anomaly mode: every gradient is looked at, every operator's stack is kept."""
    facts = facts_of(trace)
    if facts is None or "debug" not in facts.causes:
        return []
    gain = facts.shares.shared["debug"] + facts.more_ns("debug", facts.asked_in("debug"), 0.0)
    if not facts.matters(gain):
        return []
    return [
        Verdict(
            "debug left on",
            f"Anomaly mode looks for nan after every gradient: {of_step(facts, gain)}.",
            facts.per_step(gain),
            "Each look reads a value from the GPU, so the host waits at every single operator of "
            "backward.",
            "Take out torch.autograd.set_detect_anomaly(True), or keep it for the day that a nan "
            "shows.",
            "In the next trace there is no _is_any_true, and backward's launches run ahead.",
            "sure",
            lines_open(facts, facts.did["debug"], "torch.autograd.set_detect_anomaly"),
            usual(facts),
            Word("anomaly mode", "a debugger for gradients: says which operator made a nan"),
            ("m5/s2",),
            gaps_in(facts, "debug", "wait"),
        )
    ]


def starts_up(facts: Facts, activity: str) -> bool:
    """Whether it lies only at the begin of a trace that names no steps."""
    if facts.trace.stepped:
        return False
    starts, ends = facts.did[activity]
    window = facts.queue.window
    early = starts < window.start_ns + _EARLY * window.ns
    total = int((ends - starts).sum())
    return total > 0 and int((ends - starts)[early].sum()) > 0.8 * total

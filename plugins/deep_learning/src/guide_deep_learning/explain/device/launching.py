"""The host is too slow for the GPU: operators too small, Python between them, loops of both."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Trace
from guide.plugin import Place, Verdict, Word
from guide.units import duration, percent
from guide_deep_learning.explain.device.facts import Facts, facts_of
from guide_deep_learning.explain.device.host import LONG_PYTHON
from guide_deep_learning.explain.device.telling import (
    each,
    gaps_in,
    lines,
    lines_open,
    ms,
    of_step,
    usual,
)

_LAUNCH_BOUND = Word("launch-bound", "the GPU is done before the host has launched the next kernel")

_TINY = 5_000  # ns
_BOUND = 0.1  # of the step: with less, the GPU is not what waits


def launch_bound(trace: Trace) -> list[Verdict]:
    """The GPU waits for the next launch, most of the time, and no single line is to blame."""
    facts = facts_of(trace)
    gain = facts.shares.shared.get("launches", 0) if facts else 0
    if facts is None or not facts.matters(gain, _BOUND):
        return []
    kernels = facts.kernels
    count = int(kernels.sum()) / facts.steps
    median = float(np.median(facts.work.ns[kernels])) if kernels.any() else 0.0
    host = sum(int((e - s).sum()) for s, e in (facts.did["operator"], facts.did["between"]))
    graphs = bool(len(trace.events.named("GraphLaunch")))
    remedy = (
        "Give each launch more to do (a larger batch), or make fewer of them: "
        "torch.compile(model, mode='reduce-overhead'), which replays CUDA graphs."
    )
    if graphs:
        remedy = (
            "Part of it runs as CUDA graphs already. Take the rest into one too, or give each "
            "launch more to do with a larger batch."
        )
    prompt = ""
    if facts.asked:
        prompt = (
            f"{percent(facts.prompt, 1)} of the kernels started as soon as they were launched: "
            "the queue was empty. "
        )
    return [
        Verdict(
            "launch-bound",
            f"The GPU is busy for {percent(facts.busy_ns, facts.window_ns)} of the time: it waits "
            f"{of_step(facts, gain)} for the host to launch its {count:,.0f} kernels, half of "
            f"which take under {duration(median)}.",
            facts.per_step(gain),
            f"For each kernel the host spends {duration(host / max(facts.kernels.sum(), 1))} "
            f"in operators and between them, however small its work is. {prompt}"
            "The profiler slows the host too; without it this is somewhat less.",
            remedy,
            "In the next trace fewer launches stand in a step, and the kernels lie side by side.",
            "likely" if facts.asked else "perhaps",
            _where(facts),
            usual(
                facts,
                ("kernels", f"{count:,.0f} in {each(facts)}"),
                ("median kernel", duration(median)),
                *((("started at once", percent(facts.prompt, 1)),) if facts.asked else ()),
                ("the host in operators", ms(facts, host)),
            ),
            _LAUNCH_BOUND,
            ("m1/s20", "m1::e11"),
            gaps_in(facts, "operator", "between"),
        )
    ]


def python_bound(trace: Trace) -> list[Verdict]:
    """Long stretches without any operator, while the GPU is idle."""
    facts = facts_of(trace)
    gain = facts.shares.shared.get("python", 0) if facts else 0
    if facts is None or not facts.matters(gain):
        return []
    starts, ends = facts.did["python"]
    count = len(starts) / facts.steps
    has_stacks = bool(len(trace.events.of("python")))
    return [
        Verdict(
            "Python-bound",
            f"The GPU waits {of_step(facts, gain)} while no operator runs at all: "
            f"{count:.3g} stretches in {each(facts)} longer than {duration(LONG_PYTHON)}.",
            facts.per_step(gain),
            "Between two operators the program does something of its own: logging, a loop, data "
            "in lists, a file. The GPU has nothing to do meanwhile.",
            "Move it out of the step or into a thread, do it every hundredth step, or do it to "
            "whole arrays at once."
            + ("" if has_stacks else " Profile with with_stack=True to see which line it is."),
            "In the next trace operators follow each other without these holes.",
            "likely" if has_stacks else "perhaps",
            lines_open(facts, facts.did["python"], "for", "print", "time.sleep"),
            usual(facts, ("without an operator", ms(facts, (ends - starts).sum()))),
            Word("Python-bound", "the time goes to the interpreter, not to the library it calls"),
            ("m4/s5", "m0::e3"),
            gaps_in(facts, "python"),
        )
    ]


def on_the_cpu(trace: Trace) -> list[Verdict]:
    """Operators that compute on the CPU while the GPU has nothing to do."""
    facts = facts_of(trace)
    gain = facts.shares.shared.get("cpu", 0) if facts else 0
    if facts is None or not facts.matters(gain):
        return []
    events = trace.events
    starts, ends = facts.did["cpu"]
    spot = np.searchsorted(events.start_ns, starts)
    spent: dict[str, int] = {}
    for at, ns in zip(spot.tolist(), (ends - starts).tolist(), strict=True):
        spent[events.name_of(at)] = spent.get(events.name_of(at), 0) + ns
    worst = sorted(spent, key=lambda name: (-spent[name], name))[:2]
    return [
        Verdict(
            "work on the CPU",
            f"The GPU waits {of_step(facts, gain)} while the host computes "
            f"{' and '.join(worst)} itself.",
            facts.per_step(gain),
            "These operators launch nothing on the GPU: their tensors are on the CPU, and the "
            "thread that computes them is the one that should be launching.",
            "Do it on the GPU (device='cuda' where the tensor is made), or ahead, in a thread or "
            "in the loader's processes.",
            "In the next trace kernels lie beneath these operators, or they are gone.",
            "likely",
            lines(facts, spot),
            usual(facts, *((name, ms(facts, spent[name])) for name in worst)),
            Word("host", "the CPU and its memory; it tells the device what to do"),
            ("m1/s21", "m0::e3"),
            gaps_in(facts, "cpu"),
        )
    ]


def optimizer_loop(trace: Trace) -> list[Verdict]:
    """An optimizer that takes its parameters one at a time."""
    facts = facts_of(trace)
    gain = facts.shares.shared.get("optimizer", 0) if facts else 0
    if facts is None or not facts.matters(gain):
        return []
    starts, ends = facts.did["optimizer"]
    # A kernel this short takes its time only to begin; all parameters at once are one beginning
    tiny = facts.kernels & facts.asked_in("optimizer") & (facts.work.ns < _TINY)
    gain += facts.more_ns("optimizer", tiny, 0.5)
    events = trace.events
    steps = events.named("Optimizer.", among=events.of("op", "annotation"))
    return [
        Verdict(
            "optimizer loop",
            f"The optimizer takes its parameters one by one; the GPU waits {of_step(facts, gain)} "
            "for it.",
            facts.per_step(gain),
            "For each parameter a handful of tiny operators is launched, and each costs the host "
            "more than the GPU.",
            "fused=True (or foreach=True) where the optimizer is made; and "
            "zero_grad(set_to_none=True), which is the default since torch 2.0.",
            "In the next trace the optimizer's bar holds a few _fused_ or _foreach_ operators.",
            "sure",
            lines(facts, steps, ".step", ".zero_grad"),
            usual(facts, ("the host in the optimizer", ms(facts, (ends - starts).sum()))),
            Word("fused optimizer", "updates all parameters in a few kernels"),
            ("m1::e11", "m1/s20"),
            gaps_in(facts, "optimizer"),
        )
    ]


def _where(facts: Facts) -> tuple[Place, ...]:
    events = facts.trace.events
    steps = events.of("op")
    mine = steps[facts.trace.in_steps[steps] & (facts.trace.parent[steps] >= 0)]
    return lines(facts, mine) if len(events.of("python")) else ()

"""What the profiler costs on this machine, and what a few remedies would bring: tried, not guessed.

All of it runs after the recording, in the process that was recorded, on data of its own, and
takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

_ROUNDS, _TIMES = 300, 7  # of a loop, and how often: the quickest counts
_MOST_BYTES = 256 << 20  # of parameters that are tried; of more, the first so many
_COPY_BYTES = 32 << 20
_MASKED = 1 << 18  # elements
_FEW_ROUNDS, _MOST_ROUNDS = 9, 25  # of two ways that are tried in turn,
_SOME_NS, _MOST_NS = 400_000_000, 2_000_000_000  # and how long: the few may take up to the latter
_FUSED = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad)


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compiled_graphs() -> int:
    """How many graphs torch.compile has made so far."""
    # It may be half imported by now
    counters = getattr(sys.modules.get("torch._dynamo.utils"), "counters", None)
    return int(counters["stats"]["unique_graphs"]) if counters is not None else 0


def costs(stacks: bool) -> dict[str, Any]:
    """What an operator, a call and a byte cost, and how much more of it under the profiler."""
    one = torch.zeros(1)

    def operators() -> float:
        return _each(lambda: torch.add(one, one))

    def calls() -> float:
        return _each(_nothing)

    with torch.no_grad():
        operators(), calls()
        plain = operators(), calls()
        on_cpu = [torch.profiler.ProfilerActivity.CPU]
        with (
            quiet(),
            torch.profiler.profile(activities=on_cpu, record_shapes=True, with_stack=stacks),
        ):
            operators(), calls()
            seen = operators(), calls()
        source = torch.zeros(_COPY_BYTES // 4)
        target = torch.zeros_like(source)
        copy_ns = min(_once(lambda: target.copy_(source)) for _ in range(5))
        some = source[:_MASKED]
        # A source of chance of its own: the program's is not touched
        mask = torch.rand(_MASKED, generator=torch.Generator().manual_seed(0)) < 0.5
        few = list(source[:_ROUNDS])
        apart_ns = min(_once(lambda: source[:_ROUNDS].unbind()) for _ in range(_TIMES))
        read_ns = min(_once(lambda: [one.item() for one in few]) for _ in range(_TIMES))
        times_ns = min(_once(lambda: some * mask) for _ in range(5))
    call_ns = max(seen[1] - plain[1], 0) if stacks else 0
    return {
        "dispatch_ns": round(plain[0] - plain[1]),
        # A call of torch.add is one call of Python's, too
        "op_cost_ns": round(max(seen[0] - plain[0] - 2 * call_ns, 0)),
        "call_cost_ns": round(call_ns),
        "apart_ns": round(apart_ns / _ROUNDS),
        "read_ns": round(read_ns / _ROUNDS),
        "times_ns": round(times_ns / _MASKED, 3),
        "bytes_per_s": round(2 * _COPY_BYTES / copy_ns * 1e9),
    }


def optimizer(used: torch.optim.Optimizer | None) -> dict[str, Any]:
    """What a step of this optimizer takes as it is and fused, on tensors of the same shapes."""
    if type(used) not in _FUSED or used is None:
        return {}
    groups = used.param_groups
    alike = [
        p
        for group in groups
        for p in group["params"]
        if p.grad is not None or p.requires_grad
        if p.is_floating_point() and not p.is_sparse and p.device.type == "cpu"
    ]
    chosen = any(group.get(name) for group in groups for name in ("fused", "foreach"))
    if not alike or chosen:
        return {}
    taken: list[torch.Tensor] = []
    size = 0
    for parameter in alike:
        size += parameter.numel() * parameter.element_size()
        if taken and size > _MOST_BYTES:
            break
        taken.append(parameter)
    asked = inspect.signature(type(used)).parameters
    settings = {k: v for k, v in groups[0].items() if k in asked and k not in ("params", "fused")}
    try:
        loop_ns, fused_ns = _tried(used, taken, settings)
    except (RuntimeError, TypeError, ValueError, KeyError, MemoryError):
        return {}  # this build has no fused form for it
    said = {"kind": type(used).__name__, "tensors": len(alike)}
    share = sum(p.numel() for p in taken) / sum(p.numel() for p in alike)
    said |= {"loop_ns": round(loop_ns / share), "fused_ns": round(fused_ns / share)}
    return {"optimizer": said}


def _tried(used: Any, alike: list[torch.Tensor], settings: dict[str, Any]) -> tuple[int, ...]:
    """The quickest step one by one, and fused, on copies of values, gradients and moments.

    What else the machine does can only add to it, and adds most to many small operators.
    """
    between = torch.zeros(_COPY_BYTES // 4)  # in a training other data pass through the caches
    steps = []
    for fused in (False, True):
        copies = [p.detach().clone().requires_grad_() for p in alike]
        for copy, parameter in zip(copies, alike, strict=True):
            grad = parameter.grad
            copy.grad = torch.full_like(copy, 1e-3) if grad is None else grad.detach().clone()
        made = type(used)(copies, **{**settings, "foreach": False, "fused": fused})
        for copy, parameter in zip(copies, alike, strict=True):
            made.state[copy] = {
                key: value.clone() if isinstance(value, torch.Tensor) else value
                for key, value in used.state[parameter].items()
            }
        steps.append(made.step)
        made.step()

    def after_others(step: Callable[[], object]) -> int:
        between.add_(1)
        return _once(step)

    return quickest([functools.partial(after_others, step) for step in steps])


def quickest(ways: Sequence[Callable[[], int]]) -> tuple[int, ...]:
    """The least that each of some ways to do a thing took, tried in turn; each gives its time.

    On a busy machine a round may be disturbed in one of them only: then there are more rounds.
    """
    begin_ns, took = time.perf_counter_ns(), [[way()] for way in ways]
    rounds = 1
    while rounds < _MOST_ROUNDS:
        spent_ns = time.perf_counter_ns() - begin_ns
        if rounds >= 3 and (spent_ns > _MOST_NS or (rounds >= _FEW_ROUNDS and spent_ns > _SOME_NS)):
            break
        rounds += 1
        for way, times in zip(ways, took, strict=True):
            times.append(way())
    return tuple(min(times) for times in took)


def recompiled() -> dict[str, Any]:
    """What torch.compile compiled more than once, and why, as it says itself."""
    utils = sys.modules.get("torch._dynamo.utils")
    if utils is None:
        return {}
    again: dict[tuple[str, int], dict[str, Any]] = {}
    try:
        for metrics in utils.get_compilation_metrics():
            reason = metrics.recompile_reason
            if not reason:
                continue
            key = (str(metrics.co_filename), int(metrics.co_firstlineno or 0))
            entry = again.setdefault(
                key, {"file": key[0], "line": key[1], "name": metrics.co_name, "times": 0}
            )
            entry["times"] += 1
            entry["why"] = str(reason)[-300:]
    except AttributeError:  # private names of another torch
        return {}
    return {"recompiled": list(again.values())[:3]} if again else {}


def _nothing() -> None: ...


def _each(work: Callable[[], object]) -> float:
    def rounds() -> None:
        for _ in range(_ROUNDS):
            work()

    return min(_once(rounds) for _ in range(_TIMES)) / _ROUNDS


def _once(work: Callable[[], object]) -> int:
    begin = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - begin


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let nothing that torch's library writes on stderr by itself reach a person."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)

"""A trace in the shape that torch's profiler writes, of any size: steps of operators and kernels.

Made up, but for the form: the layout of the text, what each kind of event carries, the proportion
of flows to events, all as in traces of torch 2 on a GPU.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO

BASE_NS = 1_700_000_000_000_000_000
PER_OPERATOR = 3  # events: the operator, its launch, its kernel

_EVENT = """  {{
    "ph": "X", "cat": "{cat}", "name": "{name}", "pid": {pid}, "tid": {tid},
    "ts": {ts}, "dur": {dur},
    "args": {{
      {args}
    }}
  }}"""
_FLOW = """  {{
    "ph": "{ph}", "id": {id}, "pid": {pid}, "tid": {tid}, "ts": {ts},
    "cat": "ac2g", "name": "ac2g"
  }}"""
_NAMES = ("aten::linear", "aten::addmm", "aten::relu", "aten::copy_", "aten::add_", "aten::mul")


def text(steps: int = 6, operators: int = 20, *, since_1970: bool = False) -> str:
    """A whole trace as text."""
    out = io.StringIO()
    write(out, steps, operators, since_1970=since_1970)
    return out.getvalue()


def write(out: IO[str], steps: int, operators: int, *, since_1970: bool = False) -> None:
    """Write a trace into an open file.

    Args:
        out: text.
        steps: how many.
        operators: in each.
        since_1970: with times as torch before 2.4 had them, whole microseconds.
    """
    base = "" if since_1970 else f'\n  "baseTimeNanoseconds": {BASE_NS},'
    out.write(
        f'{{\n  "schemaVersion": 1,{base}\n  "deviceProperties": [{{"id": 0, "name": "a GPU"}}],\n'
        '  "traceEvents": [\n  {\n    "ph": "M", "name": "thread_name", "pid": 7, "tid": 7,\n'
        '    "args": {"name": "thread 7 (python)"}\n  }'
    )
    for event in _events(steps, operators, 1_700_000_000_000_000_000 if since_1970 else 0):
        out.write(",\n" + event)
    out.write('\n  ],\n  "traceName": "bulk.json"\n}\n')


def _events(steps: int, operators: int, epoch_ns: int) -> Iterator[str]:
    def us(t_ns: int) -> str:
        t_ns += epoch_ns
        return str(t_ns // 1000) if epoch_ns else f"{t_ns // 1000}.{t_ns % 1000:03}"

    def event(cat: str, name: str, start_ns: int, ns: int, tid: int = 7, args: str = "") -> str:
        pid, dur = (0 if cat == "kernel" else 7), us(ns - epoch_ns)
        ts = us(start_ns)
        return _EVENT.format(cat=cat, name=name, pid=pid, tid=tid, ts=ts, dur=dur, args=args)

    each_ns = 20_500
    number = 0
    for step in range(steps):
        start = 5_000_000 + step * (operators * each_ns + 10_000)
        ns = operators * each_ns + 5_000
        yield event("user_annotation", f"ProfilerStep#{step}", start, ns, args='"External id": 1')
        yield event(
            "python_function", "train.py(10): step", start + 500, ns - 1000, args='"Python id": 3'
        )
        for at in range(operators):
            number += 1
            t_ns = start + 1_000 + at * each_ns
            shape = '"Input Dims": [[64, 128], [128, 128], []], "Input type": ["float", "float"]'
            yield event(
                "cpu_op",
                _NAMES[at % len(_NAMES)],
                t_ns,
                18_250,
                args=f'"External id": {number}, "Ev Idx": {number}, {shape}',
            )
            launch = f'"External id": {number}, "cbid": 211, "correlation": {number}'
            yield event("cuda_runtime", "cudaLaunchKernel", t_ns + 5_000, 6_125, args=launch)
            yield _FLOW.format(ph="s", id=number, pid=7, tid=7, ts=us(t_ns + 5_000))
            kernel = (
                f'"External id": {number}, "queued": 0, "device": 0, "context": 1, "stream": 7,\n'
                f'      "correlation": {number}, "grid": [128, 1, 1], "block": [128, 1, 1]'
            )
            name = f"void at::native::vectorized_elementwise_kernel&lt;{at % 40}&gt;(int, float)"
            yield event("kernel", name, t_ns + 14_000, 9_876, tid=7, args=kernel)
            yield _FLOW.format(ph="f", id=number, pid=0, tid=7, ts=us(t_ns + 14_000))

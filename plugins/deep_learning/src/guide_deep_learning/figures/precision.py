"""Figures of 16 bits: what is too small to arrive, and what the processor makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.figures.stopwatch import best_ns, series
from guide.learn.chart import Lines
from guide_deep_learning.figures.alone import threads

_KINDS = {"float32": "float32", "float16": "float16", "bfloat16": "bfloat16"}


def stalled(quick: bool = False) -> dict[str, Any]:
    """A weight of 1.0 to which 0.001 is added a thousand times: computed, the same everywhere."""
    import torch

    lines = {}
    for label, name in _KINDS.items():
        kind = getattr(torch, name)
        weight, points = torch.ones((), dtype=kind), [(0.0, 1.0)]
        for step in range(1, 1001):
            weight += torch.tensor(1e-3, dtype=kind)
            if step % 50 == 0:
                points.append((float(step), float(weight)))
        lines[label] = points
    finfo = {name: torch.finfo(getattr(torch, name)) for name in _KINDS}
    return {
        "computed": True,
        "lines": lines,
        "values": {
            "f32_ratio": lines["float32"][-1][1],
            "f16_ratio": lines["float16"][-1][1],
            "bf16_ratio": lines["bfloat16"][-1][1],
            "bf16_gap_ratio": finfo["bfloat16"].eps,
            "f16_gap_ratio": finfo["float16"].eps,
            "f16_most_count": finfo["float16"].max,
        },
    }


def draw_stalled(data: Mapping[str, Any]) -> Lines:
    """Over the updates."""
    marks = [(float(n), str(n)) for n in range(0, 1001, 250)]
    return Lines(series(data), "updates of 0.001", "the weight", log="", x_marks=marks)


def products(quick: bool = False) -> dict[str, Any]:
    """One product of two square matrices in each type, with one thread."""
    import torch

    width = 32 if quick else 256
    rows = []
    with threads(1):
        for label, name in _KINDS.items():
            a, b = torch.ones(2, width, width, dtype=getattr(torch, name)).unbind()
            rows.append((label, best_ns(lambda a=a, b=b: a @ b, quick, 200_000_000)))  # type: ignore[misc]
    return {
        "what": f"a product of two {width} x {width} matrices, shorter is better",
        "rows": rows,
        "values": {
            "f32_ns": rows[0][1],
            "f16_ns": rows[1][1],
            "bf16_ns": rows[2][1],
            "f16_x": rows[1][1] / rows[0][1],
            "bf16_x": rows[2][1] / rows[0][1],
        },
    }

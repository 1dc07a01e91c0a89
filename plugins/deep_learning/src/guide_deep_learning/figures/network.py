"""A figure of several machines: a step that was measured, over links that are computed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from guide.foundations.figures.stopwatch import series
from guide.learn.chart import Lines
from guide_deep_learning.figures.alone import threads

_BUCKETS = 4  # in which gradients are handed over


def links(quick: bool = False) -> dict[str, Any]:
    """A step of two machines over the speed of the link between them.

    Forward and backward of a small language model are measured here. What the wire takes is
    arithmetic: each machine sends as many bytes as it has gradients.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from guide_deep_learning.training.models.model import GPT, GPTConfig, parameters

    forward: list[int] = []
    backward: list[int] = []
    with threads(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = GPT(GPTConfig(layers=1 if quick else 4))
        taken = torch.randint(0, 256, (2 if quick else 12, 65))
        for _ in range(2 if quick else 25):
            model.zero_grad(set_to_none=True)
            began_ns = time.perf_counter_ns()
            scores = model(taken[:, :-1]).flatten(0, 1)
            loss = cross_entropy(scores, taken[:, 1:].flatten())
            between_ns = time.perf_counter_ns()
            loss.backward()  # type: ignore[no-untyped-call]
            forward.append(between_ns - began_ns)
            backward.append(time.perf_counter_ns() - between_ns)
    first_ns, second_ns = sorted(forward)[len(forward) // 2], sorted(backward)[len(backward) // 2]
    size = 4 * parameters(model)
    after, beside, half = [], [], []
    for power in range(0, 13):
        mbits = 100 * 10 ** (power / 4)
        wire_ns = size * 8 / mbits * 1e3
        after.append((mbits, (first_ns + second_ns + wire_ns) / 1e6))
        beside.append((mbits, overlapped_ns(first_ns, second_ns, wire_ns) / 1e6))
        half.append((mbits, overlapped_ns(first_ns, second_ns, wire_ns / 2) / 1e6))
    return {
        "lines": {"after": after, "beside": beside, "beside, 16 bits": half},
        "values": {
            "compute_ns": first_ns + second_ns,
            "gradient_bytes": size,
            "slow_wire_ns": size * 8 / 100 * 1e3,
            "slow_ns": beside[0][1] * 1e6,
            "slow_x": beside[0][1] * 1e6 / (first_ns + second_ns),
            "enough_mbs": size / second_ns * 1e3,
        },
    }


def overlapped_ns(forward_ns: float, backward_ns: float, wire_ns: float) -> float:
    """A step whose gradients are sent in buckets while backward computes the next.

    The first bucket is there once its share of backward is done; the last can only be sent when
    all of it is.
    """
    share = 1 / _BUCKETS
    sent_ns = backward_ns * share + wire_ns  # the wire never waits
    return forward_ns + max(backward_ns + wire_ns * share, sent_ns)


def draw_links(data: Mapping[str, Any]) -> Lines:
    """Over the link."""
    names = ("100 Mbit/s", "1 Gbit/s", "10", "100")
    marks = [(10.0 ** (n + 2), name) for n, name in enumerate(names)]
    return Lines(series(data), "the link", "ms a step", x_marks=marks)

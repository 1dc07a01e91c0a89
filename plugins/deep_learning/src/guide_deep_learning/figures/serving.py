"""Figures of models that answer: what is kept, and who shares the reading of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.figures.stopwatch import best_ns, series
from guide.learn.chart import Lines
from guide_deep_learning.figures.alone import threads


def kept_keys(quick: bool = False) -> dict[str, Any]:
    """The next byte of a text, computed from all of it and from what was kept, over its length."""
    import torch

    from guide_deep_learning.training.models.model import GPT, GPTConfig, KeysValues

    config = GPTConfig(context=512, width=128, layers=2 if quick else 4)
    anew, kept = [], []
    with threads(1), torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(0)
        model = GPT(config).eval()
        text = torch.randint(0, 256, (1, config.context))
        past = KeysValues(config, 1, model.embedding.weight)
        past.held.normal_()
        for length in (16, 64) if quick else (8, 16, 32, 64, 128, 256, 512):

            def again(length: int = length) -> torch.Tensor:
                return model(text[:, :length])[:, -1]  # type: ignore[no-any-return]

            def one_more(length: int = length) -> torch.Tensor:
                past.length = length - 1
                return model(text[:, length - 1 : length], past)[:, -1]  # type: ignore[no-any-return]

            anew.append((float(length), best_ns(again, quick, 100_000_000) / 1e6))
            kept.append((float(length), best_ns(one_more, quick, 60_000_000) / 1e6))
    return {
        "lines": {"computed anew": anew, "kept": kept},
        "values": {
            "anew_ns": anew[-1][1] * 1e6,
            "kept_ns": kept[-1][1] * 1e6,
            "kept_x": anew[-1][1] / kept[-1][1],
            "short_x": anew[0][1] / kept[0][1],
            "longest_count": anew[-1][0],
            "position_bytes": 2 * 4 * config.layers * config.width,
            "held_bytes": past.held.nbytes,
        },
    }


def draw_kept_keys(data: Mapping[str, Any]) -> Lines:
    """Over the length of the text."""
    marks = [(float(n), str(n)) for n in (8, 32, 128, 512)]
    return Lines(series(data), "bytes of text so far", "ms for the next", x_marks=marks)


def shared_weights(quick: bool = False) -> dict[str, Any]:
    """One large matrix, applied to more and more inputs at a time: time for each of them."""
    import torch
    from torch import nn

    from guide_deep_learning.training.deploy.quantize import quantized

    width = 128 if quick else 4096
    counts = (1, 4) if quick else (1, 2, 4, 8, 16, 32, 64)
    plain = nn.Sequential(nn.Linear(width, width, bias=False)).eval().requires_grad_(False)
    models = {"float32": plain, "int8": quantized(plain)}
    lines = {}
    with threads(1), torch.inference_mode():
        inputs = torch.ones(max(counts), width)
        for name, model in models.items():
            lines[name] = [
                (float(n), best_ns(lambda m=model, n=n: m(inputs[:n]), quick, 80_000_000) / n / 1e3)  # type: ignore[misc]
                for n in counts
            ]
    alone, together = lines["float32"][0][1] * 1e3, lines["float32"][-1][1] * 1e3
    size = 4 * width * width
    return {
        "lines": lines,
        "values": {
            "alone_ns": alone,
            "together_ns": together,
            "together_x": alone / together,
            "most_count": counts[-1],
            "weight_bytes": size,
            "read_gbs": size / alone,
            "int8_ns": lines["int8"][0][1] * 1e3,
            "int8_x": alone / (lines["int8"][0][1] * 1e3),
        },
    }


def draw_shared_weights(data: Mapping[str, Any]) -> Lines:
    """Over the inputs at a time."""
    marks = [(float(n), str(n)) for n in (1, 4, 16, 64)]
    return Lines(series(data), "inputs at a time", "µs for each", x_marks=marks)

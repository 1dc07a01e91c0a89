"""Figures of feeding: a sample at a time or a batch at a time, and who waits for whom."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from guide.foundations.figures.stopwatch import best_ns, series
from guide.learn.chart import Lines
from guide_deep_learning.figures.alone import threads


def batches(quick: bool = False) -> dict[str, Any]:
    """One batch of images, taken by a loader for samples, by a loop and by one look-up."""
    import numpy as np
    import torch
    from torch.utils.data import DataLoader

    count, batch = (500, 32) if quick else (20_000, 256)
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    chosen = np.random.default_rng(1).permutation(count)[:batch]
    # Its order is fixed, so that a new epoch begins at no cost but its own.
    loader = DataLoader(_samples(images), batch_sampler=[chosen.tolist()])

    def by_loader() -> torch.Tensor:
        found: torch.Tensor = next(iter(loader))
        return found

    def by_loop() -> torch.Tensor:
        return torch.stack([torch.from_numpy(images[i]).float() / 255 for i in chosen])

    def at_once() -> torch.Tensor:
        return torch.from_numpy(images[chosen]).float() / 255

    with threads(1):
        rows = [
            ("a DataLoader's samples", best_ns(by_loader, quick, 200_000_000)),
            ("a loop over samples", best_ns(by_loop, quick, 200_000_000)),
            ("one look-up", best_ns(at_once, quick, 200_000_000)),
        ]
    return {
        "what": f"one batch of {batch} images, shorter is better",
        "rows": rows,
        "values": {
            "loader_ns": rows[0][1],
            "loop_ns": rows[1][1],
            "batch_ns": rows[2][1],
            "loader_x": rows[0][1] / rows[2][1],
        },
    }


def _samples(images: Any) -> Any:
    """A data set as in most tutorials: one image for one number."""
    import torch
    from torch.utils.data import Dataset

    class Samples(Dataset[torch.Tensor]):
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, number: int) -> torch.Tensor:
            return torch.from_numpy(images[number]).float() / 255

    return Samples()


def stalls(quick: bool = False) -> dict[str, Any]:
    """A step that computes 2 ms, over the time that its batch takes to come: by 0, 1, 2 workers.

    Both sleep, as a host does that waits for a disk and for a device.
    """
    from guide_deep_learning.training.data.prefetch import Prefetch

    compute_ms, steps = (1.0, 4) if quick else (2.0, 14)
    lines: dict[str, list[tuple[float, float]]] = {}
    for workers in (0, 1, 2):
        points = []
        for ratio in (0.25, 0.5, 1.0, 1.5, 2.0, 3.0):
            made_ms = ratio * compute_ms

            def batch_of(number: int, made_ms: float = made_ms) -> int:
                time.sleep(made_ms / 1e3)
                return number

            with Prefetch(batch_of, workers=workers, depth=4) as source:
                took_ns = []
                for first in (0, steps + 1):  # the better of two: a neighbour may disturb one
                    source.get(first)
                    began_ns = time.perf_counter_ns()
                    for number in range(first + 1, first + steps + 1):
                        source.get(number)
                        time.sleep(compute_ms / 1e3)
                    took_ns.append(time.perf_counter_ns() - began_ns)
                points.append((made_ms, min(took_ns) / steps / 1e6))
        lines[_workers(workers)] = points
    alone, one = (dict(lines[_workers(n)])[compute_ms] for n in (0, 1))
    return {
        "lines": lines,
        "values": {
            "alone_ns": alone * 1e6,
            "ahead_ns": one * 1e6,
            "ahead_x": alone / one,
            "starved_ns": lines[_workers(1)][-1][1] * 1e6,
            "two_ns": lines[_workers(2)][-1][1] * 1e6,
        },
    }


def _workers(count: int) -> str:
    return ("in the loop", "1 ahead", "2 ahead")[count]


def draw_stalls(data: Mapping[str, Any]) -> Lines:
    """Over the time that a batch takes to be made."""
    marks = [(float(n), f"{n} ms") for n in (1, 2, 4, 6)]
    return Lines(series(data), "to make a batch", "ms a step", log="", x_marks=marks)

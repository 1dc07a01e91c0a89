"""Feeding a training with images: a Dataset and its DataLoader against batches by number.

Fashion-MNIST where it is, else the shapes that are drawn. Both sides give shuffled batches of 256
images and labels as tensors. Sides take turns in one process, its threads set to one, and a ratio
is that of neighbours; workers of a DataLoader are processes, started before the clock is.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.rows import Row, interleaved, paired
from guide_deep_learning.training.data.augment import Augment
from guide_deep_learning.training.data.images import FASHION, Side, open_images
from guide_deep_learning.training.data.order import batch_epochs, batch_indices
from guide_deep_learning.training.data.prefetch import Prefetch
from guide_deep_learning.training.models.losses import as_floats, class_loss
from guide_deep_learning.training.optimizers.optimizer import adamw

BATCH = 256
FETCHED = Path(__file__).parents[2] / "build" / "images" / "fashion-mnist"  # by `make images`


class Lengths(Protocol):
    """What this part needs to know of a scale."""

    @property
    def rounds(self) -> int:
        """How often each side runs."""


class Samples(Dataset[tuple[Tensor, int]]):
    """As tutorials write it: one image at a time, as a float tensor."""

    def __init__(self, side: Side) -> None:
        self.side = side

    def __len__(self) -> int:
        return len(self.side)

    def __getitem__(self, item: int) -> tuple[Tensor, int]:
        image = torch.from_numpy(self.side.images[item]).unsqueeze(0).float() / 255
        return image, int(self.side.labels[item])


class Batches:
    """Ours: a batch as a pure function of its number."""

    def __init__(self, side: Side, augment: Augment | None = None) -> None:
        self.side = side
        self.augment = augment

    def __call__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Images, (256, height, width), and labels, (256,)."""
        items = batch_indices(0, step, BATCH, len(self.side))
        pixels, labels = self.side.take(items)
        if self.augment is not None:
            epochs = batch_epochs(step, BATCH, len(self.side))
            pixels = self.augment(pixels, 0, epochs, items)
        return pixels, labels


def train_side() -> Side:
    """Fashion-MNIST's 60,000, or what can be had."""
    there = next((path for path in (FASHION, FETCHED) if path.is_dir()), None)
    if there is None:
        return open_images("shapes").train
    side = open_images(str(there)).train
    return Side(np.array(side.images), side.labels)  # torch asks for arrays it might write to


def loading(side: Side, workers: int, rounds: int) -> Row:
    """Images a second of either side, so many batches in a row; ours through `Prefetch`."""
    loader = DataLoader(
        Samples(side), BATCH, shuffle=True, drop_last=True, num_workers=workers,
        persistent_workers=workers > 0,
    )  # fmt: skip
    steps = len(side) // BATCH
    few = steps if workers else min(steps, 40)

    def theirs() -> float:
        batches = iter(loader)
        next(batches)  # its workers are there, and ahead
        began = time.perf_counter()
        count = 0
        for _images, labels in batches:
            count += len(labels)
            if count >= few * BATCH:
                break
        return count / (time.perf_counter() - began)

    with Prefetch(Batches(side), workers) as ours_ahead:
        turn = 0

        def ours() -> float:
            nonlocal turn
            turn += steps
            ours_ahead.get(turn)
            began = time.perf_counter()
            count = 0
            for step in range(turn + 1, turn + steps):
                images, labels = map(torch.from_numpy, ours_ahead.get(step))
                count += len(labels)
                as_floats(images)  # what theirs hands out
            return count / (time.perf_counter() - began)

        ours()
        theirs()
        a, b, ratio, spread = interleaved(ours, theirs, rounds)
    goal = "at least 8" if workers == 0 else "-"
    return Row(
        f"images loaded a second, {workers} workers",
        f"{a:,.0f}",
        f"Dataset + DataLoader, one by one: {b:,.0f}",
        ratio,
        goal,
        ratio >= 8 if workers == 0 else None,
        spread,
    )


class Processes:
    """What `Prefetch` would be with processes: batches are pickled and sent through a pipe."""

    def __init__(self, batch_of: Callable[[int], Any], workers: int, depth: int = 4) -> None:
        context = multiprocessing.get_context("fork")  # the images are there without a copy
        self._pool = context.Pool(workers, _keep, (batch_of,))
        self._pids = [child.pid for child in multiprocessing.active_children()][-workers:]
        self._depth = depth
        self._waiting: deque[Any] = deque()
        self._next = -1

    def get(self, number: int) -> Any:
        """The batch of that number."""
        if number != self._next:
            while self._waiting:
                self._waiting.popleft().get()
            self._next = number
            for n in range(number, number + self._depth):
                self._waiting.append(self._pool.apply_async(_kept, (n,)))
        batch = self._waiting.popleft().get()
        self._waiting.append(self._pool.apply_async(_kept, (number + self._depth,)))
        self._next += 1
        return batch

    def cpu_s(self) -> float:
        """What they have used, as Linux counts it; 0 elsewhere."""
        counted = [Path(f"/proc/{pid}/schedstat") for pid in self._pids]
        return sum(int(path.read_text().split()[0]) / 1e9 for path in counted if path.exists())

    def close(self) -> None:
        """End them."""
        self._pool.terminate()
        self._pool.join()


_batch_of: Callable[[int], Any]


def _keep(batch_of: Callable[[int], Any]) -> None:
    global _batch_of
    _batch_of = batch_of


def _kept(number: int) -> Any:
    return _batch_of(number)


class Same:
    """One batch for ever: what a step takes that waits for nothing, the floor of all feeds.

    A feed that takes less time than this one does was not measured on a quiet machine.
    """

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def get(self, number: int) -> Any:
        """It, whatever the number."""
        return self._batch

    def close(self) -> None:
        """Nothing to end."""


def net() -> nn.Module:
    """A small convolutional net."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(16 * 7 * 7, 10)),
    )


def steps_of(
    feed: Any, turn: int, steps: int, step: Callable[..., None]
) -> tuple[float, float, float]:
    """Seconds a step, the share of it spent waiting for the batch, CPU seconds of all a step."""
    first = turn * 1000
    step(*map(torch.from_numpy, feed.get(first)))
    waited = 0.0
    used = -cpu_s(feed)
    began = time.perf_counter()
    for number in range(first + 1, first + 1 + steps):
        asked = time.perf_counter()
        batch = feed.get(number)
        waited += time.perf_counter() - asked
        step(*map(torch.from_numpy, batch))
    spent = time.perf_counter() - began
    return spent / steps, waited / spent, (used + cpu_s(feed)) / steps


def cpu_s(feed: Any) -> float:
    """What this process and those of the feed have used. Other work on the machine cannot add."""
    theirs = feed.cpu_s() if isinstance(feed, Processes) else 0.0
    return time.process_time() + theirs


def feeding(side: Side, rounds: int) -> Iterator[Row]:
    """Threads, processes and neither: alone, and beside the step of a small net.

    The ratio is of CPU time, to which other work on the machine does not add; whole times are text.
    """
    batch_of = Batches(side, Augment(2, flip=True, brightness=0.2))
    # Processes first: what is forked must have no threads yet.
    feeds: dict[str, Any] = {f"{n} processes": Processes(batch_of, n) for n in (1, 2)}
    feeds |= {f"{n} threads": Prefetch(batch_of, n) for n in (0, 1, 2)}
    feeds["the same batch"] = Same(batch_of(0))
    model = net()
    optimizer = adamw(model, 1e-3)

    def train(images: Tensor, labels: Tensor) -> None:
        class_loss(model, images, labels).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    try:
        for what, steps, step in (
            ("a batch alone", 100, lambda *batch: None),
            ("a small net", 20, train),
        ):
            taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in feeds}
            for number in range(rounds):
                for name in list(feeds)[:: -1 if number % 2 else 1]:
                    taken[name].append(steps_of(feeds[name], number + 1, steps, step))
            for name, found in taken.items():
                seconds, waited, cpu = (statistics.median(x) for x in zip(*found, strict=True))
                in_place = taken["0 threads"]
                _, here, ratio, spread = paired([x[2] for x in found], [x[2] for x in in_place])
                yield Row(
                    f"CPU a step: {what}, {name}",
                    f"{cpu * 1e3:.2f} ms; {seconds * 1e3:.2f} ms in all, {waited:.1%} waiting",
                    f"in place {here * 1e3:.2f} ms",
                    ratio,
                    "-",
                    None,
                    spread,
                )
    finally:
        for feed in feeds.values():
            feed.close()


def rows(scale: Lengths) -> Iterator[Row]:
    """Loading one by one and by the batch; threads, processes and neither."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        side = train_side()
        yield from feeding(side, scale.rounds)
        for workers in (0, 2):
            yield loading(side, workers, max(3, min(scale.rounds, 9)))
    finally:
        torch.set_num_threads(threads)

"""Writing a byte at a time: kept keys and values, int8 weights, what both cost and save.

All on one thread, in one process, in turn. A decode step reads every weight once: beside its time
stands how many bytes that is a second.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from benchmarks.rows import Row, interleaved
from guide_deep_learning.training.data.batches import spread_windows, windows
from guide_deep_learning.training.data.corpus import Corpus, stdlib
from guide_deep_learning.training.deploy.quantize import (
    How,
    quantized,
    sums_are_exact,
    weight_bytes,
)
from guide_deep_learning.training.deploy.serving import byte_cost
from guide_deep_learning.training.models.generate import Generator
from guide_deep_learning.training.models.model import GPT, GPTConfig, modern
from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.optimizers.schedule import Schedule

CONTEXT = 64
HOWS: tuple[How, ...] = ("packed", "integers", "expanded")


class Scale(Protocol):
    """What this part needs to know of how long to measure."""

    @property
    def quick(self) -> bool:
        """Only to see that it runs."""

    @property
    def rounds(self) -> int:
        """Pairs of each figure."""


def rows(scale: Scale) -> Iterator[Row]:
    """Kept keys and values, a decode step at several widths, size, and loss."""
    torch.set_num_threads(1)
    for context, goal in ((128, 3.0), (512, 8.0)):
        yield from kept(context, goal, scale)
    for width, layers in ((128, 4), (512, 4), (1024, 2), (2048, 2)):
        if not (scale.quick and width > 1024):
            yield from decode(width, layers, scale)
    yield from losses(scale)


def seconds_a_byte(generator: Generator, count: int) -> Callable[[], float]:
    """Writes `count` bytes at each call."""

    def run() -> float:
        begin = time.perf_counter()
        for _ in range(count):
            next(generator)
        return (time.perf_counter() - begin) / count

    run()
    return run


def kept(context: int, goal: float, scale: Scale) -> Iterator[Row]:
    """With and without keys and values, over whole turns of the context; and the worst byte."""
    torch.manual_seed(0)
    model = GPT(modern(GPTConfig(128, context, 128, 4, 4))).eval()
    turn = context // 2 + 1
    prompt = b"x" * context
    ours, peer = (
        seconds_a_byte(Generator(model, prompt, keep=keep), turn) for keep in (True, False)
    )
    rounds = 3 if scale.quick else min(scale.rounds, 15)
    peer_s, ours_s, ratio, spread = interleaved(peer, ours, rounds)
    yield Row(
        f"bytes/s with kept keys and values, context {context}",
        f"{1 / ours_s:.0f} bytes/s",
        f"whole window each time {1 / peer_s:.0f} bytes/s",
        ratio,
        f"at least {goal}",
        ratio >= goal,
        spread,
    )
    one = seconds_a_byte(Generator(model, prompt), 1)  # has taken in the prompt
    turns = [[one() for _ in range(turn)] for _ in range(rounds)]
    usual, worst = (statistics.median(part) for part in zip(*map(_parted, turns), strict=True))
    yield Row(
        f"a byte as the context of {context} is full, over the usual one",
        f"{usual * 1e3:.3f} ms",
        f"{worst * 1e3:.3f} ms, once in {turn} bytes",
        worst / usual,
        "-",
        None,
    )


def _parted(turn: list[float]) -> tuple[float, float]:
    """The usual byte of a turn, and its first, for which half the context is computed anew."""
    return statistics.median(turn[1:]), turn[0]


def decode(width: int, layers: int, scale: Scale) -> Iterator[Row]:
    """int8 over float32 and bfloat16 at one byte, and what is read for it."""
    torch.manual_seed(0)
    model = GPT(modern(GPTConfig(128, CONTEXT, width, layers, max(width // 64, 2)))).eval()
    small = quantized(model)
    ours = seconds_a_byte(Generator(small, b"x"), 20)
    for name, other in (("float32", model), ("bfloat16", copy.deepcopy(model).bfloat16())):
        peer = seconds_a_byte(Generator(other, b"x"), 20)
        peer_s, ours_s, ratio, spread = interleaved(peer, ours, scale.rounds)
        # At width 128 all of it fits the caches: what is left is the cost of calling operations.
        goal = None
        if other is model and width >= 512:
            goal = 2.0 if width >= 1024 else 1.5
        yield Row(
            f"decode step, int8 over {name}, width {width}, {layers} layers",
            _said(ours_s, small),
            _said(peer_s, other),
            ratio,
            "-" if goal is None else f"at least {goal}",
            None if goal is None else ratio >= goal,
            spread,
        )
    before, after = weight_bytes(model), weight_bytes(small)
    yield Row(
        f"bytes of weights, width {width}",
        f"{after / 1e6:.2f} MB",
        f"float32 {before / 1e6:.2f} MB",
        before / after,
        "at least 3.8",
        before / after >= 3.8,
    )


def losses(scale: Scale) -> Iterator[Row]:
    """What rounding costs on text held out from training."""
    corpus = stdlib()
    held_out = torch.from_numpy(spread_windows(corpus.held_out, 256, CONTEXT)).long()
    plain = GPTConfig(corpus.vocabulary, CONTEXT, 128, 4, 4)
    for name, config in (("plain", plain), ("modern", modern(plain))):
        model = trained(config, corpus, 60 if scale.quick else 400)
        before = loss_of(model, held_out)
        for how in HOWS:
            if how == "integers" and not sums_are_exact():
                continue
            after = loss_of(quantized(model, how=how), held_out)
            yield Row(
                f"held-out loss, {name}, width 128, 4 layers, {how}: more by",
                f"{after:.4f} nats/byte",
                f"float32 {before:.4f}",
                after - before,
                "under 0.01",
                abs(after - before) < 0.01,
            )


def trained(config: GPTConfig, corpus: Corpus, steps: int) -> GPT:
    """A model that has learned for a minute."""
    torch.manual_seed(0)
    model = GPT(config)
    optimizer, rate = adamw(model, 3e-3), Schedule(3e-3, steps, warmup=20)
    for step in range(steps):
        numbers = torch.from_numpy(windows(corpus.train, 0, step, 12, CONTEXT)).long()
        loss = F.cross_entropy(model(numbers[:, :-1]).flatten(0, 1), numbers[:, 1:].flatten())
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return model.eval()


@torch.inference_mode()
def loss_of(model: nn.Module, held_out: Tensor) -> float:
    """The mean over windows, in nats per byte."""
    return F.cross_entropy(model(held_out[:, :-1]).flatten(0, 1), held_out[:, 1:].flatten()).item()


def _said(seconds: float, model: nn.Module) -> str:
    read = byte_cost(model)[0]
    return f"{seconds * 1e3:.3f} ms, {read / 1e6:.1f} MB at {read / seconds / 1e9:.1f} GB/s"

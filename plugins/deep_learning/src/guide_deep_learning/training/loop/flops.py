"""How many operations a step takes, counted; and which share of the machine's limit that is.

A multiply-add is two operations. Counted are matrix products, convolutions and attention, forward
and backward, as torch dispatches them: what is element-wise is bound by memory, and belongs to no
share of arithmetic. Model FLOPs utilisation (MFU: Chowdhery et al., PaLM, 2022) is the count over
the step's time, over what the machine can do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from guide.ceilings import cached as cached_card

_ATTENTION = "_scaled_dot_product_flash_attention_for_cpu"


def counted(call: Callable[[], object]) -> int:
    """Operations of the products that `call` makes."""
    aten = torch.ops.aten
    # torch counts attention on GPUs, and does not know the kernel it takes on a CPU.
    ours: dict[Any, Any] = {}
    if hasattr(aten, _ATTENTION):
        ours = {
            getattr(aten, _ATTENTION): _forward,
            getattr(aten, f"{_ATTENTION}_backward"): _backward,
        }
    with FlopCounterMode(display=False, custom_mapping=ours) as counter:
        call()
    return int(counter.get_total_flops())


def _forward(q: Sequence[int], k: Sequence[int], v: Sequence[int], *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(q, k, v))  # type: ignore[no-untyped-call]


def _backward(
    grad: Sequence[int], q: Sequence[int], k: Sequence[int], v: Sequence[int], *_: Any, **__: Any
) -> int:
    return int(sdpa_backward_flop_count(grad, q, k, v))  # type: ignore[no-untyped-call]


def ceiling(device: torch.device, threads: int, precision: str = "f32") -> tuple[float, str]:
    """This machine's limit in operations a second, as `guide machine` measured it, and its name.

    Returns:
        (0.0, "") where the machine was not measured, or that figure was too noisy.
    """
    card = cached_card()
    if card is None:
        return 0.0, ""
    if device.type == "cuda":
        id = f"gpu{device.index or 0}.{'f32' if precision == 'f32' else 'bf16'}"
        words = f"{precision} matrix products"
    else:
        # bf16 on a CPU is held against f32 too: that is what the card has.
        id, words = "fma.f32." + ("1" if threads == 1 else "all"), "f32 multiply-adds"
    value = card.value(id)
    if value is None:
        return 0.0, ""
    share = ""
    if device.type == "cpu" and threads > 1:
        share = f", {threads} threads"
    return value * 1e9, words + share

"""In which numbers a step is computed: float32, or 16 bits where the machine gains by them.

Weights, moments and sums stay float32 (Micikevicius et al., "Mixed precision training", 2017):
autocast rounds the operands of matrix products alone. float16 has so small a range that small
gradients vanish, so the loss is scaled up before backward; bfloat16 has the range of float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from guide.errors import GuideError
from guide_deep_learning.training.loop.hardware import bf16_flags

_DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


@dataclass(frozen=True, slots=True)
class Precision:
    """`name` is "f32", "bf16" or "f16"."""

    name: str = "f32"

    @property
    def dtype(self) -> torch.dtype:
        """Of the operands of matrix products."""
        return _DTYPES[self.name]

    @property
    def mixed(self) -> bool:
        """Whether anything is rounded to 16 bits."""
        return self.name != "f32"

    @property
    def scaled(self) -> bool:
        """Whether the loss must be scaled."""
        return self.name == "f16"


def pick_precision(name: str, device: torch.device) -> Precision:
    """The precision for "f32", "bf16", "f16" or "auto".

    auto is bf16 on a GPU that has it, else f16; on a CPU f32: there bf16 pays for some shapes and
    costs for others, which `tuning` finds out by trying.

    Raises:
        GuideError: for one that this device computes only by emulation: bf16 matrix products on a
            CPU without the instructions were measured at 69 times the time of float32.
    """
    cuda = device.type == "cuda"
    gpu_bf16 = cuda and torch.cuda.get_device_capability(device) >= (8, 0)
    if name == "auto":
        return Precision("f32" if not cuda else "bf16" if gpu_bf16 else "f16")
    if name not in _DTYPES:
        raise GuideError(f"there is no precision {name!r}", "it is auto, f32, bf16 or f16")
    if name == "bf16" and not (gpu_bf16 if cuda else bf16_flags()):
        where = torch.cuda.get_device_name(device) if cuda else "this CPU"
        raise GuideError(
            f"{where} has no instructions for bf16, and emulates it many times slower",
            f"type --set precision={'f16' if cuda else 'f32'}",
        )
    if name == "f16" and not cuda:
        raise GuideError(
            "f16 is for GPUs: CPUs compute it by emulation", "type --set precision=f32"
        )
    return Precision(name)


def candidates(name: str, device: torch.device) -> list[Precision]:
    """What is worth trying for `name`: more than one only for "auto" on a CPU that has bf16."""
    first = pick_precision(name, device)
    if name == "auto" and device.type == "cpu" and bf16_flags():
        return [first, Precision("bf16")]
    return [first]

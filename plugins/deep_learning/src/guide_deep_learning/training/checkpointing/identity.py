"""What makes two runs the same training, and what only makes them the same bit for bit.

A checkpoint says how it came about. Going on with another corpus, seed or batch would be a
different training that wears the old one's name: refused. Another thread count, torch or
learning rate goes on, and the record says that it is no longer exact.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guide.errors import GuideError
from guide.machine import machine_facts

if TYPE_CHECKING:
    import torch

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Identity:
    """Names and values; a name is that of the option that sets it; the seed has its own.

    `same` must not change, `exact` may, at the price of exactness.
    """

    same: Mapping[str, Value]
    exact: Mapping[str, Value]

    @property
    def digest(self) -> str:
        """The configuration in twelve letters: two runs with the same one compute the same."""
        return digest({"same": dict(self.same), "exact": dict(self.exact)})

    def as_json(self) -> dict[str, Any]:
        """For a checkpoint's manifest."""
        return {"same": dict(self.same), "exact": dict(self.exact), "config": self.digest}

    def check(self, about: Mapping[str, Any]) -> list[str]:
        """Compare with what a manifest says; returns a sentence for each loss of exactness.

        Raises:
            GuideError: for the first thing that may not change and did.
        """
        saved = about.get("same") or {}
        for name, value in self.same.items():
            if saved.get(name) != value:
                was = saved.get(name, "unknown")
                typed = {"corpus": "bring back that text", "seed": f"type --seed {was} to go on"}
                typed["ranks"] = f"start as many: torchrun --nproc-per-node={was} -m guide run"
                back = typed.get(name, f"type --set {name}={was} to go on with it")
                raise GuideError(
                    f"the checkpoint was made with {name} {was}, this run has {value}",
                    f"{back}, or start anew with --set resume=false",
                )
        before = about.get("exact") or {}
        return [
            f"not bit-exact: {name} was {before.get(name, 'unknown')}, is {value}"
            for name, value in self.exact.items()
            if before.get(name) != value
        ]


def surroundings(
    device: torch.device, *, threads: int, precision: str = "float32", world_size: int = 1
) -> dict[str, Value]:
    """What the last bits of a result depend on beside the options: a part of `Identity.exact`.

    Args:
        device: where it computes.
        threads: how many share a sum.
        precision: of the arithmetic: "float32", "bfloat16".
        world_size: how many processes share a step.

    Returns:
        Those three, the device's kind and name, what the CPU can do, and the versions of torch,
        numpy and Python (of which a patch release changes nothing here).
    """
    import numpy as np
    import torch

    cuda = device.type == "cuda"
    processor = str(machine_facts()["processor"])
    return {
        "device": device.type,
        "device name": torch.cuda.get_device_name(device) if cuda else processor,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": threads,
        "world size": world_size,
        "precision": precision,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def digest(values: Mapping[str, Any]) -> str:
    """Twelve letters of the sha256 of `values`, whatever their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]

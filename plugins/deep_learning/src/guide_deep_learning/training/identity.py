"""What makes two runs the same training, and what only makes them the same bit for bit.

A checkpoint says how it came about. Going on with another corpus, seed or batch would be a
different training that wears the old one's name: refused. Another thread count, torch or
learning rate goes on, and the record says that it is no longer exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from guide.errors import GuideError

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Identity:
    """Names and values; a name is that of the option that sets it; the seed has its own.

    `same` must not change, `exact` may, at the price of exactness.
    """

    same: Mapping[str, Value]
    exact: Mapping[str, Value]

    def as_json(self) -> dict[str, Any]:
        """For a checkpoint's manifest."""
        return {name: dict(values) for name, values in asdict(self).items()}

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

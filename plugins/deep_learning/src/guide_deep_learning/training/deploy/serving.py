"""The newest weights of a project, to write with: read only, also while a training goes on.

Nobody is asked for the right to save in the folder, and nothing in it is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from guide.errors import GuideError
from guide_deep_learning.training.checkpointing import checkpoint, series
from guide_deep_learning.training.deploy.quantize import Int8Linear, weight_bytes

_TRAIN = "train first: guide run"


@dataclass(frozen=True, slots=True)
class Served:
    """Weights, and where they come from.

    `same` is what the training may not change, by the names of its options: the shape is among it.
    `passed_over` has a sentence for each newer checkpoint that is not whole.
    """

    weights: dict[str, Tensor]
    step: int
    folder: Path
    same: dict[str, Any]
    passed_over: tuple[str, ...]

    def into(self, model: nn.Module) -> None:
        """Give `model` these weights.

        Raises:
            GuideError: when they are not of its shape.
        """
        try:
            model.load_state_dict(self.weights)
        except RuntimeError as error:
            lines = [line.strip() for line in str(error).splitlines()]
            raise GuideError(
                f"step {self.step} of {self.folder.name} does not fit this model: "
                f"{lines[min(1, len(lines) - 1)]}",
                "undo the change to the model, or train it: guide run",
            ) from error


def newest(root: Path, name: str = "") -> Served:
    """The newest whole weights of the training that was started last.

    Args:
        root: the folder of all checkpoints of a project.
        name: take them from this folder of `root` and from no other.

    Raises:
        GuideError: when there are none.
    """
    found = [path for path in series.existing(root) if name in ("", path.name)]
    passed_over: list[str] = []
    for folder in found:
        try:
            state = checkpoint.load_newest(folder)
            if state is not None and "ranks" in state.state:  # several processes saved it
                if (state.about.get("same") or {}).get("sharded"):
                    raise GuideError(
                        f"{folder.name} is parted among processes",
                        "train with --set sharded=false",
                    )
                state = checkpoint.load_newest(folder / "rank-0")
            if state is not None:
                said = (*passed_over, *state.passed_over)
                same = dict(state.about.get("same") or {})
                return Served(state.state["model"], state.step, folder, same, said)
        except (GuideError, KeyError) as error:
            passed_over.append(
                error.message if isinstance(error, GuideError) else f"{folder} has no weights"
            )
    if passed_over:
        raise GuideError("; ".join(passed_over), _TRAIN)
    there = root.name + (f"/{name}" if name else "")
    raise GuideError(f"there is no checkpoint in {there}", _TRAIN)


def byte_cost(model: nn.Module) -> tuple[int, int]:
    """What writing one byte takes at least: bytes read from memory, and operations.

    Every matrix is read once, and each weight is one multiplication and one addition. Attention to
    what was written before comes on top.
    """
    matrices = [m for m in model.modules() if isinstance(m, nn.Linear | Int8Linear)]
    weights = [m.integers if isinstance(m, Int8Linear) else m.weight for m in matrices]
    return sum(map(weight_bytes, matrices)), 2 * sum(w.numel() for w in weights)

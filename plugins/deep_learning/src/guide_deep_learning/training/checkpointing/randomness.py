"""Every random state there is: of torch, of the device, of numpy and of Python itself.

A restart that brings back the weights and not these draws other masks in dropout, and whoever
calls `random.random()` in a model gets another answer. The order of the data is not among them:
it is a function of (seed, step), see `batches`, since threads that prepare batches ahead would
draw from a state before its time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from guide.errors import GuideError


def seed(number: int) -> None:
    """Start all of them from one whole number, which may be negative or very large."""
    torch.manual_seed(number % 2**64)  # of every device too
    np.random.seed(number % 2**32)  # it takes no larger ones
    random.seed(number % 2**64)  # it would drop the sign


def states(device: torch.device) -> dict[str, Any]:
    """The states as they are now: tensors, numbers and text, as `weights_only=True` reads them.

    Args:
        device: whose generator is kept beside the CPU's, where it has one of its own.
    """
    version, words, gauss = random.getstate()
    found = {
        "torch": torch.get_rng_state(),
        "numpy": _pack(np.random.get_state(legacy=False)),
        "python": {"version": version, "words": torch.tensor(words), "gauss": gauss},
    }
    if device.type == "cuda":
        found["cuda"] = torch.cuda.get_rng_state(device)
    return found


def restore(saved: Mapping[str, Any], device: torch.device) -> None:
    """Go on drawing from what `states` returned.

    The last thing a restart does: whatever comes before may draw. A state of the CPU alone can go
    on with CUDA; that it is another device is `identity`'s to say.

    Raises:
        GuideError: when one of them is missing or of another kind.
    """
    try:
        python = saved["python"]
        random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))
        np.random.set_state(_unpack(saved["numpy"]))
        torch.set_rng_state(saved["torch"])
        if device.type == "cuda" and "cuda" in saved:
            torch.cuda.set_rng_state(saved["cuda"], device)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        said = str(error).partition("\n")[0]
        raise GuideError(
            f"the checkpoint's random states do not fit: {type(error).__name__}: {said}",
            "start anew with --set resume=false",
        ) from error


def _pack(state: Any) -> Any:
    """Arrays as tensors of their bytes: torch has no type for each of numpy's."""
    if isinstance(state, Mapping):
        return {name: _pack(value) for name, value in state.items()}
    if isinstance(state, np.ndarray):
        content = torch.frombuffer(bytearray(state.tobytes()), dtype=torch.uint8)
        return {"dtype": state.dtype.str, "bytes": content}
    return state


def _unpack(packed: Any) -> Any:
    if not isinstance(packed, Mapping):
        return packed
    if packed.keys() == {"dtype", "bytes"}:
        return np.frombuffer(packed["bytes"].numpy().tobytes(), packed["dtype"])
    return {name: _unpack(value) for name, value in packed.items()}

"""How depth is kept: 1 at the near plane, 0 at the far one, where floats are densest."""

from typing import Any

CLEAR = 0.0
"""What the buffer holds where nothing was drawn: infinitely far."""


def terms(near: float, far: float) -> tuple[float, float]:
    """A and b, such that depth = (a * z + b) / -z; z is minus the distance."""
    return 0.0, near  # near / distance: one rounding, and the far plane may lie at infinity


def nearer(new: Any, old: Any) -> Any:
    """Whether a depth wins over the one that is there; arrays of float32, or numbers."""
    return new > old

"""How depth is kept: 0 at the near plane, 1 at the far one."""

from typing import Any

CLEAR = 1.0
"""What the buffer holds where nothing was drawn."""


def terms(near: float, far: float) -> tuple[float, float]:
    """A and b, such that depth = (a * z + b) / -z; z is minus the distance."""
    return -far / (far - near), -far * near / (far - near)


def nearer(new: Any, old: Any) -> Any:
    """Whether a depth wins over the one that is there; arrays of float32, or numbers."""
    return new < old

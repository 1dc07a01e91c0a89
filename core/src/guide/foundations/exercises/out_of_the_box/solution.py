"""The kinetic energy of many particles, all at once."""

import numpy as np


def energy(mass: np.ndarray, vx: np.ndarray, vy: np.ndarray) -> float:
    """The sum of mass * speed ** 2 / 2; three arrays of float64, all of one length."""
    # Three passes over arrays; a number becomes a Python object once, at the very end.
    return 0.5 * float(np.dot(mass, vx * vx + vy * vy))

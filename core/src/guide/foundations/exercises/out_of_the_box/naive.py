"""The kinetic energy of many particles, one at a time."""

import numpy as np


def energy(mass: np.ndarray, vx: np.ndarray, vy: np.ndarray) -> float:
    """The sum of mass * speed ** 2 / 2; three arrays of float64, all of one length."""
    total = 0.0
    for i in range(len(mass)):
        total += 0.5 * mass[i] * (vx[i] * vx[i] + vy[i] * vy[i])
    return float(total)

"""Plane motions as 3 x 3 matrices: build them, apply them, tell how far apart two are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Matrix


def similarity(dx: float, dy: float, angle_rad: float = 0.0, zoom: float = 1.0) -> Matrix:
    """Rotate by `angle_rad`, enlarge by `zoom`, then move by (`dx`, `dy`) pixels."""
    c, s = zoom * math.cos(angle_rad), zoom * math.sin(angle_rad)
    return np.array([[c, -s, dx], [s, c, dy], [0.0, 0.0, 1.0]])


def transform(matrix: Matrix, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Map points, N x 2, by `matrix`; returns N x 2."""
    xy = np.asarray(points, dtype=np.float64)
    moved = xy @ matrix[:2, :2].T + matrix[:2, 2]
    w = xy @ matrix[2, :2] + matrix[2, 2]
    result: npt.NDArray[np.float64] = moved / w[:, None]
    return result


def between(earlier: Matrix, later: Matrix) -> Matrix:
    """The motion from one frame to another, given the pose of each over the photograph."""
    motion: Matrix = later @ np.linalg.inv(earlier)
    motion /= motion[2, 2]
    return motion


def distance_px(a: Matrix, b: Matrix, width: int, height: int) -> float:
    """How far apart two motions put a pixel, on average over a grid that spans the frame.

    In pixels, not in radians and zoom factors: one number that says what a viewer would see.
    """
    x, y = np.meshgrid(np.linspace(0, width - 1, 5), np.linspace(0, height - 1, 5))
    grid = np.column_stack([x.ravel(), y.ravel()])
    apart = transform(a, grid) - transform(b, grid)
    return float(np.hypot(apart[:, 0], apart[:, 1]).mean())


def describe(matrix: Matrix, width: int, height: int) -> tuple[float, float, float, float]:
    """The motion at the centre of the frame: dx, dy in pixels, rotation in degrees, zoom."""
    centre = np.array([[(width - 1) / 2, (height - 1) / 2]])
    dx, dy = (transform(matrix, centre) - centre)[0]
    m: npt.NDArray[Any] = matrix
    angle = math.degrees(math.atan2(m[1, 0], m[0, 0]))
    return float(dx), float(dy), angle, math.hypot(m[0, 0], m[1, 0])

"""A small teapot that hops around the large one: simulated at 120 Hz, drawn in between."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import numpy as np

from guide import FixedStep
from guide_graphics.raster import Mesh

RATE_HZ = 120
RADIUS = 1.45  # of its way around the middle
GRAVITY = 9.81  # units/s2; a unit is half the large teapot's width
LONGEST_STEPS = 10 * RATE_HZ  # at once: a run that stood still for longer gives up the rest


class State(NamedTuple):
    """Where it is after a step."""

    angle: float  # around the middle, rad
    height: float
    rise: float  # units/s


class Hopper:
    """The same seed and the same times give the same hops, at any frame rate.

    Args:
        mesh: what hops.
        seed: decides where it begins and how high it goes.
    """

    def __init__(self, mesh: Mesh, seed: int) -> None:
        chance = random.Random(seed)
        self._mesh = mesh
        self._take_off = math.sqrt(2 * GRAVITY * chance.uniform(0.25, 0.5))
        self._before = self._now = State(chance.uniform(0, math.tau), 0.0, self._take_off)
        self._physics = FixedStep(RATE_HZ, LONGEST_STEPS)

    def at(self, t_ns: int) -> Mesh:
        """The mesh where it is at `t_ns`; times do not go back."""
        for _ in self._physics.steps(t_ns):
            self._before, self._now = self._now, self._step(self._now)
        before, now, alpha = self._before, self._now, self._physics.alpha
        # Between the last two steps: shown as it was at the last, it would tremble
        angle = before.angle + (now.angle - before.angle) * alpha
        height = before.height + (now.height - before.height) * alpha
        return self._mesh.moved(_placed(angle, height))

    def _step(self, state: State) -> State:
        rise = state.rise - GRAVITY / RATE_HZ
        height = state.height + rise / RATE_HZ
        if height < 0:  # back on the ground, and up again as fast as ever
            height, rise = -height, self._take_off
        return State(state.angle + 0.8 / RATE_HZ, height, rise)


def _placed(angle: float, height: float) -> np.ndarray:
    """On its circle, its spout ahead."""
    cos, sin = math.cos(angle), math.sin(angle)
    transform = np.eye(4)
    transform[:3, :3] = [[-sin, 0.0, cos], [0.0, 1.0, 0.0], [-cos, 0.0, -sin]]
    transform[:3, 3] = RADIUS * cos, height, -RADIUS * sin
    return transform

"""How the camera moves. It follows from the time alone: runs that are on time show one film."""

from __future__ import annotations

import math

from guide_graphics.raster import Camera, orbit

TURN_S = 12.0  # seconds for once around
MIDDLE = (0.0, 0.42, 0.0)  # half-way up the teapot, which is 2 wide and stands on y = 0


def camera_at(t_s: float) -> Camera:
    """Where the camera is, `t_s` seconds into the run."""
    turn = 2 * math.pi * t_s / TURN_S
    return orbit(
        azimuth_deg=25 + math.degrees(turn),
        elevation_deg=21 + 9 * math.sin(turn / 2),
        distance=3.1 + 0.35 * math.cos(turn),
        target=MIDDLE,
    )

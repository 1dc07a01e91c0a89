"""What moves: the camera round the subject, and the sun. All of it follows from the time alone."""

from __future__ import annotations

import math

from guide_graphics.raster import Camera, Light, orbit

TURN_S = 24.0  # seconds for once around
SUN_DEG = 48.0  # above the horizon; lower, and shadows leave what the map covers


def camera_at(t_s: float, height: float) -> Camera:
    """Where the camera is, `t_s` seconds into the run, before a subject of this height."""
    turn = 2 * math.pi * t_s / TURN_S
    return orbit(
        azimuth_deg=-25 + math.degrees(turn),
        elevation_deg=20 + 8 * math.sin(turn),
        distance=4.1 + 0.35 * math.cos(2 * turn),
        target=(0.0, 0.47 * height, 0.0),
    )


def sun_at(t_s: float, round_s: float) -> Light:
    """The sun, which goes round in `round_s` seconds against the camera; 0: it stands still."""
    turn = -2 * math.pi * t_s / round_s if round_s else 0.0
    azimuth, elevation = math.radians(-32) + turn, math.radians(SUN_DEG)
    flat = math.cos(elevation)
    direction = (flat * math.sin(azimuth), math.sin(elevation), flat * math.cos(azimuth))
    return Light(direction, (0.92, 0.86, 0.74))

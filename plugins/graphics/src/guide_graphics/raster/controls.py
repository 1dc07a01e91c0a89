"""Cameras that a person steers. All of it is pure: a state and what was done give the next state.

Nothing here asks for the time. How long a frame took comes from the loop's tick, so that a second
of flying leads to the same place at 30 and at 144 frames a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from guide_graphics.raster.camera import Camera, orbit
from guide_graphics.raster.input import Input
from guide_graphics.raster.scene import Color

_STEEPEST_DEG = 89.0  # straight up or down, no camera knows which way its top is
_TURN_DEG = 240.0  # for a drag over the whole height of the window
_NOTCH = 0.9  # what is left of the distance after one notch of the wheel
_NEAREST, _FARTHEST = 1e-3, 1e4
_SLOWEST, _FASTEST = 0.01, 100.0


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _angles(direction: Color) -> tuple[float, float]:
    """Azimuth and elevation of a direction in degrees, as `orbit` counts them."""
    x, y, z = direction
    elevation = math.degrees(math.atan2(y, math.hypot(x, z)))
    return math.degrees(math.atan2(x, z)), _within(elevation, -_STEEPEST_DEG, _STEEPEST_DEG)


def _shifted(point: Color, *steps: tuple[Color, float]) -> Color:
    """`point`, moved along each direction by the length beside it."""
    moved = np.add(point, sum(np.multiply(direction, length) for direction, length in steps))
    x, y, z = moved.tolist()
    return x, y, z


@dataclass(frozen=True)
class OrbitControl:
    """A camera that goes round a target: drag turns, the wheel zooms, the right button pans.

    Args:
        azimuth_deg: as for `orbit`.
        elevation_deg: as for `orbit`; kept off straight up and straight down.
        distance: from the target.
        target: the middle of the picture.
        fov_deg: the vertical angle of view.
    """

    azimuth_deg: float
    elevation_deg: float
    distance: float
    target: Color
    fov_deg: float = 40.0

    @classmethod
    def of(cls, camera: Camera) -> OrbitControl:
        """The control that begins where `camera` is."""
        back: Color = tuple(np.subtract(camera.eye, camera.target).tolist())
        distance = _within(math.hypot(*back), _NEAREST, _FARTHEST)
        return cls(*_angles(back), distance, camera.target, camera.fov_deg)

    @property
    def camera(self) -> Camera:
        """The camera as it is now."""
        return orbit(self.azimuth_deg, self.elevation_deg, self.distance, self.target, self.fov_deg)

    def moved(self, given: Input, dt_s: float) -> OrbitControl:
        """The control after `given`; a drag is a length, not a speed, so `dt_s` plays no part."""
        right, down = given.turned
        elevation = self.elevation_deg + down * _TURN_DEG
        return replace(
            self,
            azimuth_deg=(self.azimuth_deg - right * _TURN_DEG) % 360,
            elevation_deg=_within(elevation, -_STEEPEST_DEG, _STEEPEST_DEG),
            distance=_within(self.distance * _NOTCH**given.scrolled, _NEAREST, _FARTHEST),
            target=self._panned(given) if any(given.panned) else self.target,
        )

    def _panned(self, given: Input) -> Color:
        """The target under a hand that drags the plane through it."""
        right, up, _ = self.camera.view[:3, :3]
        seen = 2 * self.distance * math.tan(math.radians(self.fov_deg) / 2)  # of that plane
        across, down = given.panned
        return _shifted(self.target, (right, -across * seen), (up, down * seen))


@dataclass(frozen=True)
class FlyControl:
    """A camera that flies: W A S D along and across its view, Q down, E up, drag looks around.

    Args:
        eye: where it is.
        azimuth_deg: where it looks *from*, as for `orbit`: 0 looks along -z.
        elevation_deg: above the horizon; negative looks up.
        speed: units a second; the wheel changes it.
        fov_deg: the vertical angle of view.
        near: distance of the near plane.
        far: distance of the far plane.
    """

    eye: Color
    azimuth_deg: float
    elevation_deg: float
    speed: float = 2.0
    fov_deg: float = 40.0
    near: float = 0.05
    far: float = 100.0

    @classmethod
    def of(cls, camera: Camera) -> FlyControl:
        """The control that begins where `camera` is."""
        angles = _angles(tuple(np.subtract(camera.eye, camera.target).tolist()))
        lens = {"fov_deg": camera.fov_deg, "near": camera.near, "far": camera.far}
        return cls(camera.eye, *angles, **lens)

    @property
    def forward(self) -> Color:
        """The unit vector along which it looks."""
        around, above = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        flat = math.cos(above)
        return -flat * math.sin(around), -math.sin(above), -flat * math.cos(around)

    @property
    def camera(self) -> Camera:
        """The camera as it is now; its target lies as far off as an orbit may begin from there."""
        return Camera(
            eye=self.eye,
            target=_shifted(self.eye, (self.forward, 3.0)),
            fov_deg=self.fov_deg,
            near=self.near,
            far=self.far,
        )

    def moved(self, given: Input, dt_s: float) -> FlyControl:
        """The control after `given`, which lasted `dt_s` seconds."""
        right, down = given.turned
        elevation = self.elevation_deg + down * _TURN_DEG / 2
        turned = replace(
            self,
            azimuth_deg=(self.azimuth_deg - right * _TURN_DEG / 2) % 360,
            elevation_deg=_within(elevation, -_STEEPEST_DEG, _STEEPEST_DEG),
            speed=_within(self.speed / _NOTCH**given.scrolled, _SLOWEST, _FASTEST),
        )
        return turned._flown(given, dt_s)

    def _flown(self, given: Input, dt_s: float) -> FlyControl:
        keys = given.axis("a", "d"), given.axis("q", "e"), given.axis("s", "w")
        if not any(keys):
            return self
        # Two keys at once lead along the diagonal, not faster than one
        step = self.speed * dt_s / math.hypot(*keys)
        around = math.radians(self.azimuth_deg)
        right = math.cos(around), 0.0, -math.sin(around)
        axes = right, (0.0, 1.0, 0.0), self.forward
        moves = [(axis, key * step) for axis, key in zip(axes, keys, strict=True)]
        return replace(self, eye=_shifted(self.eye, *moves))


class Steering:
    """Whose camera it is: that of a path until somebody touches the controls, theirs from then on.

    Tab changes between orbit and fly, R gives the camera back to the path.
    """

    def __init__(self) -> None:
        self.control: OrbitControl | FlyControl | None = None  # None: the path's

    @property
    def name(self) -> str:
        """What steers, for a person to read."""
        if self.control is None:
            return "path"
        if isinstance(self.control, FlyControl):
            return f"fly {self.control.speed:.1f}/s"
        return "orbit"

    @property
    def flying(self) -> bool:
        """Whether the letter keys are taken for flying."""
        return isinstance(self.control, FlyControl)

    def camera(self, path: Camera, given: Input, dt_s: float) -> Camera:
        """The camera of this frame.

        Args:
            path: where it would be if nobody steered.
            given: what was done since the frame before.
            dt_s: how long that was.
        """
        for key in given.pressed:
            now = path if self.control is None else self.control.camera
            if key == "tab":
                self.control = OrbitControl.of(now) if self.flying else FlyControl.of(now)
            elif key == "r":
                self.control = None
        touched = any((*given.turned, *given.panned, given.scrolled))
        if self.control is None and touched:
            self.control = OrbitControl.of(path)
        if self.control is None:
            return path
        self.control = self.control.moved(given, dt_s)
        return self.control.camera

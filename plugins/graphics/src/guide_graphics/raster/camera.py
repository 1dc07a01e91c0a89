"""Cameras.

The convention, everywhere in this package: right-handed world with y up; matrices are row-major
float32 arrays that multiply column vectors from the left, `clip = projection @ view @ (x, y, z,
1)`; clip space is OpenGL's, -w <= x, y, z <= w, looking down -z; depth runs from 0 (near) to 1
(far). OpenGL wants its uniforms column by column: hand it the transpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from guide.errors import GuideError
from guide_graphics.raster.scene import F32, Color

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A pin-hole camera at `eye` that looks at `target`.

    Args:
        eye: where it stands.
        target: the point in the middle of the picture.
        up: which way is up in the picture; not along the line of sight.
        fov_deg: the vertical angle of view.
        near: distance of the near plane; what is closer is cut off.
        far: distance of the far plane.

    Raises:
        GuideError: when these do not make a camera.
    """

    eye: Color
    target: Color = (0.0, 0.0, 0.0)
    up: Color = (0.0, 1.0, 0.0)
    fov_deg: float = 40.0
    near: float = 0.1
    far: float = 100.0

    def __post_init__(self) -> None:
        numbers = (*self.eye, *self.target, *self.up, self.fov_deg, self.near, self.far)
        if not all(map(math.isfinite, numbers)):
            raise GuideError("a camera's numbers must be finite")
        if not (0 < self.fov_deg < 180 and 0 < self.near < self.far):
            raise GuideError(
                f"a camera needs 0 < fov_deg < 180 and 0 < near < far, not "
                f"{self.fov_deg}, {self.near}, {self.far}"
            )
        if np.linalg.norm(np.cross(self._forward, self.up)) < 1e-9:
            raise GuideError("a camera cannot look along its own up", "move eye or change up")

    @property
    def _forward(self) -> F64:
        return np.subtract(self.target, self.eye)

    @cached_property
    def view(self) -> F32:
        """World to eye: (4, 4) float32."""
        back = -self._forward / np.linalg.norm(self._forward)
        right = np.cross(self.up, back)
        right /= np.linalg.norm(right)
        matrix = np.eye(4)
        matrix[:3, :3] = right, np.cross(back, right), back
        matrix[:3, 3] = -matrix[:3, :3] @ np.asarray(self.eye)
        return matrix.astype(np.float32)

    def projection(self, aspect: float) -> F32:
        """Eye to clip space, for a picture `aspect` times as wide as high: (4, 4) float32."""
        f = 1 / math.tan(math.radians(self.fov_deg) / 2)
        depth = self.near - self.far
        return np.array(
            [
                [f / aspect, 0, 0, 0],
                [0, f, 0, 0],
                [0, 0, (self.far + self.near) / depth, 2 * self.far * self.near / depth],
                [0, 0, -1, 0],
            ],
            np.float32,
        )


def orbit(
    azimuth_deg: float,
    elevation_deg: float,
    distance: float,
    target: Color = (0.0, 0.0, 0.0),
    fov_deg: float = 40.0,
) -> Camera:
    """A camera on a sphere around `target`.

    Args:
        azimuth_deg: 0 looks from +z, 90 from +x.
        elevation_deg: above the horizon; between -90 and 90, both excluded.
        distance: from the target.
        target: the middle of the sphere and of the picture.
        fov_deg: the vertical angle of view.
    """
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    flat = distance * math.cos(elevation)
    x, y, z = target
    eye = (
        x + flat * math.sin(azimuth),
        y + distance * math.sin(elevation),
        z + flat * math.cos(azimuth),
    )
    return Camera(eye=eye, target=target, fov_deg=fov_deg, near=distance / 50, far=distance * 20)

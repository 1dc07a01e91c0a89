"""A coarse picture by numpy alone: points on the triangles, for want of anything better."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.renderer import Frame, lit_from
from guide_graphics.raster.scene import F32, Material, Mesh, Scene

F64 = npt.NDArray[np.float64]

_AREA = 3  # of a triangle in pixels for each of its points, which is 3 x 3 pixels large
_GOLDEN = 0.6180339887498949
_R2 = 0.7548776662466927, 0.5698402909980532  # Roberts 2018: fills a square evenly, in any number


class PointRenderer:
    """Draws a preview. See `guide_graphics.raster.renderer.Renderer` for what it promises.

    Shapes, places and light are right; edges are ragged, textures one colour, shadows absent, what
    is translucent is a screen door. There are no more points than fill the picture, so a frame of
    many triangles costs little more than one of few.
    """

    backend = "software"

    def __init__(self, size: tuple[int, int], timeline: Timeline) -> None:
        self._size = size
        self.timeline = timeline
        self.description = "points by numpy"

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` as `camera` sees it at time `t_s`."""
        width, height = self._size
        color = np.repeat(scene.background_rows(height), width, axis=0)
        depth = np.ones(width * height, np.float32)
        ids = np.full(width * height, -1, np.int32)
        to_clip = camera.projection(width / height).astype(np.float64) @ camera.view
        _, lights = lit_from(scene, camera)
        first = 0
        with self.timeline.span("render/points"):
            for index, mesh in enumerate(scene.meshes):
                material = scene.materials[mesh.material]
                most = 2 * width * height // _AREA // len(scene.meshes)
                which, front, clip = self._points(mesh, material, to_clip @ mesh.transform, most)
                shade = _light(mesh, which, front, scene, lights[index]) * _mean_color(material)
                at, of, deep = self._splats(clip)
                near = deep < depth[at]  # points are in order: of those at one pixel the last stays
                at, of = at[near], of[near]
                depth[at], ids[at] = deep[near], first + which[of]
                color[at, :3] = (np.clip(shade[of], 0, 1) * 255 + 0.5).astype(np.uint8)
                first += len(mesh.triangles)
        return Frame(
            color.reshape(height, width, 4),
            t_s,
            depth=lambda: depth.reshape(height, width),
            ids=lambda: ids.reshape(height, width),
        )

    def close(self) -> None:
        """Nothing to give back."""

    def _points(self, mesh: Mesh, material: Material, matrix: F64, most: int) -> tuple[Any, ...]:
        """Points on what is seen, far ones first: triangle, front or back (1, -1), clip space."""
        clip = np.c_[mesh.positions, np.ones(len(mesh.positions))] @ matrix.T
        corners = clip[mesh.triangles]
        facing = np.sign(np.linalg.det(corners[..., [0, 1, 3]]))
        w = corners[..., 3]
        ahead = (w > 0).all(axis=1)
        # Divided by w now, points lie evenly over the picture, not over the triangle
        corners[ahead] /= w[ahead][..., None]
        one, two = (corners[:, k, :2] - corners[:, 0, :2] for k in (1, 2))
        width, height = self._size
        inside = np.clip(corners[..., :2], -1, 1)
        box = (inside.max(axis=1) - inside.min(axis=1)).prod(axis=1)
        area = np.minimum(np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2, box)
        # What reaches behind the eye is large, if it is seen at all; the picture's area is 4
        area = np.where(ahead, area, 0.25 * (w > 0).any(axis=1)) * width * height / 4
        if not material.double_sided:
            area[facing < 0] = 0
        wanted = area / _AREA * material.alpha
        wanted *= min(1.0, most / max(wanted.sum(), 1.0))
        # Fractions of a point even out from triangle to triangle
        chance = np.arange(len(area)) * _GOLDEN % 1
        which = np.repeat(np.arange(len(area)), (wanted + chance).astype(np.int64))
        u, v = (np.arange(len(which)) * step % 1 for step in _R2)
        outside = u + v > 1
        u, v = np.where(outside, 1 - u, u)[:, None], np.where(outside, 1 - v, v)[:, None]
        a, b, c = corners[which].transpose(1, 0, 2)
        points = a + u * (b - a) + v * (c - a)
        seen = (points[:, 3] > 0) & (np.abs(points[:, 2]) < points[:, 3])
        points, which = points[seen], which[seen]
        order = np.argsort(-points[:, 2] / points[:, 3], kind="stable")
        return which[order], facing[which[order]], points[order]

    def _splats(self, clip: F64) -> tuple[Any, ...]:
        """The pixels of all points: which pixel, of which point, how deep; in the points' order."""
        width, height = self._size
        ndc = clip[:, :3] / clip[:, 3:]
        center = np.clip((ndc[:, :2] + 1) / 2 * self._size, -9, 9000).astype(np.int64)
        around = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2)
        x, y = (center[:, None] + around).reshape(-1, 2).T
        of = np.repeat(np.arange(len(clip)), len(around))
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        of = of[inside]
        deep = (ndc[of, 2] / 2 + 0.5).astype(np.float32)
        return y[inside] * width + x[inside], of, deep


def _light(mesh: Mesh, which: Any, front: Any, scene: Scene, lights: F32) -> F64:
    """Ambient and diffuse light on points of triangles, by the first corner's normal: (n, 3)."""
    normals = mesh.normals[mesh.triangles[which, 0]] * front[:, None]
    total = np.tile(np.asarray(scene.ambient, np.float64), (len(which), 1))
    for light, direction in zip(scene.lights, lights, strict=True):
        total += np.maximum(normals @ direction, 0)[:, None] * np.asarray(light.color)
    return total


def _mean_color(material: Material) -> F64:
    color = np.asarray(material.color, np.float64)
    return color if material.texture is None else color * material.texture.mean(axis=(0, 1)) / 255

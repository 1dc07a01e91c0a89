"""What stands before the camera: a subject on a ground, in the sun."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np

from guide.errors import GuideError
from guide_graphics.raster import (
    U8,
    Light,
    Material,
    Mesh,
    Scene,
    Shadow,
    disc,
    load_mesh,
    marble,
    ordered,
    teapot,
    torus_knot,
)
from guide_graphics.raster.textures import cloud
from scene_viewer.motion import sun_at
from scene_viewer.options import Options

STONE, VEIN = (0.93, 0.90, 0.85), (0.62, 0.50, 0.42)
SLAB, JOINT, HAZE = (0.62, 0.60, 0.56), (0.34, 0.33, 0.32), (0.58, 0.68, 0.81)
GROUND_RADIUS = 9.0
SKY = Light((0.7, 0.4, -0.6), (0.16, 0.20, 0.28))


def build(options: Options, project: Path) -> Scene:
    """The scene; a mesh's path is looked up from the project's folder."""
    return staged(subject(options, project), mipmaps=options.mipmaps, shadow=options.shadow)


def staged(mesh: Mesh, *, mipmaps: bool = True, shadow: int = 1024) -> Scene:
    """A mesh on the ground, in the sun, whose shadow map has so many texels a side; 0: none."""
    # Seen from the sun all of the subject, and behind it what it throws on the ground
    cast = Shadow(centre=(0.0, 0.4, 0.0), radius=2.2, size=shadow, bias=0.006) if shadow else None
    return Scene(
        meshes=[mesh, disc(GROUND_RADIUS, material=1)],
        materials=[
            Material(
                texture=stone_texture(),
                mipmaps=mipmaps,
                specular=0.35,
                shininess=40,
                double_sided=True,
            ),
            Material(texture=ground_texture(), mipmaps=mipmaps, specular=0.0),
        ],
        lights=(sun_at(0.0, 0.0), SKY),
        ambient=(0.26, 0.27, 0.30),
        shadow=cast,
        background=((0.75, 0.74, 0.72), (0.55, 0.66, 0.80)),
    )


def subject(options: Options, project: Path, *, reorder: bool = True) -> Mesh:
    """The mesh that is looked at, 2 long, standing on y = 0.

    Args:
        options: say which.
        project: where relative paths begin.
        reorder: whether in the order that caches like, or as the file or the formula has it.
    """
    match options.mesh:
        case "knot":
            sides = max(round(math.sqrt(options.triangles / 60)), 3)
            made = torus_knot(segments=max(options.triangles // (2 * sides), 3), sides=sides)
        case "teapot":
            made = teapot(options.triangles)
        case typed:
            try:
                path = Path(typed).expanduser()
            except RuntimeError:  # "~name" of a person this machine does not know
                raise GuideError(f"{typed} lies in no known home", "type --mesh PATH") from None
            return load_mesh(project / path, reorder=reorder)
    return ordered(made) if reorder else made


@cache
def stone_texture() -> U8:
    """What the subject is made of."""
    return marble(STONE, VEIN, 1024)


@cache
def ground_texture(size: int = 2048) -> U8:
    """Slabs of stone, each of a shade of its own, which fade into the haze."""
    axis = ((np.arange(size) + 0.5) / size * 2 - 1) * GROUND_RADIUS
    x, y = np.meshgrid(axis, axis)
    row = np.floor(y / 0.6)
    column = np.floor(x / 0.9 + row / 2)  # every other row is moved by half a slab
    shade = np.random.default_rng(3).uniform(0.85, 1.08, (64, 64))
    shade = shade[row.astype(int) % 64, column.astype(int) % 64] + 0.06 * cloud(size, 5, 8)
    edge = np.minimum(_to_edge(y / 0.6) * 0.6, _to_edge(x / 0.9 + row / 2) * 0.9)
    color = np.where((edge > 0.012)[..., None], SLAB, JOINT) * shade[..., None]
    fade = np.clip((np.hypot(x, y) - 2.5) / (GROUND_RADIUS - 3.0), 0, 1)[..., None] ** 0.8
    faded = color + (np.asarray(HAZE) - color) * fade
    return np.asarray(np.clip(faded * 255 + 0.5, 0, 255), np.uint8)


def _to_edge(place: np.ndarray) -> np.ndarray:
    """How far it is to the next whole number."""
    return np.asarray(np.abs(place - np.rint(place)))

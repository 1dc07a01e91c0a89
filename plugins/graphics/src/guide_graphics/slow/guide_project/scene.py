"""What stands before the camera: change it."""

from __future__ import annotations

from dataclasses import replace
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
    teapot,
)
from guide_project.options import Options

PORCELAIN, GLAZE = (0.94, 0.93, 0.90), (0.10, 0.24, 0.56)
TILE, GROUT, HAZE = (0.80, 0.66, 0.50), (0.60, 0.45, 0.33), (0.50, 0.55, 0.62)
COPPER = (0.72, 0.36, 0.24)
GROUND_RADIUS = 6.0

LIGHTS = (
    Light((-0.35, 0.85, 0.55), (0.86, 0.82, 0.74)),  # the sun, warm, from the left
    Light((0.8, 0.35, -0.5), (0.22, 0.27, 0.36)),  # the sky, cool, from behind
)
# The sun's; wide enough for what hops around the subject, and no wider, or its edges grow coarse
SHADOW = Shadow(light=0, centre=(0.0, 0.4, 0.0), radius=2.3)


def build(options: Options, project: Path) -> Scene:
    """The scene; a mesh's path is looked up from the project's folder."""
    return Scene(
        meshes=[_subject(options, project), disc(GROUND_RADIUS, material=1)],
        materials=[
            Material(texture=marble(PORCELAIN, GLAZE, 256), specular=0.55, double_sided=True),
            Material(texture=ground_texture(), specular=0.0),
            Material(COPPER, specular=0.6, shininess=30, double_sided=True),
        ],
        lights=LIGHTS,
        ambient=(0.24, 0.24, 0.27),
        shadow=SHADOW,
        background=((0.36, 0.36, 0.40), (0.52, 0.62, 0.74)),
    )


def hopping() -> Mesh:
    """The mesh that hops around the subject."""
    return replace(teapot(800).fitted(0.55), material=2)


def _subject(options: Options, project: Path) -> Mesh:
    if options.mesh == "teapot":
        return teapot(options.triangles)
    try:
        path = Path(options.mesh).expanduser()
    except RuntimeError:  # "~name" of a person this machine does not know
        raise GuideError(f"{options.mesh} lies in no known home", "type --set mesh=PATH") from None
    mesh = load_mesh(project / path)  # its longest side is 2
    height = float(mesh.positions[:, 1].max())
    return mesh.fitted(2 / height) if height > 1 else mesh  # the camera has room for 1 upwards


def ground_texture(size: int = 512) -> U8:
    """Tiles that fade into the haze."""
    axis = ((np.arange(size) + 0.5) / size * 2 - 1) * GROUND_RADIUS
    x, y = np.meshgrid(axis, axis)
    away = np.hypot(x, y)
    odd = (np.floor(x / 0.5) + np.floor(y / 0.5)) % 2
    color = np.where(odd[..., None] == 0, TILE, GROUT)
    fade = np.clip((away - 2.0) / (GROUND_RADIUS - 2.4), 0, 1)[..., None] ** 0.8
    return ((color + (np.asarray(HAZE) - color) * fade) * 255 + 0.5).astype(np.uint8)

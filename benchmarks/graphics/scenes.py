"""The scenes, and the camera that turns around each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.apart import ROOT
from guide_graphics.raster import (
    U8,
    Camera,
    Light,
    Material,
    Mesh,
    Scene,
    grid,
    load_mesh,
    marble,
    orbit,
    teapot,
)

BUNNIES = (
    ROOT / "build" / "meshes" / "bunny.obj",
    Path("/usr/share/glmark2/models/bunny.obj"),
)
DRAGONS = (ROOT / "build" / "meshes" / "dragon.ply",)
LAYERS = 50
STEP_DEG = 6.0  # that the camera turns from one frame to the next
GREY = (0.2, 0.22, 0.25)
LIGHT = Light((0.4, 0.8, 0.45))

_AHEAD = 3.0  # from the eye to the last of the layers
_SIDE = 0.02  # how far the eye moves to either side before them


@dataclass(frozen=True, eq=False)
class View:
    """A scene and how it is looked at.

    Args:
        about: what is in it, for people.
        scene: one light, one material, a background of one colour.
        camera: where it is in frame n.
    """

    about: str
    scene: Scene
    camera: Callable[[int], Camera]

    @property
    def mesh(self) -> Mesh:
        """The one mesh that is in it."""
        return self.scene.meshes[0]

    @property
    def material(self) -> Material:
        """The one material that is in it."""
        return self.scene.materials[0]


def view(name: str, *, mipmaps: bool = False, detail: float = 1.0) -> View:
    """Scene a, b, c or c2.

    Args:
        name: of the scene.
        mipmaps: whether its texture has them.
        detail: share of the triangles of generated meshes; below 1 no mesh is read from a file.
    """
    texture = marble((0.94, 0.93, 0.9), (0.1, 0.24, 0.56), 1024)
    material = Material(texture=texture, mipmaps=mipmaps, specular=0.5, shininess=32)
    if name in ("c", "c2"):
        blended = name == "c2"
        about = f"{LAYERS} full-screen layers, " + ("blended at 0.5" if blended else "opaque")
        material = replace(material, alpha=0.5 if blended else 1.0)
        return View(about, _scene(layers(), material), _before)
    files, triangles = {"a": (BUNNIES, 70_000), "b": (DRAGONS, 1_000_000)}[name]
    about, mesh = _mesh(files if detail == 1 else (), round(triangles * detail))
    return View(f"{about}, {len(mesh.triangles):,} triangles", _scene(mesh, material), around(mesh))


def layers(count: int = LAYERS) -> Mesh:
    """Squares one before the other, farthest first, each larger than the picture.

    Each shows another part of the texture, so that it can be told which is seen.
    """
    square = grid(1, 1)
    half_height = math.tan(math.radians(20)) * 1.1  # at distance 1, with a camera of 40 degrees
    positions, uv = [], []
    for number in range(count):
        away = _AHEAD * (1 - 0.01 * number)
        size = away * half_height * np.array([16 / 9, 1.0, 1.0])
        positions.append(square.positions * size - [0, 0, away])
        uv.append(square.uv + 0.37 * number)
    corners = len(square.positions)
    return Mesh(
        np.concatenate(positions),
        np.tile(square.normals, (count, 1)),
        np.concatenate(uv),
        np.concatenate([square.triangles + corners * number for number in range(count)]),
    )


def around(mesh: Mesh) -> Callable[[int], Camera]:
    """A camera that turns around a mesh, so near that it fills the picture's height."""
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    middle = (low + high) / 2
    x, y, z = (float(value) for value in middle)
    radius = float(np.linalg.norm(mesh.positions - middle, axis=1).max())
    return lambda n: orbit(STEP_DEG * n, 15, 1.85 * radius, (x, y, z))


def arrays(view: View) -> tuple[Mesh, U8]:
    """Mesh and texture, for those who draw them otherwise."""
    assert view.material.texture is not None
    return view.mesh, view.material.texture


def _before(n: int) -> Camera:
    """The camera before the layers, which sways: no two frames are the same."""
    side = _SIDE * math.sin(math.radians(STEP_DEG * n))
    return Camera(eye=(side, 0, 0), target=(side, 0, -1))


def _scene(mesh: Mesh, material: Material) -> Scene:
    return Scene([mesh], [material], [LIGHT], background=(GREY, GREY))


def _mesh(files: tuple[Path, ...], triangles: int) -> tuple[str, Mesh]:
    """The first of the files that is there, or a teapot of as many triangles."""
    for path in files:
        if path.exists():
            mesh = load_mesh(path)
            # These have no texture coordinates, and those that go round an axis end in a seam of
            # triangles that show the whole texture: there the last bit decides what is seen
            return path.stem, replace(mesh, uv=mesh.positions[:, :2])
    return "teapot", teapot(triangles)

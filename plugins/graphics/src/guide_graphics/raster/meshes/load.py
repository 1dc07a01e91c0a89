"""Meshes from files: read by the format, checked, made to fit, put in order, kept."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.meshes import cache
from guide_graphics.raster.meshes.geometry import F64, I64, Geometry
from guide_graphics.raster.meshes.obj import read_obj
from guide_graphics.raster.meshes.order import ordered
from guide_graphics.raster.meshes.ply import read_ply
from guide_graphics.raster.scene import Mesh

SUFFIXES = (".obj", ".ply", ".gltf", ".glb", ".stl", ".off")


def load_mesh(path: str | Path, material: int = 0, *, reorder: bool = True) -> Mesh:
    """Read a mesh, scaled so that its longest side is 2 and standing on y = 0.

    Normals and texture coordinates of the file are kept; where there are none, normals are the
    mean of the faces around a vertex, weighted by their area, and texture coordinates go round the
    y axis. Polygons become fans of triangles; triangles without an area and vertices that none
    uses are left out; what remains is put in the order of `ordered`. Materials and images of the
    file are not read.

    What comes out is kept in `<file>.guide.npz` beside the file, or in the user's cache where
    nothing can be written there, and read from it for as long as the file stays the same.

    Args:
        path: of an OBJ, PLY, glTF, GLB, STL or OFF file.
        material: index of its material.
        reorder: False leaves triangles and all vertices in the order of the file, to see what that
            costs a frame; the file is then read anew.

    Raises:
        GuideError: when the file is missing, not to be read, of another kind, damaged or holds
            no triangle.
    """
    path = Path(path)
    try:
        _check_file(path)
        mesh = _kept_or_read(path) if reorder else _read(path)
        return replace(mesh, material=material)
    except (FileNotFoundError, NotADirectoryError):
        raise GuideError(f"there is no mesh {path}", "check the path") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise GuideError(
            f"the mesh {path} cannot be read: {reason}", "see who may read it, or take another"
        ) from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise GuideError(f"the mesh {path} is a folder", "name a file in it")
    if path.suffix.lower() not in SUFFIXES:
        raise GuideError(
            f"cannot read a {path.suffix or 'nameless'} mesh: {path}", f"take {', '.join(SUFFIXES)}"
        )
    if not stat.S_ISREG(path.stat().st_mode):  # is_file() would hide a permission denied
        raise GuideError(f"the mesh {path} is no file", "check the path")
    with path.open("rb") as file:
        if not file.read(1):
            raise GuideError(f"the mesh {path} is an empty file", "fetch it again")


def _kept_or_read(path: Path) -> Mesh:
    if path.suffix.lower() == ".gltf":  # its numbers may lie in other files, which may change
        return ordered(_read(path))
    key = cache.key_of(path)
    mesh = cache.kept(path, key)
    if mesh is None:
        mesh = ordered(_read(path))
        cache.keep(path, key, mesh)
    return mesh


def _read(path: Path) -> Mesh:
    # Broken or extreme coordinates overflow on the way to the checks that refuse them
    with np.errstate(all="ignore"):
        try:
            geometry = _geometry(path)
        except ValueError as error:
            reason = " ".join(str(error).split())[:80]
            raise GuideError(
                f"the mesh {path} cannot be read ({reason})", "fetch it again"
            ) from error
        _check_numbers(path, geometry)
        return _fitted(path, geometry)


def _geometry(path: Path) -> Geometry:
    match path.suffix.lower():
        case ".obj":
            return read_obj(path.read_bytes())
        case ".ply":
            return read_ply(path.read_bytes())
        case _:
            from guide_graphics.raster.meshes.others import read_other

            return read_other(path)


def _check_numbers(path: Path, geometry: Geometry) -> None:
    triangles, n = geometry.triangles, len(geometry.positions)
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < n:
        bad = triangles[(triangles < 0) | (triangles >= n)][0]
        raise GuideError(
            f"a triangle of the mesh {path} names vertex {bad} of {n}", "fetch it again"
        )
    # Texture coordinates are not scaled: they must be finite as float32, too
    uv = None if geometry.uv is None else geometry.uv.astype(np.float32)
    named = (("vertex", geometry.positions), ("normal", geometry.normals), ("uv", uv))
    for name, table in named:
        bad = ~np.isfinite(table).all(axis=1) if table is not None else np.zeros(0, np.bool_)
        if bad.any():
            raise GuideError(
                f"{name} {int(bad.argmax())} of the mesh {path} is not finite "
                f"({int(bad.sum())} of {n} vertices)",
                "remove NaN and infinity from it",
            )


def _fitted(path: Path, geometry: Geometry) -> Mesh:
    triangles = geometry.triangles
    while True:
        positions = _scaled(geometry.positions, triangles)
        a, b, c = (positions[triangles[:, k]] for k in range(3))
        faces = np.cross(b - a, c - a)  # along the normal, as long as twice the area
        solid = faces.any(axis=1)
        if solid.all():
            break
        triangles = triangles[solid]  # what is left may fill less space
    if not len(triangles):
        raise GuideError(
            f"the mesh {path} came out with {len(geometry.positions)} vertices and "
            f"{len(geometry.triangles)} triangles, and nothing to see",
            "fetch it again, or export it with triangles",
        )
    uv = _round_y(positions) if geometry.uv is None else geometry.uv
    return Mesh(
        positions=positions.astype(np.float32),
        normals=_normals(geometry.normals, triangles, faces, len(positions)).astype(np.float32),
        uv=uv.astype(np.float32),
        triangles=triangles.astype(np.int32),
    )


def _scaled(positions: F64, triangles: I64) -> F64:
    """Positions made to fit by what the triangles use of them, as exact as float32 has them."""
    used = np.zeros(len(positions), np.bool_)
    used[triangles] = True
    if not used.any():
        return positions
    low, high = positions[used].min(axis=0), positions[used].max(axis=0)
    longest = float((high - low).max())
    if not np.finfo(np.float64).tiny <= longest < np.inf:
        return np.zeros_like(positions)
    # In float64: float32 holds neither 1e300 nor 1e-50
    foot = np.array([low[0] / 2 + high[0] / 2, low[1], low[2] / 2 + high[2] / 2])
    fitted = np.where(used[:, None], (positions - foot) / longest * 2, 0)
    return fitted.astype(np.float32).astype(np.float64)


def _normals(of_file: F64 | None, triangles: I64, faces: F64, vertices: int) -> F64:
    """Unit normals: the file's; the mean of the faces where it has none, or one of no length."""
    corners = triangles.ravel()
    normals = np.empty((vertices, 3))
    for axis in range(3):
        normals[:, axis] = np.bincount(corners, np.repeat(faces[:, axis], 3), vertices)
    if of_file is not None:
        given = of_file.any(axis=1)
        normals[given] = of_file[given]
    normals[~normals.any(axis=1)] = 0, 1, 0
    normals /= np.abs(normals).max(axis=1, keepdims=True)  # 1e300 has no square
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return normals


def _round_y(positions: F64) -> F64:
    """Texture coordinates as of a cylinder, for what has none: once around in u."""
    middle = positions[:, 1].max() / 2
    x, y, z = positions.T
    return np.column_stack([np.arctan2(x, z) / np.pi, (y - middle) / 2])

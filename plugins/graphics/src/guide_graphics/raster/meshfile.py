"""Meshes from files: OBJ, PLY and glTF, read by trimesh and made to fit."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.scene import Mesh

SUFFIXES = (".obj", ".ply", ".gltf", ".glb")


def load_mesh(path: str | Path, material: int = 0) -> Mesh:
    """Read a mesh, scaled so that its longest side is 2 and standing on y = 0.

    Normals and texture coordinates of the file are kept; where there are none, normals are the
    mean of the faces around a vertex and texture coordinates go round the y axis. Materials and
    images of the file are not read.

    Raises:
        GuideError: when the file is missing, of another kind, damaged or holds no triangle.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise GuideError(
            f"cannot read a {path.suffix or 'nameless'} mesh: {path}", f"take {', '.join(SUFFIXES)}"
        )
    if not path.is_file():
        raise GuideError(f"there is no mesh {path}", "check the path")
    if path.stat().st_size == 0:
        raise GuideError(f"the mesh {path} is an empty file", "fetch it again")
    _refuse_draco(path)
    loaded = _read(path)
    if (
        not len(loaded.vertices)
        or not len(loaded.faces)
        or np.ptp(loaded.vertices, axis=0).max() == 0
    ):
        raise GuideError(
            f"the mesh {path} came out with {len(loaded.vertices)} vertices and "
            f"{len(loaded.faces)} triangles, and nothing to see",
            "fetch it again, or export it with triangles",
        )
    normals = np.array(loaded.vertex_normals, np.float32)
    normals[~normals.any(axis=1)] = 0, 1, 0  # of vertices that no triangle uses
    return Mesh(
        positions=np.asarray(loaded.vertices, np.float32),
        normals=normals,
        uv=_uv(loaded),
        triangles=np.asarray(loaded.faces, np.int32),
        material=material,
    ).fitted()


def _refuse_draco(path: Path) -> None:
    # trimesh logs a warning for Draco's compressed buffers and hands back nothing, or zeros
    if path.suffix.lower() not in (".gltf", ".glb") or find_spec("DracoPy") is not None:
        return
    if b"KHR_draco_mesh_compression" in path.read_bytes():
        raise GuideError(
            f"the mesh {path} is Draco-compressed", "save it without compression, as plain glTF"
        )


def _read(path: Path) -> Any:
    import trimesh

    logging.getLogger("trimesh").setLevel(logging.ERROR)  # what matters is said by the caller
    try:
        loaded = trimesh.load_mesh(path, process=False)
        if isinstance(loaded, trimesh.Scene):
            loaded = loaded.to_mesh()
    except Exception as error:
        # A parser handed damaged bytes raises whatever it stumbled on
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise GuideError(f"the mesh {path} cannot be read ({reason})", "fetch it again") from error
    return loaded


def _uv(loaded: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    uv = getattr(loaded.visual, "uv", None)
    if uv is not None and np.shape(uv) == (len(loaded.vertices), 2):
        return np.asarray(uv, np.float32)
    low, high = loaded.bounds
    x, y, z = (np.asarray(loaded.vertices) - (low + high) / 2).T / max((high - low).max(), 1e-30)
    return np.column_stack([np.arctan2(x, z) / np.pi, y]).astype(np.float32)

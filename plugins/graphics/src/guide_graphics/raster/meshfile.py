"""Meshes from files: OBJ, PLY and glTF, read by trimesh and made to fit."""

from __future__ import annotations

import logging
import re
import stat
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.scene import Mesh

SUFFIXES = (".obj", ".ply", ".gltf", ".glb")
_DISTRIBUTIONS = {"PIL": "pillow", "charset_normalizer": "charset-normalizer"}


def load_mesh(path: str | Path, material: int = 0) -> Mesh:
    """Read a mesh, scaled so that its longest side is 2 and standing on y = 0.

    Normals and texture coordinates of the file are kept; where there are none, normals are the
    mean of the faces around a vertex and texture coordinates go round the y axis. Materials and
    images of the file are not read.

    Raises:
        GuideError: when the file is missing, not to be read, of another kind, damaged or holds
            no triangle.
    """
    path = Path(path)
    try:
        _check_file(path)
    except (FileNotFoundError, NotADirectoryError):
        raise GuideError(f"there is no mesh {path}", "check the path") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise GuideError(
            f"the mesh {path} cannot be read: {reason}", "see who may read it, or take another"
        ) from error
    _refuse_draco(path)
    # Broken or extreme coordinates overflow on the way to the checks that refuse them
    with np.errstate(all="ignore"):
        return _fitted(path, _read(path), material)


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


def _fitted(path: Path, loaded: Any, material: int) -> Mesh:
    bad = ~np.isfinite(loaded.vertices).all(axis=1)
    if bad.any():
        raise GuideError(
            f"vertex {int(bad.argmax())} of the mesh {path} is not finite "
            f"({int(bad.sum())} of {len(bad)} vertices)",
            "remove NaN and infinity from it",
        )
    longest = np.ptp(loaded.vertices, axis=0).max() if len(loaded.vertices) else 0.0
    if not len(loaded.faces) or not np.finfo(np.float64).tiny <= longest < np.inf:
        raise GuideError(
            f"the mesh {path} came out with {len(loaded.vertices)} vertices and "
            f"{len(loaded.faces)} triangles, and nothing to see",
            "fetch it again, or export it with triangles",
        )
    # Made to fit while it is float64: float32 holds neither 1e300 nor 1e-50
    loaded.apply_scale(1 / longest)
    loaded.apply_translation(-loaded.bounds[0])
    normals = np.array(loaded.vertex_normals)
    normals[~normals.any(axis=1)] = 0, 1, 0  # of vertices that no triangle uses
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)  # a file's may have any length
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
    try:
        import trimesh

        logging.getLogger("trimesh").setLevel(logging.ERROR)  # what matters is said by the caller
        scene = trimesh.load_scene(path, process=False)
        # Not scene.to_mesh(): that copies without the cache, where normals of the file lie
        parts = []
        for node in scene.graph.nodes_geometry:
            transform, name = scene.graph[node]
            if isinstance(scene.geometry[name], trimesh.Trimesh):
                parts.append(scene.geometry[name].copy(include_cache=True))
                parts[-1].apply_transform(transform)
        return parts[0] if len(parts) == 1 else trimesh.util.concatenate(parts)
    except ModuleNotFoundError as error:
        # trimesh imports what it needs for a file when it meets one that needs it; raised anew
        # there, the error has lost its `name` and only says "No module named 'PIL'"
        quoted = re.search(r"'([^']+)'", str(error))
        name = (error.name or (quoted[1] if quoted else str(error))).partition(".")[0]
        raise GuideError(
            f"reading the mesh {path} takes the module {name}, which is not installed",
            f"pip install {_DISTRIBUTIONS.get(name, name)}",
        ) from error
    except Exception as error:
        # A parser handed damaged bytes raises whatever it stumbled on
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise GuideError(f"the mesh {path} cannot be read ({reason})", "fetch it again") from error


def _uv(loaded: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    uv = getattr(loaded.visual, "uv", None)
    if uv is not None and np.shape(uv) == (len(loaded.vertices), 2):
        return np.asarray(uv, np.float32)
    low, high = loaded.bounds
    x, y, z = (np.asarray(loaded.vertices) - (low + high) / 2).T / max((high - low).max(), 1e-30)
    return np.column_stack([np.arctan2(x, z) / np.pi, y]).astype(np.float32)

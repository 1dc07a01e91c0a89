"""Every other format, through trimesh: glTF, STL, OFF."""

from __future__ import annotations

import io
import json
import logging
import re
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.meshes.geometry import Geometry

MAX_TRIANGLES = 50_000_000  # a file of a few kB may place one part a thousand times
_UNTOLD = 1_000_000  # numbers that a glTF may leave out as zeros, whatever its own size


def read_other(path: Path) -> Geometry:
    """The surface in a file, its parts where the file puts them.

    Raises:
        GuideError: when a module is missing that the file takes, or it is Draco-compressed.
        ValueError: when the file is damaged.
    """
    if path.suffix.lower() in (".gltf", ".glb"):
        _check_gltf(path)
    try:
        parts = _parts(path)
    except ModuleNotFoundError as error:
        # trimesh imports what it needs for a file when it meets one that needs it; raised anew
        # there, the error has lost its `name` and only says "No module named 'x'"
        quoted = re.search(r"'([^']+)'", str(error))
        name = (error.name or (quoted[1] if quoted else str(error))).partition(".")[0]
        raise GuideError(
            f"reading the mesh {path} takes the module {name}, which is not installed",
            f"pip install {name.replace('_', '-')}",
        ) from error
    except Exception as error:
        # A parser handed damaged bytes raises whatever it stumbled on
        raise ValueError(str(error) or type(error).__name__) from error
    if not parts:
        return Geometry(np.empty((0, 3)), np.empty((0, 3), np.int64))
    offsets = np.cumsum([0] + [len(part.positions) for part in parts[:-1]])
    uv = [part.uv for part in parts if part.uv is not None]
    return Geometry(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.triangles + at for part, at in zip(parts, offsets, strict=True)]),
        np.concatenate([part.normals for part in parts if part.normals is not None]),
        np.concatenate(uv) if len(uv) == len(parts) else None,
    )


def _parts(path: Path) -> list[Geometry]:
    import trimesh

    logging.getLogger("trimesh").setLevel(logging.ERROR)  # what matters is said by the caller
    # From memory: a file's read() takes the memory that is asked for, whatever the file holds
    scene = trimesh.load_scene(
        io.BytesIO(path.read_bytes()),
        file_type=path.suffix[1:].lower(),
        resolver=trimesh.resolvers.FilePathResolver(str(path)),
        process=False,
    )
    placed = [scene.graph[node] for node in scene.graph.nodes_geometry]
    nodes = [(transform, scene.geometry[name]) for transform, name in placed]
    nodes = [(transform, part) for transform, part in nodes if isinstance(part, trimesh.Trimesh)]
    total = sum(len(part.faces) for _, part in nodes)
    if total > MAX_TRIANGLES:
        raise ValueError(f"it has {total} triangles, and {MAX_TRIANGLES} are the most")
    return [_part(transform, part) for transform, part in nodes]


def _part(transform: Any, original: Any) -> Geometry:
    faces = np.asarray(original.faces, np.int64)
    if faces.size and not 0 <= faces.min() <= faces.max() < len(original.vertices):
        raise ValueError("a triangle names a vertex that is not there")
    # Not scene.to_mesh(): that copies without the cache, where normals of the file lie
    part = original.copy(include_cache=True)
    part.apply_transform(transform)
    uv = np.asarray(getattr(part.visual, "uv", ()), np.float64)  # None is NaN
    return Geometry(
        np.asarray(part.vertices, np.float64),
        faces,
        np.asarray(part.vertex_normals, np.float64),
        uv if uv.shape == (len(part.vertices), 2) else None,
    )


def _check_gltf(path: Path) -> None:
    data = path.read_bytes()
    # trimesh logs a warning for Draco's compressed buffers and hands back nothing, or zeros
    if b"KHR_draco_mesh_compression" in data and find_spec("DracoPy") is None:
        raise GuideError(
            f"the mesh {path} is Draco-compressed", "save it without compression, as plain glTF"
        )
    try:
        if data.startswith(b"glTF"):
            (length,) = struct.unpack_from("<I", data, 12)
            data = data[20 : 20 + length]
        accessors = json.loads(data.decode("utf-8", "replace")).get("accessors", [])
        untold = sum(a["count"] for a in accessors if "bufferView" not in a)
    except (struct.error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return  # trimesh will say what is wrong
    if untold > max(len(data), _UNTOLD):
        raise ValueError(f"it tells of {untold} numbers that it does not hold")

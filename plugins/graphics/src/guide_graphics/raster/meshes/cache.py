"""Meshes kept as they are drawn, beside their files: read again, they need no parsing.

A cache only saves time. One that is missing, damaged or of another version of the file is made
anew; one that cannot be written is gone without.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guide.ceilings.card import cache_folder
from guide.record import write_atomically
from guide_graphics.raster.scene import Mesh

FORMAT = 1  # another number whenever a file gives another mesh than before

_ARRAYS = {"positions": np.float32, "normals": np.float32, "uv": np.float32, "triangles": np.int32}
_Key = npt.NDArray[np.int64]


def key_of(path: Path) -> _Key:
    """What a cache holds for: this version of the code and of the file.

    Raises:
        OSError: when the file is not there.
    """
    file = path.stat()
    return np.array([FORMAT, file.st_size, file.st_mtime_ns], np.int64)


def kept(path: Path, key: _Key) -> Mesh | None:
    """The mesh that is kept of a file; None where there is none, or none that is whole."""
    for place in _places(path):
        try:
            _check_size(place)
            with np.load(place, allow_pickle=False) as arrays:
                if np.array_equal(arrays["key"], key) and len(arrays["triangles"]):
                    return Mesh(**{name: arrays[name] for name in _ARRAYS})
        except Exception:  # damaged bytes raise whatever they make a parser stumble on
            continue
    return None


def keep(path: Path, key: _Key, mesh: Mesh) -> None:
    """Keep a mesh beside its file or, where nothing can be written there, in the user's cache."""
    arrays = {name: getattr(mesh, name) for name in _ARRAYS}
    for place in _places(path):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(place, lambda out: np.savez(out, key=key, **arrays), "wb")
            return
        except OSError:
            continue


def _check_size(place: Path) -> None:
    # Whatever is no file may never end; np.load takes the memory that a header claims before it
    # looks for the bytes
    if not stat.S_ISREG(place.stat().st_mode):
        raise ValueError("no file")
    with zipfile.ZipFile(place) as archive:
        if sum(member.file_size for member in archive.infolist()) > place.stat().st_size:
            raise ValueError("more than the file holds")


def _places(path: Path) -> Iterator[Path]:
    yield path.with_name(f"{path.name}.guide.npz")
    try:
        name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
        yield cache_folder() / "meshes" / f"{name}.npz"
    except (OSError, RuntimeError):  # no home
        return

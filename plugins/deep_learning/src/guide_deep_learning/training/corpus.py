"""Text to learn from, as bytes, without a download.

Every machine that runs this has the source of Python's standard library: some ten megabytes of
well-kept text. It differs between Python versions, so its sha256 goes into each record: a loss
is a result for one corpus only.
"""

from __future__ import annotations

import hashlib
import os
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guide.errors import GuideError

HELD_OUT = 0.05
"""The share of the files that training never sees."""

_STDLIB_LEAST = 1_000_000  # bytes; an installation stripped of its source has a few thousand
_LEAST = 2_000  # bytes of a person's own text; less cannot be split and sampled sensibly
# Tests are repetitive, encodings and pydoc_data are tables, the others are not the library.
_NOT_THE_LIBRARY = {
    "test", "tests", "idle_test", "encodings", "pydoc_data", "site-packages", "dist-packages",
    "__pycache__",
}  # fmt: skip
_PER_MACHINE = ("_sysconfigdata", "config-")  # written when Python was built: paths, flags


@dataclass(frozen=True)
class Corpus:
    """Bytes to train on, and bytes held out to judge by. No file lies on both sides.

    `train` and `held_out` are read-only arrays of uint8; `split` says how they were parted.
    """

    name: str
    files: int
    train: NDArray[np.uint8]
    held_out: NDArray[np.uint8]
    split: str

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self.train) + len(self.held_out)

    @cached_property
    def vocabulary(self) -> int:
        """How many different bytes a model must know: 128 for ASCII, else 256."""
        parts = (self.train, self.held_out)
        return 128 if all(int(part.max(initial=0)) < 128 for part in parts) else 256

    @cached_property
    def sha256(self) -> str:
        """Names both sides and where the cut lies, as 64 hexadecimal digits."""
        digest = hashlib.sha256(f"{len(self.train)} {len(self.held_out)} ".encode())
        digest.update(self.train.data)
        digest.update(self.held_out.data)
        return digest.hexdigest()


def open_corpus(source: str, base: Path | None = None, *, without: Collection[Path] = ()) -> Corpus:
    """Open "stdlib", a file, or a folder of text files; a relative path is seen from `base`.

    A folder is parted by file; a single file (it is memory-mapped, not read) and a folder with
    too few files by position: its last 5 % are held out.

    Args:
        source: what to open.
        base: what a relative path is seen from; by default the current folder.
        without: folders that are no text to learn from, should they lie in it.

    Raises:
        GuideError: when it is not there, cannot be read, or holds too little text.
    """
    if source == "stdlib":
        return stdlib()
    try:
        path = (base or Path()) / Path(source).expanduser()
        if path.is_dir():
            return _from_files(source, path, _text_files(path, without), _LEAST)
        if path.stat().st_size < _LEAST:
            raise GuideError(f"{path} has under {_LEAST} bytes", _POINT_ELSEWHERE)
        return _cut(source, 1, np.memmap(path, dtype=np.uint8, mode="r"))
    except OSError as error:
        raise GuideError(
            f"cannot read the corpus {source}: {error.strerror or error}", _POINT_ELSEWHERE
        ) from error
    except RuntimeError as error:  # of expanduser: there is no such person's folder
        raise GuideError(f"there is no folder {source}: {error}", _POINT_ELSEWHERE) from error


def stdlib(root: Path | None = None) -> Corpus:
    """The source of Python's standard library, without its tests and tables.

    Args:
        root: where it lies; by default that of the running Python.

    Raises:
        GuideError: when the installation has no source, as some stripped containers do.
    """
    root = root or Path(sysconfig.get_path("stdlib"))
    return _from_files("stdlib", root, _stdlib_files(root), _STDLIB_LEAST)


_POINT_ELSEWHERE = "point --set corpus=PATH at a file or folder of text, or at stdlib"


def _stdlib_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [
            f for f in folders if f not in _NOT_THE_LIBRARY and not f.startswith(_PER_MACHINE)
        ]
        for name in names:
            if name.endswith(".py") and not name.startswith(_PER_MACHINE):
                yield Path(folder, name)


def _text_files(root: Path, without: Collection[Path]) -> Iterator[Path]:
    left_out = {path.resolve() for path in without}
    for folder, folders, names in os.walk(root):
        folders[:] = [
            f
            for f in folders
            if not f.startswith(".") and Path(folder, f).resolve() not in left_out
        ]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _from_files(name: str, root: Path, paths: Iterable[Path], least: int) -> Corpus:
    train: list[bytes] = []
    held_out: list[bytes] = []
    # Sorted by the path as every system writes it, so that the order is no file system's whim.
    for inside, path in sorted((p.relative_to(root).as_posix(), p) for p in paths):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise GuideError(
                f"cannot read {path}: {error.strerror or error}", _POINT_ELSEWHERE
            ) from error
        if b"\0" in content[:8192]:
            continue  # an image, an archive: not text
        (held_out if is_held_out(inside) else train).append(content)
    files = len(train) + len(held_out)
    sides = [np.frombuffer(b"\n".join(side), dtype=np.uint8) for side in (train, held_out)]
    size = sum(map(len, sides))
    if size < least:
        raise GuideError(
            f"too little text in {root}: {size} bytes in {files} files, {least} are needed",
            _POINT_ELSEWHERE,
        )
    if min(map(len, sides)) < size * HELD_OUT / 5:
        return _cut(name, files, np.concatenate(sides))
    return Corpus(name, files, sides[0], sides[1], "by file")


def _cut(name: str, files: int, data: NDArray[np.uint8]) -> Corpus:
    data.flags.writeable = False
    at = len(data) - round(len(data) * HELD_OUT)
    return Corpus(name, files, data[:at], data[at:], "by position")


def is_held_out(inside: str) -> bool:
    """Whether the file at this relative path is held out.

    Decided by a hash of the path alone: adding, removing or editing other files never moves a
    file from one side to the other.
    """
    digest = hashlib.sha256(inside.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") < HELD_OUT * 2**64


def as_text(data: bytes) -> str:
    """Bytes as text that is safe to print: what is no UTF-8 or no visible sign becomes "·"."""
    text = data.decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c in "\n\t" else "·" for c in text)

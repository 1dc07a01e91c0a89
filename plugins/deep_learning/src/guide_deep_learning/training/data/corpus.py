"""Text to learn from, as bytes, without a download.

Every machine that runs this has the source of Python's standard library: some ten megabytes of
well-kept text. It differs between Python versions, so its sha256 goes into each record: a loss
is a result for one corpus only.

A single file is mapped, so that it may be larger than memory: it is looked through in pieces,
once, and its windows are read from the disk as they are asked for.
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
from guide.machine import memory_bytes

HELD_OUT = 0.05
"""The share of the files that training never sees."""

_STDLIB_LEAST = 1_000_000  # bytes; an installation stripped of its source has a few thousand
_PIECE = 1 << 22  # bytes in memory at a time when a mapped file is looked through
_HEAD = 8192  # bytes; a file with a zero byte in there is no text
_LEAST = 2_000  # bytes of a person's own text; less cannot be split and sampled sensibly
# Tests are repetitive, encodings and pydoc_data are tables, the others are not the library.
_NOT_THE_LIBRARY = {
    "test", "tests", "idle_test", "encodings", "pydoc_data", "site-packages", "dist-packages",
    "__pycache__",
}  # fmt: skip
_PER_MACHINE = ("_sysconfigdata", "config-")  # written when Python was built: paths, flags


@dataclass(frozen=True)
class _File:
    """A file that is mapped, and what it was like then: inode, bytes, time of its last change."""

    path: Path
    was: tuple[int, int, int]


@dataclass(frozen=True)
class Corpus:
    """Bytes to train on, and bytes held out to judge by. No file lies on both sides.

    `train` and `held_out` are read-only arrays of uint8; `split` says how they were parted. `file`
    is the one they are mapped from, None where they are in memory.
    """

    name: str
    files: int
    train: NDArray[np.uint8]
    held_out: NDArray[np.uint8]
    split: str
    file: _File | None = None

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self.train) + len(self.held_out)

    @property
    def vocabulary(self) -> int:
        """How many different bytes a model must know: 128 for ASCII, else 256."""
        return self._looked_through[0]

    @property
    def sha256(self) -> str:
        """Names both sides and where the cut lies, as 64 hexadecimal digits."""
        return self._looked_through[1]

    def check(self) -> None:
        """Make sure that a mapped file is what it was: some 5 µs, so before every batch.

        A file that got shorter would end the process without a word (SIGBUS), and one that was
        written to would make other batches of the same steps. One that was replaced or removed is
        still there for whoever has it mapped.

        Raises:
            GuideError: when it was changed in place.
        """
        if self.file is None:
            return
        try:
            now = _stamp(self.file.path)
        except OSError:
            return
        was = self.file.was
        if now[0] == was[0] and now != was:
            raise GuideError(
                f"{self.file.path} changed while it was trained on: {was[1]} bytes, now {now[1]}",
                "train on a copy that nothing writes to, and start anew with --set resume=false",
            )

    @cached_property
    def _looked_through(self) -> tuple[int, str]:
        """Vocabulary and sha256, in one pass: a large file is read from the disk only once."""
        digest = hashlib.sha256(f"{len(self.train)} {len(self.held_out)} ".encode())
        vocabulary = 128
        for piece in self._pieces():
            digest.update(piece)
            if vocabulary == 128 and int(np.frombuffer(piece, np.uint8).max(initial=0)) > 127:
                vocabulary = 256
        self.check()
        return vocabulary, digest.hexdigest()

    def _pieces(self) -> Iterator[memoryview]:
        if self.file is None:
            for side in (self.train, self.held_out):
                for first in range(0, len(side), _PIECE):
                    yield side[first : first + _PIECE].data
            return
        # Read, not looked at through the map: pages of a map count as this process's memory.
        buffer = memoryview(bytearray(_PIECE))
        left = self.size
        try:
            with self.file.path.open("rb", buffering=0) as file:
                while left and (count := file.readinto(buffer[: min(left, _PIECE)])):
                    yield buffer[:count]
                    left -= count
        except OSError as error:
            raise _cannot_read(self.file.path, error) from error


def open_corpus(source: str, base: Path | None = None, *, without: Collection[Path] = ()) -> Corpus:
    """Open "stdlib", a file, or a folder of text files; a relative path is seen from `base`.

    A folder is parted by file; a single file (it is memory-mapped, not read) and a folder with
    too few files by position: its last 5 % are held out.

    Args:
        source: what to open.
        base: what a relative path is seen from; by default the current folder.
        without: folders that are no text to learn from, should they lie in it.

    Raises:
        GuideError: when it is not there, cannot be read, or holds too little text; also
            when that of a folder is more than `most_bytes()`.
    """
    if source == "stdlib":
        return stdlib()
    try:
        path = (base or Path()) / Path(source).expanduser()
        if path.is_dir():
            return _from_files(source, path, _text_files(path, without), _LEAST)
        return _mapped(source, path)
    except OSError as error:
        raise GuideError(
            f"cannot read the corpus {source}: {error.strerror or error}", _POINT_ELSEWHERE
        ) from error
    except (RuntimeError, ValueError) as error:  # nobody's folder; a zero byte in the name
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


def most_bytes() -> int:
    """How much text of a folder is read: a sixteenth of the memory, as joining it doubles it."""
    return memory_bytes() // 16 or 10**9


def _cannot_read(path: Path, error: OSError) -> GuideError:
    return GuideError(f"cannot read {path}: {error.strerror or error}", _POINT_ELSEWHERE)


def _unreadable_folder(error: OSError) -> None:
    # What os.walk leaves out without a word would be missing in the corpus without a word.
    raise _cannot_read(Path(error.filename), error) from error


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _mapped(name: str, path: Path) -> Corpus:
    stamp = _stamp(path)
    if stamp[1] < _LEAST:
        raise GuideError(f"{path} has under {_LEAST} bytes", _POINT_ELSEWHERE)
    with path.open("rb") as file:
        if b"\0" in file.read(_HEAD):
            raise GuideError(f"{path} is no text: a zero byte is in it", _POINT_ELSEWHERE)
    data = np.memmap(path, dtype=np.uint8, mode="r", shape=(stamp[1],))
    return _cut(name, 1, data, _File(path.absolute(), stamp))


def _stdlib_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, onerror=_unreadable_folder):
        folders[:] = [
            f for f in folders if f not in _NOT_THE_LIBRARY and not f.startswith(_PER_MACHINE)
        ]
        for name in names:
            if name.endswith(".py") and not name.startswith(_PER_MACHINE):
                yield Path(folder, name)


def _text_files(root: Path, without: Collection[Path]) -> Iterator[Path]:
    left_out = {path.resolve() for path in without}
    for folder, folders, names in os.walk(root, onerror=_unreadable_folder):
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
    total, most = 0, most_bytes()
    # Sorted by the path as every system writes it, so that the order is no file system's whim.
    for inside, path in sorted((p.relative_to(root).as_posix(), p) for p in paths):
        content = _text(path, most - total)
        if content is None:
            continue  # an image, an archive: not text
        total += len(content)
        if total > most:
            raise GuideError(
                f"the text in {root} takes more than {most / 1e6:.0f} MB of memory",
                "put it into one file, which is mapped and not read, and name that file",
            )
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


def _text(path: Path, most: int) -> bytes | None:
    """What is in a file, up to one byte more than `most`; None where it is no text."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            return None if b"\0" in head else head + file.read(max(0, most + 1 - len(head)))
    except OSError as error:
        raise _cannot_read(path, error) from error


def _cut(name: str, files: int, data: NDArray[np.uint8], file: _File | None = None) -> Corpus:
    data.flags.writeable = False
    at = len(data) - round(len(data) * HELD_OUT)
    return Corpus(name, files, data[:at], data[at:], "by position", file)


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

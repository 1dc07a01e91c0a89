"""Files of Python source: where they lie, and what is in them; any of which may not be so."""

from __future__ import annotations

import ast
import functools
import itertools
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from guide.plugin import Place

_LARGEST = 2_000_000  # bytes; who has more has generated it
_FOLDERS = 2_000  # to look for a file in, below each root
_SKIPPED = {"site-packages", "dist-packages", "node_modules", "__pycache__", "build", "dist"}


def sources(*folders: Path) -> Iterator[Path]:
    """Files of Python below some folders, in order; not those of environments and builds."""
    for folder in folders:
        waiting = [folder]  # the nearest first, so that a large folder does not hide its neighbours
        for at in itertools.islice(waiting, _FOLDERS):
            try:
                found = sorted(os.scandir(at), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    waiting += [] if _is_skipped(Path(entry)) else [Path(entry)]
                elif entry.name.endswith(".py"):
                    yield Path(entry)


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    return name in _SKIPPED or name.startswith(".") or is_file(folder / "pyvenv.cfg")


def is_file(path: Path) -> bool:
    """Whether there is a file of that name, whatever the name."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def meant(said: str, roots: tuple[str, ...], cwd: str) -> Iterator[Path]:
    """Files that a trace may mean by a path, exact ones before those that merely end like it."""
    # A trace may come from Windows
    parts = said.replace("\\", "/").split("/")
    if Path(said).is_absolute():
        yield from (path for path in [Path(said)] if is_file(path))
    parts = [part for part in parts if part not in ("", ".", "..")]
    if not parts:
        return
    folders = dict.fromkeys([*roots, cwd, *sys.path])
    # The longest end of the path that is there: what lies before it was another machine's
    for first in range(len(parts)):
        for folder in folders:
            path = Path(folder or cwd).joinpath(*parts[first:])
            if is_file(path):
                yield path
    for folder in dict.fromkeys([*roots, cwd]):
        yield from _by_name(folder).get(parts[-1], ())


def parsed(file: Path) -> tuple[ast.Module | None, list[str]]:
    """A file's syntax tree and its lines; no tree when it is no Python of this version."""
    try:
        about = file.stat()
    except OSError:
        return None, []
    return _parsed_as_of(file, about.st_mtime_ns, about.st_size)


@functools.lru_cache(maxsize=8)
def _by_name(folder: str) -> dict[str, list[Path]]:
    """The files of Python below a folder, by their names."""
    found: dict[str, list[Path]] = {}
    for file in sources(Path(folder)):
        found.setdefault(file.name, []).append(file)
    return found


@functools.lru_cache(maxsize=64)
def _parsed_as_of(file: Path, mtime_ns: int, size: int) -> tuple[ast.Module | None, list[str]]:
    del mtime_ns
    if size > _LARGEST:
        return None, []
    try:
        source = file.read_bytes()
        with warnings.catch_warnings(action="ignore"):  # of somebody's escapes, while parsing
            tree = ast.parse(source)
        # Where Python ends a line, which is not wherever Unicode might
        return tree, re.split(r"\r\n|\r|\n", _decoded(source))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError, LookupError):
        return None, []


def _decoded(source: bytes) -> str:
    import io
    import tokenize

    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return source.decode(encoding)


def read(file: Path) -> str:
    """A file as text; "" when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def place(file: Path, lines: list[str], line: int) -> Place:
    """A line of a file, by the path a person would type from here, with its text."""
    text = lines[line - 1].strip()[:200] if 0 < line <= len(lines) else ""
    try:
        return Place(str(file.resolve().relative_to(Path.cwd())), line, text)
    except (ValueError, OSError):
        return Place(os.path.normpath(file), line, text)

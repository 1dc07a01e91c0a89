"""Copy a working package under a new name: a project from a scaffold, a plugin from the example.

The template is a real package that is linted and tested where it lies. It is copied whole into a
hidden folder beside its destination and moved in with one rename, so that nothing half-written
is ever seen.
"""

from __future__ import annotations

import contextlib
import keyword
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import FrameType

from guide.errors import GuideError, UsageError
from guide.plugin import Scaffold

PLACEHOLDER = "guide_project"
_RESERVED = {PLACEHOLDER, "tests", "runs", "checkpoints"}
_IGNORED = {"__pycache__", "runs", "checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache"}


def new_project(scaffold: Scaffold, target: Path) -> Path:
    """Copy `scaffold` to `target`, whose last part becomes the package's name; return it resolved.

    Raises:
        UsageError: when the name cannot be a package's, or the folder has content already.
        GuideError: when it cannot be written.
    """
    given, target = target, target.resolve()
    beside = given.parent if given.name == target.name else target.parent
    name = target.name or "project"
    check_name(target.name, f"guide new-project {scaffold.track} {beside / f'my_{name}'}")
    return copy_package(scaffold.layers, target, {PLACEHOLDER: target.name})


def check_name(name: str, example: str) -> None:
    """Refuse a name that cannot be a package's, or that would hide one that exists.

    Raises:
        UsageError: with `example` as what to type instead.
    """
    if not name.isidentifier() or not name.isascii():
        why = "is not a Python identifier: letters, digits and _ only, no digit first"
    elif keyword.iskeyword(name) or keyword.issoftkeyword(name):
        why = "is a Python keyword"
    elif name in sys.stdlib_module_names:
        why = "is a module of the standard library, which it would hide"
    elif name in _RESERVED:
        why = "is the name of a folder that projects have themselves"
    elif _installed(name):
        why = "is the name of an installed package, which it would hide"
    else:
        return
    raise UsageError(f"{name!r} {why}", f"try: {_suggestion(name, example)}")


def _suggestion(name: str, example: str) -> str:
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    return example.replace(f"my_{name}", f"my_{cleaned.strip('_').removeprefix('my_')}")


def _installed(name: str) -> bool:
    # Only what is installed: a folder of that name in the current directory is judged elsewhere.
    here = {"", str(Path.cwd())}
    return PathFinder.find_spec(name, [path for path in sys.path if path not in here]) is not None


def copy_package(template: Path | Sequence[Path], target: Path, renames: Mapping[str, str]) -> Path:
    """Copy the folder `template` to `target`, replacing words in names and contents of files.

    Args:
        template: a folder of text files; caches and runs in it are left out. Of several, a file
            of a later one takes the place of its namesake.
        target: the new folder; it may exist if it is empty.
        renames: each word and what replaces it, everywhere, in this order.

    Raises:
        UsageError: when `target` has content already, or is a file.
        GuideError: when it cannot be written; nothing is left behind.
    """
    try:
        occupied = target.is_file() or (target.is_dir() and any(target.iterdir()))
        made = [parent for parent in target.parents if not parent.exists()]
    except OSError as error:  # a name too long, a folder that may not be read
        raise GuideError(f"cannot write {target}: {error.strerror or error}") from None
    if occupied:
        raise UsageError(f"{target} exists already", "name another folder, or empty this one")
    # A folder that is there stays the same one, for somebody may stand in it: `new-project X .`
    place = target if target.is_dir() else target.parent
    staged = place / f".{target.name}.{secrets.token_hex(4)}.part"
    moved: list[Path] = []
    try:
        with _terminated_as_exit():
            staged.mkdir(parents=True)
            for layer in [template] if isinstance(template, Path) else template:
                _copy_tree(layer, staged, renames)
            if place == target:
                for entry in sorted(staged.iterdir()):
                    moved.append(target / entry.name)
                    entry.rename(moved[-1])
                staged.rmdir()
            else:
                staged.rename(target)
    except BaseException as error:
        for entry in moved:
            with contextlib.suppress(OSError):
                entry.rename(staged / entry.name)
        shutil.rmtree(staged, ignore_errors=True)
        for parent in made:  # nearest first; one that got other content stays
            with contextlib.suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or error
            raise GuideError(
                f"cannot write {target}: {reason}", "nothing was left behind"
            ) from None
        raise
    return target


def _copy_tree(source: Path, target: Path, renames: Mapping[str, str]) -> None:
    for entry in sorted(source.iterdir()):
        if entry.name in _IGNORED or entry.suffix == ".pyc":
            continue
        copy = target / _replace(entry.name, renames)
        if entry.is_dir():
            copy.mkdir(exist_ok=True)  # a layer before this one may have it
            _copy_tree(entry, copy, renames)
        else:
            data = entry.read_bytes()
            with contextlib.suppress(UnicodeDecodeError):  # a picture is copied as it is
                data = _replace(data.decode("utf-8"), renames).encode("utf-8")
            copy.write_bytes(data)


def _replace(text: str, renames: Mapping[str, str]) -> str:
    for old, new in renames.items():
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def _terminated_as_exit() -> Iterator[None]:
    """Let SIGTERM unwind the stack like Ctrl-C does, so that what was staged is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

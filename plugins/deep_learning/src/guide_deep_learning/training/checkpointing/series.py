"""The checkpoints of a project: each training saves in a numbered folder of its own.

So trying something for ten seconds cannot push out the checkpoints of last night, and two that
run at once get two. Whoever saves in a folder holds it: two processes that went on from the same
checkpoint would otherwise remove each other's states.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import weakref
from pathlib import Path

from guide.errors import GuideError
from guide_deep_learning.training.checkpointing import checkpoint


class Hold:
    """The sole right to save in `folder`, until `release` or the end of the process.

    An advisory lock: the system takes it back however the process ends. Where there are no such
    locks (Windows, some network file systems) everybody gets it.

    Raises:
        GuideError: when another run holds it, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise cannot_save(folder, error) from error
        self.release = weakref.finalize(self, os.close, handle)
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                raise GuideError(
                    f"another run is training in {folder.parent.name}/{folder.name}",
                    "wait for it to end, or start anew with --set resume=false",
                ) from None
            except OSError:
                pass  # a file system without locks


def prepare(root: Path) -> None:
    """Make sure that checkpoints can be saved in `root`, before hours went into one.

    Raises:
        GuideError: when they cannot.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root) as probe:
            probe.write(b"probe")
    except OSError as error:
        raise cannot_save(root, error) from error


def existing(root: Path) -> list[Path]:
    """The folders in `root` that a training has saved to, the one started last first."""
    numbered = [path for path in root.glob("*") if path.name.isdecimal()]
    saved = [path for path in numbered if checkpoint.committed(path)]
    return sorted(saved, key=lambda path: int(path.name), reverse=True)


def new(root: Path) -> Path:
    """Make a folder in `root` for a training that saves for the first time: 0001, 0002 ...

    Raises:
        GuideError: when it cannot be made.
    """
    try:
        while True:
            taken = [p.name for p in root.iterdir()] if root.is_dir() else []
            numbers = [int(name) for name in taken if name.isdecimal()]
            folder = root / f"{max(numbers, default=0) + 1:04d}"
            with contextlib.suppress(FileExistsError):  # somebody else was quicker
                folder.mkdir(parents=True)
                checkpoint.sync_folder(root)
                return folder
    except OSError as error:
        raise cannot_save(root, error) from error


def cannot_save(folder: Path, error: OSError) -> GuideError:
    """The error of a folder that does not take what is to be kept in it."""
    return GuideError(
        f"cannot save a checkpoint in {folder}: {error.strerror or error}",
        "make room there, and make sure that it is a folder and yours to write",
    )

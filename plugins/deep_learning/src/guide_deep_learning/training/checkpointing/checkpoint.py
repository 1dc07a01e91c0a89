"""Checkpoints that survive a kill at any moment, a full disk and a flipped bit.

A folder holds one training's states, each as two files:

    step-000000120.pt      the state, as torch.save writes it
    step-000000120.json    the manifest: file, bytes, sha256, step, and what the training was

The state is written under a name nobody reads, forced to the disk, and renamed; then the
manifest, in the same way. The manifest is the commit point: without it the state does not exist,
and with it every byte of the state is already on the disk. The two newest are kept, and a state
whose bytes are not those its manifest names is passed over for the one before it.

Where several processes save one step, each has a `part` of it, with a manifest of its own:
step-000000120.rank1.pt and .json. What makes them a whole is their own affair.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from guide.errors import GuideError
from guide_deep_learning.training.checkpointing import manifest

# What a manifest or a state that is not whole makes its readers raise.
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError),
    *(AttributeError, EOFError, pickle.UnpicklingError),
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state that was read back and found whole.

    `damaged` are the newer ones that were not, `passed_over` has a sentence for each.
    """

    step: int
    state: dict[str, Any]
    about: dict[str, Any]
    passed_over: tuple[str, ...] = ()
    damaged: tuple[int, ...] = ()


def save(
    folder: Path,
    step: int,
    state: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    damaged: Collection[int] = (),
    part: str = "",
    keep: int = 2,
) -> int:
    """Write the state reached after `step` updates; returns its size in bytes.

    Args:
        folder: this training's own; made when it is not there.
        step: updates done.
        state: tensors, numbers, text, and dicts and lists of them: it is read back with
            `weights_only=True`, which runs no code from the file.
        about: what the training is (see `identity`), as JSON can hold it; readable without
            loading the state.
        damaged: steps that `load_newest` passed over when this training went on: they go too.
        part: whose part of the state this is, where several processes save one step: letters,
            digits, "-" and "_". Nothing here touches files of another part.
        keep: how many of the newest stay, this one included.

    Raises:
        GuideError: when it cannot be written. What was saved before is untouched.
        ValueError: when `part` is no such name.
    """
    data, described = manifest.paths(folder, step, part)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        size, sha256 = _write_state(data, state)
        entry = {"step": step, "file": data.name, "bytes": size, "sha256": sha256}
        try:
            _write(described, manifest.sealed({**entry, "about": dict(about)}))
        except OSError:
            data.unlink(missing_ok=True)  # nobody would ever read it, and the disk is full
            raise
        sync_folder(folder)
    except OSError as error:
        before = [n for n in committed(folder, part=part) if n < step]
        still = f"that of step {before[0]} is still there; " if before else ""
        raise GuideError(
            f"cannot save the checkpoint of step {step} in {folder}: {error.strerror or error}",
            f"{still}make room, then go on with --set resume=true",
        ) from error
    # Of those that are newer only what was found damaged: another may be somebody's work.
    gone = set(damaged) - {step}
    whole = [n for n in committed(folder, part=part) if n <= step and n not in gone]
    for n in (*gone, *whole[keep:]):
        _remove(folder, n, part)
    return size


def load(folder: Path, step: int, *, part: str = "") -> Checkpoint:
    """The state of this very step, on the CPU.

    Raises:
        GuideError: when it is not there or not whole.
        ValueError: when `part` is no name, see `save`.
    """
    try:
        return _read(folder, step, part)
    except _DAMAGE as error:
        there = ", ".join(map(str, committed(folder, part=part))) or "none"
        raise GuideError(
            f"cannot load step {step} from {folder}: {_reason(error)}", f"steps there: {there}"
        ) from error


def load_newest(folder: Path, *, part: str = "") -> Checkpoint | None:
    """The newest whole state in `folder`, on the CPU; None when nothing was ever saved there.

    It only reads: another process may be saving there meanwhile.

    Raises:
        GuideError: when there are states and none is whole, or the newest was written by a newer
            version of this code.
        ValueError: when `part` is no name, see `save`.
    """
    passed_over: dict[int, str] = {}
    for step in committed(folder, part=part):
        try:
            found = _read(folder, step, part)
            said = tuple(passed_over.values())
            return Checkpoint(step, found.state, found.about, said, tuple(passed_over))
        except _DAMAGE as error:
            if step not in committed(folder, part=part):
                return load_newest(folder, part=part)  # removed just now, for a newer one
            passed_over[step] = f"checkpoint of step {step} is damaged ({_reason(error)})"
    if passed_over:
        raise GuideError(
            f"no whole checkpoint in {folder}: {'; '.join(passed_over.values())}",
            "start anew with --set resume=false",
        )
    return None


def tidy(folder: Path, *, part: str = "") -> None:
    """Remove what a kill in the middle of a save has left behind: half a file, a lone state.

    Only for whoever has the sole right to save there, see `series.Hold`.
    """
    whole = set(committed(folder, part=part))
    for path in folder.glob("step-*"):
        name = manifest.parse(path)
        left = name is not None and (name.torn or name.step not in whole) and name.part == part
        if left:
            with contextlib.suppress(OSError):
                path.unlink()


def committed(folder: Path, *, part: str = "") -> list[int]:
    """Steps of the states in `folder`, newest first. None of them was read."""
    names = map(manifest.parse, folder.glob("step-*.json"))
    return sorted((n.step for n in names if n and n.part == part and not n.torn), reverse=True)


def about(folder: Path, *, part: str = "") -> dict[str, Any] | None:
    """What the training that saves in `folder` is, by its newest manifest that can be read.

    Raises:
        GuideError: when that was written by a newer version of this code.
    """
    for step in committed(folder, part=part):
        with contextlib.suppress(*_DAMAGE):
            return dict(_entry(folder, step, part)["about"])
    return None


def _entry(folder: Path, step: int, part: str) -> dict[str, Any]:
    data, described = manifest.paths(folder, step, part)
    entry = manifest.opened(described.read_bytes())
    if (entry["step"], entry["file"]) != (step, data.name) or not isinstance(entry["about"], dict):
        raise ValueError("its manifest is that of another")
    return entry


def _read(folder: Path, step: int, part: str) -> Checkpoint:
    entry = _entry(folder, step, part)
    content = (folder / entry["file"]).read_bytes()
    if len(content) != entry["bytes"]:
        raise ValueError(f"{len(content)} bytes of {entry['bytes']}")
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ValueError("its sha256 differs")
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return Checkpoint(step, state, entry["about"])


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or repr(error)


class _Hashed:
    """A file whose bytes are hashed on their way: those that were meant, not those that arrived.

    An error is kept until torch is done: its own writer would turn it into an obscure one.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.size = 0
        self.sha256 = hashlib.sha256()
        self.trouble: OSError | None = None
        self._file = file

    def write(self, content: bytes) -> int:
        if self.trouble is None:
            self.size += len(content)
            self.sha256.update(content)
            try:
                self._file.write(content)
            except OSError as error:
                self.trouble = error
        return len(content)

    def flush(self) -> None:
        """Torch asks for it; the file is flushed when it is whole."""


def _write_state(path: Path, state: Mapping[str, Any]) -> tuple[int, str]:
    """Returns bytes and sha256. Piece by piece: a large state is not in memory twice."""
    with _whole(path) as file:
        hashed = _Hashed(file)
        torch.save(dict(state), hashed)  # type: ignore[arg-type]
        if hashed.trouble is not None:
            raise hashed.trouble
    return hashed.size, hashed.sha256.hexdigest()


def _write(path: Path, content: bytes) -> None:
    with _whole(path) as file:
        file.write(content)


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write that appears at `path` when all of it is on the disk, or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Force the names to the disk too: a file that was renamed and not synced may come back."""
    if os.name == "nt":
        return  # Windows cannot open a folder; NTFS journals its renames
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder: Path, step: int, part: str) -> None:
    data, described = manifest.paths(folder, step, part)
    with contextlib.suppress(OSError):  # it takes room, and that is all
        described.unlink(missing_ok=True)  # first: a manifest must never name a file that is gone
        data.unlink(missing_ok=True)

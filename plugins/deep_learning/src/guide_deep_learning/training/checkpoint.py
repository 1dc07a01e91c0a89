"""Checkpoints that survive a kill at any moment, a full disk and a flipped bit.

A folder holds one training's states, each as two files:

    step-000000120.pt      the state, as torch.save writes it
    step-000000120.json    the manifest: file, bytes, sha256, step, and what the training was

The state is written under a name nobody reads, forced to the disk, and renamed; then the
manifest, in the same way. The manifest is the commit point: without it the state does not exist,
and with it every byte of the state is already on the disk. The two newest are kept, and a state
whose bytes are not those its manifest names is passed over for the one before it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pickle
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from guide.errors import GuideError

_KEEP = 2
# What a manifest or a state that is not whole makes its readers raise.
_DAMAGE = (OSError, ValueError, KeyError, TypeError, RuntimeError, pickle.UnpicklingError)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state that was read back and found whole.

    `damaged` are the newer ones that were not, `passed_over` has a sentence for each.
    """

    step: int
    state: dict[str, Any]
    about: dict[str, Any]
    passed_over: tuple[str, ...]
    damaged: tuple[int, ...]


def save(
    folder: Path,
    step: int,
    state: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    damaged: Collection[int] = (),
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

    Raises:
        GuideError: when it cannot be written. What was saved before is untouched.
    """
    # Into memory first: torch's own file writer ends in an obscure error on a full disk, and
    # the hash is then of the bytes that were meant, not of those that arrived.
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    content = buffer.getbuffer()
    data, manifest = _paths(folder, step)
    entry = {
        "step": step,
        "file": data.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "about": dict(about),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(data, content)
        _write(manifest, json.dumps(entry, indent=1).encode())
        sync_folder(folder)
    except OSError as error:
        before = [n for n in committed(folder) if n < step]
        still = f"that of step {before[0]} is still there; " if before else ""
        raise GuideError(
            f"cannot save the checkpoint of step {step} in {folder}: {error.strerror or error}",
            f"{still}make room, then go on with --set resume=true",
        ) from error
    # Of those that are newer only what was found damaged: another may be somebody's work.
    gone = set(damaged) - {step}
    whole = [n for n in committed(folder) if n <= step and n not in gone]
    for n in (*gone, *whole[_KEEP:]):
        _remove(folder, n)
    return len(content)


def load_newest(folder: Path) -> Checkpoint | None:
    """The newest whole state in `folder`, on the CPU; None when nothing was ever saved there.

    Also removes what a kill in the middle of a save has left behind.

    Raises:
        GuideError: when there are states and none is whole.
    """
    for torn in folder.glob("*.tmp"):
        torn.unlink(missing_ok=True)
    passed_over: dict[int, str] = {}
    for step, manifest in _manifests(folder):
        try:
            entry = _entry(manifest)
            content = (folder / entry["file"]).read_bytes()
            if len(content) != entry["bytes"]:
                raise ValueError(f"{len(content)} bytes of {entry['bytes']}")
            if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                raise ValueError("its sha256 differs")
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            said = tuple(passed_over.values())
            return Checkpoint(step, state, entry["about"], said, tuple(passed_over))
        except _DAMAGE as error:
            reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
            passed_over[step] = f"checkpoint of step {step} is damaged ({reason})"
    if passed_over:
        raise GuideError(
            f"no whole checkpoint in {folder}: {'; '.join(passed_over.values())}",
            "start anew with --set resume=false",
        )
    return None


def committed(folder: Path) -> list[int]:
    """Steps of the states in `folder`, newest first. None of them was read."""
    return [step for step, _ in _manifests(folder)]


def about(folder: Path) -> dict[str, Any] | None:
    """What the training that saves in `folder` is, by its newest manifest that can be read."""
    for _, manifest in _manifests(folder):
        with contextlib.suppress(*_DAMAGE):
            return dict(_entry(manifest)["about"])
    return None


def _entry(manifest: Path) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(manifest.read_bytes())
    if not isinstance(entry["about"], dict):
        raise ValueError("its manifest does not say what it is of")
    return entry


def _paths(folder: Path, step: int) -> tuple[Path, Path]:
    return folder / f"step-{step:09d}.pt", folder / f"step-{step:09d}.json"


def _manifests(folder: Path) -> list[tuple[int, Path]]:
    """Steps that were committed, newest first."""
    found = [(path.stem.removeprefix("step-"), path) for path in folder.glob("step-*.json")]
    return sorted(((int(n), path) for n, path in found if n.isdecimal()), reverse=True)


def _write(path: Path, content: bytes | memoryview) -> None:
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
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


def _remove(folder: Path, step: int) -> None:
    data, manifest = _paths(folder, step)
    manifest.unlink(missing_ok=True)  # first: a manifest must never name a file that is gone
    data.unlink(missing_ok=True)

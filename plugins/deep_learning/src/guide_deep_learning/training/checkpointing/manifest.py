"""The small file beside a state that says what the state is, and whether it is whole itself.

It is JSON for people, with a sum over itself: a bit that flips in a seed or a thread count would
otherwise be believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from guide.errors import GuideError

FORMAT = 1  # what this code writes, and the newest that it reads
_NAME = re.compile(r"step-(\d{9}|[1-9]\d{9,})(?:\.([A-Za-z0-9_-]+))?\.(pt|json)((?:\.tmp)?)")


class NewerFormat(GuideError):
    """It was written by a newer version of this code."""


class Name(NamedTuple):
    """What the name of a file in a checkpoint folder says."""

    step: int
    part: str  # "" is the whole, or the first of several ranks
    suffix: str  # "pt" is a state, "json" its manifest
    torn: bool  # its writing has not come to an end


def parse(path: Path) -> Name | None:
    """Which file of which checkpoint `path` is; None for a file that is none of ours."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    step, part, suffix, torn = match.groups()
    return Name(int(step), part or "", suffix, bool(torn))


def paths(folder: Path, step: int, part: str) -> tuple[Path, Path]:
    """State and manifest of `step`.

    Raises:
        ValueError: when `part` is no name of letters, digits, "-" and "_".
    """
    stem = f"step-{step:09d}.{part}" if part else f"step-{step:09d}"
    both = folder / f"{stem}.pt", folder / f"{stem}.json"
    if parse(both[0]) != Name(step, part, "pt", False):
        raise ValueError(f"no step and part of a checkpoint: {step!r}, {part!r}")
    return both


def sealed(entry: Mapping[str, Any]) -> bytes:
    """`entry` as the content of a manifest."""
    whole = json.loads(json.dumps({"format": FORMAT, **entry}))  # as it will be read
    return json.dumps({**whole, "check": _check(whole)}, indent=1).encode()


def opened(content: bytes) -> dict[str, Any]:
    """What `sealed` was given.

    Raises:
        NewerFormat: when this code is too old for it. Every format has "format" and "check".
        ValueError: when it is not what was written.
    """
    entry = None
    with contextlib.suppress(ValueError):  # what JSON makes of it is of no use to anybody
        entry = json.loads(content)
    if not isinstance(entry, dict) or entry.pop("check", "") != _check(entry):
        raise ValueError("its manifest is not as it was written")
    if entry["format"] > FORMAT:
        raise NewerFormat(
            f"the checkpoint of step {entry.get('step')} has format {entry['format']}, "
            f"this version reads {FORMAT}",
            "upgrade with pip install --upgrade guide-deep-learning, "
            "or start anew with --set resume=false",
        )
    return entry


def _check(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()

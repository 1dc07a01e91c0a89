"""The log of what a learner did: one line of JSON for each thing, only ever added to.

Progress is computed from it and kept nowhere else, so that a newer `guide` can understand more of
what an older one has written, and nothing has to be converted. A line that was torn by a power cut
is skipped, and so is one that a newer version wrote about something unheard of.

    {"v": 1, "at": "2026-03-01T10:12:00+00:00", "did": "check", "id": "m1::e0", ...}
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from guide.errors import GuideError

_VERSION = 1
_NAME = "attempts.jsonl"


def data_folder() -> Path:
    """Where this user's programs keep what cannot be made again. RuntimeError without a home."""
    named = os.environ.get("XDG_DATA_HOME", "")
    if Path(named).is_absolute():  # the specification ignores any other
        return Path(named) / "guide"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "guide"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/guide"
    return Path.home() / ".local/share/guide"


def log_file() -> Path:
    """The log."""
    return data_folder() / _NAME


def note(did: str, id: str, **what: Any) -> None:
    """Add a line and see it onto the disk.

    Raises:
        GuideError: when the disk does not take it.
    """
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    line = json.dumps({"v": _VERSION, "at": at, "did": did, "id": id, **what}, ensure_ascii=False)
    try:
        file = log_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            # After a line without an end, this one would be part of it and lost as well.
            size = os.lseek(fd, 0, os.SEEK_END)
            torn = size > 0 and (os.lseek(fd, size - 1, os.SEEK_SET), os.read(fd, 1))[1] != b"\n"
            data = (b"\n" if torn else b"") + line.encode() + b"\n"
            # One write: two commands at once each add a whole line.
            if os.write(fd, data) != len(data):
                raise OSError(28, "No space left on device", str(file))
            os.fsync(fd)
        finally:
            os.close(fd)
    except (OSError, RuntimeError) as error:
        raise GuideError(
            f"what you did could not be written down: {error}",
            "set XDG_DATA_HOME to a folder that can be written",
        ) from None


def entries() -> Iterator[dict[str, Any]]:
    """What was written down, oldest first; lines that make no sense are left out."""
    try:
        data = log_file().read_bytes()
    except (OSError, RuntimeError):
        return
    for line in data.splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            sensible = isinstance(entry, dict) and all(
                isinstance(entry.get(key), str) for key in ("did", "id", "at")
            )
            if sensible:
                yield entry

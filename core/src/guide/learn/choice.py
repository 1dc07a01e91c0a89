"""What the learner chose and has read: their track, once, and the sections, in order of reading.

Both lie in the user's data folder. Nothing is ever taken out of what was read.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from guide.errors import GuideError


def data_folder() -> Path:
    """Where this user's programs keep what cannot be made again. RuntimeError without a home."""
    named = os.environ.get("XDG_DATA_HOME", "")
    if Path(named).is_absolute():  # the specification ignores any other
        return Path(named) / "guide"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "guide"
    mac = "Library/Application Support"
    return Path.home() / (mac if sys.platform == "darwin" else ".local/share") / "guide"


def chosen() -> str | None:
    """The track that was chosen; None where none was."""
    try:
        text = (data_folder() / "track.json").read_text(encoding="utf-8")
        name = json.loads(text)["track"]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) and name else None


def choose(track: str) -> None:
    """Remember `track`.

    Raises:
        GuideError: when the folder for it cannot be written.
    """
    from guide.record import write_atomically

    try:
        folder = data_folder()
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "track.json", lambda out: out.write(json.dumps({"track": track})))
    except (OSError, RuntimeError) as error:
        raise _unkept("your track", error) from None


def read_sections() -> list[str]:
    """Ids of the sections that were read, the first one first, each once."""
    try:
        lines = (data_folder() / "read.jsonl").read_text(encoding="utf-8").splitlines()
    except (OSError, RuntimeError, ValueError):
        return []
    ids = []
    for line in lines:
        try:
            ids.append(str(json.loads(line)["section"]))
        except (ValueError, KeyError, TypeError):
            continue  # a line that was cut short by a full disk costs that line alone
    return list(dict.fromkeys(ids))


def remember(section: str, following: str = "", title: str = "") -> None:
    """Add that `section` was read now, and which one comes next: its id and title.

    Raises:
        GuideError: when the folder for it cannot be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        folder = data_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "read.jsonl").open("a", encoding="utf-8") as out:
            said = {"section": section, "at": now, "next": following, "title": title}
            out.write(json.dumps(said, ensure_ascii=False) + "\n")
    except (OSError, RuntimeError) as error:
        raise _unkept("that you read it", error) from None


def _unkept(what: str, error: Exception) -> GuideError:
    remedy = "set XDG_DATA_HOME to a folder that can be written"
    return GuideError(f"{what} could not be remembered: {error}", remedy)

"""A record read back: whole, or one line that says what is wrong with it and what to type."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from guide.damage import damage
from guide.errors import GuideError
from guide.journal import NAME as JOURNAL
from guide.journal import recovered
from guide.record import SCHEMA

_AGAIN = "run again: guide run"


def read_record(folder: Path) -> dict[str, Any]:
    """Read the run.json in `folder`.

    Raises:
        GuideError: when there is none, it is damaged, or it is of a newer schema.
    """
    file = folder / "run.json"
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        schema = record["schema"]
    except RecursionError:
        raise GuideError(f"{file} is damaged: it is nested too deep", _AGAIN) from None
    except FileNotFoundError:
        raise GuideError(f"{folder} holds no run", "guide run makes one") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise GuideError(f"{file} cannot be read: {error}", _AGAIN) from None
    if schema != SCHEMA:
        raise GuideError(
            f"{file} has schema {schema}, this guide reads {SCHEMA}",
            "pip install --upgrade guide-core",
        )
    fault = damage(record)
    if not fault and record["status"] == "running" and (folder / JOURNAL).exists():
        with contextlib.suppress(OSError):  # it ended this very moment: run.json is whole by now
            record = recovered(record, folder / JOURNAL)
            fault = damage(record)
    if fault:
        raise GuideError(f"{file} is damaged: {fault}", _AGAIN)
    return dict(record)

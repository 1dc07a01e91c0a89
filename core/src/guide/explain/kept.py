"""What was promised of a project, kept in the folder of the run it was said of.

The next answer about the project is held against it: a promise that nobody comes back to is worth
little.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guide.compare import repeats_beside, tick_change
from guide.errors import GuideError
from guide.explain.answer import WORTH, Answer
from guide.explain.versus import Versus, held
from guide.explain.written import read_answer, written
from guide.readback import read_record
from guide.record import known_runs, write_atomically

NAME = "explain.json"
_NEWEST = 20  # runs that are looked through for one that was explained


def keep(folder: Path, answer: Answer) -> str:
    """Write an answer beside its run; says in a line what was in the way, else nothing."""
    text = json.dumps(written(answer), separators=(",", ":"))
    try:
        write_atomically(folder / NAME, lambda out: out.write(text + "\n"))
    except OSError as error:
        reason = error.strerror or str(error)
        return f"the prediction is not kept: {folder}: {reason}"
    return ""


def last_time(folder: Path, record: Mapping[str, Any], answer: Answer) -> str:
    """What was said of an earlier run of the project, and what came of it; "" of nothing."""
    earlier = [
        run for run in known_runs(folder.resolve().parent) if run.name < folder.resolve().name
    ]
    for run in reversed(earlier[-_NEWEST:]):
        try:
            before = read_answer(json.loads((run / NAME).read_text(encoding="utf-8")))
            versus = against(before, run, answer, folder, record)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, GuideError):
            continue  # it was not explained, or by another guide
        if versus is None:
            continue
        if promise := held(versus):
            return f"Last time: {promise}."
        if before.worth:
            return f"Last time too: {before.worth[0].title}. It is still there."
        return ""
    return ""


def against(
    before: Answer, old: Path, after: Answer, new: Path, record: Mapping[str, Any]
) -> Versus | None:
    """Two runs' answers, with the interval of their change; None where they cannot be compared.

    A tick that is profiled takes longer: only two profiles, or two runs without, are alike.
    """
    if before.unit != after.unit:
        return None
    if after.unit != "tick":
        return Versus(before, after)
    # The mean: what a rule promises is won on average, also where it is won in one tick of ten
    change = tick_change(read_record(old), record, repeats_beside(new), "tick mean")
    late = {part.name: part.ns for answer in (before, after) for part in answer.spent}
    if late.get("waking late", 0) > WORTH * before.step_ns:
        change = None  # that is of the work alone
    return Versus(before, after, change)

"""What came back from the process that explains: what was found, or the error it ended with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guide.errors import GuideError, UsageError
from guide.plugin import Place, Verdict, Word


@dataclass(frozen=True, slots=True)
class Explained:
    """What was found: verdicts, the costliest first, and facts (name and value) to show.

    `call_ns` is what a call took on arguments made up; 0: it was not called. `unsettled` says why
    a function that nothing was found in may be far from well all the same; "": it may not.
    `further` are functions that it calls with loops of their own, as one types them: of those
    nothing is said here.
    """

    target: str
    verdicts: list[Verdict] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    call_ns: int = 0
    unsettled: str = ""
    further: tuple[str, ...] = ()


def read(target: str, out: Path) -> Explained | None:
    """What was found of a function, as far as it got; None: nothing was said.

    Raises:
        GuideError: the one that it ended with.
    """
    text = out.read_text(encoding="utf-8") if out.exists() else ""
    said = [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]
    for one in said:
        if "error" in one:
            kind = UsageError if one.get("code") == UsageError.exit_code else GuideError
            raise kind(*one["error"])
    if not said:
        return None
    last = said[-1]
    facts = [(name, value) for name, value in last["facts"]]
    found = [_verdict(one) for one in last["verdicts"]]
    further = tuple(last["further"])
    return Explained(target, found, facts, last["call_ns"], last["unsettled"], further)


def _verdict(data: dict[str, Any]) -> Verdict:
    return Verdict(
        **{
            **data,
            "where": tuple(Place(**one) for one in data["where"]),
            "evidence": tuple((name, value) for name, value in data["evidence"]),
            "word": Word(**data["word"]) if data["word"] else None,
            "teaches": tuple(data["teaches"]),
            "pins": (),
        }
    )

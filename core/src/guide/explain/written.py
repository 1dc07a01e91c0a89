"""An answer as JSON: what `guide explain --json` prints, and what is kept of a run's.

Its form is documented in docs/explain.md and in explain.schema.json beside this file; `SCHEMA` is
raised when a reader of the old form would misread the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from guide.explain.answer import Answer, Line, Part
from guide.explain.crowd import Crowd
from guide.plugin import Pin, Place, Verdict, Word

SCHEMA = 1
_PARTS = 100  # of a step: what is less than the hundredth moves nothing
_PINS = 500  # of a verdict: a loop of a hundred thousand calls needs no pin for each


def written(answer: Answer) -> dict[str, Any]:
    """An answer as plain data."""
    return {
        "schema": SCHEMA,
        "subject": answer.subject,
        "unit": answer.unit,
        "step_ns": answer.step_ns,
        "steps": answer.steps,
        "healthy": answer.healthy,
        "mended_ns": answer.mended_ns(),
        "verdicts": [_verdict(answer, verdict) for verdict in answer.worth],
        "left": [_verdict(answer, verdict) for verdict in answer.left],
        "meanwhile": [_verdict(answer, verdict) for verdict in answer.meanwhile],
        "spent": [{"name": part.name, "ns": part.ns} for part in answer.spent],
        "lines": [
            {**_place(line.place), "ns": line.ns, "calls": line.calls} for line in answer.lines
        ],
        "parts": [
            {"name": part.name, "ns": part.ns}
            for part in sorted(answer.parts, key=lambda part: -part.ns)[:_PARTS]
        ],
        "crowd": answer.crowd and asdict(answer.crowd),
        "limits": answer.limits,
        "unsettled": answer.unsettled,
        "remarks": [*answer.remarks],
        "facts": [*answer.facts],
        "missing": [*answer.missing],
        "failed": [*answer.failed],
    }


def read_answer(data: Mapping[str, Any]) -> Answer:
    """The answer that was written.

    Raises:
        KeyError, TypeError, ValueError: when it is none, or of another schema.
    """
    if data["schema"] != SCHEMA:
        raise ValueError("another schema")
    texts = ("remarks", "facts", "missing", "failed")
    return Answer(
        subject=data["subject"],
        unit=data["unit"],
        step_ns=int(data["step_ns"]),
        steps=int(data["steps"]),
        worth=tuple(map(_read, data["verdicts"])),
        left=tuple(map(_read, data["left"])),
        meanwhile=tuple(map(_read, data.get("meanwhile", ()))),
        spent=tuple(Part(part["name"], int(part["ns"])) for part in data["spent"]),
        lines=tuple(
            Line(Place(each["file"], each["line"], each["text"]), int(each["ns"]), each["calls"])
            for each in data.get("lines", ())  # one that was kept before there were any
        ),
        parts=tuple(Part(part["name"], int(part["ns"])) for part in data.get("parts", ())),
        crowd=_crowd(data.get("crowd")),
        limits=data["limits"],
        unsettled=data["unsettled"],
        **{name: tuple(data[name]) for name in texts},
    )


def _verdict(answer: Answer, verdict: Verdict) -> dict[str, Any]:
    return {
        "title": verdict.title,
        "says": verdict.says,
        "recoverable_ns": verdict.recoverable_ns,
        "share": round(answer.share(verdict), 6),
        "why": verdict.why,
        "remedy": verdict.remedy,
        "check": verdict.check,
        "sure": verdict.sure,
        "where": [_place(place) for place in verdict.where],
        "evidence": [{"name": name, "value": value} for name, value in verdict.evidence],
        "word": verdict.word and {"name": verdict.word.name, "means": verdict.word.means},
        "teaches": [*verdict.teaches],
        "pins": [
            {"start_ns": int(pin.start_ns), "end_ns": int(pin.end_ns), "lane": pin.lane}
            for pin in verdict.pins[:_PINS]
        ],
        "pressing": verdict.pressing,
        "at_most": verdict.at_most,
        "machine": verdict.machine,
    }


def _crowd(data: Mapping[str, Any] | None) -> Crowd | None:
    if data is None:
        return None
    return Crowd(data["in_line_ns"], data["others"], data["cores"], data["felt"])


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "text": place.text}


def _read(data: Mapping[str, Any]) -> Verdict:
    word = data["word"]
    return Verdict(
        data["title"],
        data["says"],
        int(data["recoverable_ns"]),
        data["why"],
        data["remedy"],
        data["check"],
        data["sure"],
        tuple(Place(place["file"], place["line"], place["text"]) for place in data["where"]),
        tuple((each["name"], each["value"]) for each in data["evidence"]),
        word and Word(word["name"], word["means"]),
        tuple(data["teaches"]),
        tuple(Pin(pin["start_ns"], pin["end_ns"], pin["lane"]) for pin in data["pins"]),
        # What was kept by an older guide has none of them
        bool(data.get("pressing", False)),
        bool(data.get("at_most", False)),
        bool(data.get("machine", False)),
    )

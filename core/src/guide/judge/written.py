"""Exercises without code: answers that a rule marks, and texts that have to have their points."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from guide.judge.judging import Result
from guide.judge.manifest import Manifest, Point, Question
from guide.units import number


def judge_answers(manifest: Manifest, file: Path) -> Result:
    """Mark the answers in `file`, a TOML table by key. All right is correct; else it says which."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return Result("wrong", f"{file.name}: {error}")
    known = _answers_known_here(manifest)
    wrong = []
    for question in manifest.questions:
        answer = known.get(question.key, question.answer)
        if said := mark(question, given.get(question.key, ""), answer):
            wrong.append(f"{question.key}: {said}")
    right = len(manifest.questions) - len(wrong)
    if wrong:
        return Result("wrong", f"{right} of {len(manifest.questions)} right; {wrong[0]}", right)
    return Result("correct", cases=right, done=True)


def mark(question: Question, given: Any, answer: Any) -> str:
    """What is wrong with an answer, without giving it away; "" when it is right."""
    if given in ("", None):
        return "not answered yet"
    if isinstance(answer, bool):
        return "" if given is answer else "no"
    if isinstance(answer, int | float):
        value = parsed(given)
        if value is None:
            return f"a number is wanted, not {given!r}"
        within = max(question.within, 1.0 + 1e-9)
        if answer == 0 or value * answer <= 0:
            return "" if value == answer else "no"
        off = value / answer
        if 1 / within <= off <= within:
            return ""
        way = "much too " if not 0.1 < off < 10 else "too "
        return f"{way}{'high' if off > 1 else 'low'}"
    right = answer if isinstance(answer, list) else [answer]
    return "" if _plain(given) in {_plain(one) for one in right} else "no"


def parsed(text: Any) -> float | None:
    """A number as people type it: 1,250, 4.1x, 3 ms, 1e9; None when there is none."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int | float):
        return float(text)
    found = re.match(r"\s*([-+]?[\d,_ ]*\.?\d+(?:e[-+]?\d+)?)", str(text), re.IGNORECASE)
    return float(re.sub(r"[,_ ]", "", found[1])) if found else None


def judge_text(manifest: Manifest, file: Path) -> Result:
    """See that each point has its heading, so many words, and names what it has to."""
    try:
        parts = sections(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        return Result("wrong", f"{file.name}: {error}")
    wrong = [said for point in manifest.points if (said := _point(point, parts))]
    right = len(manifest.points) - len(wrong)
    if wrong:
        return Result("wrong", f"{right} of {len(manifest.points)} points; {wrong[0]}", right)
    return Result("correct", cases=right, done=True)


def sections(text: str) -> dict[str, str]:
    """The text below each heading, by the heading; comments to the writer are left out."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    found = re.split(r"^#+[ \t]*(.+?)[ \t]*$", text, flags=re.M)
    return {found[i].casefold(): found[i + 1] for i in range(1, len(found), 2)}


def _point(point: Point, parts: dict[str, str]) -> str:
    body = parts.get(point.heading.casefold())
    if body is None:
        return f'the heading "{point.heading}" is missing'
    words = len(re.findall(r"\w[\w'.,/-]*", body))
    if not point.least <= words <= point.most:
        return f'"{point.heading}": {words} words, {point.least} to {point.most} are asked'
    for mention in point.mentions:
        if not re.search(mention, body, re.IGNORECASE):
            return f'"{point.heading}" does not say anything about {_readable(mention)}'
    return ""


def _readable(pattern: str) -> str:
    return (
        pattern.replace("\\d", "a number").replace("|", " or ").replace("\\b", "").replace("+", "")
    )


def _answers_known_here(manifest: Manifest) -> dict[str, Any]:
    """Answers that depend on this machine or are computed: `answers()` in check.py."""
    if not (manifest.folder / "check.py").is_file():
        return {}
    from guide.judge.worker import import_file

    module = import_file(manifest.folder / "check.py", "guide_exercise_check")
    return dict(module.answers()) if hasattr(module, "answers") else {}


def _plain(text: Any) -> str:
    return re.sub(r"[\s()`'\"]+", "", str(text)).casefold()


def told(value: float, unit: str) -> str:
    """A number and its unit; "x" sits close."""
    return f"{number(value)}{'' if unit in ('x', '') else ' '}{unit}"

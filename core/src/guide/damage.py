"""Whether a record is whole: what is in it, held against run.schema.json.

Who reads a record asks for fields by their names. One that was edited by hand, or is damaged and
still JSON, would fail somewhere on the way, at each reader in its own place. Here it is one
sentence. What an older guide left out and what a newer one added are no damage.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_NEWER = {"source"}  # fields of every record by now, but for those of older guides
_MOST = 1 << 62  # of an integer: times are kept in 64 bits, and sums of two of them
_KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_COLUMNS = ("due_ns", "start_ns", "end_ns", "skipped")


def damage(record: Mapping[str, Any]) -> str:
    """What is wrong with a record of this schema, in a few words; "" where it is whole."""
    form = _form()
    required = [name for name in form["required"] if name not in _NEWER]
    found = _faults(record, {**form, "required": required}, "")
    return next(found, "") or next(_uneven(record), "")


@functools.lru_cache(maxsize=1)
def _form() -> dict[str, Any]:
    text = Path(__file__).with_name("run.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _faults(value: Any, form: Mapping[str, Any], at: str) -> Iterator[str]:
    """What of a value is not of that form. Enumerations are left out: they may grow."""
    if "$ref" in form:
        form = _form()["$defs"][form["$ref"].rpartition("/")[2]]
    choices = form.get("anyOf") or form.get("oneOf")
    if choices:
        faults = [next(_faults(value, each, at), "") for each in choices]
        yield from faults[-1:] if all(faults) else ()
        return
    kinds = form.get("type", "string" if "enum" in form else None)
    if kinds is None:
        return
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if type(value) not in [kind for name in kinds for kind in _KINDS[name]]:
        yield f"{at or 'the whole'} is {_said(value)}, not {' or '.join(kinds)}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(value, form, at)
    elif isinstance(value, dict):
        yield from _object(value, form, at)
    elif isinstance(value, list):
        yield from _array(value, form, at)


def _number(value: float, form: Mapping[str, Any], at: str) -> Iterator[str]:
    if not math.isfinite(value):
        yield f"{at} is {value}"
    elif (type(value) is int or at.endswith("_ns")) and abs(value) > _MOST:
        yield f"{at} has {len(f'{value:.0f}')} digits"
    elif value < form.get("minimum", value) or value <= form.get("exclusiveMinimum", value - 1):
        yield f"{at} is {value}"


def _object(value: Mapping[str, Any], form: Mapping[str, Any], at: str) -> Iterator[str]:
    for name in form.get("required", ()):
        if name not in value:
            yield f"{at or 'it'} lacks {name}"
    known, others = form.get("properties", {}), form.get("additionalProperties")
    for name, each in value.items():
        of = known.get(name, others)
        if isinstance(of, dict):
            yield from _faults(each, of, f"{at}.{_plain(name)}" if at else _plain(name))


def _array(value: Sequence[Any], form: Mapping[str, Any], at: str) -> Iterator[str]:
    if len(value) < form.get("minItems", 0):
        yield f"{at} has {len(value)} items"
    of = form.get("items", {})
    kinds = of.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    among = {kind for name in kinds for kind in _KINDS[name]}
    if kinds <= {"integer", "number", "null"} and set(map(type, value)) <= among:
        # There may be hundreds of thousands: the least and the largest stand for all
        numbers = [each for each in value if each is not None]
        odd = [each for each in numbers if each != each]  # nan is neither
        ends = odd or [*({min(numbers), max(numbers)} if numbers else ())]
        for each in ends:
            yield from _faults(each, of, f"{at}[{value.index(each)}]")
        return
    for number, each in enumerate(value):
        yield from _faults(each, of, f"{at}[{number}]")


def _uneven(record: Mapping[str, Any]) -> Iterator[str]:
    """Columns that belong together, of different lengths; numbers of what is not there."""
    ticks = record.get("ticks") or {}
    if len({len(ticks[name]) for name in _COLUMNS if name in ticks}) > 1:
        yield "ticks has columns of different lengths"
    if len(ticks.get("due_ns", ())) > record["loop"].get("ticks", math.inf):
        yield "ticks holds more than loop.ticks"
    for name, series in (record.get("series") or {}).items():
        if len(series["ticks"]) != len(series["values"]):
            yield f"series.{_plain(name)} has columns of different lengths"
    for flight in record.get("flights") or ():
        bounds = len(flight["names"]), len(flight["lanes"])
        if any(not (0 <= s[0] < bounds[0] and 0 <= s[1] < bounds[1]) for s in flight["spans"]):
            yield "flights names a span that is not there"


def _said(value: Any) -> str:
    for name, kinds in _KINDS.items():
        if type(value) in kinds:
            return {"integer": "a number", "null": "null"}.get(name, f"of type {name}")
    return "something else"


def _plain(name: str) -> str:
    return "".join(c for c in name if c.isprintable())[:40]

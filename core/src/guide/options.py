"""A task's options: a frozen dataclass of its own, filled from TOML and from `--set name=value`."""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from guide.errors import UsageError

T = TypeVar("T")

_WORDS = {"true": True, "yes": True, "on": True, "1": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False}
_UNFIT = (ValueError, TypeError, OverflowError, KeyError)  # how a value says that it does not fit


def configure(cls: type[T], options: Mapping[str, Any]) -> T:
    """Build the dataclass `cls` from `options`; fields not named keep their defaults.

    Fields may be str, int, float, bool, Path, a Literal, or any of these or None. Text is
    converted, since `--set` can only give text.

    Raises:
        UsageError: for an option `cls` does not have, a value that does not fit its field, or a
            ValueError of `cls` itself.
    """
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"options are a dataclass, {cls!r} is none")
    hints = typing.get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.init]
    names = [field.name for field in fields]
    values = {}
    for name, value in options.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            known = ", ".join(names) or "none"
            guess = f"did you mean {near[0]}?" if near else f"there are: {known}"
            raise UsageError(f"no option {name!r}", guess)
        try:
            values[name] = _convert(value, hints[name])
        except _UNFIT:
            raise UsageError(
                f"option {name} is {_describe(hints[name])}, not {value!r}",
                f"type --set {name}=...",
            ) from None
    for field in fields:
        unset = field.default is field.default_factory is dataclasses.MISSING
        if unset and field.name not in values:
            raise UsageError(f"option {field.name} is not set", f"type --set {field.name}=...")
    try:
        return cls(**values)
    except ValueError as error:
        named = next((name for name in names if re.search(rf"\b{name}\b", str(error))), "NAME")
        remedy = "" if "--set" in str(error) else f"type --set {named}=..."
        raise UsageError(str(error), remedy) from None


def _convert(value: Any, kind: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if types.NoneType in arguments and (value is None or value in ("", "none")):
            return None
        for argument in arguments:
            if argument is not types.NoneType:
                try:
                    return _convert(value, argument)
                except _UNFIT:
                    continue
        raise ValueError
    if origin is Literal:
        for choice in arguments:
            if value == choice or str(value) == str(choice):
                return choice
        raise ValueError
    if kind is bool:
        return value if isinstance(value, bool) else _WORDS[str(value).lower()]
    if isinstance(value, bool):
        raise ValueError
    if kind is int and isinstance(value, float) and value != int(value):
        raise ValueError
    if kind is str and not isinstance(value, str):
        raise ValueError
    if kind in (int, float, str, Path):
        return kind(value)
    raise TypeError(f"options cannot be of type {kind!r}")


def _describe(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_describe(a) for a in arguments)
    words = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path"}
    return {**words, str: "text", types.NoneType: "none"}.get(kind, str(kind))

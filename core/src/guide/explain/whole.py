"""Where all of a program's time goes, by its own lines: for one that makes no steps to record."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import sys
import time
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from guide.explain.files import read
from guide.explain.sampling import INTERVAL_S, SCHEMA, Looks, checked_rows

SUFFIX = ".samples"  # of the file beside where a trace would have been
_LEAST = 20  # samples: of fewer no line can be named


class WholeProgram:
    """Looks at this thread, from `start` until `stop`.

    Args:
        name: the script; or the module, when `module`, as `python -m` has it.
        library: what it may use for its steps, such as "torch".
    """

    def __init__(self, name: str, library: str, *, module: bool = False) -> None:
        self._name, self._module, self._library = name, module, library
        self._known = set(sys.modules)
        folder = Path.cwd() if module else Path(name).resolve().parent
        self._looks = Looks(_Run(folder), INTERVAL_S)
        self._running = False
        self._process = os.getpid()

    def start(self) -> None:
        """Begin to look."""
        self._running = True
        self._looks.start()
        self._looks.enter()

    def stop(self) -> None:
        """Look no more; more than once does no harm."""
        if self._running:
            self._running = False
            self._looks.leave()
            self._looks.stop()

    def uses(self) -> bool:
        """Whether the library is imported by the program, or by another that it has imported.

        The program's own module is no longer there once it has ended: its text is looked at.
        """
        said = re.compile(rf"^\s*(import|from)\s+{self._library}\b", re.MULTILINE)
        if said.search(self._text()):
            return True
        theirs = sys.modules.get(self._library)
        names = [name for name in list(sys.modules) if name not in self._known]
        # Modules of the library's own are loaded at its need
        others = (sys.modules.get(n) for n in names if n.partition(".")[0] != self._library)
        return any(theirs is not None and _has(module, theirs, self._library) for module in others)

    def _text(self) -> str:
        file: str | None = self._name
        if self._module:
            with contextlib.suppress(ImportError, ValueError, AttributeError):
                spec = importlib.util.find_spec(self._name)
                if spec is not None and spec.submodule_search_locations:
                    spec = importlib.util.find_spec(f"{self._name}.__main__")
                file = spec.origin if spec is not None else None
        return read(Path(file)) if file else ""

    def write(self, file: Path) -> None:
        """Write what was seen; that may fail, and the program does not."""
        from guide.explain.sites import written_samples
        from guide.record import write_atomically

        if os.getpid() != self._process:  # a copy of the program that came to its end
            return
        with contextlib.suppress(Exception):
            data = {"schema": SCHEMA, "uses": self.uses(), **written_samples(self._looks)}
            if sum(row["count"] for row in data["rows"]) >= _LEAST:
                text = json.dumps(data, allow_nan=False)
                write_atomically(file, lambda out: out.write(text + "\n"))


def read_whole(file: Path, folder: Path) -> dict[str, Any] | None:
    """What was written, its files as they would be typed from here; None where there is nothing.

    Args:
        file: it. It is taken away.
        folder: the program's, as above.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        if data["schema"] != SCHEMA:
            return None
        return {**data, "ns": round(data["seconds"] * 1e9), "rows": checked_rows(data, folder)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


class _Timeline:
    """A timeline on which nothing is written: its clock alone is asked for."""

    loop_lane = 0
    now_ns = staticmethod(time.perf_counter_ns)

    def fold(self) -> None: ...

    def spans(self) -> list[Any]:
        return []


class _Run:
    """What the sampler asks of a run."""

    def __init__(self, project: Path) -> None:
        self.project, self.timeline = project, _Timeline()


def _has(module: ModuleType | None, library: ModuleType, name: str) -> bool:
    """Whether a module has imported a library, or one of its classes or functions."""
    try:
        values = list(vars(module).values()) if module is not None else []
    except (TypeError, RuntimeError):  # something else was put there, or it grows just now
        return False
    return any(value is library or _made_in(value).partition(".")[0] == name for value in values)


def _made_in(value: object) -> str:
    """The module of a class or a function; "" of anything else: to ask that may run its code."""
    if isinstance(value, type | FunctionType | ModuleType):
        told = value.__name__ if isinstance(value, ModuleType) else value.__module__
        return told if isinstance(told, str) else ""
    return ""

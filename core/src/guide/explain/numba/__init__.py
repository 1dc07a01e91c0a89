"""What Numba made of a function: vectorised or not and why, what it costs, what to change.

    explained = explain_function("filters:blur")
    explained = explain_function("src/filters.py:blur", like="float32[:,::1], int64")

The work is done in a process of its own: it imports the person's module, compiles with LLVM's
remarks on, and tries changes on arrays that it makes up. Numba is imported there only.

    worker        that process; `explaining` puts together, stage by stage, what is said
    target        which function is meant
    samples       for which types; `plain` reads an example without running it
    compiling     compiles with lines noted; what comes out is read by
                  `remarks` (what LLVM says), `code` (LLVM's own), `asm` (the machine's)
    syntax        the source as a tree; `spans` finds in it the loops that LLVM speaks of
    diagnosing    what stands in the way of a loop, one reason behind the other (`reasons`):
                  `missed` of one that is not vectorised, `in_name_only` of one that is,
                  `operands` and `allocations` for both
    cures         takes a reason away, to see whether it was one
    trial         times a cure on arguments that are made up (`made_up`), if `harmless` lets it
    facts         what is true of the function as a whole; `parallel` for its threads
    words         how each reason is told
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from guide.errors import GuideError, UsageError
from guide.explain.numba.target import parse
from guide.plugin import Place, Verdict, Word

LIMIT_S = 90.0
"""What it may take; what was found until then is shown."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What was found: verdicts, the costliest first, and facts (name and value) to show.

    `call_ns` is what a call took on arguments made up; 0: it was not called. `unsettled` says why
    a function that nothing was found in may be far from well all the same; "": it may not.
    """

    target: str
    verdicts: list[Verdict] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    call_ns: int = 0
    unsettled: str = ""


def explain_function(
    target: str,
    *,
    like: str = "",
    as_njit: bool = False,
    trial: bool = True,
    limit_s: float = LIMIT_S,
) -> Explained:
    """Say what Numba did to a function.

    Args:
        target: `module:function`, or `path/to/file.py:function`.
        like: types to compile for, such as "float32[::1], int64"; "": those that it has been
            compiled for at import, else those of an example, else a guess that is told.
        as_njit: look at a plain Python function as if it had `@njit`.
        trial: try the changes, on arrays made up; about a second each.
        limit_s: seconds that it may take in all.

    Raises:
        UsageError: when the target or `like` is not written as it should be.
        GuideError: when Numba is not installed, or the function cannot be had or compiled.
    """
    parse(target)
    if not find_spec("numba"):
        raise GuideError("Numba is not installed here", "pip install numba")
    asked = {"target": target, "like": like, "as_njit": as_njit, "trial": trial}
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder) / "said.jsonl", Path(folder) / "errors.txt"
        code = _run(asked, out, errors, limit_s)
        said = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
        last = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return _read(target, [json.loads(line) for line in said], code, last[-1:], limit_s)


def _run(asked: Mapping[str, Any], out: Path, errors: Path, limit_s: float) -> int | None:
    # -P: a numba.py in the folder one is in must not be taken for Numba
    module = "guide.explain.numba.worker"
    command = [sys.executable, "-P", "-m", module, json.dumps(asked), str(out)]
    changed = {"NUMBA_DEBUGINFO", "NUMBA_ENABLE_PROFILING", "NUMBA_DISABLE_JIT"}
    environment = {key: value for key, value in os.environ.items() if key not in changed}
    ours = str(Path(__file__).parents[3])
    paths = [ours, *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    with errors.open("wb") as file:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                env=environment,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
    return done.returncode


def _read(
    target: str, said: list[dict[str, Any]], code: int | None, last: list[str], limit_s: float
) -> Explained:
    for one in said:
        if "error" in one:
            kind = UsageError if one.get("code") == 2 else GuideError
            raise kind(*one["error"])
    if not said:
        if code is None:
            raise GuideError(f"{target} was not compiled within {limit_s:.0f} s")
        why = f": {last[0]}" if last else ""
        raise GuideError(f"{target} ended the process that looked at it (code {code}){why}")
    facts = [(name, value) for name, value in said[-1]["facts"]]
    unsettled = said[-1]["unsettled"]
    if code is None:
        unsettled = f"trying it took longer than {limit_s:.0f} s and was stopped"
    elif code:
        unsettled = f"a call on arguments made up ended the process (code {code})"
    found = [_verdict(one) for one in said[-1]["verdicts"]]
    return Explained(target, found, facts, said[-1]["call_ns"], unsettled)


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

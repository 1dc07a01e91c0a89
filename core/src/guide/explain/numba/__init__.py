"""What Numba made of a function: vectorised or not and why, what it costs, what to change.

    explained = explain_function("filters:blur")
    explained = explain_function("src/filters.py:blur", like="float32[:,::1], int64")

The work is done in a process of its own: it imports the person's module, compiles with LLVM's
remarks on, and tries changes on arrays that it makes up. Numba is imported there only.

    worker        that process; `explaining` puts together, stage by stage, what is said
    said          what came back from it
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
    callees       functions that it calls, whose loops are told by themselves
    facts         what is true of the function as a whole; `parallel` for its threads
    words         how each reason is told
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from guide.errors import GuideError
from guide.explain.numba.said import Explained, read
from guide.explain.numba.target import parse

COMPILE_S = 60.0
"""What importing and compiling may take."""

TRY_S = 30.0
"""What trying changes may take after that; what was found until then is shown."""


def explain_function(
    target: str,
    *,
    like: str = "",
    as_njit: bool = False,
    trial: bool = True,
    compile_s: float = COMPILE_S,
    try_s: float = TRY_S,
) -> Explained:
    """Say what Numba did to a function.

    Args:
        target: `module:function`, or `path/to/file.py:function`.
        like: types to compile for, such as "float32[::1], int64"; "": those that it has been
            compiled for at import, else those of an example, else a guess that is told.
        as_njit: look at a plain Python function as if it had `@njit`.
        trial: try the changes, on arrays made up; about a second each.
        compile_s: seconds that importing and compiling may take.
        try_s: seconds that the trials may take, all together.

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
        code = _run(asked, out, errors, compile_s, try_s)
        found = read(target, out)
        last = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    if found is None and code is None:
        raise GuideError(f"{target} was not compiled within {compile_s:.0f} s")
    if found is None:
        why = f": {last[0]}" if last else ""
        raise GuideError(f"{target} ended the process that looked at it (code {code}){why}")
    if code is None:
        stopped = f"trying it took longer than {try_s:.0f} s and was stopped"
        return replace(found, unsettled=stopped)
    if code:
        ended = f"a call on arguments made up ended the process (code {code})"
        return replace(found, unsettled=ended)
    return found


def _run(
    asked: Mapping[str, Any], out: Path, errors: Path, compile_s: float, try_s: float
) -> int | None:
    """The code that the process ended with; None: it took too long, and was ended."""
    # -P: a numba.py in the folder one is in must not be taken for Numba
    module = "guide.explain.numba.worker"
    command = [sys.executable, "-P", "-m", module, json.dumps(asked), str(out)]
    changed = {"NUMBA_DEBUGINFO", "NUMBA_ENABLE_PROFILING", "NUMBA_DISABLE_JIT"}
    environment = {key: value for key, value in os.environ.items() if key not in changed}
    ours = str(Path(__file__).parents[3])
    paths = [ours, *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    with (
        errors.open("wb") as file,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            env=environment,
        ) as process,
    ):
        try:
            return _ended(process, out, compile_s, try_s)
        finally:
            process.kill()


def _ended(
    process: subprocess.Popen[bytes], out: Path, compile_s: float, try_s: float
) -> int | None:
    until, compiled = time.monotonic() + compile_s, False
    while (code := process.poll()) is None and time.monotonic() < until:
        if not compiled and out.exists():  # what is said first is what compiling has shown
            until, compiled = time.monotonic() + try_s, True
        time.sleep(0.02)
    return code

"""The process that imports the person's module, compiles and tries: `python -m ... FILE`.

It writes one line of JSON to FILE for each stage that is done, so that what was found before a
time limit or a crash is kept. What the module prints goes nowhere.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from guide.errors import GuideError
from guide.explain.numba import compiling, samples, target
from guide.explain.numba.callees import with_loops
from guide.explain.numba.cures import Case
from guide.explain.numba.explaining import Explaining
from guide.explain.numba.syntax import source_of

_MOST_BYTES = 4 << 30  # LLVM takes some 200 MB, the arrays of a trial less


def main(request: dict[str, Any], out: Path) -> None:
    """Explain what the request names; each stage is a line in `out`."""

    def say(**what: Any) -> None:
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(what) + "\n")

    try:
        explaining = _begin(request)
        place = target.parse(request["target"]).place
        further = [str(one) for one in with_loops(explaining.case, place)]
        for verdicts, facts, call_ns, unsettled in explaining.stages(trial=request["trial"]):
            found = [asdict(one) for one in verdicts]
            say(
                verdicts=found,
                facts=facts,
                call_ns=call_ns,
                unsettled=unsettled,
                further=further,
            )
    except GuideError as error:
        say(error=[error.message, error.remedy], code=error.exit_code)
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(at.filename).name}:{at.lineno}"
        say(error=[f"it could not be explained: {type(error).__name__}: {error} ({where})", ""])


def _begin(request: dict[str, Any]) -> Explaining:
    compiling.prepare()
    wanted = target.parse(request["target"])
    value, module = target.load(wanted)
    function, options = target.plain(value, wanted, as_njit=request["as_njit"])
    source = source_of(function)
    if source is None:
        raise GuideError(
            f"the source of {wanted} is not there to read",
            "put the function into a file of its own",
        )
    sample = samples.find(value, module, source, request["like"])
    case = Case(function, source, sample.types, options)
    return Explaining(str(wanted), case, sample, cached=_cached(value))


def _bounded() -> None:
    """Let no module and no trial take the machine's memory: asking for more fails."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    most = _MOST_BYTES if hard == resource.RLIM_INFINITY else min(_MOST_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _cached(value: Any) -> bool:
    return bool(getattr(value, "wants_cache", False))


if __name__ == "__main__":
    asked, file = json.loads(sys.argv[1]), Path(sys.argv[2])
    sys.argv = [asked["target"]]
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
    _bounded()
    main(asked, file)

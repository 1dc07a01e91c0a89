"""Functions explained in one process: importing Numba takes longer than explaining one of them.

What a process of its own is for (crashes, time, memory) is lost, and nothing else: `main` is what
such a process runs, and what it wrote is read as ever.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from guide.errors import GuideError
from guide.explain.numba.said import Explained, read

MAIN = """
import json
import sys
from pathlib import Path
from guide.explain.numba.worker import main
for request, out in json.load(sys.stdin):
    main(request, Path(out))
"""


def together(
    folder: Path,
    targets: Iterable[tuple[str, str]],
    *,
    as_njit: bool = False,
    trial: bool = False,
) -> list[Explained | GuideError]:
    """Of each target, given with the types to compile it for, what was found or why not."""
    asked = [
        {"target": target, "like": like, "as_njit": as_njit, "trial": trial}
        for target, like in targets
    ]
    outs = [folder / f"{i}.jsonl" for i in range(len(asked))]
    both = list(zip(asked, map(str, outs), strict=True))
    command = [sys.executable, "-P", "-c", MAIN]
    subprocess.run(command, input=json.dumps(both), text=True, check=True)
    return [_found(one["target"], out) for one, out in zip(asked, outs, strict=True)]


def _found(target: str, out: Path) -> Explained | GuideError:
    try:
        found = read(target, out)
    except GuideError as error:
        return error
    assert found is not None
    return found

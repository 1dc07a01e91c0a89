"""What importing core costs a program that starts: whole processes, in turn with bare Python.

With bytecode that is kept, as pip leaves it; the first start of each compiles, and is not counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.rows import Row, interleaved

ROUNDS = 41
GOAL_MS = 30.0
STATEMENTS = ("import guide", "from guide import Loop, Timeline", "from guide import Run, Tick")


def rows() -> Iterator[Row]:
    """One for each way to begin."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        env.pop("PYTHONDONTWRITEBYTECODE", None)

        def start_ms(statement: str) -> float:
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], env=env, check=True)
            return 1000 * (time.perf_counter() - began)

        for statement in STATEMENTS:
            start_ms(statement)
            ours, bare, ratio, spread = interleaved(
                lambda code=statement: start_ms(code), lambda: start_ms("pass"), ROUNDS
            )
            more = ours - bare
            figure = f"`{statement}`, over bare Python"
            goal = f"at most {GOAL_MS:.0f} ms"
            shown = (f"{more:.1f} ms", f"bare Python {bare:.1f} ms", ratio)
            yield Row(figure, *shown, goal, more <= GOAL_MS, spread)

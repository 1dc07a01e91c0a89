"""Every known cheat: what an ordinary harness in one process says, and what the judge says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.apart import ROOT
from benchmarks.judge.hogs import FOLDER
from benchmarks.rows import Row
from guide.judge.judging import Judge, Result
from guide.judge.manifest import read_manifest

# These would do harm, or never end, where nothing keeps them from it.
_ONLY_JUDGED = {
    *("fork_bomb", "memory_bomb", "endless_loop", "output_flood", "kills_the_others"),
    *("writes_outside", "raised_priority", "background_process", "judge_memory"),
}


def rows(quick: bool) -> Iterator[Row]:
    """One row a cheat."""
    files = sorted((FOLDER / "cheats").glob("*.py"))
    with Judge(read_manifest(FOLDER)) as judge:
        for file in files[::5] if quick else files:
            result = judge.judge(file)
            plain = "not run" if file.stem in _ONLY_JUDGED else _in_process(file)
            yield Row(
                f"cheat: {file.stem}", _said(result), plain, None, "no pass", not result.passed
            )


def _said(result: Result) -> str:
    if result.state == "wrong":
        return "rejected"
    assert result.speed is not None
    return f"{result.state} x{result.speed.standing.over_naive.median:.2f}"


def _in_process(file: Path) -> str:
    """The harness that one writes first: import, time, compare, print."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.judge.cheats", str(file), str(FOLDER / "starter.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    try:
        said = json.loads(done.stdout.strip().splitlines()[0])
    except (ValueError, IndexError):
        return f"crashed ({done.returncode})"
    return f"{'ok' if said.get('passed') else 'wrong'} x{said.get('ratio', 0):.3g}"


def _harness(file: str, naive: str) -> None:
    import importlib.util
    import time

    import numpy as np

    def load(path: str, name: str) -> object:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yours, slow = load(file, "yours"), load(naive, "naive")
    matrix = np.random.default_rng(0).random((2048, 4096))
    expected = float(matrix.sum())

    def best(call: object) -> float:
        times = []
        for _ in range(5):
            before = time.perf_counter()
            call(matrix)  # type: ignore[operator]
            times.append(time.perf_counter() - before)
        return min(times)

    ratio = best(slow.total) / max(best(yours.total), 1e-9)  # type: ignore[attr-defined]
    passed = bool(np.allclose(yours.total(matrix), expected))  # type: ignore[attr-defined]
    print(json.dumps({"passed": passed, "ratio": ratio}))


if __name__ == "__main__":
    _harness(*sys.argv[1:])

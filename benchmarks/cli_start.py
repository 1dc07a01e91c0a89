"""How long the command line takes to answer.

`guide --help` against bare `python -c pass`, interleaved, with twenty other distributions on the
path (each with an entry point of its own, as a full environment has), and `guide new-project`.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 21


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number in range(20):
            fake_distribution(folder / "site", number)
        env = {**os.environ, "PYTHONPATH": str(folder / "site")}
        bare = [sys.executable, "-c", "pass"]
        help_command = [sys.executable, "-m", "guide", "--help"]
        extra, ratios = [], []
        for _ in range(ROUNDS):
            a, b = seconds(bare, env), seconds(help_command, env)
            extra.append(b - a)
            ratios.append(b / a)
        print(f"guide --help over bare Python, {ROUNDS} pairs, 20 other distributions")
        print(
            f"  above it   median {1000 * statistics.median(extra):.0f} ms   goal: at most 100 ms"
        )
        print(f"  ratio      median {statistics.median(ratios):.1f}")
        times = []
        for _ in range(ROUNDS):
            target = folder / "my_project"
            command = [sys.executable, "-m", "guide", "new-project", first_track(), str(target)]
            times.append(seconds(command, env))
            shutil.rmtree(target)
        print("guide new-project, the whole command")
        print(f"  median {1000 * statistics.median(times):.0f} ms   goal: under 300 ms")


def first_track() -> str:
    """Any installed track."""
    from guide.plugins import Plugins

    return Plugins().tracks()[0].name


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Wall time of a whole process."""
    start = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def fake_distribution(site: Path, number: int) -> None:
    """A distribution that is found like any other: metadata, entry points, a module."""
    info = site / f"other_{number}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: other-{number}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[console_scripts]\nother{number} = other_{number}:main\n"
    )
    (site / f"other_{number}.py").write_text("def main(): ...\n")


if __name__ == "__main__":
    main()

"""`python tests/typed_projects.py`: the packages of all scaffolds and templates, through mypy.

They share one package name where they lie, which mypy cannot hold apart. Laid out under a name
each, as `guide new-project` does it, they are checked like everything else.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from guide.plugins import Plugins
from guide.scaffold import new_project

ROOT = Path(__file__).parents[1]


def main() -> int:
    """mypy's exit code."""
    plugins = Plugins()
    scaffolds = [each for track in plugins.tracks() for each in plugins.scaffolds(track.name)]
    with tempfile.TemporaryDirectory() as folder:
        packages = []
        for scaffold in scaffolds:
            name = f"typed_{scaffold.track}_{scaffold.name}".replace("-", "_")
            packages.append(str(new_project(scaffold, Path(folder) / name) / name))
        options = ["--config-file", str(ROOT / "pyproject.toml"), "--strict"]
        cache = ["--cache-dir", str(ROOT / ".mypy_cache")]
        return subprocess.run(
            [sys.executable, "-m", "mypy", *options, *cache, *packages]
        ).returncode


if __name__ == "__main__":
    sys.exit(main())

"""Run a function in a process of its own, and get what it returns.

    python -m benchmarks.apart vision.peers:one_thread '{"clip": ...}'

Settings of a library, threads left over, memory once taken: nothing of one variant reaches another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class FailedError(Exception):
    """It did not come back with a result; the last line says why."""


class Apart:
    """A function of this package that runs elsewhere.

    Args:
        where: "part.module:function".
        environment: variables of its process, beside those of this one.
        arguments: of that function, as JSON can hold them.
    """

    def __init__(
        self, where: str, environment: Mapping[str, str] | None = None, **arguments: Any
    ) -> None:
        self._where = where
        command = [sys.executable, "-m", "benchmarks.apart", where, json.dumps(arguments)]
        # FFmpeg's remarks on streams that end are no news here
        quiet = {"OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_LOG_LEVEL": "OFF"}
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **quiet, **(environment or {})},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def line(self) -> str:
        """Wait for its next line that is not blank; "" when it has ended."""
        assert self._process.stdout is not None
        while (line := self._process.stdout.readline()) and not line.strip():
            pass
        return line.strip()

    def go(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """End it, if it has not ended; nobody will ask for what it returns."""
        self._process.kill()
        self._process.communicate()

    def result(self, timeout_s: float = 900.0) -> Any:
        """Wait for what it returns."""
        try:
            out, err = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.end()
            raise FailedError(f"{self._where}: no result within {timeout_s:g} s") from None
        if self._process.returncode:
            last = (err.strip().splitlines() or [f"exit code {self._process.returncode}"])[-1]
            raise FailedError(f"{self._where}: {last}")
        return json.loads(out.strip().splitlines()[-1])


def run(where: str, environment: Mapping[str, str] | None = None, **arguments: Any) -> Any:
    """The result of a function in a process of its own. Raises FailedError."""
    return Apart(where, environment, **arguments).result()


def main(where: str, arguments: str) -> None:
    """Be that process."""
    module, _, function = where.partition(":")
    called = getattr(import_module(f"benchmarks.{module}"), function)
    print("\n" + json.dumps(called(**json.loads(arguments))), flush=True)
    os._exit(0)  # a thread that is left inside a driver would abort an orderly end


if __name__ == "__main__":
    main(*sys.argv[1:])

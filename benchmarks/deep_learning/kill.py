"""A training is killed with SIGKILL at random moments, goes on, and must end with the same bits.

The program is `tests/plugins/deep_learning/tiny.py`: dropout, draws from numpy and Python, an
order of the data that is shuffled anew each epoch, two threads that make batches ahead, and a
checkpoint every 3 steps that a thread writes. Half of the kills wait for a file that is being
written and strike then; the others strike at any moment. What lies in the folder afterwards says
whether a save was cut off.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from benchmarks.apart import ROOT
from benchmarks.rows import Row

if TYPE_CHECKING:
    from benchmarks.deep_learning.scale import Scale

PROGRAM = ROOT / "tests" / "plugins" / "deep_learning" / "tiny.py"
STEPS = 60
EVERY = 3  # steps between two checkpoints of that program


class Victim(Protocol):
    """A training in a process of its own."""

    def line(self) -> str:
        """Wait for its next line; "" when it has ended."""
        ...

    def kill(self) -> None:
        """Send it SIGKILL."""
        ...


class Fresh:
    """A new interpreter for each start: what happens to people."""

    def __init__(self, root: Path, steps: int = STEPS) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(root), str(steps)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def line(self) -> str:
        """Its next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.stdout.close()
            self._process.wait()
        return line.strip()

    def kill(self) -> None:
        """Kill it."""
        self._process.send_signal(signal.SIGKILL)


class Nursery:
    """One interpreter that has imported torch, and forks a child for each start: ten times faster.

    It has no other thread when it forks, and computes nothing itself. Use it as a context manager.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self._child = 0

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()  # it ends with its input

    def start(self, root: Path, steps: int = STEPS) -> Nursery:
        """Start the next child; the one before must have ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{root} {steps}\n")
        self._process.stdin.flush()
        self._child = 0
        return self

    def line(self) -> str:
        """The child's next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if line.startswith("pid "):
            self._child = int(line.split()[1])
            return self.line()
        return "" if line == "ended" else line

    def kill(self) -> None:
        """Kill the child, not its parent."""
        with contextlib.suppress(ProcessLookupError):  # it came to its end first
            os.kill(self._child, signal.SIGKILL)


@dataclass
class Tally:
    """What became of all kills."""

    kills: int = 0
    mid_save: int = 0  # of them, those that left a save half done
    trainings: int = 0  # that came to their end
    compared: int = 0  # values of the loss, as they were given out and as the log has them
    differing: int = 0
    other_weights: int = 0  # trainings that ended with another hash
    remarks: list[str] = field(default_factory=list)  # "not bit-exact" sentences of the program
    most_lost: int = 0  # steps done again after one kill


def undisturbed(start: Callable[[Path], Victim], root: Path) -> tuple[dict[str, str], str]:
    """The losses, as hexadecimal text by step, and the weights' hash of a run nobody killed."""
    victim = start(root)
    lines = []
    while line := victim.line():
        lines.append(line.split())
    losses = {words[1]: words[2] for words in lines if words[0] == "loss"}
    if len(losses) != STEPS or lines[-1][0] != "weights":
        raise RuntimeError(f"{PROGRAM.name} did not come to its end")
    return losses, lines[-1][1]


def torment(
    start: Callable[[Path], Victim],
    folder: Path,
    kills: int,
    seed: int = 0,
    undisturbed_by: Callable[[Path], Victim] | None = None,
) -> Tally:
    """Kill so many times; a training that came to its end is followed by a new one.

    Args:
        start: starts the program, going on in a folder.
        folder: an empty one for all trainings.
        kills: how many.
        seed: of the moments.
        undisturbed_by: starts the one that is not killed; by default as `start`.
    """
    truth, weights = undisturbed(undisturbed_by or start, folder / "whole")
    chance, tally = random.Random(seed), Tally()
    root, at = folder / "0", 0  # the newest step that is known to be done
    while tally.kills < kills or at:
        more = tally.kills < kills
        aim = at + chance.randint(1, 9) if more else STEPS + 1
        mid_save = bool(tally.kills % 2)
        began = killed = False
        victim = start(root)
        while line := victim.line():
            words = line.split()
            if words[0] == "resumed":
                tally.most_lost = max(tally.most_lost, at - int(words[3]))
            elif words[0] in ("loss", "history"):
                tally.compared += 1
                tally.differing += words[2] != truth[words[1]]
            elif words[0] == "remark" and words[1] != "none":
                tally.remarks.append(line)
            elif words[0] == "weights":
                tally.trainings += 1
                tally.other_weights += words[1] != weights
                began, root, at = True, folder / str(tally.trainings), 0
            if words[0] == "loss":
                at = max(at, int(words[1]) + 1)
                if at >= aim and not killed:
                    if mid_save:
                        _until_writing(root)
                    time.sleep(chance.uniform(0, 0.001 if mid_save else 0.004))
                    victim.kill()
                    killed = True
        if not began:
            if not killed:
                raise RuntimeError(f"{PROGRAM.name} ended by itself after step {at}")
            tally.kills += 1
            tally.mid_save += cut_off(root)
    return tally


def cut_off(root: Path) -> bool:
    """Whether the newest save in `root` was begun and is not whole: half a file, a lone state."""
    files = {path.name for path in root.glob("*/step-*")}
    lone = (name for name in files if name.endswith(".pt") and f"{name[:-2]}json" not in files)
    return any(name.endswith(".tmp") for name in files) or any(lone)


def _until_writing(root: Path, limit_s: float = 0.5) -> None:
    """Wait for a file that is being written; in vain when the training ends first."""
    end = time.monotonic() + limit_s
    while not any(root.glob("*/*.tmp")) and time.monotonic() < end:
        pass


def rows(scale: Scale) -> Iterator[Row]:
    """Fresh processes, `scale.kills` times."""
    with tempfile.TemporaryDirectory() as folder:
        tally = torment(Fresh, Path(folder), scale.kills)
    yield Row(
        "SIGKILL at random moments",
        f"{tally.kills} kills, {tally.mid_save} of them in the middle of a save",
        "-",
        None,
        "a fifth in a save",
        tally.mid_save >= tally.kills / 5,
    )
    yield Row(
        "values of the loss that differ from an undisturbed run's",
        f"{tally.differing} of {tally.compared}, {len(tally.remarks)} remarks",
        "-",
        None,
        "0, bit by bit",
        tally.differing == 0 and not tally.remarks,
    )
    yield Row(
        "final weights with another sha256",
        f"{tally.other_weights} of {tally.trainings} trainings",
        "-",
        None,
        "0",
        tally.other_weights == 0 and tally.trainings > 0,
    )
    yield Row(
        f"steps done again after a kill, at most, with a checkpoint every {EVERY}",
        f"{tally.most_lost}",
        "-",
        None,
        f"{2 * EVERY}: an interval, and one whose save was under way",
        tally.most_lost <= 2 * EVERY,
    )

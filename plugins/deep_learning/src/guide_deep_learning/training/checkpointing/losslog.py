"""The loss of every step, beside the checkpoints: a report after a restart shows the whole curve.

`losses.bin` only ever grows, by 16 bytes a step: the step as an int64, the loss as a float64,
little-endian. `numpy.fromfile(path, "<i8,<f8")` reads it. A manifest says how far the file goes
that belongs to it, and a restart cuts off what lies beyond: those steps are done again. What they
gave the first time is kept in mind, and if the same step now gives other bits, that is said.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from array import array
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from guide_deep_learning.training.loop.guard import StepLoss

_RECORD = struct.Struct("<qd")
_FILE = "losses.bin"


class LossLog:
    """The losses of one training, from its first step on.

    In memory until there is a folder to write to. A loss that was added is with the operating
    system at once, so that a kill loses none; `sync` brings it to the disk.
    """

    def __init__(self) -> None:
        self.compared = 0  # steps done again
        self._steps = array("q")
        self._values = array("d")
        self._sum = 0  # crc32 of all records
        self._file: FileIO | None = None
        self._written = 0  # records
        self._trouble: OSError | None = None  # why not all of them are
        self._again: dict[int, float] = {}  # what steps gave that are to be done again
        self._differing: list[tuple[int, float, float]] = []  # step, before, now

    @property
    def history(self) -> list[StepLoss]:
        """All losses so far, also those from before a restart, in the order of steps."""
        return [StepLoss(*pair) for pair in zip(self._steps, self._values, strict=True)]

    @property
    def remark(self) -> str:
        """A sentence where a step that was done again gave other bits than before, or ""."""
        if not self._differing:
            return ""
        step, before, now = self._differing[0]
        return (
            f"not bit-exact: of {self.compared} steps done again {len(self._differing)} gave "
            f"another loss, the first is step {step}: {before!r} before, {now!r} now"
        )

    def add(self, step: int, value: float) -> None:
        """Take the loss of a step; that of the newest one may be given twice.

        Raises:
            ValueError: when the step lies before the newest one: add what a step gave out before
                the next call of the trainer or the keeper.
        """
        if self._steps and step <= self._steps[-1]:
            if step == self._steps[-1]:
                return
            raise ValueError(f"the loss of step {step} comes after that of {self._steps[-1]}")
        record = _RECORD.pack(step, value)
        if step in self._again:
            before = self._again.pop(step)
            self.compared += 1
            if _RECORD.pack(step, before) != record:
                self._differing.append((step, before, value))
        self._steps.append(step)
        self._values.append(value)
        self._sum = zlib.crc32(record, self._sum)
        if self._file is not None:
            self._write()

    def begin(self, folder: Path) -> None:
        """Write to `folder` from now on, also what was added before.

        Raises:
            OSError: when the file cannot be made.
        """
        self._open(folder, "w")
        self._write()

    def go_on(self, folder: Path, step: int, mark: Mapping[str, Any] | None) -> list[str]:
        """Take up the log in `folder`, as it was when the state after `step` updates was saved.

        Args:
            folder: where `begin` was called once.
            step: the next one to be done.
            mark: what `mark` returned then.

        Returns:
            A sentence, where the curve cannot be given back.

        Raises:
            OSError: when the file cannot be written.
        """
        mark = mark or {"count": 0, "crc32": 0}
        content = b""
        with contextlib.suppress(OSError):
            content = (folder / _FILE).read_bytes()
        length = mark["count"] * _RECORD.size
        sound = len(content) >= length and zlib.crc32(content[:length]) == mark["crc32"]
        if sound:
            for pair in _RECORD.iter_unpack(content[:length]):
                self._steps.append(pair[0])
                self._values.append(pair[1])
            self._sum, self._written = mark["crc32"], mark["count"]
            # Behind it are the steps that follow, as far as the kill or the disk let them come.
            whole = len(content) // _RECORD.size * _RECORD.size
            for expected, (n, value) in enumerate(
                _RECORD.iter_unpack(content[length:whole]), start=step
            ):
                if n != expected:
                    break
                self._again[n] = value
        self._open(folder, "a")
        self._cut()
        return [] if sound else [f"{_FILE} is damaged: the curve of the loss begins at step {step}"]

    def mark(self) -> dict[str, int]:
        """How far the log goes now; for a manifest."""
        if self._file is not None:
            self._write()
        return {"count": len(self._steps), "crc32": self._sum}

    def sync(self, mark: Mapping[str, int]) -> None:
        """Force what `mark` speaks of to the disk. On any thread.

        Raises:
            OSError: when it cannot be written.
        """
        if self._file is None:
            return
        if self._written < mark["count"]:
            assert self._trouble is not None
            raise self._trouble
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file. What is added later stays in memory."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _open(self, folder: Path, mode: str) -> None:
        self.close()
        if mode == "w" or not (folder / _FILE).exists():
            FileIO(folder / _FILE, "w").close()
        self._file = FileIO(folder / _FILE, "r+")  # unbuffered: see `_write`

    def _cut(self) -> None:
        assert self._file is not None
        self._file.truncate(self._written * _RECORD.size)

    def _write(self) -> None:
        """Write what is missing, at its place: half a record, on a full disk, is written over."""
        assert self._file is not None
        first = self._written
        pairs = zip(self._steps[first:], self._values[first:], strict=True)
        missing = b"".join(_RECORD.pack(*pair) for pair in pairs)
        arrived = 0
        try:
            self._file.seek(first * _RECORD.size)
            while arrived < len(missing):
                arrived += self._file.write(missing[arrived:])
        except OSError as error:  # of no moment for the training; the next save says it
            self._trouble = error
        self._written += arrived // _RECORD.size

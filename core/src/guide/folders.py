"""What a run leaves on disk: its folder, and in it the record, trace, picture and report.

The record itself is `record.py`'s business; here is what goes beside it, and what becomes of all of
it when the disk does not take it.
"""

from __future__ import annotations

import contextlib
import datetime
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guide.errors import GuideError
from guide.record import write_atomically, write_record
from guide.report import write_report
from guide.run import Run
from guide.trace import FILES as TRACES
from guide.trace import write_trace


def new_run_folder(runs: Path, now: datetime.datetime | None = None) -> Path:
    """Create and return `runs/<time>/`; sorting the names sorts the runs."""
    # By itself, for `runs` may exist and be no folder: that must not look like a stamp in use.
    runs.mkdir(parents=True, exist_ok=True)
    stamp = (now or datetime.datetime.now()).strftime("%Y-%m-%dT%H-%M-%S")
    folder = runs / stamp
    number = 1
    while True:
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1
            folder = runs / f"{stamp}-{number:02}"


@dataclass(frozen=True, slots=True)
class Written:
    """Where a record is, and what went wrong on the way there; `trouble` is empty if nothing."""

    folder: Path
    trouble: str = ""


def begin(runs: Path, opening: dict[str, Any]) -> Written:
    """Make this run's folder under `runs` and write `opening` to it.

    When `runs` cannot take it, a new folder under the system's temporary one stands in.

    Raises:
        GuideError: when that fails as well.
    """
    folder = None
    try:
        folder = new_run_folder(runs)
        write_record(folder, opening)
        return Written(folder)
    except OSError as error:
        if folder is not None:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return _elsewhere(folder or runs, error, opening, lambda f: write_record(f, opening))


def write_all(folder: Path, record: dict[str, Any], run: Run) -> Written:
    """Write run.json, trace.json, the picture and report.html.

    run.json goes first: it is what the report can be made from again. When `folder` cannot take
    them (a full disk, a folder that was removed), all of it goes to a new folder under the
    system's temporary one instead.

    Raises:
        GuideError: when that fails as well.
    """
    try:
        _write_all(folder, record, run)
        return Written(folder)
    except OSError as error:
        written = _elsewhere(folder, error, record, lambda f: _write_all(f, record, run))
    for name in ("picture.png", *TRACES, "report.html"):
        with contextlib.suppress(OSError):
            (folder / name).unlink()  # half a record would only mislead
    return written


def _elsewhere(
    place: Path, error: OSError, record: Mapping[str, Any], write: Callable[[Path], object]
) -> Written:
    """Write to a temporary folder what `place` could not take because of `error`."""
    reason = error.strerror or str(error)
    try:
        rescue = Path(tempfile.mkdtemp(prefix=f"guide-{record['project']['name']}-"))
        write(rescue)
    except OSError as second:
        raise GuideError(
            f"the record could not be written: {place}: {reason}; {tempfile.gettempdir()}: "
            f"{second.strerror or second}",
            "free some space and run again",
        ) from None
    return Written(rescue, f"{place}: {reason}; the record is in {rescue}")


def _write_all(folder: Path, record: dict[str, Any], run: Run) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder, record)
    if run.image is not None:
        from guide.png import encode_png

        data = encode_png(run.image)
        write_atomically(folder / "picture.png", lambda out: out.write(data), "wb")
    trace = write_trace(
        folder, record["project"]["name"], run.timeline, run.loop.log, run.unix_offset_ns
    )
    if trace.name != record["trace"]:
        record["trace"] = trace.name
        write_record(folder, record)
    if run.failure is not None:
        lines = run.failure.traceback
        write_atomically(folder / "error.txt", lambda out: out.write(lines))
    write_report(folder)

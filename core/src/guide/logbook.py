"""The log book of a project: each run with its figures, what changed since the last, and a note.

It is `LOG.md`, the file that every scaffold comes with and that a person writes in. An entry is
added behind what is there and never touched again, but for a line of note; all else in the file is
its author's, and stays byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from guide.causes import sentence
from guide.compare import differences, repeats_beside, tick_change
from guide.errors import GuideError
from guide.readback import read_record
from guide.record import known_runs, latest_run, write_atomically
from guide.report import bounded, headline, whole
from guide.report.figures import commit
from guide.units import duration, number

BOOK = "LOG.md"
_NEW = "# Log book\n"
_FACTS = 2  # of the task's, in an entry


def note_of(folder: Path) -> str:
    """What the log book says about the run in `folder` in its notes; empty without any."""
    try:
        text = _read(folder.parent.parent / BOOK)
    except OSError:
        return ""
    found = _entry(text, folder.name)
    lines = text[found.start() : found.end()].splitlines() if found else []
    return " ".join(line.removeprefix("- Note: ") for line in lines if line.startswith("- Note: "))


def add(project: Path, run: Path | None = None, note: str = "") -> list[str]:
    """Write runs into the log book of a project; returns the names of those that are new in it.

    Args:
        project: its folder.
        run: the run to write; by default every one since the newest in the book.
        note: what its author says about `run`, or about the newest run.

    Raises:
        GuideError: a record cannot be read, or the book changed in the same instant.
        OSError: the book cannot be written.
    """
    file = (project / BOOK).resolve()  # what a link points to is written, not the link
    before = file.read_bytes() if file.exists() else b""
    text = _read(file) if before else _NEW
    runs = [run] if run else _since(project, text)
    about = run or latest_run(project / "runs")
    if note and about and about not in runs:
        runs.append(about)
    added = [folder for folder in runs if _entry(text, folder.name) is None]
    end = "\r\n" if "\r\n" in text else "\n"
    for folder in added:
        lines = [f"## Run {folder.name}", "", *map(_item, _lines(folder, text))]
        text = text.rstrip("\r\n") + end * 2 + end.join(lines) + end
    line = _item(f"Note: {note}")
    found = _entry(text, about.name) if note and about else None
    if found and line not in text[found.start() : found.end()].splitlines():
        kept = text[: found.end()]
        text = kept + end * (not kept.endswith("\n")) + line + end + text[found.end() :]
    after = text.encode("utf-8", "surrogateescape")

    def write(out: Any) -> None:
        if (file.read_bytes() if file.exists() else b"") != before:
            raise GuideError(f"{file} was changed at this very moment", "type it again")
        out.write(after)

    if after != before and (added or found):
        mode = file.stat().st_mode if before else None
        write_atomically(file, write, "wb")
        if mode is not None:
            file.chmod(mode)
    return [folder.name for folder in added]


def _item(text: str) -> str:
    """One line of an entry, whatever a task's facts or a note hold."""
    return f"- {' '.join(text.split())}".encode("utf-8", "replace").decode()


def _read(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "surrogateescape")


def _entry(text: str, name: str) -> re.Match[str] | None:
    """A run's heading with the list under it, which ends where a person's own words begin."""
    heading = rf"^## Run {re.escape(name)}[ \t]*(?:\r?\n|\Z)"
    return re.search(rf"{heading}(?:[ \t]*\r?\n(?=- ))?(?:- .*(?:\r?\n|\Z))*", text, re.MULTILINE)


def _since(project: Path, text: str) -> list[Path]:
    """The runs that ended since the newest in the book: an entry that was removed stays so."""
    newest = max(re.findall(r"^## Run (\S+)", text, re.MULTILINE), default="")
    runs = [run for run in known_runs(project / "runs") if run.name > newest]
    return [run for run in runs if read_record(run)["status"] != "running"]


def _lines(folder: Path, text: str) -> Iterator[str]:
    record = whole(read_record(folder))
    yield f"Measured: {'; '.join(_measured(record))}"
    facts = [f"{name} {value}" for name, value in list(record["facts"].items())[:_FACTS]]
    if facts:
        yield f"Facts: {', '.join(facts)}"
    if commit(record):
        yield f"Source: {commit(record)}"
    names = set(re.findall(r"^## Run (\S+)", text, re.MULTILINE))
    runs = [run for run in known_runs(folder.parent) if run.name < folder.name]
    runs = [run for run in runs if run.name in names]
    if runs:
        before = read_record(runs[-1])
        changed = differences(before, record)
        change = tick_change(before, record, repeats_beside(folder))
        changed += [f"tick p50: {change.verdict}"] if change and change.verdict else []
        yield f"Since {runs[-1].name}: {'; '.join(changed) or 'nothing changed'}"


def _measured(record: dict[str, Any]) -> Iterator[str]:
    loop, work = record["loop"], record["tick_time"]
    if record["status"] != "finished" or not loop["ticks"]:
        yield headline(record)[0].rstrip(".")
    if not loop["ticks"] or not record["seconds"]:
        return
    goal = "free-running" if loop["rate_hz"] is None else f"of {number(loop['rate_hz'])}"
    yield f"{loop['ticks'] / record['seconds']:.1f} Hz {goal}"
    yield f"tick p50 {duration(work['p50_ns'])}, p99 {duration(work['p99_ns'])}"
    if loop["budget_ns"] is not None:
        causes = record["misses"]["causes"]
        why = f" ({sentence(causes)})" if causes else ""
        yield f"{number(loop['missed'])} of {number(loop['ticks'])} missed{why}"
    for reading in record["usage"]["totals"]:
        if reading["unit"] == "J":
            yield f"{bounded(reading)} ({reading['source']})"

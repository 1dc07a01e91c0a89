"""The record of a run: what run.json holds, and how it gets to disk whole.

The schema is documented in docs/run-record.md and in run.schema.json beside this file; `SCHEMA`
is raised when a reader of the old form would misread the new one. `guide.readback` reads it.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import json
import math
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import guide
from guide.causes import Flight
from guide.journal import add_reading, written_miss, written_spans, written_ticks
from guide.loop import Loop
from guide.machine import machine_facts
from guide.resources import Reading, Sampler
from guide.run import Run
from guide.timing import Summary, Timeline

SCHEMA = 1

_NONE: Mapping[str, Any] = {}


def opening_record(
    name: str,
    track: str,
    loop: Loop,
    options: Mapping[str, Any],
    seed: int,
    source: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What is known before the first tick. A run that is killed leaves this behind."""
    return {
        "schema": SCHEMA,
        "guide": guide.__version__,
        "status": "running",
        "ended": "",
        "project": {"name": name, "track": track},
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine_facts(),
        "options": {key: _public(_plain(value)) for key, value in options.items()},
        "seed": seed,
        "source": source,
        "loop": {
            "rate_hz": loop.rate_hz,
            "budget_ns": loop.budget_ns,
            "overrun": loop.overrun,
        },
    }


def closing_record(
    opening: Mapping[str, Any], run: Run, sampler: Sampler | None, about: Mapping[str, Any] = _NONE
) -> dict[str, Any]:
    """The whole record, once the loop has ended. Times in it are ns since the loop's start.

    `about` is what only the caller knows: "budgets", "pacing", "card".
    """
    log, misses, origin = run.loop.log, run.loop.misses, run.started_ns
    failure = run.failure
    readings = sampler.samples if sampler else []
    return {
        **opening,
        "status": "failed" if failure else "finished",
        "ended": "error" if failure else run.loop.ended or "end",
        "error": failure and {key: getattr(failure, key) for key in ("message", "where", "remedy")},
        "seconds": (run.ended_ns - run.started_ns) / 1e9,
        "loop": {
            **opening["loop"],
            "ticks": log.count,
            "missed": log.missed,
            "skipped": log.skipped,
            "suspended": log.suspended,
        },
        "tick_time": Summary.of(log.work)._asdict(),
        "lateness": Summary.of(log.lateness)._asdict(),
        "spans": written_spans(run.timeline),
        "ticks": written_ticks(log.columns(), origin),
        "misses": {
            "causes": dict(sorted(misses.counts.items(), key=lambda item: -item[1])),
            "list": [written_miss(explained, origin) for explained in list(misses.explained)],
        },
        "flights": [_flight(flight, run.timeline, origin) for flight in misses.flights],
        "worst": _worst(run, origin),
        "series": {
            name: {
                "unit": s.unit,
                "axis": s.axis,
                "stride": s.stride,
                "ticks": s.ticks,
                "values": [*map(_plain, s.values)],
            }
            for name, s in run.series.items()
        },
        "usage": {
            "totals": _totals(readings[-1][1] if readings else ()),
            "samples": _samples(readings, origin),
            "failed": list(sampler.failed) if sampler else [],
            "loop": run.loop.used
            and {**run.loop.used._asdict(), "gc_ns": misses.gc_ns, "spans": run.loop.asked},
        },
        "facts": {name: _plain(value) for name, value in run.facts.items()},
        "notes": run.notes[:],
        "texts": [{"title": title, "body": body} for title, body in run.texts],
        "picture": None if run.image is None else {"file": "picture.png", "caption": run.caption},
        "checks": {
            name: {"ticks": list(kept), "digests": list(kept.values())}
            for name, kept in run.checks.items()
        },
        "work": run.work,
        "budgets": [],
        "pacing": {"realtime": False, "text": ""},
        "card": None,
        "trace": "trace.json",
        "clock": {"unix_ns": origin + run.unix_offset_ns},
        **about,
    }


def _flight(flight: Flight, timeline: Timeline, origin: int) -> dict[str, Any]:
    names = sorted({name for name, *_ in flight.spans})
    lanes = sorted({lane for _, lane, *_ in flight.spans}, key=lambda x: x != timeline.loop_lane)
    return {
        "tick": flight.tick,
        "why": flight.why,
        "names": names,
        "lanes": [timeline.lanes.get(lane) or str(lane) for lane in lanes],
        "spans": [
            [names.index(name), lanes.index(lane), start_ns - origin, ns]
            for name, lane, start_ns, ns in flight.spans
        ],
        "ticks": [[index, *(t_ns - origin for t_ns in times)] for index, *times in flight.ticks],
    }


def _worst(run: Run, origin: int) -> list[dict[str, Any]]:
    ticks = run.loop.log.worst()
    took = run.loop.misses.took({t.index for t in ticks})
    return [
        {
            "index": t.index,
            "start_ns": t.start_ns - origin,
            "work_ns": t.work_ns,
            "late_ns": t.start_ns - t.due_ns,
            "missed": t.missed,
            "spans": took.get(t.index, {}),
        }
        for t in ticks
    ]


def _totals(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    rows = [{key: _plain(value) for key, value in asdict(r).items()} for r in readings]
    return [row for row in rows if row["value"] is not None]


def _samples(samples: Iterable[tuple[int, tuple[Reading, ...]]], origin: int) -> dict[str, Any]:
    times: list[int] = []
    columns: dict[str, dict[str, Any]] = {}
    for row, (t_ns, readings) in enumerate(samples):
        times.append(t_ns - origin)
        for r in readings:
            about = {"unit": r.unit, "kind": r.kind, "source": r.source}
            add_reading(columns, row, r.name, about, _plain(r.value))
    return {"t_ns": times, "columns": columns}


_JSON = (str, int, float, bool, type(None))


def _public(value: Any) -> Any:
    """Without what a URL may hold of secrets: a record is made to be shown."""
    if isinstance(value, str) and "://" in value:
        return re.sub(r"(?<=://)[^/\s]*@|\?\S*", "", value)
    return value


def _plain(value: Any) -> Any:
    """A value as JSON can hold it; NaN and infinities, which it cannot, become null."""
    if not isinstance(value, _JSON) and hasattr(value, "item"):
        with contextlib.suppress(ValueError, RuntimeError):  # more than one value: shown as text
            value = value.item()  # a scalar of numpy or torch
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, _JSON) else str(value)


def replaceable(file: Path) -> None:
    """See that nothing but a regular file, or nothing, is in a file's place.

    What is moved in takes the place of whatever is there, by its name: for root of /dev/null too.

    Raises:
        OSError: when a folder, a device, a pipe or a socket is there, or what a link leads to is
            one.
    """
    try:
        kind = file.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "a folder is there", str(file))
    if not stat.S_ISREG(kind):
        raise OSError(errno.EINVAL, "no ordinary file, so it is left as it is", str(file))


def write_atomically(file: Path, write: Callable[[IO[Any]], object], mode: str = "w") -> None:
    """Write a file beside its place and move it in whole: a reader sees the old one or the new.

    Raises:
        OSError: when it cannot be written, or what is in its place is no regular file.
    """
    replaceable(file)
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        # A model may generate half a surrogate pair, which UTF-8 has no bytes for.
        encoding, errors = (None, None) if "b" in mode else ("utf-8", "backslashreplace")
        with part.open(mode, encoding=encoding, errors=errors) as out:
            write(out)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write run.json."""
    text = json.dumps(record, allow_nan=False, separators=(",", ":"))
    write_atomically(folder / "run.json", lambda out: out.write(text + "\n"))


def known_runs(runs: Path) -> list[Path]:
    """The runs in the folder `runs`, finished or not, oldest first."""
    return sorted(file.parent for file in runs.glob("*/run.json"))


def latest_run(runs: Path) -> Path | None:
    """The newest of them."""
    return next(reversed(known_runs(runs)), None)

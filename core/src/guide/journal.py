"""What a run that is killed leaves behind: a file that is only ever appended to, once a second.

Each second's part is one line of JSON, which says how many bytes follow it, and then those bytes:
ticks and series as they lie in memory, for writing them as text would hold up the loop. What was
cut short at the end is left out when it is read.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guide.causes import Explained
from guide.percentiles import Histogram, Summary
from guide.ticks import TickColumns

if TYPE_CHECKING:
    from guide.resources import Sampler
    from guide.run import Run
    from guide.timing import Timeline

NAME = "journal.bin"
_EVERY_S = 0.9  # so that what is lost is never more than a second


class Journal:
    """Appends to `folder`/journal.bin while a run goes on, from a thread of its own.

    A disk that is full ends the journal, never the run.
    """

    def __init__(self, folder: Path, run: Run, sampler: Sampler) -> None:
        self.trouble = ""
        self._file = folder / NAME
        self._run, self._sampler = run, sampler
        self._ticks = 0  # ticks written so far
        self._series: dict[str, int] = {}  # values written so far, of each
        self._last_miss = -1  # the tick of the last one written
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="guide-journal", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is missing since the last part goes into the record anyway."""
        if self._thread.is_alive():
            self._done.set()
            self._thread.join()

    def remove(self) -> None:
        """Take it away, once the record holds all of it."""
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _write_on(self) -> None:
        try:
            with self._file.open("ab", buffering=0) as out:
                while not self._done.wait(_EVERY_S):
                    out.write(self.part())
        except OSError as error:
            self.trouble = f"no journal: {error.strerror or error}"

    def _new_misses(self) -> list[dict[str, Any]]:
        new = [e for e in list(self._run.loop.misses.explained) if e.miss.tick > self._last_miss]
        if new:
            self._last_miss = new[-1].miss.tick
        return [written_miss(e, self._run.started_ns) for e in new]

    def part(self) -> bytes:
        """What has happened since the last part."""
        import numpy as np

        run, log = self._run, self._run.loop.log
        ticks = log.columns(self._ticks)
        rows = np.stack((ticks.due_ns, ticks.start_ns, ticks.end_ns, ticks.skipped))
        rows[:3] -= run.started_ns
        self._ticks = ticks.first + len(ticks.due_ns)
        payload, series = [rows.astype("<i8").tobytes()], []
        for name, s in list(run.series.items()):
            since = s.seen - self._series.get(name, 0)
            count = min(-(-since // s.stride), len(s.values))
            self._series[name] = s.seen
            payload.append(np.array(s.ticks[-count:] if count else [], "<i8").tobytes())
            payload.append(np.array(s.values[-count:] if count else [], "<f8").tobytes())
            series.append([name, s.unit, s.axis, count])
        head = {
            "ticks": rows.shape[1],
            "first": self._ticks - rows.shape[1],
            "series": series,
            "missed": log.missed,
            "skipped": log.skipped,
            "suspended": log.suspended,
            "causes": dict(run.loop.causes),
            "misses": self._new_misses(),
            "spans": written_spans(run.timeline),
            "readings": [asdict(reading) for reading in self._sampler.latest()],
            "at_ns": run.clock.now_ns() - run.started_ns,
            "bytes": sum(map(len, payload)),
        }
        return json.dumps(head, separators=(",", ":")).encode() + b"\n" + b"".join(payload)


def written_miss(explained: Explained, origin_ns: int) -> dict[str, Any]:
    """A missed tick as run.json and the journal hold it."""
    return {
        "index": explained.miss.tick,
        "start_ns": explained.miss.start_ns - origin_ns,
        "over_ns": explained.miss.over_ns,
        "cause": explained.cause,
        "text": explained.text,
    }


def written_ticks(ticks: TickColumns, origin_ns: int) -> dict[str, Any]:
    """The newest ticks as run.json holds them."""
    return {
        "first": ticks.first,
        "due_ns": (ticks.due_ns - origin_ns).tolist(),
        "start_ns": (ticks.start_ns - origin_ns).tolist(),
        "end_ns": (ticks.end_ns - origin_ns).tolist(),
        "skipped": ticks.skipped.tolist(),
    }


def written_spans(timeline: Timeline) -> dict[str, Any]:
    """The durations of each span, by name, as run.json and the journal hold them."""
    return {
        name: {
            **Summary.of(h)._asdict(),
            "total_ns": h.total,
            "beside": name in timeline.beside,
        }
        for name, h in timeline.stats().items()
    }


def add_reading(
    columns: dict[str, Any], row: int, name: str, about: Mapping[str, Any], value: Any
) -> None:
    """Put a reading of sample number `row` at the end of its column; a meter may miss a sample."""
    values = columns.setdefault(name, {**about, "values": []})["values"]
    values += [None] * (row - len(values)) + [value]


def parts(file: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The whole parts of a journal in order: head and payload. Ends where it was cut short."""
    with file.open("rb") as journal:
        for line in journal:
            try:
                head = json.loads(line)
                payload = journal.read(head["bytes"])
            except (ValueError, TypeError, KeyError):
                return
            if len(payload) < head["bytes"]:
                return
            yield head, payload


def recovered(opening: dict[str, Any], file: Path) -> dict[str, Any]:
    """The record of a run that was killed, from its opening and its journal."""
    import numpy as np

    blocks, samples, misses = [], [], []
    series: dict[str, Any] = {}
    head: dict[str, Any] = {}
    for head, payload in parts(file):
        n = 32 * head["ticks"]
        blocks.append(np.frombuffer(payload[:n], "<i8").reshape(4, -1))
        for name, unit, axis, count in head["series"]:
            about = {"unit": unit, "axis": axis, "stride": 1}
            of = series.setdefault(name, {**about, "ticks": [], "values": []})
            of["ticks"] += np.frombuffer(payload[n : n + 8 * count], "<i8").tolist()
            values = np.frombuffer(payload[n + 8 * count : n + 16 * count], "<f8").tolist()
            of["values"] += [value if np.isfinite(value) else None for value in values]
            n += 16 * count
        samples.append((head["at_ns"], head["readings"]))
        misses += head["misses"]
    if not blocks:
        return opening
    due, start, end, skipped = np.concatenate(blocks, axis=1)
    work, late = Histogram(), Histogram()
    work.record_many(end - start)
    late.record_many(start - due)
    first = head["first"] + head["ticks"] - len(due)
    columns: dict[str, Any] = {}
    for row, (_, readings) in enumerate(samples):
        for r in readings:
            about = {key: r[key] for key in ("unit", "kind", "source")}
            add_reading(columns, row, r["name"], about, r["value"])
    return {
        **opening,
        "seconds": head["at_ns"] / 1e9,
        "loop": {
            **opening["loop"],
            "ticks": head["first"] + head["ticks"],
            **{key: head[key] for key in ("missed", "skipped", "suspended")},
        },
        "tick_time": Summary.of(work)._asdict(),
        "lateness": Summary.of(late)._asdict(),
        "spans": head["spans"],
        "misses": {"causes": head["causes"], "list": misses[-1000:]},
        "ticks": written_ticks(TickColumns(first, due, start, end, skipped, None), 0),
        "series": series,
        "usage": {
            "totals": head["readings"],
            "samples": {"t_ns": [t_ns for t_ns, _ in samples], "columns": columns},
            "failed": [],
        },
        **{key: [] for key in ("worst", "flights", "budgets", "notes", "texts")},
        "facts": {},
        "picture": None,
    }

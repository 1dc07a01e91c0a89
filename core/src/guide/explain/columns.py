"""Events into columns as they come, in bounded memory.

Of a file with more events than there is room for, a first reading keeps what says where the steps
are, and a sample of times; a second one keeps all that lies within a few of the steps.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from guide.explain import dialects
from guide.explain.losses import Losses
from guide.explain.trace import Ints, Window

FIELDS = (
    *("start_ns", "end_ns", "name", "category", "track"),
    *("correlation", "device", "bytes", "shape"),
)
_START, _END, _NAME = 0, 1, 2
_WIDTH = len(FIELDS)

_LATEST_NS = 1 << 62
_LONGEST = 1024  # characters of a name
_SHORT = 200  # of a thread's
_TEXT = 48_000_000  # bytes of all names together, the small change of keeping them included
_EACH = 150
_OPEN = 100_000  # events that have begun and not ended
_STEPS = 200_000  # of a file too large to be kept
_SAMPLE = 1 << 16
_ARGUMENTS = ("correlation", "device", "bytes", "stream", "Input Dims", "Input dims", "late_us")


class Columns:
    """Collects events.

    Attributes:
        rows: what was kept, `FIELDS` one after the other.
        names, tracks, shapes: what their columns count in, in order.
        threads: names of tracks.
        processes: names of processes.
        seen: how many events there were, kept or not.
        known: whether any had a category that torch's traces have.
        uncategorised: whether any had none, as those of our own traces.
    """

    def __init__(self, losses: Losses, most: int, window: Window | None = None) -> None:
        self.rows = array("q")
        self.names: dict[str, int] = {}
        self.tracks: dict[str, int] = {}
        self.shapes: dict[str, int] = {}
        self.threads: dict[str, str] = {}
        self.processes: set[str] = set()
        self.seen = 0
        self.known = self.uncategorised = False
        self.overflowed = False
        self._losses = losses
        self._most = most
        self._window = window
        self._steps = min(_STEPS, most // 2)
        self._text = 0
        self._known_tracks: dict[Any, int] = {}
        self._categories: dict[Any, int] = {}
        self._open: dict[Any, list[dict[str, Any]]] = {}
        self._opened = 0
        self._sample = array("q")
        self._stride = 1

    def add(self, events: Iterable[Any]) -> None:
        """Take in events as JSON has them; decimals are text."""
        damaged = 0
        for event in events:
            if type(event) is not dict:
                damaged += 1
                continue
            phase = event.get("ph")
            try:
                if phase == "X":
                    self._complete(event, event.get("dur", 0))
                elif phase == "B" or phase == "E":
                    self._begin_or_end(event, phase)
                elif phase == "M":
                    self._about(event)
            except (TypeError, RecursionError):  # a list where a name or a number should be
                damaged += 1
        if damaged:
            self._losses.count("damaged", damaged)

    def row(self, start: int, end: int, name: str, category: int, track: str) -> None:
        """Take in a span of ours."""
        if not -_LATEST_NS < start <= end < _LATEST_NS:
            self._losses.count("timeless")
            return
        self.seen += 1
        self.uncategorised = True
        if self._is_kept(start, end, name):
            number, lane = self._number(self.names, name), self._number(self.tracks, track)
            self.rows.extend((start, end, number, category, lane, -1, -1, -1, -1))

    def finish(self) -> None:
        """All is read: what has begun and not ended is lost."""
        self._losses.count("unmatched", self._opened)

    def matrix(self) -> Ints:
        """What was kept, an event a row."""
        return np.frombuffer(self.rows, np.int64).reshape(-1, _WIDTH)

    def starts(self) -> tuple[Ints, int]:
        """When some of all events began, in order; and how many each stands for."""
        return np.sort(np.frombuffer(self._sample, np.int64)), self._stride

    def _complete(self, event: dict[str, Any], dur: Any) -> None:
        name = event.get("name", "")
        if self.overflowed and not self._window and self._is_passed_over(name):
            return
        ts = event.get("ts")
        if type(ts) is str and ts[-4:-3] == ".":
            try:
                start: int | None = int(ts[:-4] + ts[-3:])
            except ValueError:
                start = nanoseconds(ts)
        else:
            start = ts * 1000 if type(ts) is int else nanoseconds(ts)
        if self._window and start is not None and start >= self._window.end_ns:
            self.seen += 1
            return
        if type(dur) is str and dur[-4:-3] == ".":
            try:
                ns: int | None = int(dur[:-4] + dur[-3:])
            except ValueError:
                ns = nanoseconds(dur)
        else:
            ns = dur * 1000 if type(dur) is int else nanoseconds(dur)
        if start is None or ns is None or ns < 0 or not -_LATEST_NS < start < _LATEST_NS - ns:
            self._losses.count("timeless")
            return
        self.seen += 1
        if (self.overflowed or self._window) and not self._is_kept(start, start + ns, name):
            return
        args = event.get("args")
        if type(args) is not dict:
            args = {}
        said = event.get("cat")
        category = self._categories.get(said) if said is not None else None
        if category is None:
            category = self._category(event, args, said)
        number = self.names.get(name)
        if number is None:
            number = self._number(self.names, str(name))
        where = (event.get("pid"), event.get("tid"))
        track = self._known_tracks.get(where)
        if track is None:
            text = f"{where[0]}/{where[1]}"
            track = self._number(self.tracks, text)
            if len(text) <= _SHORT and len(self._known_tracks) < _OPEN:
                self._known_tracks[where] = track
        dims = args.get("Input Dims", args.get("Input dims"))
        shape = -1 if dims is None else self._number(self.shapes, repr(dims))
        get = args.get
        row = (
            *(start, start + ns, number, category, track),
            *(get("correlation", -1), get("device", -1), get("bytes", -1), shape),
        )
        try:
            self.rows.extend(row)
        except (TypeError, OverflowError):
            # What came before the one that does not fit is in already
            del self.rows[len(self.rows) // _WIDTH * _WIDTH :]
            self.rows.extend(_integer(value) for value in row)
        if len(self.rows) >= self._most * _WIDTH and not self.overflowed:
            self._overflow()

    def _begin_or_end(self, event: dict[str, Any], phase: str) -> None:
        where = (event.get("pid"), event.get("tid"))
        stack = self._open.get(where)
        if phase == "B":
            if self._opened < _OPEN:
                self._open.setdefault(where, []).append(_what_counts(event))
                self._opened += 1
            else:
                self._losses.count("unmatched")
        elif stack:
            self._opened -= 1
            begun = stack.pop()
            if not stack:
                del self._open[where]
            start, end = nanoseconds(begun.get("ts")), nanoseconds(event.get("ts"))
            if start is None or end is None:
                self._losses.count("timeless")
            else:
                self._complete(begun, Decimal(end - start) / 1000)
        elif self._window is None:
            self._losses.count("unmatched")

    def _about(self, event: dict[str, Any]) -> None:
        args, kind = event.get("args"), event.get("name")
        said = args.get("name") if type(args) is dict else None
        if said is None or len(self.threads) + len(self.processes) > 10_000:
            return
        if kind == "thread_name":
            track = clean(f"{event.get('pid')}/{event.get('tid')}"[:_SHORT])
            self.threads[track] = clean(str(said)[:_SHORT])
        elif kind == "process_name":
            self.processes.add(clean(str(said)[:_SHORT]))

    def _category(self, event: dict[str, Any], args: dict[str, Any], said: Any) -> int:
        category = dialects.category(event, args)
        if said is None and category == dialects.SPAN:
            self.uncategorised = True
        elif category != dialects.OTHER:
            self.known = True
        if type(said) is str and dialects.is_known(said) and len(self._categories) < 1000:
            self._categories[said] = category
        return category

    def _is_kept(self, start: int, end: int, name: Any) -> bool:
        if self._window:
            inside = start < self._window.end_ns and end > self._window.start_ns
            if inside and len(self.rows) >= self._most * _WIDTH:
                self._losses.count("crowded")
                return False
            return inside
        if not self.overflowed:
            if len(self.rows) < self._most * _WIDTH:
                return True
            self._overflow()
        if self.seen % self._stride == 0:
            self._sample.append(start)
            if len(self._sample) >= 2 * _SAMPLE:
                self._sample = self._sample[::2]
                self._stride *= 2
        return (
            len(self.rows) < self._steps * _WIDTH and type(name) is str and dialects.is_step(name)
        )

    def _is_passed_over(self, name: Any) -> bool:
        """Of a file too large to be kept, whether an event neither names a step nor is sampled."""
        if (self.seen + 1) % self._stride == 0 or type(name) is not str or dialects.is_step(name):
            return False
        self.seen += 1
        return True

    def _overflow(self) -> None:
        """No room for more: keep of what is here the steps, and a sample of the times."""
        if self._window:
            return
        self.overflowed = True
        matrix = self.matrix()
        self._stride = max(len(matrix) // _SAMPLE, 1)
        sample, stepping = matrix[:: self._stride, _START], np.zeros(len(self.names) or 1, bool)
        for name, number in self.names.items():
            stepping[number] = dialects.is_step(name)
        steps = matrix[stepping[matrix[:, _NAME]]][: self._steps]
        self._sample = array("q", sample.tobytes())
        rows = array("q", steps.tobytes())
        del matrix, sample
        self.rows = rows

    def _number(self, of: dict[str, int], said: str) -> int:
        """The number of a text; of all that come after the room for them is full, one."""
        number = of.get(said)
        if number is not None:
            return number
        text = clean(said[:_LONGEST])
        number = of.get(text)
        if number is None:
            self._text += len(text) * (1 if text.isascii() else 4) + _EACH
            if self._text > _TEXT:
                self._losses.count("nameless")
                text = "(left out)"
            number = of.setdefault(text, len(of))
        return number


def nanoseconds(us: Any) -> int | None:
    """Microseconds, as text or as a number, in whole nanoseconds; None: it is no time.

    Exact, also where a float would not be: microseconds since 1970 with three decimals have
    nineteen digits.
    """
    if type(us) is int:
        return us * 1000 if abs(us) < _LATEST_NS else None
    if type(us) is str:
        whole, _, part = us.partition(".")
        if len(whole) <= 18 and whole.isdecimal() and part.isdecimal():  # as nearly all are
            if len(part) <= 3:
                return int(whole + part.ljust(3, "0"))
            if part[3] != "5":
                return int(whole + part[:3]) + (part[3] > "5")
    if isinstance(us, float):
        us = repr(us) if math.isfinite(us) else "NaN"
    try:
        exact = Decimal(us)
    except (InvalidOperation, TypeError, ValueError):
        return None
    if not exact.is_finite() or exact.adjusted() > 18:
        return None
    return round(exact * 1000)


def clean(text: str) -> str:
    """Text of any script that a terminal and a file take: no control characters, no half ones."""
    if text.isprintable():
        return text
    joiners = "\u200c\u200d"  # letters of some scripts need them, and so do emoji
    return "".join(
        c if c.isprintable() or c in joiners else " " if c.isspace() else "\ufffd" for c in text
    )


def _what_counts(event: dict[str, Any]) -> dict[str, Any]:
    """Of an event that has begun what its end will ask for, and no more: there may be many."""
    kept = {key: event.get(key) for key in ("ts", "cat", "pid", "tid", "name")}
    args = event.get("args")
    if type(args) is dict:
        kept["args"] = {key: args[key] for key in _ARGUMENTS if key in args}
    return kept if len(repr(kept)) <= _LONGEST else {"ts": event.get("ts")}


def _integer(value: Any) -> int:
    """A number as a column takes it; -1 for what is none."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return -1
    return number if -_LATEST_NS < number < _LATEST_NS else -1

"""What a person sees while a run goes on: a live display on a terminal, log lines in a pipe.

The display is a handful of plain strings, composed five times a second by a thread of its own.
Every millisecond it held the GIL would be a millisecond the loop wakes late, which is why there
is no rendering library here, and why it takes a breath between the parts it is composed of.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from guide.causes import sentence
from guide.keys import HINT
from guide.loop import Loop
from guide.resources import Reading, Sampler
from guide.run import Run
from guide.timing import Summary
from guide.units import duration, interval, number, quantity, size

_COMBINING = "\u0300"  # whatever is printable below it takes one cell
_BREATH_S = 100e-6  # long enough for a loop that waits for the GIL to wake and take it
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LABEL, _TICK = 11, 38  # cells before what a row says; cells of the tick row's text
_GREEN, _AMBER, _RED, _CYAN, _SOFT, _BOLD = "32", "33", "31", "36", "2", "1"


def bar(share: float, width: int, unicode: bool = True) -> str:
    """A bar of `width` cells, filled to `share` (0 to 1, clipped) in steps of an eighth."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    if not unicode:
        return ("#" * (eighths // 8)).ljust(width)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def budget_bar(p50: float, p99: float, budget: float, width: int, unicode: bool = True) -> str:
    """Tick times against their budget, drawn to scale up to 1.25 budgets.

    Solid up to the p50, shaded on to the p99, with a stroke where the budget ends.

    >>> budget_bar(8, 12, 16, 20)
    '████████▒▒▒▒    │   '
    """
    solid, shade, stroke = ("█", "▒", "│") if unicode else ("#", "-", "|")
    scale = width / (1.25 * budget)
    half, most = (min(round(t * scale), width) for t in (p50, p99))
    cells = list((solid * half + shade * (most - half)).ljust(width))
    cells[min(round(budget * scale), width - 1)] = stroke
    return "".join(cells)


def cells(text: str) -> int:
    """How many cells of a terminal `text` takes: wide characters take two, combining ones none.

    Source: Unicode Standard Annex 11, East Asian Width.
    """
    return len(text) if max(text, default="") < _COMBINING else sum(map(_width, text))


def cut(text: str, width: int) -> str:
    """`text` without what cannot be shown, and no more of it than fits `width` cells."""
    if not text.isprintable():  # a line end or an escape code in a name would move the cursor
        text = "".join(c if c.isprintable() else "?" for c in text)
    if max(text, default="") < _COMBINING:
        return text[: max(width, 0)]
    kept, room = [], width
    for c in text:
        room -= _width(c)
        if room < 0:
            break
        kept.append(c)
    return "".join(kept)


def _width(c: str) -> int:
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def _fit(text: str, width: int) -> str:
    """`text` cut or padded to exactly `width` cells."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


class Screen:
    """Composes the display from a run as it is now.

    Args:
        title: project, track.
        run: the run.
        sampler: for CPU, memory and energy.
        colour: whether to use ANSI colours.
        unicode: whether the terminal's encoding has block characters.
        keys: whether somebody reads the keyboard, so that its keys are worth a line.
        budgets: returns the run's budgets as they are now, each as it stands in the record.
    """

    def __init__(
        self,
        title: str,
        run: Run,
        sampler: Sampler,
        *,
        colour: bool,
        unicode: bool,
        keys: bool = False,
        budgets: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
    ) -> None:
        self._title, self._run, self._sampler = title, run, sampler
        self._colour, self._unicode, self._keys, self._budgets = colour, unicode, keys, budgets
        self._window: list[tuple[int, int]] = []  # (now, ticks so far), for the rate

    def lines(self, width: int) -> list[str]:
        """The display as lines no wider than `width` cells."""
        loop, stats = self._run.loop, self._run.timeline.stats()
        time.sleep(_BREATH_S)
        work = Summary.of(loop.log.work)
        rate = self._rate(loop)
        length = max(min(width - 46, 40), 6)
        head = f"{self._title}  tick {number(loop.log.count)}  {self._elapsed()}"
        if loop.paused or loop.speed != 1:
            head += "  paused" if loop.paused else f"  time at {number(loop.speed)} x"
        rows = [self._paint(cut(head, width), _BOLD)]
        rows.append(self._row("rate", self._rate_text(rate, loop), width))
        rows.append(self._tick_row(work, loop, length, width))
        rows.append(self._missed_row(loop, width))
        time.sleep(_BREATH_S)
        beside = self._run.timeline.beside
        total = sum(h.total for name, h in stats.items() if name not in beside) or 1
        largest = set(sorted(stats, key=lambda name: -stats[name].total)[:8])
        for name, h in stats.items():  # in the order in which they first came: that of the tick
            if name not in largest:
                continue
            label = f"  {_fit(name, 14)} p50 {duration(h.percentile(50)):>8}  "
            room = max(min(length, width - cells(label)), 0)
            drawn = bar(h.total / total, room, self._unicode).rstrip()
            drawn = "beside the loop"[:room] if name in beside else drawn
            rows.append(cut(label, width) + self._paint(drawn, _CYAN))
            time.sleep(_BREATH_S)
        rows += [self._budget_row(budget, length, width) for budget in self._budgets()]
        rows.append(self._row("machine", machine_text(self._sampler), width))
        if self._run.series:
            latest = ", ".join(
                f"{name} {quantity(s.values[-1], s.unit)}"
                for name, s in list(self._run.series.items())[:6]
                if s.values
            )
            rows.append(self._row("values", latest, width))
        ending = HINT if self._keys else "Ctrl-C ends the run and writes its report"
        rows.append(self._paint(cut(ending, width), _SOFT))
        return rows

    def log_line(self) -> str:
        """The same in one plain line, for a pipe or a file."""
        loop = self._run.loop
        work = Summary.of(loop.log.work)
        parts = [
            f"{self._elapsed()}",
            f"tick {loop.log.count}",
            self._rate_text(self._rate(loop), loop),
            f"p50 {duration(work.p50_ns)}",
            f"p99 {duration(work.p99_ns)}",
        ]
        if loop.budget_ns is not None:
            why = sentence(loop.causes)
            parts.append(f"missed {loop.log.missed}{f' ({why})' if why else ''}")
        parts += [
            f"{name} {quantity(s.values[-1], s.unit)}"
            for name, s in list(self._run.series.items())
            if s.values
        ]
        return cut("  ".join([*parts, machine_text(self._sampler)]), 1_000)

    def _rate(self, loop: Loop) -> float:
        now_ns = self._run.clock.now_ns()
        if not self._window:
            self._window.append((self._run.started_ns, 0))
        self._window.append((now_ns, loop.log.count))
        while len(self._window) > 2 and now_ns - self._window[1][0] > 1_000_000_000:
            del self._window[0]
        (t0, n0), (t1, n1) = self._window[0], self._window[-1]
        return (n1 - n0) * 1e9 / (t1 - t0) if t1 > t0 else 0.0

    @staticmethod
    def _rate_text(rate: float, loop: Loop) -> str:
        goal = "free-running" if loop.rate_hz is None else f"of {number(loop.rate_hz)} Hz"
        return f"{rate:.1f} Hz {goal}"

    def _tick_row(self, work: Summary, loop: Loop, length: int, width: int) -> str:
        text = f"p50 {duration(work.p50_ns)}  p99 {duration(work.p99_ns)}"
        if loop.budget_ns is None:
            return self._row("tick", text, width)
        share = work.p99_ns / loop.budget_ns
        colour = _GREEN if share < 0.8 else _AMBER if share <= 1 else _RED
        text = f"{text} of {duration(loop.budget_ns)}"
        room = width - _LABEL - _TICK
        if room < 6:
            return self._row("tick", text, width)
        drawn = budget_bar(
            work.p50_ns, work.p99_ns, loop.budget_ns, min(length, room), self._unicode
        )
        return self._row("tick", _fit(text, _TICK), width) + self._paint(drawn, colour)

    def _missed_row(self, loop: Loop, width: int) -> str:
        if loop.budget_ns is None:
            return self._row("missed", "no deadline set", width)
        text = f"{number(loop.log.missed)} of {number(loop.log.count)}"
        if loop.log.missed and loop.causes:
            text += f": {sentence(loop.causes)}"
        if loop.log.skipped:
            text += f"; {number(loop.log.skipped)} slots skipped"
        return self._row("missed", text, width, _RED if loop.log.missed else _GREEN)

    def _budget_row(self, budget: Mapping[str, Any], length: int, width: int) -> str:
        used, limit, unit = budget["used"], budget["limit"] or 1, budget["unit"]
        high = used if budget["high"] is None else budget["high"]
        text = f"{quantity(used, unit)} of {quantity(limit, unit)}"
        if budget["low"] is not None:
            text = f"{interval(budget['low'], high, unit)} of {quantity(limit, unit)}"
        share = high / limit
        colour = _GREEN if share < 0.8 else _AMBER if share < 1 else _RED
        room = min(length, width - _LABEL - _TICK)
        if room < 6:
            return self._row(budget["name"], text, width, colour)
        drawn = bar(share, room, self._unicode).rstrip()
        return self._row(budget["name"], _fit(text, _TICK), width) + self._paint(drawn, colour)

    def _row(self, label: str, text: str, width: int, code: str = "") -> str:
        # Cut first, then painted: half an escape sequence would colour the rest of the screen.
        text = cut(text, width - _LABEL)
        return cut(_fit(label, _LABEL), width) + (self._paint(text, code) if code else text)

    def _elapsed(self) -> str:
        seconds = max(self._run.clock.now_ns() - self._run.started_ns, 0) // 1_000_000_000
        return f"{seconds // 60:02}:{seconds % 60:02}"

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and text else text


def machine_text(sampler: Sampler) -> str:
    """CPU, memory and power since the sample a second ago, in words."""
    if len(sampler.samples) < 2:
        return "measuring ..."
    t1, now = sampler.samples[-1]
    t0, before = sampler.samples[max(len(sampler.samples) - 11, 0)]
    seconds = (t1 - t0) / 1e9 or 1.0
    old = {reading.name: reading for reading in before}
    words = []
    for reading in now:
        last = old.get(reading.name)
        if reading.name == "memory":
            words.append(f"memory {size(reading.value)}")
        elif reading.name == "cpu" and last is not None:
            words.append(f"cpu {100 * (reading.value - last.value) / seconds:.0f} %")
        elif reading.unit == "J" and last is not None:
            words.append(_power(reading, last, seconds))
    return ", ".join(words)


def _power(reading: Reading, last: Reading, seconds: float) -> str:
    if reading.low is None or reading.high is None or last.low is None or last.high is None:
        return f"{number((reading.value - last.value) / seconds)} W ({reading.source})"
    low, high = ((reading.low - last.low) / seconds, (reading.high - last.high) / seconds)
    return f"{low:.1f} to {high:.1f} W ({reading.source})"


class Watcher:
    """Shows a `Screen` while a run goes on; a context manager around the loop."""

    def __init__(self, screen: Screen, out: IO[str] | None = None) -> None:
        self._screen = screen
        self._out = out or sys.stdout
        self._live = self._out.isatty() and os.environ.get("TERM") != "dumb"
        self._done = threading.Event()
        self._painted = 0
        self._thread = threading.Thread(target=self._run, name="guide-watcher", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def stop(self) -> None:
        """Show the last state and end."""
        if self._thread.is_alive():
            self._done.set()
            self._thread.join()
            self._show()

    def _run(self) -> None:
        while not self._done.wait(0.2 if self._live else 1.0):
            self._show()

    def _show(self) -> None:
        try:
            if self._live:
                columns, rows = shutil.get_terminal_size()
                # What has scrolled away cannot be painted over: no more lines than there are.
                self._repaint(self._screen.lines(columns - 1)[: rows - 1])
            else:
                self._out.write(self._screen.log_line() + "\n")
            self._out.flush()
        except (OSError, ValueError):
            self._done.set()  # whoever was reading has gone; the run goes on

    def _repaint(self, lines: Sequence[str]) -> None:
        up = f"\x1b[{self._painted}F" if self._painted else ""
        body = "".join(f"{line}\x1b[K\n" for line in lines)
        self._out.write(f"{up}{body}\x1b[J")
        self._painted = len(lines)

"""Figures of the last frames, drawn onto a frame: what a loop costs, seen while it runs.

Everything is drawn at one dot a pixel into a small panel, then enlarged by a whole number and
laid over the picture: a fraction of a millisecond, whatever is behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from guide.loop import Loop
from guide.ticks import TickColumns
from guide_graphics.raster import font
from guide_graphics.raster.scene import U8

FRAMES = 120  # in the graph, and in the figures beside it
_SPANS = 24 * FRAMES  # of the newest that are looked at
_EVERY = 15  # frames after which the figures are renewed: nobody reads sixty numbers a second
_CELLS = 32  # characters across
_GRAPH = 40  # dots high; the budget lies at two thirds
_MARGIN = 6
_LEAD = font.HEIGHT + 2
# What is behind shines through with an eighth of its brightness, so 223 and that is white
_ALPHA = 224
_TEXT, _SOFT, _BLUE, _RED, _AMBER, _GROUND, _TRACK = (
    np.array([*color, _ALPHA], np.uint8)
    for color in (
        *((216, 219, 223), (146, 152, 160), (70, 152, 204), (216, 82, 70), (212, 164, 64)),
        *((12, 14, 17), (40, 44, 50)),
    )
)

_Panel = npt.NDArray[np.uint8]


class Hud:
    """Draws the frame times, their percentiles, the phases and the misses of a loop.

    Args:
        loop: whose.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._panel: _Panel = np.empty((0, 0, 4), np.uint8)
        self._renew_at = 0
        self._said: tuple[str, ...] = ()

    def draw(self, image: U8, title: str, status: Sequence[str] = (), figure: str = "") -> None:
        """Draw onto a frame, in place.

        Args:
            image: (h, w, 3 or 4) uint8 with the top row first; a view will do. What does not fit
                is left out.
            title: what draws: the backend.
            status: lines that stand below; shown as soon as they change.
            figure: one more, renewed along with the others.
        """
        height, width = image.shape[:2]
        columns = self._loop.log.columns(max(self._loop.log.count - FRAMES, 0))
        said = (f"{title}  {width}x{height}", *status)
        if self._loop.log.count >= self._renew_at or said != self._said:
            self._renew_at = self._loop.log.count + _EVERY
            self._said = said
            self._panel = self._figures([*said, *filter(None, [figure])], columns)
        panel = self._panel.copy()
        _graph(panel[_MARGIN + _LEAD :][:_GRAPH, _MARGIN : _MARGIN + FRAMES], columns)
        scale = max(round(height / 420), 1)
        _lay(panel.repeat(scale, 0).repeat(scale, 1), image, 4 * scale)

    def _figures(self, said: Sequence[str], columns: TickColumns) -> _Panel:
        """The panel without its graph."""
        log = self._loop.log
        phases = self._phases(log.count - FRAMES)
        rows = 3 + max(len(phases), 1) + len(said[1:])
        height = 2 * _MARGIN + rows * _LEAD + _GRAPH + 4
        panel = np.tile(_GROUND, (height, 2 * _MARGIN + _CELLS * font.WIDTH, 1))
        y = _MARGIN
        _write(panel, y, 0, said[0], _TEXT)
        _write(panel, y, _CELLS, _rate(columns), _SOFT, right=True)
        y += _LEAD
        took = _took_ms(columns)
        if took.size:
            quantiles = np.percentile(took, (50, 95, 99), method="inverted_cdf")
            for row, (q, value) in enumerate(zip((50, 95, 99), quantiles, strict=True)):
                _write(panel, y + row * _LEAD, 22, f"p{q}", _SOFT)
                _write(panel, y + row * _LEAD, _CELLS, f"{value:.1f}", _TEXT, right=True)
        y += _GRAPH + 4
        missed = f"{log.missed:,} of {log.count:,} missed" if log.budget_ns else "no deadline"
        _write(panel, y, 0, missed, _RED if log.missed else _SOFT)
        if log.budget_ns:
            budget = f"{log.budget_ns / 1e6:.1f} ms"
            _write(panel, y, _CELLS, budget, _AMBER, right=True)
        y += _LEAD + _LEAD // 2
        full_ms = log.budget_ns / 1e6 if log.budget_ns else max([ms for _, ms in phases], default=1)
        label = max((len(name) for name, _ in phases), default=0) + 1
        for name, ms in phases:
            _write(panel, y, 0, name, _SOFT)
            _write(panel, y, label + 5, f"{ms:.2f}", _TEXT, right=True)
            _bar(panel, y, label + 6, ms / full_ms)
            y += _LEAD
        for line in said[1:]:
            _write(panel, y + _LEAD // 2, 0, line, _SOFT)
            y += _LEAD
        return panel

    def _phases(self, since: int) -> list[tuple[str, float]]:
        """The mean time of every phase in ms, over the ticks from `since` on."""
        spans = self._loop.timeline.columns(newest=_SPANS)
        recent = spans.tick >= max(since, 0)
        took = (spans.end_ns - spans.start_ns)[recent]
        total = np.bincount(spans.name[recent], took, len(spans.names))
        ticks = len(np.unique(spans.tick[recent])) or 1
        return [
            (name.removeprefix("render/"), ns / ticks / 1e6)
            for name, ns in zip(spans.names, total.tolist(), strict=True)
            if ns and name.startswith("render/")
        ]


def _took_ms(columns: TickColumns) -> npt.NDArray[np.float64]:
    """How long after it was due each frame was done: what its deadline is held against."""
    return (columns.end_ns - columns.due_ns) / 1e6


def _rate(columns: TickColumns) -> str:
    n = len(columns.start_ns)
    passed_ns = int(columns.start_ns[-1] - columns.start_ns[0]) if n > 1 else 0
    return f"{(n - 1) * 1e9 / passed_ns:.1f} Hz" if passed_ns else ""


def _write(
    panel: _Panel, y: int, cell: int, text: str, color: _Panel, *, right: bool = False
) -> None:
    """Write `text` from a cell on, or up to it."""
    text = text[: cell if right else _CELLS - cell]
    x = _MARGIN + (cell - len(text) * right) * font.WIDTH
    if text:
        panel[y : y + font.HEIGHT, x : x + len(text) * font.WIDTH][font.dots(text)] = color


def _bar(panel: _Panel, y: int, cell: int, share: float) -> None:
    """A bar from a cell to the right end, filled to `share`."""
    x, end = _MARGIN + cell * font.WIDTH, _MARGIN + _CELLS * font.WIDTH
    panel[y + 1 : y + 7, x:end] = _TRACK
    panel[y + 1 : y + 7, x : x + round(min(share, 1.0) * (end - x))] = _BLUE if share <= 1 else _RED


def _graph(area: _Panel, columns: TickColumns) -> None:
    """A column of dots a frame, the newest at the right, over the line of their budget."""
    took = _took_ms(columns)
    budget_ms = columns.budget_ns / 1e6 if columns.budget_ns else None
    top_ms = 1.5 * (budget_ms or max(took.max(initial=0.0), 1e-3) / 1.5)
    dots = np.clip(np.ceil(took / top_ms * _GRAPH), 1, _GRAPH)
    filled = np.arange(_GRAPH, 0, -1)[:, None] <= dots
    drawn = area[:, FRAMES - len(took) :]
    drawn[filled] = _BLUE
    if budget_ms is not None:
        drawn[filled & (took > budget_ms)] = _RED
        area[_GRAPH // 3] = _AMBER
    area[-1] = np.maximum(area[-1], _SOFT)


def _lay(panel: _Panel, image: U8, margin: int) -> None:
    """Lay the panel over the top left of a picture; of that, an eighth shines through."""
    behind = image[margin : margin + panel.shape[0], margin : margin + panel.shape[1]]
    behind >>= 3
    behind += panel[: behind.shape[0], : behind.shape[1], : behind.shape[2]]

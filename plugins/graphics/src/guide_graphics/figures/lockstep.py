"""Figures of a machine in lock-step: what a warp asks of memory. Counted, the same everywhere."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from guide.foundations.figures.stopwatch import rows, series
from guide.judge.lockstep import Counts, Memory, Thread, launch
from guide.learn.chart import Bars, Lines

Run = Generator[Any, Any, None]


def copy_apart(t: Thread, source: Memory, out: Memory, stride: int) -> Run:
    """Each thread takes one number, `stride` numbers from its neighbour's."""
    x = yield source.load(t.id * stride)
    yield out.store(t.id, x)


def either_or(t: Thread, source: Memory, out: Memory, every: int) -> Run:
    """Of each `every` threads, the first takes one way and the others another."""
    x = yield source.load(t.id)
    if t.id % every == 0:
        y = yield source.load(0)
        yield out.store(t.id, x - y)
    else:
        y = yield source.load(1)
        yield out.store(t.id, x + y)


def strides(quick: bool = False) -> dict[str, Any]:
    """Pieces of 128 bytes that one load of a warp needs, by how far apart its threads load."""
    points = []
    for stride in (1, 2, 4, 8, 16, 32):
        counts = launch(copy_apart, 1, 32, *_memories(32 * stride), stride)
        points.append((4 * stride, counts.segments - 1))  # less the one that is stored to
    split = launch(either_or, 1, 32, *_memories(32), 2)
    whole = launch(either_or, 2, 32, *_memories(64), 1)
    return {
        "computed": True,
        "lines": {"": points},
        "values": {
            "side_count": points[0][1],
            "four_count": points[2][1],
            "far_count": points[-1][1],
            "split_count": split.instructions,
            "whole_count": whole.instructions // 2,
        },
    }


def draw_strides(data: Mapping[str, Any]) -> Lines:
    """Over the distance between neighbours."""
    marks = [(4.0 * 2**n, str(4 * 2**n)) for n in range(6)]
    label = "bytes from one thread's number to the next"
    return Lines(series(data), label, "pieces of 128 bytes", x_marks=marks)


def transposed(t: Thread, source: Memory, out: Memory) -> Run:
    """A matrix of 32 x 32 is turned: read along rows, written along columns."""
    row, column = t.index // 32, t.index % 32
    x = yield source.load(32 * row + column)
    yield out.store(32 * column + row, x)


def transposed_by_tile(t: Thread, source: Memory, out: Memory, width: int) -> Run:
    """The same through shared memory: only there does anybody walk down a column."""
    row, column = t.index // 32, t.index % 32
    tile = t.shared("tile", 32 * width)
    x = yield source.load(32 * row + column)
    yield tile.store(width * row + column, x)
    yield t.barrier()
    x = yield tile.load(width * column + row)
    yield out.store(32 * row + column, x)


def turned(kernel: Any, *more: Any) -> Counts:
    """The counts of turning one matrix, which has to come out right."""
    source, out = _memories(1024)
    counts = launch(kernel, 1, 1024, source, out, *more)
    values = list(source)
    if list(out) != [values[32 * i + j] for j in range(32) for i in range(32)]:
        raise AssertionError("the matrix did not come out turned")
    return counts


def transposes(quick: bool = False) -> dict[str, Any]:
    """What moving 32 numbers takes: pieces of far memory, turns waited for near memory."""
    plain = turned(transposed)
    tile, wider = (turned(transposed_by_tile, width) for width in (32, 33))
    found = [
        ("straight: pieces", plain.segments / 32),
        ("by a tile: pieces", tile.segments / 32),
        ("by a tile: turns lost", tile.conflicts / 32),
        ("a tile 33 wide: turns lost", wider.conflicts / 32),
    ]
    return {
        "computed": True,
        "rows": found,
        "values": {
            "straight_count": found[0][1],
            "tile_count": found[1][1],
            "conflicts_count": found[2][1],
            "wider_count": found[3][1],
        },
    }


def draw_transposes(data: Mapping[str, Any]) -> Bars:
    """Shorter is better."""
    what = "a warp moves 32 numbers: pieces of 128 bytes, and turns lost to banks"
    return Bars(rows(data), "count", what)


def _memories(size: int) -> tuple[Memory, Memory]:
    return Memory("source", range(size)), Memory("out", [None] * size)

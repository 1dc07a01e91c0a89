"""Figures of triangles: finding their pixels four ways, shading what nobody sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from guide.foundations.figures.stopwatch import best_ns, series
from guide.learn.chart import Lines
from guide_graphics.raster.kernel import Int, Real, kernel, kernel_part
from guide_graphics.raster.ladder.coverage import FAR, bias, draw
from guide_graphics.raster.scene import F32, I32

WIDTH, HEIGHT = 320, 180


@kernel_part
def inside(record: I32, column: Int, row: Int) -> Int:
    """Whether a pixel's centre is in a triangle: three edge functions, each from the start."""
    px, py = np.int64(column) * 256, np.int64(row) * 256
    least: Int = np.int64(0)
    for k in range(3):
        ax, ay = np.int64(record[2 * k]), np.int64(record[2 * k + 1])
        dx = np.int64(record[(2 * k + 2) % 6]) - ax
        dy = np.int64(record[(2 * k + 3) % 6]) - ay
        least = min(least, dx * (py - ay) - dy * (px - ax) + bias(dx, dy))
    return least >= 0


@kernel
def draw_everywhere(records: I32, ids: I32) -> None:
    """Every triangle asks every pixel."""
    for i in range(len(records)):
        for row in range(ids.shape[0]):
            for column in range(ids.shape[1]):
                if inside(records[i], column, row):
                    ids[row, column] = i


@kernel
def draw_boxes(records: I32, ids: I32) -> None:
    """Every triangle asks the pixels in its box."""
    for i in range(len(records)):
        x0, y0, x1, y1, x2, y2 = (
            records[i, 0],
            records[i, 1],
            records[i, 2],
            records[i, 3],
            records[i, 4],
            records[i, 5],
        )
        left, right = (min(x0, x1, x2) + 255) >> 8, max(x0, x1, x2) >> 8
        bottom, top = (min(y0, y1, y2) + 255) >> 8, max(y0, y1, y2) >> 8
        for row in range(max(bottom, 0), min(top, ids.shape[0] - 1) + 1):
            for column in range(max(left, 0), min(right, ids.shape[1] - 1) + 1):
                if inside(records[i], column, row):
                    ids[row, column] = i


@kernel
def draw_steps(records: I32, depths: F32, depth: I32, ids: I32) -> None:
    """As the ladder of this track does it: a box, one addition for each edge and pixel, a depth."""
    for i in range(len(records)):
        draw(records[i], depths[i], 0, ids.shape[0], depth, ids)


def some_triangles(count: int) -> tuple[I32, F32]:
    """Records and depths of triangles some 40 pixels across."""
    rng = np.random.default_rng(2)
    middles = rng.integers((0, 0), (256 * WIDTH, 256 * HEIGHT), (count, 1, 2))
    corners = middles + rng.integers(-10_000, 10_000, (count, 3, 2))
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    turned = a[:, 0] * b[:, 1] < a[:, 1] * b[:, 0]
    corners[turned] = corners[turned][:, ::-1]
    numbers = np.arange(count)[:, None]
    records = np.concatenate([corners.reshape(count, 6), numbers], axis=1).astype(np.int32)
    return records, np.full((count, 3), 0.5, np.float32)


def boxes(records: I32) -> int:
    """How many pixels of the picture the boxes of these triangles hold together."""
    corners = records[:, :6].reshape(-1, 3, 2)
    low = np.maximum((corners.min(axis=1) + 255) >> 8, 0)
    high = np.minimum(corners.max(axis=1) >> 8, (WIDTH - 1, HEIGHT - 1))
    return int(np.maximum(high - low + 1, 0).prod(axis=1).sum())


def ladder(quick: bool = False) -> dict[str, Any]:
    """The pixels of one triangle, in Python and compiled, everywhere and in its box."""
    count = 10 if quick else 200
    records, depths = some_triangles(count)
    ids = np.full((HEIGHT, WIDTH), -1, np.int32)
    depth = np.full((HEIGHT, WIDTH), FAR, np.int32)
    in_python: Callable[..., None] = draw.py_func  # type: ignore[attr-defined]
    few = 2 if quick else 8

    def by_python() -> None:
        for i in range(few):
            in_python(records[i], depths[i], 0, HEIGHT, depth, ids)

    rows = [
        ("in Python, its box", best_ns(by_python, quick) / few),
        ("compiled, all pixels", best_ns(partial(draw_everywhere, records, ids), quick) / count),
        ("compiled, its box", best_ns(partial(draw_boxes, records, ids), quick) / count),
        (
            "its box, with a depth",
            best_ns(partial(draw_steps, records, depths, depth, ids), quick) / count,
        ),
    ]
    python, everywhere, box, steps = (ns for _, ns in rows)
    asked = boxes(records) / count
    return {
        "what": "one triangle of some 40 pixels across, in 320 x 180; shorter is better",
        "rows": rows,
        "values": {
            "python_ns": python,
            "all_ns": everywhere,
            "box_ns": box,
            "depth_ns": steps,
            "box_x": everywhere / box,
            "fewer_x": HEIGHT * WIDTH / asked,
            "depth_x": steps / box,
            "compiled_x": python / steps,
        },
    }


@kernel_part
def material(seed: Real, column: Int, row: Int) -> Real:
    """A colour that takes a while, as a real one does."""
    value = seed
    for octave in range(1, 5):
        value += np.sin(0.05 * octave * column + value) * np.cos(0.04 * octave * row - seed)
    return value


@kernel
def shade_as_they_come(depths: F32, depth: F32, picture: F32) -> None:
    """Full-screen layers: whoever is nearer than what is there is shaded at once."""
    depth[:] = np.inf
    for layer in range(len(depths)):
        for row in range(depth.shape[0]):
            for column in range(depth.shape[1]):
                if depths[layer] < depth[row, column]:
                    depth[row, column] = depths[layer]
                    picture[row, column] = material(depths[layer], column, row)


@kernel
def shade_what_is_seen(depths: F32, depth: F32, ids: I32, picture: F32) -> None:
    """Full-screen layers: first who is seen, then every pixel once."""
    depth[:] = np.inf
    for layer in range(len(depths)):
        for row in range(depth.shape[0]):
            for column in range(depth.shape[1]):
                if depths[layer] < depth[row, column]:
                    depth[row, column] = depths[layer]
                    ids[row, column] = layer
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            picture[row, column] = material(depths[ids[row, column]], column, row)


def layers(quick: bool = False) -> dict[str, Any]:
    """A picture under more and more layers, farthest first, nearest first, and deferred."""
    shape = (30, 40) if quick else (45, 80)
    depth, picture = np.empty(shape, np.float32), np.empty(shape, np.float32)
    ids = np.zeros(shape, np.int32)
    lines: dict[str, list[tuple[int, float]]] = {
        "farthest first": [],
        "nearest first": [],
        "seen first, then shaded": [],
    }
    for count in (1, 2, 4, 8, 16):
        near = np.linspace(0.1, 0.9, count, dtype=np.float32)
        far = np.ascontiguousarray(near[::-1])
        ways = (
            partial(shade_as_they_come, far, depth, picture),
            partial(shade_as_they_come, near, depth, picture),
            partial(shade_what_is_seen, far, depth, ids, picture),
        )
        for line, way in zip(lines.values(), ways, strict=True):
            line.append((count, best_ns(way, quick, 90_000_000) / 1e6))
    far_ms, near_ms, deferred_ms = (line[-1][1] for line in lines.values())
    return {
        "lines": lines,
        "values": {
            "one_ns": 1e6 * lines["farthest first"][0][1],
            "far_ns": 1e6 * far_ms,
            "near_ns": 1e6 * near_ms,
            "deferred_ns": 1e6 * deferred_ms,
            "far_x": far_ms / lines["farthest first"][0][1],
            "deferred_x": far_ms / deferred_ms,
        },
    }


def draw_layers(data: Mapping[str, Any]) -> Lines:
    """Over their number."""
    marks = [(float(n), str(n)) for n in (1, 2, 4, 8, 16)]
    return Lines(series(data), "layers over one another", "ms a picture", x_marks=marks)

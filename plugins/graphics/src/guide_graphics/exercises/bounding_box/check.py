"""Counts edge tests and compares pixels, exactly; times nothing."""

from types import ModuleType

import numpy as np

from guide_graphics.raster.ladder.coverage import FAR, draw

WIDTH, HEIGHT = 64, 36


def check(attempt: ModuleType) -> None:
    """Raise AssertionError with a sentence for the learner."""
    tiles_are_taken_once(attempt)
    same_pixels_as_the_renderer(attempt)


def tiles_are_taken_once(attempt: ModuleType) -> None:
    """A grid with vertices on pixel centres covers every pixel exactly once."""
    hits = np.zeros((HEIGHT, WIDTH), int)
    for x in range(0, WIDTH, 4):
        for y in range(0, HEIGHT, 4):
            a, b, c, d = [
                (256 * (x + i), 256 * (y + j)) for i, j in ((0, 0), (4, 0), (4, 4), (0, 4))
            ]
            for triangle in ((a, b, c), (a, c, d)):
                for column, row in attempt.pixels(triangle, WIDTH, HEIGHT, edge):
                    hits[row, column] += 1
    twice, never = int((hits > 1).sum()), int((hits == 0).sum())
    assert not twice, (
        f"in a grid with vertices on pixel centres {twice} pixels are taken more than once: "
        "on an edge (value 0) only a left or a top edge may say yes"
    )
    assert not never, (
        f"in a grid with vertices on pixel centres {never} pixels are taken by no triangle: "
        "on an edge (value 0) a left or a top edge has to say yes"
    )


def same_pixels_as_the_renderer(attempt: ModuleType) -> None:
    """Random triangles cover what they cover in the renderer, for no more tests than allowed."""
    rng = np.random.default_rng(1)
    asked = [0]

    def counted(a: tuple[int, int], b: tuple[int, int], p: tuple[int, int]) -> int:
        asked[0] += 1
        return edge(a, b, p)

    allowed = covered = 0
    for number in range(60):
        points = rng.integers((-2000, -2000), (256 * WIDTH + 2000, 256 * HEIGHT + 2000), (3, 2))
        if number % 2:
            points = points[0] + (points - points[0]) // 8  # small ones too
        a, b, c = ((int(x), int(y)) for x, y in points)
        if edge(a, b, c) == 0:
            continue
        triangle = (a, b, c) if edge(a, b, c) > 0 else (a, c, b)
        expected = renderer_pixels(triangle)
        got = attempt.pixels(triangle, WIDTH, HEIGHT, counted)
        assert len(set(got)) == len(got), f"the triangle {triangle} lists a pixel twice"
        assert set(got) == expected, (
            f"the triangle {triangle} has {len(expected)} pixels; yours misses "
            f"{len(expected - set(got))} and adds {len(set(got) - expected)}"
        )
        covered += len(expected)
        allowed += 3 * box_pixels(triangle)
    assert asked[0] <= allowed, (
        f"{asked[0]:,} edge tests where the bounding boxes need {allowed:,} at most: "
        "look only at pixels inside both the box and the picture"
    )
    assert asked[0] >= 3 * covered, (
        f"only {asked[0]:,} calls of edge() for {covered:,} covered pixels: ask through edge(), "
        "or the count means nothing"
    )


def edge(a: tuple[int, int], b: tuple[int, int], p: tuple[int, int]) -> int:
    """Twice the signed area of the triangle a, b, p."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def renderer_pixels(triangle: tuple[tuple[int, int], ...]) -> set[tuple[int, int]]:
    """The pixels of a triangle, by the track's own renderer."""
    record = np.array([*(value for point in triangle for value in point), 0], np.int32)
    depth = np.full((HEIGHT, WIDTH), FAR, np.int32)
    ids = np.full((HEIGHT, WIDTH), -1, np.int32)
    draw(record, np.full(3, 0.5, np.float32), 0, HEIGHT, depth, ids)
    rows, columns = np.nonzero(ids == 0)
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


def box_pixels(triangle: tuple[tuple[int, int], ...]) -> int:
    """How many pixels of the picture the bounding box holds."""
    xs, ys = [p[0] for p in triangle], [p[1] for p in triangle]
    columns = min(max(xs) // 256, WIDTH - 1) - max(-(-min(xs) // 256), 0) + 1
    rows = min(max(ys) // 256, HEIGHT - 1) - max(-(-min(ys) // 256), 0) + 1
    return max(columns, 0) * max(rows, 0)

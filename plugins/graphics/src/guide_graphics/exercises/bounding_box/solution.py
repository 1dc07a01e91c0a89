"""The pixels of a triangle: its box, three edges, and the top-left rule for ties."""

from collections.abc import Callable

Point = tuple[int, int]


def pixels(
    triangle: tuple[Point, Point, Point],
    width: int,
    height: int,
    edge: Callable[[Point, Point, Point], int],
) -> list[Point]:
    """The pixels (x, y) of a `width` x `height` picture that `triangle` covers.

    Args:
        triangle: three vertices in 1/256 pixel; pixel (x, y) is sampled at (256 * x, 256 * y).
        width: of the picture, in pixels.
        height: of the picture, in pixels; row 0 is the top.
        edge: edge(a, b, p) is positive where p is on the inner side of the edge from a to b,
            negative outside, 0 on it. Every call is counted.
    """
    a, b, c = triangle
    xs, ys = [p[0] for p in triangle], [p[1] for p in triangle]
    # The first centre at or after the left border: a division that rounds up
    left, right = max(-(-min(xs) // 256), 0), min(max(xs) // 256, width - 1)
    top, bottom = max(-(-min(ys) // 256), 0), min(max(ys) // 256, height - 1)
    # The least value that is inside: 0 where the edge owns its pixels, 1 where it does not
    least = [0 if owns(*side) else 1 for side in ((a, b), (b, c), (c, a))]
    found = []
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            p = (256 * x, 256 * y)
            if (
                edge(a, b, p) >= least[0]
                and edge(b, c, p) >= least[1]
                and edge(c, a, p) >= least[2]
            ):
                found.append((x, y))
    return found


def owns(a: Point, b: Point) -> bool:
    """Whether the edge from a to b is a left one (it goes up) or a top one (level, rightwards)."""
    return b[1] < a[1] or (b[1] == a[1] and b[0] > a[0])

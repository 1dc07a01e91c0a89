"""The pixels of a triangle, by edge tests: make it right and cheap."""

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
    found = []
    for y in range(height):
        for x in range(width):
            p = (256 * x, 256 * y)
            if edge(a, b, p) >= 0 and edge(b, c, p) >= 0 and edge(c, a, p) >= 0:
                found.append((x, y))
    return found

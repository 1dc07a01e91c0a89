"""Which triangle is seen where, exactly, by numpy outside."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """Triangles of many sizes; every second one has its corners on samples, so that ties occur."""
    count, width, height = case
    middle = rng.integers((-2560, -2560), (256 * width + 2560, 256 * height + 2560), (count, 1, 2))
    reach = np.minimum(256 * rng.integers(8, 160, (count, 1, 1)), 128 * min(width, height))
    triangles = middle + rng.integers(-reach // 2, reach // 2 + 1, (count, 3, 2))
    triangles[::2] = triangles[::2] // 256 * 256
    if count > 1:  # two that share an edge along a row of samples
        x, y = 256 * (width // 4), 256 * (height // 2)
        w, h = 256 * (width // 2), 256 * (height // 3)
        triangles[-2] = (x, y), (x + w, y), (x, y + h)
        triangles[-1] = (x, y), (x + w // 2, y - h), (x + w, y)
    turned = _area(triangles) < 0
    triangles[turned] = triangles[turned][:, ::-1]
    return triangles[_area(triangles) != 0], width, height


def expected(triangles, width, height):
    """Edge functions over each triangle's box."""
    ids = np.full((height, width), -1, np.int32)
    for number, corner in enumerate(triangles.tolist()):
        xs, ys = [p[0] for p in corner], [p[1] for p in corner]
        left, right = max(-(-min(xs) // 256), 0), min(max(xs) // 256, width - 1)
        top, bottom = max(-(-min(ys) // 256), 0), min(max(ys) // 256, height - 1)
        if left > right or top > bottom:
            continue
        x = 256 * np.arange(left, right + 1)
        y = 256 * np.arange(top, bottom + 1)[:, None]
        inside = np.True_
        for (ax, ay), (bx, by) in zip(corner, corner[1:] + corner[:1], strict=True):
            owns = by < ay or (by == ay and bx > ax)
            inside = inside & ((bx - ax) * (y - ay) - (by - ay) * (x - ax) >= (0 if owns else 1))
        ids[top : bottom + 1, left : right + 1][inside] = number
    return ids


def compare(got, want, triangles, width, height):
    """Exact."""
    return difference(got, want)


def smaller(triangles, width, height):
    """Each half of the triangles, then half the picture."""
    half = len(triangles) // 2
    if half:
        yield triangles[:half].copy(), width, height
        yield triangles[half:].copy(), width, height
    if height > 4:
        yield triangles, width, height // 2


def _area(triangles):
    (x0, y0), (x1, y1), (x2, y2) = triangles.transpose(1, 2, 0)
    return (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)

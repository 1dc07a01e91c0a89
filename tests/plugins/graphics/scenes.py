"""What the renderers are compared on: meshes, scenes and cameras."""

from pathlib import Path

import numpy as np

from guide_graphics.raster import (
    Camera,
    Light,
    Material,
    Mesh,
    Scene,
    checker,
    disc,
    grid,
    marble,
    orbit,
    teapot,
)

BUNNIES = [Path("build/meshes/bunny.obj"), Path("/usr/share/glmark2/models/bunny.obj")]
LIGHTS = [Light((-0.4, 0.9, 0.5), (0.8, 0.8, 0.7)), Light((0.8, 0.3, -0.5), (0.3, 0.3, 0.4))]


def place(x=0.0, y=0.0, z=0.0, scale=1.0, turn_deg=0.0):
    """Turned about y, scaled, shifted: a mesh's transform."""
    c, s = np.cos(np.radians(turn_deg)) * scale, np.sin(np.radians(turn_deg)) * scale
    return np.array([[c, 0, s, x], [0, scale, 0, y], [-s, 0, c, z], [0, 0, 0, 1]], np.float32)


def soup(positions, material=0):
    """Triangles (n, 3, 3) that share no vertex."""
    positions = np.asarray(positions, np.float32).reshape(-1, 3)
    n = len(positions)
    uv = positions[:, :2].clip(-8, 8)
    normals = np.tile([0, 0, 1], (n, 1))
    return Mesh(positions, normals, uv, np.arange(n).reshape(-1, 3), material)


# In pixels, and how many: about one layer of each, but of the smallest
EXTENTS = [(0.5, 6000), (2, 4000), (20, 150), (200, 8), (5000, 3)]


def random_triangles(rng, size, extent, count):
    """Random triangles about random places, at any depth and tilt."""
    centre = np.append(rng.uniform(0, 1, (count, 1, 2)) * size, np.zeros((count, 1, 1)), 2)
    corners = centre + rng.uniform(-extent, extent, (count, 3, 3))
    corners[..., 2] = rng.uniform(-0.99, 0.99, (count, 3))
    return corners


def icosphere(splits, material=0):
    """A sphere of radius 1 in 20 * 4**splits triangles, all of about one size."""
    t = (1 + 5**0.5) / 2
    points = [np.roll((0, one, two), k) for k in range(3) for one in (1, -1) for two in (t, -t)]
    points = np.array(points) / np.hypot(1, t)
    # Neighbours are one edge apart; of three mutual neighbours, one order faces outward
    near = np.linalg.norm(points[:, None] - points, axis=2) < 1.2
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(a + 1, 12)
        if b != c and near[a, b] and near[b, c] and near[a, c]
        if np.dot(np.cross(points[b] - points[a], points[c] - points[a]), points[a]) > 0
    ]
    corners = points[np.array(faces)]
    for _ in range(splits):
        a, b, c = corners.transpose(1, 0, 2)
        ab, bc, ca = (
            (p + q) / np.linalg.norm(p + q, axis=1, keepdims=True)
            for p, q in ((a, b), (b, c), (c, a))
        )
        corners = np.concatenate(
            [np.stack(three, 1) for three in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        )
    points, index = np.unique(corners.reshape(-1, 3).round(12), axis=0, return_inverse=True)
    uv = np.stack([np.arctan2(points[:, 0], points[:, 2]) / np.pi, points[:, 1]], axis=1)
    return Mesh(points, points, uv, index.reshape(-1, 3), material)


def torus_knot(along, around, material=0):
    """A tube about a (2, 3) torus knot: thin, in front of itself and behind."""

    def curve(t):
        r = 2 + np.cos(3 * t)
        return np.stack([r * np.cos(2 * t), np.sin(3 * t), r * np.sin(2 * t)], axis=1) / 3

    t = np.linspace(0, 2 * np.pi, along + 1)
    ahead = curve(t + 1e-3) - curve(t - 1e-3)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross(ahead, (0, 1, 0))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, ahead)
    turn = np.linspace(0, 2 * np.pi, around + 1)[:, None, None]
    normals = (np.cos(turn) * side + np.sin(turn) * up).transpose(1, 0, 2)
    positions = curve(t)[:, None] + 0.18 * normals
    flat = grid(around, along, material)
    uv = flat.uv * [2, 9]
    return Mesh(positions.reshape(-1, 3), normals.reshape(-1, 3), uv, flat.triangles, material)


def still_life(triangles=10_000):
    blue = marble((0.94, 0.93, 0.9), (0.1, 0.24, 0.56), 256)
    return Scene(
        [
            teapot(triangles),
            disc(5, material=1),
            teapot(triangles // 7, material=2).moved(place(1.1, 0, 0.7, 0.6, 90)),
        ],
        [
            Material(texture=blue, specular=0.5, double_sided=True),
            Material(texture=checker((0.8, 0.7, 0.5), (0.6, 0.45, 0.3)), specular=0.1),
            Material((0.9, 0.4, 0.3), specular=0.9, shininess=90),
        ],
        LIGHTS,
    )


STILL_LIFE_VIEWS = [
    orbit(0, 20, 4, (0, 0.4, 0)),
    orbit(123, 5, 6, (0, 0.4, 0)),
    orbit(33, 60, 2.5, (0, 0.4, 0)),
    orbit(200, 20, 1.3, (0, 0.4, 0)),
    Camera(eye=(0.3, 0.5, 1.4), target=(0, 0.4, 0), near=0.7),  # the near plane cuts the teapot
]


def shapes():
    """Spheres and a knot with textures, apart from one another."""
    stone = marble((0.9, 0.9, 0.85), (0.2, 0.3, 0.25), 128, veins=1, seed=3)
    tiles = checker((0.9, 0.2, 0.1), (0.95, 0.9, 0.8), 64)
    return Scene(
        [
            torus_knot(220, 14),
            icosphere(4, material=1).moved(place(1.4, 0.5, -0.6, 0.5)),
            icosphere(1, material=2).moved(place(-1.3, -0.4, 0.5, 0.4)),
        ],
        [
            Material(texture=stone, specular=0.4, shininess=30),
            Material(texture=tiles, specular=0.8, shininess=120),
            Material((0.2, 0.5, 0.9)),
        ],
        LIGHTS,
    )


SHAPES_VIEWS = [orbit(10, 15, 4), orbit(80, -40, 3), orbit(190, 70, 5), orbit(300, 5, 2)]


def floor():
    """One large square under the eye, behind it and to the horizon: every mip level is seen.

    Not tiles: in the distance they are one colour, and whichever way that is rounded is a bias.
    """
    stone = marble((0.9, 0.85, 0.7), (0.2, 0.25, 0.3), 256)
    square = grid(1, 1)
    ground = Mesh(
        square.positions[:, [0, 2, 1]] * [60, 1, -60],
        np.tile([0, 1, 0], (4, 1)),
        square.uv * 40,
        square.triangles,
    )
    return Scene([ground], [Material(texture=stone, specular=0.2)], LIGHTS)


FLOOR_VIEWS = [
    Camera(eye=(0.3, 0.8, 0.2), target=(1, 0.5, -3)),
    Camera(eye=(0, 3, 8), target=(0, 0, 0)),
    Camera(eye=(5, 0.3, 5), target=(0, 0.1, 0), up=(0.3, 1, 0.1)),
]


def layers(count=50):
    """Panes across the whole picture, the farthest first."""
    textures = [
        marble((1, 0.9, 0.8), (0.1, 0.2, 0.4), 128),
        checker((0.1, 0.5, 0.2), (0.8, 0.9, 0.2), 128),
    ]
    pane = grid(1, 1)
    panes = [
        Mesh(pane.positions, pane.normals, pane.uv * 3, pane.triangles, k % 2).moved(
            place(0.02 * k, 0, -4 + 0.06 * k, 6)
        )
        for k in range(count)
    ]
    return Scene(panes, [Material(texture=texture) for texture in textures], LIGHTS)


LAYERS_VIEWS = [Camera(eye=(0, 0, 2), fov_deg=50), Camera(eye=(0.3, 0.2, 1), fov_deg=60)]


class Flat:
    """Looks along -z without perspective. Pixel (x, y) of a picture of `size` is at (x, y).

    Vertices can be put exactly on a pixel's centre or border, or on a sub-pixel position.
    """

    eye = (0.0, 0.0, 1e6)  # towards the same side everywhere
    view = np.eye(4, dtype=np.float32)

    def __init__(self, size):
        self.size = size

    def projection(self, aspect):
        width, height = self.size
        matrix = np.diag([2 / width, 2 / height, -1, 1]).astype(np.float32)
        matrix[:2, 3] = -1
        return matrix


class Part:
    """The part of another camera's picture that begins `column`, `row` halves into it."""

    def __init__(self, camera, column, row):
        self.camera, self.column, self.row = camera, column, row
        self.eye, self.view = camera.eye, camera.view

    def projection(self, aspect):
        crop = np.diag([2.0, 2.0, 1.0, 1.0])
        crop[:2, 3] = 1 - 2 * self.column, 1 - 2 * self.row
        return (crop @ self.camera.projection(aspect)).astype(np.float32)

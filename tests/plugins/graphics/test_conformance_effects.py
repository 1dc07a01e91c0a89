"""Mip levels, layers, a shadow, smooth edges: the renderers against one another, and on their own.

What OpenGL draws is held against formulas in test_gl_shading.py; here the software renderer is held
against OpenGL.
"""

from dataclasses import replace

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import (
    Camera,
    Light,
    Material,
    Scene,
    Shadow,
    checker,
    disc,
    grid,
    marble,
    open_renderer,
    orbit,
    teapot,
)

from . import scenes
from .agreement import EDGES, LAYERS, TRILINEAR, assert_agree, disagreement, names, shoot

SIZE = (320, 180)
VIEWS = [orbit(20, 25, 4, (0, 0.5, 0)), orbit(140, 10, 3, (0, 0.5, 0)), orbit(260, 60, 5)]


def both(opened, scene, cameras=VIEWS, size=SIZE, **options):
    return [
        [shoot(opened(backend, size, **options), scene, camera) for camera in cameras]
        for backend in ("software", "opengl")
    ]


# Mip levels


def pane(u_texels, v_texels, angle_deg=0.0):
    """Fills the picture of 64 x 64 pixels: so many texels along each side, turned."""
    square = grid(1, 1)
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    uv = (square.uv - 0.5) @ np.array([[c, s], [-s, c]]) * [u_texels / 64, v_texels / 64]
    mesh = replace(square, uv=uv.astype(np.float32))
    return mesh.moved(scenes.place(32, 32, 0, 32))


@pytest.mark.parametrize(
    ("u", "v", "angle"),
    [(64, 64, 0), (96, 64, 0), (64, 150, 0), (200, 200, 30), (20, 500, 77), (9000, 9000, 10)],
)
def test_they_take_the_same_mip_level(opened, u, v, angle):
    texture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    scene = Scene([pane(u, v, angle)], [Material(texture=texture)], (), (1, 1, 1))
    a, b = (
        shoot(opened(backend, (64, 64)), scene, scenes.Flat((64, 64)))
        for backend in ("software", "opengl")
    )
    assert abs(a.color.astype(int) - b.color).max() <= 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 64), (64, 1), (5, 3), (97, 211), (333, 2)])
def test_textures_of_any_shape_are_minified_alike(opened, shape):
    texture = np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8)
    for count in (100, 1000):
        scene = Scene([pane(count, count, 20)], [Material(texture=texture)], (), (1, 1, 1))
        a, b = (
            shoot(opened(backend, (64, 64)), scene, scenes.Flat((64, 64)))
            for backend in ("software", "opengl")
        )
        assert abs(a.color.astype(int) - b.color).max() <= 2


def test_the_level_is_chosen_for_two_by_two_pixels(opened):
    # As a GPU does it: from the texture coordinates of a pixel's neighbour in its block of 2 x 2.
    # On a floor seen from low above they change fast enough for that to be seen.
    ground = scenes.floor()
    for texture in (marble((1, 1, 1), (0, 0, 0), 256), checker((0.8, 0.8, 0.8), (0, 0, 0), 256)):
        scene = replace(ground, materials=[Material(texture=texture, specular=0)])
        for software, gl in zip(*both(opened, scene, scenes.FLOOR_VIEWS), strict=True):
            same = (software.ids == gl.ids) & (gl.ids >= 0)
            apart = abs(software.color.astype(int) - gl.color)[same].max(axis=1)
            assert apart.max() <= 4
            assert (apart > 3).mean() <= 50e-6


@pytest.mark.parametrize("size", [(333, 217), (334, 218), (65, 63)])
def test_they_agree_on_a_floor_at_odd_sizes(opened, size):
    pictures = both(opened, scenes.floor(), scenes.FLOOR_VIEWS, size)
    # Its horizon is one long edge: at this size a single pixel is too much
    assert names(disagreement(*pictures, **TRILINEAR)) <= {"coverage"}


# Layers


def glass(alphas=(0.3, 0.6, 0.9)):
    """A teapot on its ground behind, between and in front of panes, one seen from both sides."""
    stone = marble((0.9, 0.9, 1), (0.1, 0.3, 0.3), 128)
    turned = scenes.place(0, 0.6, 0, 1, 30)
    return Scene(
        [
            grid(2, 2, 2).moved(scenes.place(0.3, 0.7, 1.2)),
            teapot(2000),
            disc(4, material=1),
            grid(1, 1, 3).moved(turned),
            grid(3, 1, 4).moved(scenes.place(-0.4, 0.5, -0.9)),
        ],
        [
            Material(double_sided=True, color=(0.8, 0.5, 0.2)),
            Material(texture=stone),
            Material(color=(1, 0.2, 0.2), alpha=alphas[0]),
            Material(texture=stone, alpha=alphas[1], double_sided=True),
            Material(color=(0.2, 0.3, 1), alpha=alphas[2]),
        ],
        scenes.LIGHTS,
    )


def test_they_agree_on_layers(opened):
    assert_agree(*both(opened, glass(), size=(640, 360)), **LAYERS)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.999])
def test_they_agree_on_any_alpha(opened, alpha):
    assert_agree(*both(opened, glass((alpha,) * 3), size=(640, 360)), **LAYERS)


def test_a_layer_that_can_hardly_be_seen_differs_by_a_step_at_most(opened):
    for a, b in zip(*both(opened, glass((1 / 255,) * 3), size=(640, 360)), strict=True):
        apart = abs(a.color.astype(int) - b.color)[a.ids == b.ids]
        assert apart.max() <= 1 + 3  # of what is behind, and of three layers


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_a_layer_leaves_neither_depth_nor_ids(opened, backend):
    scene = glass()
    opaque = replace(
        scene, materials=[replace(m, alpha=m.alpha if m.alpha == 1 else 0) for m in scene.materials]
    )
    seen, unseen = (shoot(opened(backend, SIZE), s, VIEWS[0]) for s in (scene, opaque))
    assert (seen.ids == unseen.ids).all()
    assert (seen.depth == unseen.depth).all()
    assert (seen.color != unseen.color).any()
    solid = {1, 2}
    first = np.cumsum([0] + [len(mesh.triangles) for mesh in scene.meshes])
    meshes = np.searchsorted(first, np.unique(seen.ids[seen.ids >= 0]), side="right") - 1
    assert set(meshes) <= solid


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_fifty_layers_are_blended_in_the_order_of_the_meshes(opened, backend):
    scene = scenes.layers()
    colors = [(0.9, 0.2, 0.1), (0.1, 0.4, 0.9)]
    materials = [Material(color, alpha=0.5, specular=0) for color in colors]
    scene = replace(scene, materials=materials, lights=(), ambient=(1, 1, 1))
    picture = shoot(opened(backend, SIZE), scene, scenes.LAYERS_VIEWS[0])
    # The last ones weigh most: 1/2, 1/4, 1/8 ...
    expected = np.zeros(3)
    for k in range(50):
        expected = 0.5 * expected + 0.5 * np.array(colors[k % 2])
    middle = picture.color[SIZE[1] // 2, SIZE[0] // 2, :3]
    assert abs(middle - 255 * expected).max() <= 3
    assert (picture.ids == -1).all()
    assert (picture.depth == 1).all()


def test_they_agree_on_fifty_layers(opened):
    scene = scenes.layers()
    see_through = replace(scene, materials=[replace(m, alpha=0.5) for m in scene.materials])
    software, gl = both(opened, see_through, scenes.LAYERS_VIEWS)
    for a, b in zip(software, gl, strict=True):
        # OpenGL rounds to a byte at every layer
        assert abs(a.color.astype(int) - b.color).max() <= 2


# A shadow


def shady(**change):
    scene = scenes.still_life(3000)
    shadow = Shadow(centre=(0.3, 0.3, 0.2), radius=2.2, **change)
    return replace(scene, shadow=shadow)


@pytest.mark.parametrize("size", [64, 512, 1024])
def test_they_agree_on_a_shadow(opened, size):
    assert_agree(*both(opened, shady(size=size), size=(640, 360)), **EDGES)


@pytest.mark.parametrize("light", [0, 1])
def test_they_agree_on_whose_shadow_it_is(opened, light):
    assert_agree(*both(opened, shady(light=light), size=(640, 360)), **EDGES)


def test_they_agree_on_the_shadow_of_a_light_straight_above(opened):
    scene = replace(shady(), lights=[Light((0, 1, 0))])
    assert_agree(*both(opened, scene, size=(640, 360)), **EDGES)


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_a_shadow_darkens_and_never_lights(opened, backend):
    scene = shady()
    with_it, without = (
        shoot(opened(backend, SIZE), s, VIEWS[0]) for s in (scene, replace(scene, shadow=None))
    )
    assert (with_it.ids == without.ids).all()
    difference = with_it.color.astype(int) - without.color
    assert difference.max() <= 1
    assert (difference.min(axis=2) < -20).mean() > 0.01


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_bias_zero_shades_the_surface_itself_and_the_usual_one_does_not(opened, backend):
    ground = Scene([disc(3)], [Material(specular=0)], [Light((1, 1, 0.3))])
    lit = shoot(opened(backend, SIZE), ground, VIEWS[0]).color.astype(int)
    spots = {}
    for bias in (0.0, 0.004):
        shadow = Shadow(radius=3, bias=bias)
        picture = shoot(opened(backend, SIZE), replace(ground, shadow=shadow), VIEWS[0])
        spots[bias] = (abs(picture.color - lit).max(axis=2) > 8).mean()
    assert spots[0.0] > 0.05
    assert spots[0.004] < 0.001


# Smooth edges


def test_they_agree_on_four_samples(opened):
    pictures = both(opened, scenes.still_life(3000), scenes.STILL_LIFE_VIEWS, (640, 360), samples=4)
    # At an edge the share of samples counts, each as exact as a pixel is
    assert_agree(*pictures, **EDGES)


def test_they_agree_on_all_at_once(opened):
    scene = replace(glass(), shadow=Shadow(radius=2.5))
    assert_agree(*both(opened, scene, size=(640, 360), samples=4), **LAYERS)


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_with_four_samples_edges_are_shares_of_four(opened, backend):
    # A white square on black, its sides slanted: a fourth of a pixel is the least
    square = grid(1, 1).moved(scenes.place(32.3, 31.8, 0, 20))
    black = ((0, 0, 0), (0, 0, 0))
    scene = Scene([square], [Material(specular=0)], (), (1, 1, 1), background=black)
    camera = scenes.Flat((64, 64))
    tilt = np.eye(4, dtype=np.float32)
    tilt[0, 1] = 0.13
    camera.view = tilt
    smooth = shoot(opened(backend, (64, 64), samples=4), scene, camera)
    shares = np.unique(smooth.color[..., 0])
    assert len(shares) == 5
    assert abs(shares - np.array([0, 63.75, 127.5, 191.25, 255])).max() <= 1
    sharp = shoot(opened(backend, (64, 64)), scene, camera)
    assert (smooth.ids == sharp.ids).all()
    assert (smooth.depth == sharp.depth).all()


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_samples_other_than_one_and_four_are_refused(backend):
    with pytest.raises(GuideError, match="samples"):
        open_renderer((8, 8), backend, samples=3)


# All of it, the software renderer on its own


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_no_effect_depends_on_threads(opened, threads, samples):
    scene = replace(glass(), shadow=Shadow(radius=2.5, size=256))
    camera = Camera(eye=(0.5, 1.2, 3), target=(0, 0.5, 0), near=1.2)
    one, other = (
        shoot(opened("software", (331, 187), threads=n, samples=samples), scene, camera)
        for n in (1, threads)
    )
    assert one.same_bits(other)


def test_what_an_effect_leaves_behind_is_not_seen_in_the_next_scene(opened):
    renderer = opened("software", SIZE)
    plain = scenes.still_life(3000)
    before = shoot(renderer, plain, VIEWS[0])
    for scene in (glass(), shady(size=64), replace(glass(), shadow=Shadow()), scenes.layers()):
        shoot(renderer, scene, VIEWS[0])
        assert shoot(renderer, plain, VIEWS[0]).same_bits(before)

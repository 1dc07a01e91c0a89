"""What OpenGL draws against numbers worked out in numpy: layers, mip levels, a shadow, samples."""

import numpy as np
import pytest

from guide.timing import Timeline
from guide_graphics.raster import (
    Camera,
    Light,
    Material,
    Scene,
    Shadow,
    checker,
    disc,
    grid,
    orbit,
    teapot,
)
from guide_graphics.raster.gl.renderer import GlRenderer
from guide_graphics.raster.textures import mip_levels

SIZE = (64, 48)
GREY = ((0.2, 0.4, 0.6), (0.2, 0.4, 0.6))


class Flat:
    """Looks along -z without perspective: what spans -1 to 1 fills the picture."""

    eye = (0.0, 0.0, 5.0)
    view = np.eye(4, dtype=np.float32)

    def projection(self, aspect):
        return np.diag([1, 1, -1, 1]).astype(np.float32)


@pytest.fixture(scope="module")
def renderer():
    renderer = GlRenderer(SIZE, Timeline(keep=100))
    yield renderer
    renderer.close()


def pane(z, material=0, scale=1.0, x=0.0):
    """A square across the picture; the greater z, the nearer."""
    transform = np.diag([scale, scale, scale, 1]).astype(np.float32)
    transform[:3, 3] = x, 0, z
    return grid(1, 1, material).moved(transform)


def unlit(meshes, materials, **more):
    """The surfaces' own colours, whatever the light."""
    return Scene(meshes, materials, (), ambient=(1, 1, 1), background=GREY, **more)


def over(*layers):
    """Layers of (colour, alpha), the first at the bottom, on the background: 0 to 255."""
    color = np.array(GREY[0])
    for layer, alpha in layers:
        color = np.array(layer) * alpha + color * (1 - alpha)
    return color * 255


RED, GREEN, BLUE = (1.0, 0.1, 0.1), (0.1, 1.0, 0.1), (0.1, 0.1, 1.0)
GLASSY = [Material(RED, alpha=0.25), Material(GREEN, alpha=0.6), Material(BLUE)]


@pytest.mark.parametrize(
    ("meshes", "layers"),
    [
        ([pane(0, 0)], [(RED, 0.25)]),
        ([pane(0, 0), pane(0.5, 1)], [(RED, 0.25), (GREEN, 0.6)]),
        # In the order of the meshes: neither sorted nor stopped by the depth of one another
        ([pane(0.5, 1), pane(0, 0)], [(GREEN, 0.6), (RED, 0.25)]),
        # After all that is opaque, though it comes first, and hidden behind it
        ([pane(0.5, 0), pane(0, 2)], [(BLUE, 1), (RED, 0.25)]),
        ([pane(-0.5, 0), pane(0, 2)], [(BLUE, 1)]),
        ([pane(0, 0), pane(0, 2)], [(BLUE, 1)]),
    ],
)
def test_layers_are_blended_over_what_was_drawn_before(renderer, meshes, layers):
    frame = renderer.render(unlit(meshes, GLASSY), Flat())
    assert abs(frame.color[..., :3] - over(*layers)).max() <= 1.5
    assert (frame.color[..., 3] == 255).all()


def test_a_layer_leaves_neither_depth_nor_ids(renderer):
    meshes = [pane(0.5, 0), pane(0, 2, 0.5)]
    alone = renderer.render(unlit([meshes[1]], GLASSY), Flat())
    ids, depth = alone.ids, alone.depth
    frame = renderer.render(unlit(meshes, GLASSY), Flat())
    assert (frame.depth == depth).all()
    assert set(np.unique(frame.ids)) == {-1, 2, 3}  # numbers run on through the layer's triangles
    assert (frame.ids == np.where(ids < 0, -1, ids + 2)).all()


def test_the_back_of_a_layer_is_drawn_if_the_material_says_so(renderer):
    back = grid(1, 1).moved(np.diag([-1, 1, -1, 1]))
    for double_sided in (False, True):
        scene = unlit([back], [Material(RED, alpha=0.5, double_sided=double_sided)])
        color = renderer.render(scene, Flat()).color[..., :3]
        assert abs(color - over((RED, 0.5 if double_sided else 0))).max() <= 1.5


def bilinear(level, u, v):
    height, width = level.shape[:2]
    x, y = u * width - 0.5, v * height - 0.5
    left, bottom = np.floor(x).astype(int), np.floor(y).astype(int)
    sx, sy = (x - left)[..., None], (y - bottom)[..., None]

    def at(row, column):
        return level[row % height, column % width].astype(float)

    low = at(bottom, left) * (1 - sx) + at(bottom, left + 1) * sx
    high = at(bottom + 1, left) * (1 - sx) + at(bottom + 1, left + 1) * sx
    return low * (1 - sy) + high * sy


def sampled(texture, lod):
    """The texture once across the picture, from the two levels about `lod`."""
    v, u = np.meshgrid(*((np.arange(n) + 0.5) / n for n in SIZE[::-1]), indexing="ij")
    levels = mip_levels(texture)
    lod = min(max(lod, 0), len(levels) - 1)
    level = int(lod)
    near, far = levels[level], levels[min(level + 1, len(levels) - 1)]
    share = lod - level
    return bilinear(near, u, v) * (1 - share) + bilinear(far, u, v) * share


@pytest.mark.parametrize(
    ("width", "height"), [(32, 24), (64, 48), (128, 96), (256, 192), (200, 150), (97, 211), (5, 3)]
)
def test_the_level_follows_from_the_texels_a_pixel_covers(renderer, width, height):
    texture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    scene = unlit([pane(0)], [Material(texture=texture)])
    color = renderer.render(scene, Flat()).color[..., :3]
    lod = np.log2(max(width / SIZE[0], height / SIZE[1]))
    assert abs(color - sampled(texture, lod)).max() <= 2
    scene = unlit([pane(0)], [Material(texture=texture, mipmaps=False)])
    color = renderer.render(scene, Flat()).color[..., :3]
    assert abs(color - sampled(texture, 0)).max() <= 2


def test_a_floor_to_the_horizon_turns_grey_instead_of_flickering(renderer):
    texture = checker((1, 1, 1), (0, 0, 0), 512, 128)
    camera = Camera(eye=(0, 0.6, 3), target=(0, 0.3, 0))
    spread = {}
    for mipmaps in (True, False):
        scene = unlit([disc(60)], [Material(texture=texture, mipmaps=mipmaps)])
        frame = renderer.render(scene, camera)
        far = frame.color[(frame.ids >= 0) & (frame.depth > 0.99), 0].astype(float)
        assert len(far) > 100
        spread[mipmaps] = far.std()
    assert spread[True] < spread[False] / 10


class FromAbove:
    """Looks down without perspective, from below y = 2: 12 to the sides, x to the right, z down."""

    eye = (0.0, 2.0, 0.0)
    view = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, -2], [0, 0, 0, 1]], np.float32)

    def projection(self, aspect):
        matrix = np.diag([1 / 12, 1 / 12, -1 / 6, 1]).astype(np.float32)
        matrix[2, 3] = -1
        return matrix


def level_square(x, y, z, half, material=0, up=1):
    transform = np.diag([half, half, half, 1]).astype(np.float64)
    transform = transform @ [[1, 0, 0, 0], [0, 0, up, 0], [0, -up, 0, 0], [0, 0, 0, 1]]
    transform[:3, 3] = x, y, z
    return grid(1, 1, material).moved(transform)


MATT = Material(specular=0)
LIGHTS = [Light((0, 1, 0), (0.5, 0.25, 0.1)), Light((1, 2, 0), (0.2, 0.2, 0.2))]


def ground(*casters, shadow=None, materials=(MATT,)):
    meshes = [level_square(0, 0, 0, 12), *casters]
    return Scene(meshes, materials, LIGHTS, (0.25, 0.25, 0.25), shadow, GREY)


def expected_ground(share):
    """The ground's colour where `share` of the first light comes through: 0 to 255."""
    slanted = 2 / np.sqrt(5) * np.array([0.2, 0.2, 0.2])
    color = 0.25 + slanted + share[..., None] * np.array([0.5, 0.25, 0.1])
    return np.clip(color, 0, 1) * 255


def squares_shadow(squares, texels=16, radius=8.0):
    """The lit share of every pixel under squares (x, z, half) whose edges are texels' edges."""
    # Under a light from straight above the map's x runs along -x, and its y along z
    place = (((np.arange(texels) + 0.5) / texels) * 2 - 1) * radius
    x, z = -place[None, :], place[:, None]
    lit = np.ones((texels, texels))
    for cx, cz, half in squares:
        lit[(abs(x - cx) < half) & (abs(z - cz) < half)] = 0
    px = ((np.arange(SIZE[0]) + 0.5) / SIZE[0] * 2 - 1) * 12
    pz = -((np.arange(SIZE[1]) + 0.5) / SIZE[1] * 2 - 1) * 12
    qx, qy = np.meshgrid(-px / radius * 0.5 + 0.5, pz / radius * 0.5 + 0.5)
    edge = np.pad(lit, 1, mode="edge")[..., None]  # clamped, so no index wraps around
    inside = (qx >= 0) & (qx <= 1) & (qy >= 0) & (qy <= 1)
    padded = texels + 2
    share = bilinear(
        edge, (qx.clip(0, 1) * texels + 1) / padded, (qy.clip(0, 1) * texels + 1) / padded
    )
    return np.where(inside, share[..., 0], 1.0)


@pytest.mark.parametrize(
    "squares", [[(1, -3, 2)], [(-2, 2, 1), (5, 1, 3)], [(7, 0, 2)], [(0, 7, 3)]]
)
def test_a_shadow_is_blended_between_the_four_texels_around_a_point(renderer, squares):
    casters = [level_square(x, 3, z, half) for x, z, half in squares]
    scene = ground(*casters, shadow=Shadow(radius=8.0, size=16))
    frame = renderer.render(scene, FromAbove())
    assert set(np.unique(frame.ids)) == {0, 1}  # the casters are above the picture
    assert abs(frame.color[..., :3] - expected_ground(squares_shadow(squares))).max() <= 2


def lit(renderer, scene):
    """Where the first light reaches the ground: 0 to 1."""
    color = renderer.render(scene, FromAbove()).color[..., 0].astype(float)
    dark, light = (expected_ground(np.array(share))[0] for share in (0.0, 1.0))
    return (color - dark) / (light - dark)


def test_without_a_shadow_in_the_scene_there_is_none_in_the_picture(renderer):
    caster = level_square(0, 3, 0, 2)
    assert lit(renderer, ground(caster, shadow=Shadow(radius=8.0))).min() < 0.05
    assert lit(renderer, ground(caster)).min() > 0.97


def test_backs_cast_shadows_and_glass_does_not(renderer):
    shadow = Shadow(radius=8.0)
    back = level_square(0, 3, 0, 2, up=-1)
    assert lit(renderer, ground(back, shadow=shadow)).min() < 0.05
    materials = [MATT, Material(alpha=0.9)]
    glass = level_square(0, 3, 0, 2, material=1)
    assert lit(renderer, ground(glass, shadow=shadow, materials=materials)).min() > 0.97


def test_what_the_sphere_does_not_reach_is_lit(renderer):
    caster = level_square(0, 3, 0, 2)
    around_the_caster = Shadow(centre=(0, 3, 0), radius=2.9)  # the ground lies behind it
    assert lit(renderer, ground(caster, shadow=around_the_caster)).min() > 0.97


def test_the_bias_is_in_diameters(renderer):
    caster = level_square(0, 3, 0, 2)  # 3 above the ground, 3/16 of the diameter
    for bias, dark in [(0.18, True), (0.19, False)]:
        found = lit(renderer, ground(caster, shadow=Shadow(radius=8.0, bias=bias)))
        assert (found.min() < 0.05) == dark


def test_a_shadow_moves_with_its_mesh_and_takes_another_size(renderer):
    shadow = Shadow(radius=8.0, size=64)
    before = lit(renderer, ground(level_square(-4, 3, 0, 2), shadow=shadow))
    after = lit(renderer, ground(level_square(4, 3, 0, 2), shadow=shadow))
    finer = lit(renderer, ground(level_square(4, 3, 0, 2), shadow=Shadow(radius=8.0, size=128)))
    assert before[:, :32].min() < 0.05 < 0.95 < before[:, 32:].min()
    assert after[:, 32:].min() < 0.05 < 0.95 < after[:, :32].min()
    assert (after != finer).any()
    assert abs(after - finer).mean() < 0.02


@pytest.fixture(scope="module")
def smooth():
    renderer = GlRenderer(SIZE, Timeline(keep=100), samples=4)
    yield renderer
    renderer.close()


def test_an_edge_across_a_pixel_takes_the_share_of_its_samples(renderer, smooth):
    # The square's right edge goes through the centres of column 47
    edge = unlit([pane(0, scale=1.0, x=-0.5 - 1 / 64)], [Material()])
    sharp, soft = renderer.render(edge, Flat()), smooth.render(edge, Flat())
    white, grey = np.full(3, 255), np.array(GREY[0]) * 255
    assert abs(soft.color[:, :47, :3] - white).max() <= 1
    assert abs(soft.color[:, 48:, :3] - grey).max() <= 1
    assert abs(soft.color[:, 47, :3] - (white + grey) / 2).max() <= 1.5
    assert set(np.unique(sharp.color[:, 47, 0])) <= {51, 255}


def test_inside_a_surface_samples_change_nothing(renderer, smooth):
    texture = checker((1, 0.5, 0.2), (0.1, 0.2, 0.9), 64)
    scene = Scene([pane(0)], [Material(texture=texture)])
    assert (renderer.render(scene, Flat()).color == smooth.render(scene, Flat()).color).all()


def test_ids_and_depth_of_a_smooth_frame_are_those_at_the_pixel_centres(renderer, smooth):
    glass = pane(0.6, 1, 0.3)
    scene = Scene([teapot(1500), glass], [Material(double_sided=True), Material(alpha=0.5)])
    camera = orbit(30, 20, 3, (0, 0.4, 0))
    sharp, soft = renderer.render(scene, camera), smooth.render(scene, camera)
    assert (soft.ids == sharp.ids).all()
    assert (soft.depth == sharp.depth).all()
    assert (soft.color[..., 3] == 255).all()
    assert (soft.color != sharp.color).any()
    before = soft.color.copy()
    assert (smooth.render(scene, camera).color == before).all()


def test_shadow_and_layers_are_drawn_with_samples_too(smooth):
    caster = level_square(0, 3, 0, 2)
    assert lit(smooth, ground(caster, shadow=Shadow(radius=8.0))).min() < 0.05
    color = smooth.render(unlit([pane(0, 0), pane(0.5, 1)], GLASSY), Flat()).color[..., :3]
    assert abs(color - over((RED, 0.25), (GREEN, 0.6))).max() <= 1.5

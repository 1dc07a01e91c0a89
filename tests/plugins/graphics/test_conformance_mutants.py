"""Deliberate errors, one step each: the gates have to notice every one of them.

Coverage and depth are wrong in copies of the ladder, light in the shader, the rest in the scene
that one of the two renderers is given.
"""

import functools
from dataclasses import replace

import numpy as np
import pytest

from guide.timing import Timeline
from guide_graphics.raster import Camera, Light, Material, Mesh, Scene, grid, marble, orbit
from guide_graphics.raster.gl import shaders
from guide_graphics.raster.gl.renderer import GlRenderer

from . import scenes
from .agreement import TRILINEAR, disagreement, names, shoot
from .copies import python_ladder

SMALL, SIZE = (64, 48), (320, 180)


def small_scenes():
    """What shows every error: perspective, overlaps, a texture, vertices on pixel centres."""
    square = grid(8, 6)
    on_centres = Mesh(
        square.positions * [28, 20, 0] + [32.5, 24.5, 0],
        square.normals,
        square.uv,
        square.triangles,
    )
    rng = np.random.default_rng(6)
    many = scenes.random_triangles(rng, SMALL, 6, 150)
    near = scenes.floor()
    stone = replace(near.materials[0], texture=marble((1, 1, 1), (0, 0, 0), 32), mipmaps=False)
    coarse = Mesh(
        near.meshes[0].positions,
        near.meshes[0].normals,
        near.meshes[0].uv / 20,
        near.meshes[0].triangles,
    )
    life = scenes.still_life(300)
    materials = [replace(material, mipmaps=False) for material in life.materials]
    return [
        (Scene([on_centres, on_centres], [Material()]), scenes.Flat(SMALL)),  # the first wins
        (Scene([scenes.soup(many)], [Material(double_sided=True)]), scenes.Flat(SMALL)),
        (Scene([coarse], [stone]), Camera(eye=(0.3, 0.8, 0.2), target=(1, 0.5, -3))),
        (replace(life, materials=materials), scenes.STILL_LIFE_VIEWS[0]),
    ]


@pytest.fixture(scope="module")
def truth(opened):
    return [shoot(opened("opengl", SMALL), *view) for view in small_scenes()]


def failed_by(renderer, truth):
    with np.errstate(all="ignore"):
        return names(disagreement([shoot(renderer, *view) for view in small_scenes()], truth))


# Steep depth in a small picture: interpolated from vertices before they were snapped or after
HONEST = {"depth", "depths"}


def test_the_copy_without_an_error_passes(tmp_path, truth):
    assert failed_by(python_ladder(tmp_path, SMALL), truth) <= HONEST


LADDER = {
    "wrong edge sign": ("coverage.py", "(e0 - dy0 * step)", "(e0 + dy0 * step)", "coverage"),
    "edges by turns": ("coverage.py", "e1 += dx1 * 256", "e1 += dx2 * 256", "coverage"),
    "bottom-right rule": ("coverage.py", "0 if dy < 0 or (dy == 0 and dx > 0) else -1",
                          "0 if dy > 0 or (dy == 0 and dx < 0) else -1", "coverage"),
    "bottom-left rule": ("coverage.py", "(dy == 0 and dx > 0)", "(dy == 0 and dx < 0)", "coverage"),
    "every edge is inside": ("coverage.py", "0 if dy < 0 or (dy == 0 and dx > 0) else -1", "0",
                             "ids"),
    "no edge is inside": ("coverage.py", "0 if dy < 0 or (dy == 0 and dx > 0) else -1", "-1",
                          "coverage"),
    "depth test reversed": ("coverage.py", "if deep < depth[row, column]:",
                            "if deep > depth[row, column] or ids[row, column] < 0:", "ids"),
    "of equals the last": ("coverage.py", "if deep < depth", "if deep <= depth", "ids"),
    "depth of one vertex": ("coverage.py", "slope1, slope2 = (z[1] - z[0]) / area",
                            "slope1, slope2 = 0 * (z[1] - z[0]) / area", "ids"),
    "half a pixel off": ("triangles.py", "np.rint((x - half) * subpixels)",
                         "np.rint(x * subpixels)", "coverage"),
    "no perspective divide": ("triangles.py", "inverse = one / corner[3]", "inverse = one",
                              "coverage"),
    "not snapped but cut": ("triangles.py", "np.rint((x - half) * subpixels)",
                            "np.floor((x - half) * subpixels)", "coverage"),
    "snapped to 1/16": ("triangles.py", "np.rint((x - half) * subpixels)",
                        "16 * np.rint((x - half) * 16)", "coverage"),
    "backs for fronts": ("triangles.py", "area < 0 and not", "area > 0 and not", "coverage"),
    "never clipped": ("triangles.py", "if outside_any & (1 << plane):", "if False:", "coverage"),
    "a corner too few": ("triangles.py", "for fan in range(1, corners - 1):",
                         "for fan in range(1, 2):", "coverage"),
    "cut from the wrong end": ("clipping.py", "share, inner, outer = a / (a - b), i, j",
                               "share, inner, outer = b / (b - a), i, j", "coverage"),
    "affine interpolation": ("shading.py", "np.float64(clip[a, 3]))",
                             "np.float64(clip[b, 3]))", "color"),
    "light at the corner": ("shading.py", "x = (2 * column + 1) / width - 1",
                            "x = 2 * column / width - 1", "off"),
    "texture half a texel off": ("shading.py", "np.float32(width) - HALF", "np.float32(width)",
                                 "off"),
    "texture flipped": ("shading.py", "y = (v - np.floor(v))", "y = (1 - v + np.floor(v))",
                        "color"),
    "back lit from the front": ("shading.py", "ONE if volume > 0 else -ONE", "ONE", "color"),
    "rounded down": ("shading.py", "* WHITE + HALF", "* WHITE", "mean"),
}  # fmt: skip


@pytest.mark.parametrize("error", LADDER)
def test_an_error_in_the_ladder_is_noticed(tmp_path, truth, error):
    *change, gate = LADDER[error]
    assert gate in failed_by(python_ladder(tmp_path, SMALL, change), truth)


SHADER = {
    "normal not normalised": ("normalize(gl_FrontFacing ? normal : -normal)",
                              "(gl_FrontFacing ? normal : -normal)"),
    "light direction negated": ("dot(n, light_direction[i])", "dot(n, -light_direction[i])"),
    "texture flipped": ("textureLod(surface_texture, uv, level)",
                        "textureLod(surface_texture, vec2(uv.x, 1.0 - uv.y), level)"),
    "texture turned": ("textureLod(surface_texture, uv, level)",
                       "textureLod(surface_texture, uv.yx, level)"),
    "a mip level too far": ("min(0.5 * log2(max(squared, 1.0))", "min(1.0 + 0.5 * log2(squared)"),
    "no mip levels": ("surface_texture, uv, level)", "surface_texture, uv, 0.0)"),
    "mip level by the shorter side": ("max(dot(dx, dx), dot(dy, dy))",
                                      "min(dot(dx, dx), dot(dy, dy))"),
    "no halfway vector": ("normalize(light_direction[i] + v)", "v"),
    "highlight on the dark side": ("specular * pow(along, shininess) * diffuse",
                                   "specular * pow(along, shininess)"),
    "shininess doubled": ("pow(along, shininess)", "pow(along, 2.0 * shininess)"),
    "backs lit from the front": ("gl_FrontFacing ? normal : -normal", "normal"),
    "no ambient light": ("vec3 lit = ambient * albedo;", "vec3 lit = vec3(0.0);"),
    "one light too few": ("i < light_count", "i < light_count - 1"),
    "one step too bright": ("vec4(lit, alpha)", "vec4(lit + 1.0 / 255.0, alpha)"),
}  # fmt: skip


@pytest.fixture(scope="module")
def software(opened):
    return [shoot(opened("software", SIZE), *view) for view in shaded()]


@pytest.fixture(scope="module")
def reloaded(tmp_path_factory):
    """Draws `shaded` with another fragment shader."""
    path = tmp_path_factory.mktemp("shader") / "changed.glsl"
    path.write_text(shaders.FRAGMENT, encoding="utf-8")
    renderer = GlRenderer(SIZE, Timeline(keep=10))
    renderer.watch(path)

    def draw(fragment):
        path.write_text(fragment, encoding="utf-8")
        pictures = [shoot(renderer, *view) for view in shaded()]
        assert renderer.shader_error is None
        return pictures

    yield draw
    renderer.close()


@functools.cache
def shaded():
    """What shows every error in light and texture."""
    life, shapes = scenes.still_life(1500), scenes.shapes()
    inside = Camera(eye=(0, 0.45, 0.35), target=(0.1, 0.4, 0), near=0.3)  # sees the backs
    return [
        (life, scenes.STILL_LIFE_VIEWS[0]),
        (life, inside),
        (shapes, scenes.SHAPES_VIEWS[0]),
        (scenes.floor(), scenes.FLOOR_VIEWS[0]),
    ]


def light_differs(software, pictures):
    failed = disagreement(software, pictures, **TRILINEAR)
    return names(failed) & {"color", "off", "mean", "psnr"}


def test_the_shader_without_an_error_passes(software, reloaded):
    assert not light_differs(software, reloaded(shaders.FRAGMENT))


@pytest.mark.parametrize("error", SHADER)
def test_an_error_in_the_shader_is_noticed(software, reloaded, error):
    old, new = SHADER[error]
    assert shaders.FRAGMENT.count(old) == 1
    assert light_differs(software, reloaded(shaders.FRAGMENT.replace(old, new)))


def without(scene, mesh, triangle):
    """The scene without one of its triangles, in place of which there is a point."""
    wrong = scene.meshes[mesh]
    triangles = wrong.triangles.copy()
    triangles[triangle] = triangles[triangle, 0]
    meshes = list(scene.meshes)
    meshes[mesh] = replace(wrong, triangles=triangles)
    return replace(scene, meshes=meshes)


def other_material(scene, **change):
    return replace(scene, materials=[replace(m, **change) for m in scene.materials])


def turned_light(scene):
    first, *others = scene.lights
    return replace(scene, lights=[Light((-0.38, 0.9, 0.5), first.color), *others])


SCENES = {
    "one triangle missing": (lambda scene: without(scene, 1, 17), "ids"),
    "a light turned by a degree": (turned_light, "off"),
    "a light as its opposite": (
        lambda scene: replace(scene, lights=[replace(one, direction=tuple(-np.array(one.direction)))
                                             for one in scene.lights]), "color"),
    "a color off by a hundredth": (lambda scene: other_material(scene, color=(0.9, 0.9, 0.91)),
                                   "mean"),
    "sides taken for one": (lambda scene: other_material(scene, double_sided=True), "ids"),
    "a mesh moved by a thousandth": (
        lambda scene: replace(scene, meshes=[scene.meshes[0].moved(scenes.place(0.001)),
                                             *scene.meshes[1:]]), "coverage"),
    "a texture shifted by half a texel": (
        lambda scene: replace(scene, meshes=[replace(m, uv=m.uv + 1 / 256) for m in scene.meshes]),
        "off"),
    "without mip levels": (lambda scene: other_material(scene, mipmaps=False), "off"),
}  # fmt: skip


CAMERA = orbit(40, 15, 3.5, (0, 0.4, 0))


def life(opened, backend, change=lambda scene: scene, camera=CAMERA):
    scene = scenes.still_life(3000)
    pot, ground, small = scene.meshes
    lowered = ground.moved(scenes.place(y=-0.1))  # what touches may show either
    return [
        shoot(
            opened(backend, (640, 360)),
            change(replace(scene, meshes=[pot, lowered, small])),
            camera,
        )
    ]


def test_the_scene_without_an_error_passes(opened):
    assert disagreement(life(opened, "software"), life(opened, "opengl")) == []


@pytest.mark.parametrize("error", SCENES)
def test_an_error_in_the_scene_is_noticed(opened, error):
    wrong, gate = SCENES[error]
    pictures = life(opened, "software"), life(opened, "opengl", wrong)
    assert gate in names(disagreement(*pictures))


@pytest.mark.parametrize(
    "camera",
    [
        orbit(40.01, 15, 3.5, (0, 0.4, 0)),
        orbit(40, 15, 3.5, (0, 0.4, 0), fov_deg=40.01),
        Camera(CAMERA.eye, (0, 0.4, 0), near=0.08),
    ],
    ids=["turned", "wider", "farther"],
)
def test_an_error_in_the_camera_is_noticed(opened, camera):
    assert disagreement(life(opened, "software"), life(opened, "opengl", camera=camera))

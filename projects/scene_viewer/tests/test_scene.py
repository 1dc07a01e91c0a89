from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import open_renderer
from scene_viewer.motion import TURN_S, camera_at, sun_at
from scene_viewer.options import Options
from scene_viewer.scene import SKY, build, subject

BUNNY = Path(__file__).parents[3] / "build" / "meshes" / "bunny.obj"
SMALL = Options(triangles=2000, width=160, height=90, window="no")

meshes = pytest.mark.parametrize(
    "mesh",
    [
        "knot",
        "teapot",
        pytest.param(
            str(BUNNY),
            marks=pytest.mark.skipif(
                not BUNNY.exists(), reason="bunny.obj is absent: `make meshes` gets it"
            ),
        ),
    ],
)


@pytest.fixture
def renderer():
    opened = open_renderer(SMALL.size, "software")
    yield opened
    opened.close()


@meshes
def test_the_subject_is_in_the_picture_all_the_way_round(renderer, mesh):
    scene = build(replace(SMALL, mesh=mesh), Path())
    height = float(scene.meshes[0].positions[:, 1].max())
    for t_s in np.linspace(0, TURN_S, 9):
        ids = renderer.render(scene, camera_at(t_s, height)).ids
        seen = (ids >= 0) & (ids < len(scene.meshes[0].triangles))
        assert 0.05 < seen.mean() < 0.5
        assert not seen[:, [0, -1]].any(), "it is cut off at a side"
        assert not seen[[0, -1]].any(), "it is cut off above or below"


@meshes
def test_the_whole_shadow_is_in_the_map_wherever_the_sun_is(renderer, mesh):
    scene = build(replace(SMALL, mesh=mesh), Path())
    assert scene.shadow is not None
    wide = replace(scene.shadow, radius=6.0, size=4096, bias=0.006 * 2.2 / 6)
    above = replace(camera_at(0.0, 0.0), eye=(0.0, 9.0, 0.01), target=(0.0, 0.0, 0.0))
    for t_s in (0.0, 2.5, 5.0, 7.5):
        lit, narrow, all_of_it = (
            renderer.render(replace(scene, lights=(sun_at(t_s, 10), SKY), shadow=shadow), above)
            .color[..., :3]
            .astype(int)
            .sum(axis=2)
            for shadow in (None, scene.shadow, wide)
        )
        dark = (lit - all_of_it) > 60
        assert 0.005 < dark.mean() < 0.3
        assert (dark & ((lit - narrow) < 10)).sum() < 0.02 * dark.sum()


@pytest.mark.parametrize("asked", [1_000, 70_000])
def test_a_knot_has_about_as_many_triangles_as_asked_for(asked):
    made = len(subject(replace(SMALL, triangles=asked), Path()).triangles)
    assert made == pytest.approx(asked, rel=0.03)


def test_the_order_of_the_triangles_changes_no_picture(renderer):
    scene = build(SMALL, Path())
    other = replace(scene, meshes=[subject(SMALL, Path(), reorder=False), *scene.meshes[1:]])
    assert (other.meshes[0].triangles != scene.meshes[0].triangles).any()
    one, two = (renderer.render(s, camera_at(1, 1)).color.astype(int) for s in (scene, other))
    assert (abs(one - two) > 1).any(axis=2).mean() < 1e-3  # a tie of depths may go either way


def test_without_a_shadow_map_there_is_no_shadow():
    assert build(replace(SMALL, shadow=0), Path()).shadow is None


def test_a_mesh_that_is_not_there_is_said_in_one_line(tmp_path):
    with pytest.raises(GuideError, match=r"no mesh .*lost\.obj"):
        build(replace(SMALL, mesh="lost.obj"), tmp_path)


def test_a_home_that_nobody_has_is_said_in_one_line(tmp_path):
    with pytest.raises(GuideError, match="no known home"):
        build(replace(SMALL, mesh="~nobody-of-this-name/pot.obj"), tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0),
        ("height", 100_000),
        ("triangles", 10_000_000),
        ("shadow", -1),
        ("sun_s", float("nan")),
        ("gain", 0),
        ("threads", 0),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_something_that_can(name, value):
    with pytest.raises(ValueError, match=f"not {value}: --set {name}="):
        replace(SMALL, **{name: value})

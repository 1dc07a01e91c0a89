from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import open_renderer
from guide_project.motion import TURN_S, camera_at
from guide_project.options import Options
from guide_project.scene import build

SMALL = Options(triangles=1000, width=160, height=90, window="no")


def test_the_subject_is_in_the_picture_all_the_way_round():
    scene = build(SMALL, Path())
    subject = len(scene.meshes[0].triangles)
    renderer = open_renderer(SMALL.size, "software")
    for t_s in np.linspace(0, TURN_S, 7):
        ids = renderer.render(scene, camera_at(t_s)).ids
        seen = (ids >= 0) & (ids < subject)
        assert 0.05 < seen.mean() < 0.5
        assert not seen[:, [0, -1]].any(), "it is cut off at a side"
    renderer.close()


def test_the_subject_darkens_the_ground_and_brightens_nothing():
    scene = build(SMALL, Path())
    renderer = open_renderer(SMALL.size, "software")
    lit, frame = (
        renderer.render(scene, camera_at(0.0)).color.astype(int)
        for scene in (replace(scene, shadow=None), scene)
    )
    renderer.close()
    assert 0.01 < (lit - frame > 20).any(axis=2).mean() < 0.2
    assert (frame <= lit).all()


def test_a_mesh_that_is_not_there_is_said_in_one_line(tmp_path):
    with pytest.raises(GuideError, match=r"no mesh .*lost\.obj"):
        build(replace(SMALL, mesh="lost.obj"), tmp_path)


def test_a_home_that_nobody_has_is_said_in_one_line(tmp_path):
    with pytest.raises(GuideError, match="no known home"):
        build(replace(SMALL, mesh="~nobody-of-this-name/pot.obj"), tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 0), ("width", 100_000), ("height", 100_000), ("triangles", 10_000_000), ("gain", 0)],
)
def test_a_size_that_cannot_be_drawn_is_refused_with_one_that_can(name, value):
    with pytest.raises(ValueError, match=f"not {value}: --set {name}="):
        replace(SMALL, **{name: value})

"""What it shows stays what it is: a change that was to make it faster changes none of this."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guide.testing import VirtualClock, run_task
from guide_graphics.raster import open_renderer
from guide_project.motion import camera_at
from guide_project.options import Options
from guide_project.picture import BORDER, FRAME
from guide_project.scene import build, hopping
from guide_project.task import Task

SMALL = {"triangles": 1000, "width": 160, "height": 90, "window": "no"}
TICKS, RATE_HZ = 13, 10
ANGLE, HEIGHT = 5.715701, 0.071955  # of what hops, at the last of those (seed 0)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return run_task(
        Task(), ticks=TICKS, rate_hz=RATE_HZ, options=SMALL, clock=VirtualClock(), folder=folder
    )


@pytest.fixture(scope="module")
def expected():
    """The same frame, drawn once and by nobody else's code."""
    options = Options(**SMALL)
    scene = build(options, Path())
    cos, sin = np.cos(ANGLE), np.sin(ANGLE)
    place = np.eye(4)
    place[:3, :3] = [[-sin, 0, cos], [0, 1, 0], [-cos, 0, -sin]]
    place[:3, 3] = 1.45 * cos, HEIGHT, -1.45 * sin
    scene = replace(scene, meshes=[*scene.meshes, hopping().moved(place)])
    renderer = open_renderer(options.size, "software")
    frame = renderer.render(scene, camera_at((TICKS - 1) / RATE_HZ))
    yield frame
    renderer.close()


def test_inside_its_border_the_picture_is_the_frame(record, expected):
    assert record.error is None, record.error
    inside = slice(BORDER, -BORDER), slice(BORDER, -BORDER)
    off = np.abs(record.image[inside].astype(int) - expected.rgb[inside])
    assert off.mean() < 0.1
    assert (off > 16).mean() < 0.002, "that is more than rounding at an edge"


def test_the_border_goes_all_the_way_round(record):
    edge = np.ones(record.image.shape[:2], bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    assert (record.image[edge] == FRAME[:3]).all()


def test_the_subject_is_measured_right_whenever_it_is(record):
    (first, share), *_ = record.series["subject"]
    assert first == 0
    assert share == pytest.approx(10.56, rel=0.02)


def test_the_newest_picture_is_there_for_whoever_looks(record):
    assert (record.run.folder / "newest.png").read_bytes().startswith(b"\x89PNG")

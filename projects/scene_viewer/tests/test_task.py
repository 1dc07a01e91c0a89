"""The task as a whole, on a virtual clock and without a display."""

import pytest

from guide.errors import GuideError
from guide.testing import VirtualClock, run_task
from guide_graphics.raster import open_renderer
from scene_viewer.task import Task

SMALL = {"triangles": 1000, "width": 160, "height": 90, "shadow": 256, "window": "no"}


def drawn(ticks=5, rate_hz=60, **options):
    record = run_task(
        Task(), ticks=ticks, rate_hz=rate_hz, options={**SMALL, **options}, clock=VirtualClock()
    )
    assert record.status == "finished", record.error
    return record


def test_it_draws_a_frame_a_tick():
    record = drawn()

    assert record.ticks == 5
    assert record.image.shape == (90, 160, 3)
    assert record.image.std() > 20, "the picture is nearly one colour"
    assert record.facts["backend"] == "software"
    phases = ("scene/update", "render/shadow", "render/vertices", "render/raster", "render/shade")
    assert {record.spans[phase].count for phase in phases} == {5}, "the warm-up is no frame"


def test_any_number_of_threads_draws_the_same():
    one, two = drawn(threads=1), drawn(threads=2)
    assert (one.image == two.image).all()


def test_the_sun_moves_the_shadow():
    # Both after a second: the camera is at the same place
    moved, still = drawn(ticks=3, rate_hz=2, sun_s=4), drawn(ticks=3, rate_hz=2, sun_s=0)
    darker = moved.image.astype(int) - still.image
    assert (darker < -30).any()
    assert (darker > 30).any()


def test_a_benchmark_ends_by_itself_and_draws_the_same_again():
    def checksum():
        record = drawn(ticks=1000, benchmark="yes", width=64, height=36)
        assert (record.ended, record.ticks) == ("the benchmark is done", 720)
        return record.facts["benchmark checksum"]

    assert checksum() == checksum()


def test_both_renderers_agree_on_this_scene():
    try:
        open_renderer((16, 16), "opengl").close()
    except GuideError as error:
        pytest.skip(str(error))
    record = drawn(ticks=10, rate_hz=2, backend="both", sun_s=10)
    assert min(value for _, value in record.series["psnr"]) > 40
    assert record.spans["render/opengl/draw"].count == 10


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"mesh": "scene.blend"}, "scene.blend"),
        ({"width": 9}, "width"),
        ({"backend": "guess"}, "backend"),
        ({"shadow": 9000}, "shadow"),
    ],
)
def test_what_cannot_work_is_one_line(options, word):
    record = run_task(Task(), ticks=2, options={**SMALL, **options})

    assert record.status == "failed"
    line = f"{record.error.message} {record.error.remedy}"
    assert word in line
    assert "\n" not in line
    assert record.ticks == 0

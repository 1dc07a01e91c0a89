import pytest

from guide.errors import GuideError
from guide.testing import VirtualClock, run_task
from guide_graphics.raster import open_renderer
from guide_project.task import Task

SMALL = {"triangles": 500, "width": 160, "height": 90, "window": "no"}


def test_it_draws_a_frame_a_tick():
    record = run_task(Task(), ticks=5, rate_hz=60, options=SMALL, clock=VirtualClock())

    assert record.status == "finished", record.error
    assert record.ticks == 5
    assert record.image.shape == (90, 160, 3)
    assert record.image.std() > 20, "the picture is nearly one colour"
    assert record.facts["backend"] == "software"
    assert {"scene/update", "render/vertices", "render/raster", "render/shade"} <= set(record.spans)


def test_the_same_ticks_give_the_same_picture():
    one, two = (
        run_task(Task(), ticks=7, rate_hz=60, options=SMALL, clock=VirtualClock()) for _ in range(2)
    )
    assert (one.image == two.image).all()


@pytest.fixture
def opengl():
    try:
        open_renderer((16, 16), "opengl").close()
    except GuideError as error:
        pytest.skip(str(error))


def benchmark(**about):
    options = {**SMALL, **about.pop("options", {}), "benchmark": "yes"}
    record = run_task(Task(), ticks=20, rate_hz=60, options=options, **about)
    assert record.status == "finished", record.error
    return record.facts["benchmark checksum"]


def test_a_benchmark_draws_the_same_whatever_the_machine_is_at():
    checksum = benchmark(seed=3)
    assert benchmark(seed=3, clock=VirtualClock()) == checksum
    assert benchmark(seed=4) != checksum


def test_so_it_does_through_opengl(opengl):
    options = {"backend": "opengl"}
    assert benchmark(options=options, clock=VirtualClock()) == benchmark(options=options)


def test_a_benchmark_has_no_window_and_ends_by_itself(monkeypatch):
    monkeypatch.setattr("guide_graphics.raster.benchmark.FRAMES", 24)  # a short film of the 720
    options = {**SMALL, "window": "yes", "benchmark": "yes"}
    record = run_task(Task(), ticks=1000, options=options, clock=VirtualClock())
    assert (record.ended, record.ticks) == ("the benchmark is done", 24)
    assert record.facts["window"] == "no"


def test_a_video_can_be_had_without_a_window(tmp_path):
    options = {**SMALL, "video": "yes"}
    record = run_task(Task(), ticks=5, rate_hz=60, options=options, folder=tmp_path)
    assert record.status == "finished", record.error
    assert any(path.stem == "video-1" for path in tmp_path.iterdir()), record.notes


def test_an_unknown_mesh_fails_with_a_remedy_and_closes_cleanly():
    record = run_task(Task(), ticks=1, options={**SMALL, "mesh": "scene.blend"})
    assert record.status == "failed"
    assert record.error is not None
    assert record.error.remedy

from guide.testing import VirtualClock, run_task
from guide_project.task import Task

SMALL = {"triangles": 500, "width": 160, "height": 90, "window": "no"}


def test_it_draws_a_frame_a_tick():
    record = run_task(Task(), ticks=5, rate_hz=60, options=SMALL, clock=VirtualClock())

    assert record.status == "finished", record.error
    assert record.ticks == 5
    assert record.image.shape == (90, 160, 3)
    assert record.image.std() > 20, "the picture is nearly one colour"
    assert record.facts["backend"] == "software"
    phases = ("scene/update", "render/vertices", "render/raster", "render/shade")
    assert {record.spans[phase].count for phase in phases} == {5}, "the warm-up is no frame"


def test_the_same_ticks_give_the_same_picture():
    one, two = (
        run_task(Task(), ticks=7, rate_hz=60, options=SMALL, clock=VirtualClock()) for _ in range(2)
    )
    assert (one.image == two.image).all()


def test_an_unknown_mesh_fails_with_a_remedy_and_closes_cleanly():
    record = run_task(Task(), ticks=1, options={**SMALL, "mesh": "scene.blend"})
    assert record.status == "failed"
    assert record.error is not None
    assert record.error.remedy

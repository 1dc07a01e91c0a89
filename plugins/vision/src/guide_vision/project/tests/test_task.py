"""The task as a whole, on a virtual clock: a minute of camera takes no minute."""

from statistics import median

import pytest

from guide.testing import VirtualClock, run_task
from guide_project.task import Task

SMALL = {"width": 320, "height": 180}


def test_points_follow_the_virtual_camera_to_a_fraction_of_a_pixel():
    record = run_task(Task(), ticks=40, rate_hz=30, clock=VirtualClock(), options=SMALL)

    assert record.status == "finished", record.error
    assert record.ticks == 40
    errors = [value for _, value in record.series["error"]]
    assert len(errors) == 39  # the first frame has none before it
    assert median(errors) < 0.5


def test_the_books_balance_and_the_report_says_so():
    record = run_task(Task(), ticks=10, rate_hz=30, clock=VirtualClock(), options=SMALL)

    assert "books: captured 10 = delivered 10 + dropped 0 + in flight 0" in record.notes
    assert record.facts["size"] == "320 x 180"
    assert record.image.shape == (360, 640, 3)  # small pictures are shown enlarged
    assert {"capture", "track", "draw"} <= set(record.spans)


def test_a_live_camera_is_read_on_a_thread_of_its_own():
    record = run_task(Task(), ticks=5, options={**SMALL, "source": "virtual:live"})

    assert record.status == "finished", record.error
    assert {"capture", "track", "draw"} <= set(record.spans)
    lanes = {span.name: span.lane for span in record.run.timeline.spans()}
    assert lanes["capture"] != lanes["track"]
    assert any(note.startswith("books: captured") and " = " in note for note in record.notes)


def test_workers_give_the_same_frames_as_the_tick_itself_does():
    def errors(workers):
        options = {**SMALL, "workers": workers}
        record = run_task(Task(), ticks=20, clock=VirtualClock(), options=options)
        assert record.status == "finished", record.error
        return record.series["error"]

    assert errors(0) == errors(2)


def test_marbles_before_a_camera_at_rest_are_found():
    options = {**SMALL, "source": "virtual:marbles", "stage": "objects"}

    record = run_task(Task(), ticks=120, rate_hz=30, clock=VirtualClock(), options=options)

    assert max(value for _, value in record.series["objects"]) >= 2
    assert any("true boxes were found" in note for note in record.notes)


def test_a_recording_lands_in_the_folder_of_the_run(tmp_path):
    options = {**SMALL, "record": "out.mp4", "stage": "objects"}

    first = run_task(
        Task(), ticks=12, rate_hz=30, clock=VirtualClock(), options=options, folder=tmp_path
    )
    again = run_task(
        Task(), clock=VirtualClock(), options={"source": str(tmp_path / "out.mp4")}, ticks=99
    )

    assert first.status == again.status == "finished", (first.error, again.error)
    assert again.ended == "end of the clip"
    assert "books: captured 12 = delivered 12 + dropped 0 + in flight 0" in again.notes


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"source": "absent.mp4"}, "absent.mp4"),
        ({"source": "ftp://host/x"}, "http://"),
        ({"photo": "absent.jpg"}, "absent.jpg"),
        ({"record": "out.xyz"}, ".xyz"),
        ({"noise": "-1"}, "noise"),
    ],
)
def test_what_cannot_work_is_one_line(options, word):
    record = run_task(Task(), ticks=2, options=options)

    assert record.status == "failed"
    line = f"{record.error.message} {record.error.remedy}"
    assert word in line
    assert "\n" not in line
    assert record.ticks == 0

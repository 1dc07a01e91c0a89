"""The task as a whole, on a virtual clock: a minute of camera takes no minute."""

import os
from pathlib import Path

import pytest

from guide.testing import VirtualClock, run_task
from line_counter.task import Task

# A street before a fixed camera; `make people` in the repository gets it from a Debian package.
PEOPLE = (
    Path(os.environ.get("GUIDE_CLIPS", Path(__file__).parents[3] / "build" / "clips"))
    / "people.avi"
)


def count(ticks, **options):
    record = run_task(Task(), ticks=ticks, rate_hz=30, clock=VirtualClock(), options=options)
    assert record.status == "finished", record.error
    return record


def test_what_crosses_is_counted_as_the_truth_has_it():
    record = count(900)

    (note,) = (note for note in record.notes if note.startswith("crossed the line"))
    assert record.run.loop.ended == "ticks"
    entered, left, true = (int(word) for word in note.replace(",", "").split() if word.isdigit())
    assert true == 27
    assert abs(entered + left - true) <= 4
    (tracking,) = (note for note in record.notes if note.startswith("tracking"))
    assert float(tracking.partition("HOTA ")[2].split()[0]) > 0.7
    assert "books: captured 900 = delivered 900 + dropped 0 + in flight 0" in record.notes


def test_the_same_is_counted_on_any_number_of_workers():
    alone, shared = count(150, workers=0), count(150, workers=2)

    assert alone.run.checks["boxes"] == shared.run.checks["boxes"]
    assert alone.series["crossed"] == shared.series["crossed"]


@pytest.mark.skipif(not PEOPLE.exists(), reason="people.avi is absent: `make people` gets it")
def test_people_on_a_real_street_are_counted_as_by_eye():
    record = count(900, source=str(PEOPLE))

    assert record.ended == "end of the clip"
    crossed = record.series["crossed"][-1][1]
    assert 28 <= crossed <= 32  # 32 by eye: images/slit.png


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"source": "absent.avi"}, "absent.avi"),
        ({"line": "0,0,0,0"}, "line"),
        ({"line": "up"}, "line"),
        ({"work_width": "9"}, "work_width"),
        ({"background": "guess"}, "background"),
        ({"least_share": "nan"}, "least_share"),
        ({"record": "out.xyz"}, ".xyz"),
    ],
)
def test_what_cannot_work_is_one_line(options, word):
    record = run_task(Task(), ticks=2, options=options)

    assert record.status == "failed"
    line = f"{record.error.message} {record.error.remedy}"
    assert word in line
    assert "\n" not in line
    assert record.ticks == 0

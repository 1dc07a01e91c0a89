"""What it sees stays what it is: a change that was to make it faster changes none of this."""

from statistics import mean

import cv2
import numpy as np
import pytest

from guide.testing import VirtualClock, run_task
from guide_project.task import Task

SMALL = {"width": 320, "height": 180, "source": "virtual:marbles", "stage": "objects"}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return run_task(
        Task(), ticks=91, rate_hz=30, clock=VirtualClock(), options=SMALL, folder=folder
    )


def values(record, name):
    assert record.status == "finished", record.error
    return dict(record.series[name])


def test_as_many_things_are_found_as_ever(record):
    found = values(record, "objects")
    assert [found[tick] for tick in range(0, 91, 15)] == [0, 2, 2, 3, 4, 5, 5]
    assert mean(found.values()) == pytest.approx(2.868, rel=0.02)


def test_the_lamp_is_as_bright_as_ever(record):
    assert mean(values(record, "lamp").values()) == pytest.approx(132.06, abs=0.2)


def test_whenever_the_drift_is_measured_it_is_right(record):
    drift = values(record, "drift")
    assert [drift[tick] for tick in (0, 30, 60, 90)] == pytest.approx(
        [0, 1.318, 3.249, 4.175], abs=0.05
    )


def test_the_picture_is_what_it_was(record):
    assert record.image.mean(axis=(0, 1)) == pytest.approx([129.8, 59.7, 36.4], abs=0.3)


def test_the_map_of_where_things_moved_is_written_at_the_end(record):
    heat = cv2.imread(str(record.run.folder / "heat.png"))
    assert heat.shape == (180, 320, 3)
    assert heat.mean(axis=(0, 1)) == pytest.approx([132.5, 42.5, 29.6], abs=1.0)
    assert np.ptp(heat) > 200

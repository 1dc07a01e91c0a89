"""A stage in a real second process: same results, no copy of the picture, every death told."""

import os
import signal

import pytest

from guide.errors import GuideError
from guide_vision.pipeline import InProcess, Pipeline, open_source


class Sum:
    """Slow in pure Python, which is what such a process is for."""

    name = "sum"

    def process(self, frame):
        return sum(frame.image[0, :, 0].tolist()), os.getpid(), "before" in frame.results


class Before:
    name = "before"

    def process(self, frame):
        frame.image[0] = frame.seq
        return frame.seq


class Fails(Sum):
    def process(self, frame):
        if frame.seq == 3:
            raise KeyError("not here")
        return frame.seq


class NeverMade:
    def __init__(self):
        raise ValueError("cannot be made")


def pipeline_of(make, **more):
    source = open_source("virtual", width=64, height=64)
    return Pipeline(source, [Before(), InProcess(make, "sum")], **more)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_other_process_sees_what_stages_before_it_wrote(workers):
    pipeline = pipeline_of(Sum, workers=workers)
    pipeline.open()
    for _ in range(20):
        frame = pipeline.take()
        total, pid, knew = frame.results["sum"]
        assert total == 64 * frame.seq
        assert pid != os.getpid()
        assert knew
    assert pipeline.close().balanced


def test_an_error_over_there_arrives_here_with_its_trace():
    pipeline = pipeline_of(Fails, workers=1)
    pipeline.open()
    for _ in range(3):
        pipeline.take()
    with pytest.raises(KeyError, match="not here") as caught:
        pipeline.take()
    assert pipeline.broken == ("sum", 3)
    assert any("in process" in note and "Traceback" in note for note in caught.value.__notes__)
    assert pipeline.close().balanced


def test_a_stage_that_cannot_be_made_over_there_fails_the_opening():
    pipeline = pipeline_of(NeverMade)
    with pytest.raises(ValueError, match="cannot be made"):
        pipeline.open()
    assert pipeline.close().balanced


def test_a_process_that_is_killed_is_one_line():
    pipeline = pipeline_of(Sum, workers=1)
    pipeline.open()
    _, pid, _ = pipeline.take().results["sum"]
    os.kill(pid, signal.SIGKILL)

    def take_all():
        while True:
            pipeline.take()

    with pytest.raises(GuideError, match="sum is gone") as caught:
        take_all()
    assert "killed by signal 9" in caught.value.message
    assert caught.value.remedy
    assert pipeline.close().balanced

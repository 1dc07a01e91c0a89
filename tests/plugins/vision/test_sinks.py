"""Sinks write what they are given, or say in one line why they cannot."""

import os
import resource

import cv2
import numpy as np
import pytest

from guide.errors import GuideError
from guide_vision.pipeline import Pipeline, Recorder, Window, open_source, sinks
from guide_vision.pipeline.barcode import read_barcode, write_barcode


@pytest.mark.parametrize("name", ["out.mp4", "out.avi"])
def test_a_recording_can_be_read_back(tmp_path, name):
    recorder = Recorder(tmp_path / name, fps=25)
    for number in range(12):
        image = np.full((180, 320, 3), 120, np.uint8)
        write_barcode(image, number)
        assert recorder.write(image)
    recorder.close()

    link = Pipeline(open_source(str(tmp_path / name)))
    facts = link.open()
    numbers = [read_barcode(link.take().image) for _ in range(12)]

    assert facts.fps == 25
    assert numbers == list(range(12))
    assert link.take() is None
    link.close()


def test_a_recorder_that_never_got_a_picture_leaves_no_file(tmp_path):
    recorder = Recorder(tmp_path / "out.mp4", fps=25)
    recorder.close()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_recorded_is_one_line(tmp_path):
    image = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(GuideError, match=r"\.gif"):
        Recorder(tmp_path / "out.gif", fps=25)
    with pytest.raises(GuideError, match="cannot record"):
        Recorder(tmp_path / "no" / "folder" / "out.mp4", fps=25).write(image)
    recorder = Recorder(tmp_path / "out.mp4", fps=25)
    recorder.write(image)
    with pytest.raises(GuideError, match="64 x 64 to 32 x 64"):
        recorder.write(np.zeros((64, 32, 3), np.uint8))
    recorder.close()


@pytest.mark.parametrize("name", ["out.mp4", "out.avi"])
def test_a_disk_that_is_full_is_told_at_the_end(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 255, (180, 320, 3), np.uint8)
    recorder = Recorder(tmp_path / name, fps=25)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        for _ in range(30):
            recorder.write(noise)
        with pytest.raises(GuideError, match=f"{name} is damaged.* 30 frames") as caught:
            recorder.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "df -h" in caught.value.remedy
    recorder.close()  # there is nothing left to say


def test_a_name_without_an_ending_is_told_so(tmp_path):
    with pytest.raises(GuideError, match="cannot record to out: it has no ending"):
        Recorder(tmp_path / "out", fps=25)


def test_a_display_that_does_not_answer_is_one_line(monkeypatch):
    monkeypatch.setenv("DISPLAY", f":{os.getpid() + 100_000}")  # Qt would abort this process
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    with pytest.raises(GuideError, match=r"display|headless"):
        Window("test")


def test_no_display_is_said_before_anything_is_opened(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if sinks.has_display():
        pytest.fail("this test is about Linux; elsewhere there is always a display")

    with pytest.raises(GuideError) as caught:
        Window("test")
    assert "display" in caught.value.message or "headless" in caught.value.message


def test_the_headless_build_is_told_from_the_other():
    assert sinks.has_windows() == (sinks.gui_backend() != "NONE")
    assert f"GUI:{sinks.gui_backend()}" in cv2.getBuildInformation().replace(" ", "")

"""The plugin keeps to what core relies on, and doctor tells what is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import guide_vision
from guide.errors import GuideError
from guide.testing import PluginConformance, VirtualClock, run_task
from guide_vision import doctor
from guide_vision.measure import table

PROJECT = Path(guide_vision.__file__).parent / "project"


class TestConformance(PluginConformance):
    plugin = "guide_vision.plugin"


def test_every_finding_says_something():
    findings = doctor.findings()

    assert {f.name for f in findings} >= {"OpenCV", "video files and streams", "cameras"}
    assert all(f.detail for f in findings)
    assert all(f.remedy for f in findings if f.status == "problem")


def test_two_distributions_of_opencv_are_a_problem_with_a_command(tmp_path, monkeypatch):
    for name in ("opencv-python", "opencv-python-headless"):
        folder = tmp_path / f"{name.replace('-', '_')}-5.0.0.93.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 5.0.0.93\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))

    finding = doctor.findings()[0]

    assert finding.status == "problem"
    assert "overwrite" in finding.detail
    assert finding.remedy == (
        "pip uninstall -y opencv-python opencv-python-headless; pip install opencv-python"
    )


def test_cameras_are_listed_by_the_number_to_type(tmp_path):
    assert doctor.cameras(tmp_path).status == "note"
    for name in ("video10", "video2"):
        (tmp_path / name).touch()
    assert doctor.cameras(tmp_path).detail == "2, 10; --set source=2"


def test_a_photograph_comes_with_its_licence():
    folder = Path(guide_vision.__file__).parent / "pipeline" / "photo"
    assert (folder / "coffee.jpg").stat().st_size < 150_000
    assert "CC0" in (folder / "PHOTO.md").read_text()


def test_what_the_section_measures_can_be_measured():
    rows = {row.what: row for row in table(160, 96)}

    assert rows["frame.copy()"].asked_kib >= 45
    assert rows["np.copyto(out, frame)"].asked_kib < 4
    assert rows["gamma: cv2.LUT(dst=)"].asked_kib < 4
    assert rows["gamma: 255 * (frame / 255) ** g"].asked_kib > 8 * 45


@pytest.fixture
def task(monkeypatch):
    """The scaffold's task, as it lies in the wheel."""
    monkeypatch.syspath_prepend(str(PROJECT))
    from guide_project.task import Task

    yield Task()
    for name in [name for name in sys.modules if name.partition(".")[0] == "guide_project"]:
        del sys.modules[name]


@pytest.mark.parametrize(("stage", "series"), [("points", "points"), ("objects", "objects")])
def test_the_scaffold_runs_on_real_film(task, clips, stage, series):
    options = {"source": str(clips / "bikes.mp4"), "stage": stage}

    record = run_task(task, rate_hz=30, ticks=40, clock=VirtualClock(), options=options)

    assert record.status == "finished", record.error
    assert max(value for _, value in record.series[series]) > 0
    assert "books: captured 40 = delivered 40 + dropped 0 + in flight 0" in record.notes
    assert any("25 frames a second" in note for note in record.notes)
    assert "error" not in record.series  # nobody knows the truth of a film


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", "32767"),
        ("height", "63"),
        ("noise", "nan"),
        ("noise", "1e300"),
        ("stall_s", "inf"),
        ("stall_s", "nan"),
        ("cv_threads", "1000000"),
    ],
)
def test_a_number_that_cannot_work_is_one_line(task, name, value):
    record = run_task(task, ticks=1, options={name: value})

    assert record.status == "failed"
    assert record.error.exit_code == 2
    assert name in record.error.message or value in record.error.message


def test_a_sink_that_fails_to_close_keeps_the_books_from_nobody(task, tmp_path):
    class Full:
        def write(self, image):
            return True

        def close(self):
            raise GuideError("the disk is full")

    start = task.start

    def with_a_full_disk(run):
        start(run)
        task.sinks.append(Full())

    task.start = with_a_full_disk
    record = run_task(task, ticks=3, rate_hz=30, clock=VirtualClock())

    assert record.status == "failed"
    assert "disk is full" in record.error.message
    assert any(note.startswith("books: captured 3") for note in record.notes)


def test_the_scaffold_on_a_network_camera_that_dies(task, network_camera):
    camera = network_camera()
    step = task.step

    def kill_after_ten(tick):
        if tick.index == 10:
            camera.kill()
        step(tick)

    task.step = kill_after_ten
    options = {"source": camera.url, "give_up_s": 0}
    record = run_task(task, rate_hz=30, ticks=300, options=options)

    assert record.status == "failed"
    assert "closed after" in record.error.message
    assert 10 <= record.ticks < 300
    assert any(note.startswith("books: captured") and " = " in note for note in record.notes)


def test_help_of_the_practice_camera():
    command = [sys.executable, "-m", "guide_vision.netcam", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 0
    assert "--port" in done.stdout

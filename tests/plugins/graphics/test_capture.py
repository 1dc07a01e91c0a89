"""Screenshots and videos, read back by those who read such files."""

import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from guide_graphics.raster import capture
from guide_graphics.raster.capture import Capture

needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")),
    reason="ffmpeg is not installed (Debian: apt install ffmpeg)",
)


def frame(level=0, size=(64, 48)):
    """A frame, row 0 at the bottom: red grows upwards, blue is `level`."""
    color = np.zeros((size[1], size[0], 4), np.uint8)
    color[..., 0] = np.linspace(0, 255, size[1])[:, None]
    color[..., 2] = level
    color[..., 3] = 255
    return color


@pytest.fixture
def said():
    return []


@pytest.fixture
def writer(tmp_path, said):
    opened = Capture(tmp_path, 30, said.append)
    yield opened
    opened.close()


def patiently(writer, color, t_s):
    """Hand over a frame, waiting for room: what a loop would never do."""
    before = writer.dropped
    while True:
        writer.frame(color, t_s)
        if writer.dropped == before:
            return
        before = writer.dropped
        time.sleep(0.002)


def decoded(path, pix_fmt="rgb24"):
    asked = ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", pix_fmt, "-"]
    done = subprocess.run(asked, capture_output=True)
    return done.stdout, done.stderr.decode()


def test_a_screenshot_is_the_frame_top_row_first(writer, tmp_path, said):
    color = frame(7)
    writer.screenshot(color)
    color[:] = 0  # the renderer draws its next frame into the same memory
    writer.close()
    with Image.open(tmp_path / "screenshot-1.png") as image:
        assert (np.asarray(image) == frame(7)[::-1, :, :3]).all()
    assert said == ["written: screenshot-1.png"]


def test_without_frames_there_is_no_thread_and_no_file(writer, tmp_path):
    writer.frame(frame(), 0.0)
    writer.stop_video()
    writer.close()
    assert not any(thread.name == "capture" for thread in threading.enumerate())
    assert not list(tmp_path.iterdir())


@needs_ffmpeg
def test_a_video_holds_the_frames_in_order(writer, tmp_path, said):
    writer.start_video()
    for i in range(20):
        patiently(writer, frame(12 * i), i / 30)
    writer.close()
    data, trouble = decoded(tmp_path / "video-1.mp4")
    film = np.frombuffer(data, np.uint8).reshape(-1, 48, 64, 3)
    assert not trouble
    assert len(film) == 20
    assert film[:, :3, :, 0].mean() > 200 > 50 > film[:, -3:, :, 0].mean(), "upside down"
    blue = film[:, 20:28, :, 2].mean(axis=(1, 2))
    assert (np.diff(blue) > 4).all()
    assert said[-1].startswith("written: video-1.mp4")


@needs_ffmpeg
def test_a_frame_stands_until_the_next_and_too_many_a_second_are_thinned(writer, tmp_path):
    writer.start_video()
    for t_s in [0, 0.1, 0.2, *np.arange(0.201, 1.0, 0.001)]:
        patiently(writer, frame(200 if t_s < 0.15 else 0), t_s)
    writer.close()
    film = np.frombuffer(decoded(tmp_path / "video-1.mp4")[0], np.uint8).reshape(-1, 48, 64, 3)
    assert len(film) == 31
    blue = film[:, 20:28, :, 2].mean(axis=(1, 2))
    assert (blue[:6] > 120).all()
    assert (blue[7:] < 80).all()


@needs_ffmpeg
def test_sides_that_are_odd_make_a_video_too(writer, tmp_path, said):
    writer.start_video()
    patiently(writer, frame(0, (33, 17)), 0)
    writer.close()
    assert len(decoded(tmp_path / "video-1.mp4")[0]) == 34 * 18 * 3
    assert said == ["written: video-1.mp4"]


def test_frames_are_dropped_and_counted_when_the_writer_is_slow(tmp_path, said, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    written = []

    def slow(path, color):
        go.wait(20)
        written.append(path.name)

    monkeypatch.setattr(capture, "_write_png", slow)
    writer = Capture(tmp_path, 30, said.append)
    writer.start_video()
    for i in range(20):
        writer.frame(frame(), i / 30)
    assert writer.dropped == 16
    writer.screenshot(frame())
    assert said[-1].startswith("no screenshot: ")
    go.set()
    writer.close()
    assert written == [f"frame-{i:06}.png" for i in range(4)]
    assert said[-1] == "written: video-1, 16 frames dropped"


def test_where_nobody_looks_the_loop_waits_and_no_frame_is_dropped(tmp_path, said, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(capture, "_write_png", lambda path, color: time.sleep(0.005))
    writer = Capture(tmp_path, 30, said.append)
    writer.waits = True
    writer.start_video()
    for i in range(20):
        writer.frame(frame(), i / 30)
    writer.close()
    assert writer.dropped == 0
    assert said[-1] == "written: video-1"


def test_without_ffmpeg_the_video_is_a_folder_of_pictures(writer, tmp_path, said, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    writer.start_video()
    for i in range(3):
        patiently(writer, frame(i), i / 30)
    writer.close()
    assert "no ffmpeg" in said[0]
    for i, path in enumerate(sorted((tmp_path / "video-1").iterdir())):
        with Image.open(path) as image:
            assert (np.asarray(image) == frame(i)[::-1, :, :3]).all()
    assert i == 2


@needs_ffmpeg
def test_a_second_video_does_not_overwrite_the_first(writer, tmp_path):
    for _ in range(2):
        writer.start_video()
        patiently(writer, frame(), 0)
        writer.stop_video()
    writer.close()
    assert {path.name for path in tmp_path.iterdir()} == {"video-1.mp4", "video-2.mp4"}


@needs_ffmpeg
def test_a_frame_of_another_size_ends_the_video(writer, tmp_path, said):
    writer.start_video()
    patiently(writer, frame(), 0)
    writer.frame(frame(0, (32, 32)), 1 / 30)
    assert not writer.recording
    writer.close()
    assert len(decoded(tmp_path / "video-1.mp4")[0]) == 64 * 48 * 3
    assert said == ["written: video-1.mp4"]


@pytest.mark.parametrize("ffmpeg", [True, False])
def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path, said, monkeypatch, ffmpeg):
    if not ffmpeg:
        monkeypatch.setenv("PATH", str(tmp_path))
    elif not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed (Debian: apt install ffmpeg)")
    (tmp_path / "file").write_text("in the way")
    writer = Capture(tmp_path / "file", 30, said.append)
    writer.start_video()
    for i in range(30):
        patiently(writer, frame(0, (640, 480)), i / 30)
    deadline = time.monotonic() + 20
    while writer.recording and time.monotonic() < deadline:
        patiently(writer, frame(0, (640, 480)), time.monotonic())
    assert not writer.recording
    writer.screenshot(frame())
    writer.close()
    troubles = [line for line in said if "video" in line and "no ffmpeg" not in line]
    assert len(troubles) == 1
    assert any(line.startswith("no screenshot: ") for line in said)
    assert all("\n" not in line and len(line) < 250 for line in said)


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from guide_graphics.raster.capture import Capture
writer = Capture(Path(sys.argv[1]), 60, print)
color = np.zeros((120, 160, 4), np.uint8)
writer.start_video()
began = time.perf_counter()
print("going", flush=True)
while True:
    color[:] += 1
    writer.frame(color, time.perf_counter() - began)
    time.sleep(1 / 60)
"""


@needs_ffmpeg
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_killed_leaves_a_video_that_plays(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    process.stdout.readline()
    time.sleep(2)
    process.send_signal(number)
    process.wait()
    process.stdout.close()
    path = tmp_path / "video-1.mp4"
    deadline = time.monotonic() + 20
    while len(decoded(path, "gray")[0]) < 60 * 160 * 120 and time.monotonic() < deadline:
        time.sleep(0.2)  # ffmpeg writes what it still had
    data, trouble = decoded(path, "gray")
    assert not trouble
    assert len(data) // (160 * 120) >= 60


@needs_ffmpeg
def test_what_was_on_disk_when_the_machine_went_off_plays(tmp_path, said):
    writer = Capture(tmp_path, 30, said.append)
    writer.start_video()
    for i in range(90):
        patiently(writer, frame(i), i / 30)
    path = tmp_path / "video-1.mp4"
    deadline = time.monotonic() + 20
    while path.stat().st_size < 2000 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    (tmp_path / "then.mp4").write_bytes(path.read_bytes())
    writer.close()
    assert len(decoded(tmp_path / "then.mp4", "gray")[0]) // (64 * 48) >= 60

"""An RTSP camera in a process of its own: fresh frames, and back after it was lost."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from guide_vision.pipeline import open_source
from guide_vision.pipeline.barcode import read_barcode

GUARD_S = 30.0
PYTHON = "/usr/bin/python3"  # Debian's: the one that has GStreamer's modules
NEEDS = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst; "
    "Gst.init(None); assert all(map(Gst.ElementFactory.find, ('x264enc', 'rtph264pay')))"
)


def clean():
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


class RtspCamera:
    def __init__(self, port=0):
        program = str(Path(__file__).with_name("rtsp_server.py"))
        command = [PYTHON, program, str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean())
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("rtsp://"), "the camera did not start"

    def signal(self, number):
        os.kill(self.process.pid, number)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def restart(self):
        self.kill()
        self.__init__(urlsplit(self.url).port)


@pytest.fixture
def camera():
    try:
        probe = subprocess.run(
            [PYTHON, "-c", NEEDS], env=clean(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip(f"there is no {PYTHON} to run an RTSP server with")
    if probe.returncode:
        why = probe.stderr.strip().splitlines()[-1]
        pytest.skip(f"no RTSP server: {why}; apt-get install gir1.2-gst-rtsp-server-1.0 and others")
    camera = RtspCamera()
    yield camera
    camera.kill()


def wait_until_lost(source):
    """While another thread reads."""
    end = time.monotonic() + GUARD_S
    while not source.lost:
        assert time.monotonic() < end
        time.sleep(0.01)


class Reading(threading.Thread):
    """Reads until the source is cancelled; keeps seq, epoch, the camera's number and time."""

    def __init__(self, source):
        super().__init__(daemon=True)
        self.source, self.frames = source, []
        self.changed = threading.Condition()
        self.start()

    def run(self):
        while (frame := self.source.read()) is not None:
            number, ms = read_barcode(frame.image, row=1), read_barcode(frame.image, row=0)
            with self.changed:
                self.frames.append((frame.seq, frame.epoch, number, ms))
                self.changed.notify_all()

    def until(self, condition):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.frames), GUARD_S)


def test_frames_arrive_in_order_and_without_a_backlog(camera):
    source = open_source(camera.url, give_up_s=GUARD_S)
    facts = source.open()
    opened_ms = time.perf_counter_ns() // 1_000_000

    seen = []
    for _ in range(20):
        image = source.read().image
        seen.append((read_barcode(image, row=1), read_barcode(image, row=0)))
    source.close()

    assert (facts.width, facts.height, facts.fps) == (640, 360, 30.0)
    numbers = [number for number, _ in seen]
    assert numbers == list(range(numbers[0], numbers[0] + 20))
    # FFmpeg's own way begins with a second of video that was taken before
    assert seen[-1][1] > opened_ms
    assert source.reconnects == 0


def test_the_grey_plane_of_an_rtsp_stream_in_place(camera):
    source = open_source(camera.url, gray=True)
    facts = source.open()
    into = np.zeros((facts.height, facts.width), np.uint8)

    first = source.read(into)
    number = read_barcode(into, row=1)
    second = source.read(into)

    assert first.image is into
    assert second.image is into
    assert read_barcode(into, row=1) == number + 1
    source.close()


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_camera_that_was_lost_comes_back_as_a_new_epoch(camera, how):
    source = open_source(camera.url, give_up_s=GUARD_S)
    source.open()
    reading = Reading(source)
    reading.until(lambda frames: len(frames) > 10)

    if how == "killed":
        camera.kill()
    else:
        camera.signal(signal.SIGSTOP)
    wait_until_lost(source)
    lost = source.lost
    again_ms = time.perf_counter_ns() // 1_000_000
    if how == "killed":
        camera.restart()
    else:
        camera.signal(signal.SIGCONT)
    reading.until(lambda frames: frames[-1][1] == 1 and len(frames) > 20)
    source.cancel()
    reading.join(GUARD_S)
    source.close()

    assert ("closed after" if how == "killed" else "has sent no frame for 0.") in lost
    assert source.reconnects == 1
    assert [seq for seq, *_ in reading.frames] == list(range(len(reading.frames)))
    fresh = next(frame for frame in reading.frames if frame[1] == 1)
    assert fresh[3] >= again_ms - 40  # taken after it went on, or in that very moment

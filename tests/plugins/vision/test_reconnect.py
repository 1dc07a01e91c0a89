"""A live source that is lost comes back as a new epoch, with nothing stale; patience has an end."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from guide.errors import GuideError
from guide_vision.pipeline import Facts, Frame, Reconnecting, open_source
from guide_vision.pipeline.barcode import read_barcode

GUARD_S = 30.0  # nothing here takes a tenth of it


class Reader:
    """Reads a source on a thread of its own and keeps what was in the frames."""

    def __init__(self, source):
        self.source = source
        self.frames = []  # seq, epoch, the camera's number, its time in ms
        self.error = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self.facts = source.open()
        self._thread.start()

    def _read(self):
        into = None
        try:
            while (frame := self.source.read(into)) is not None:
                into = frame.image
                number, ms = read_barcode(into, row=1), read_barcode(into, row=0)
                with self._changed:
                    self.frames.append((frame.seq, frame.epoch, number, ms))
                    self._changed.notify_all()
        except GuideError as error:
            self.error = error

    def wait_for(self, condition):
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), GUARD_S)

    def wait_until_lost(self):
        end = time.monotonic() + GUARD_S
        while not self.source.lost:
            assert time.monotonic() < end
            time.sleep(0.01)

    def wait_for_epoch(self, epoch):
        self.wait_for(lambda r: r.frames and r.frames[-1][1] == epoch)

    def join(self):
        self._thread.join(GUARD_S)
        assert not self._thread.is_alive()
        self.source.close()

    def end(self):
        self.source.cancel()
        self.join()


@pytest.fixture
def reader():
    readers = []

    def start(name, **settings):
        readers.append(Reader(open_source(name, **{"give_up_s": GUARD_S, **settings})))
        return readers[-1]

    yield start
    for each in readers:
        each.end()


def first_of(reader, epoch):
    return next(frame for frame in reader.frames if frame[1] == epoch)


def test_a_camera_that_falls_silent_comes_back_as_a_new_epoch(network_camera, reader):
    camera = network_camera("--fps", "60")
    ours = reader(camera.url)
    ours.wait_for(lambda r: len(r.frames) > 10)

    camera.stop()
    ours.wait_until_lost()
    assert "has sent no frame for 0." in ours.source.lost
    again_ms = time.perf_counter_ns() // 1_000_000
    camera.go_on()
    ours.wait_for_epoch(1)

    assert ours.source.reconnects == ours.source.epoch == 1
    assert ours.source.lost == ""
    assert ours.source.away_s > 0
    assert first_of(ours, 1)[3] >= again_ms - 20  # taken after it went on, or in that very moment


def test_a_camera_that_is_killed_and_started_again(network_camera, reader):
    camera = network_camera("--fps", "60")
    ours = reader(camera.url)
    for epoch in (1, 2, 3):
        ours.wait_for(lambda r: len(r.frames) > 10)
        camera.kill()
        ours.wait_until_lost()
        camera.restart()
        ours.wait_for_epoch(epoch)
    ours.end()

    assert ours.source.reconnects == 3
    epochs = [frame[1] for frame in ours.frames]
    assert epochs == sorted(epochs)
    assert [frame[0] for frame in ours.frames] == list(range(len(ours.frames)))  # seq goes on
    for epoch in range(4):  # and within an epoch the camera's own numbers only rise
        theirs = [frame[2] for frame in ours.frames if frame[1] == epoch]
        assert theirs == sorted(set(theirs))
    assert first_of(ours, 3)[2] < 60  # of the camera that was started, not of the one before


def test_damaged_pictures_are_counted_over_all_connections(scripted_stream):
    def script(stream):
        for number in range(8):
            stream.picture(number, damaged=number in (3, 5))
        stream.over.wait(GUARD_S)

    source = open_source(scripted_stream(script).url, give_up_s=GUARD_S)
    source.open()
    seen = [read_barcode(source.read().image) for _ in range(6)]
    source.close()

    assert seen == [0, 1, 2, 4, 6, 7]
    assert source.damaged == 2
    assert source.reconnects == 0


def test_a_camera_that_never_comes_back_is_one_line(network_camera, reader):
    camera = network_camera()
    ours = reader(camera.url, give_up_s=0.6)
    ours.wait_for(lambda r: r.frames)
    camera.kill()
    ours.join()

    assert "did not come back within 0.6 s" in ours.error.message
    assert "closed after" in ours.error.message
    assert "refused" in ours.error.message
    assert "\n" not in str(ours.error)
    assert ours.error.remedy


def test_a_camera_that_comes_back_with_another_picture_is_one_line(network_camera, reader):
    camera = network_camera()
    ours = reader(camera.url)
    ours.wait_for(lambda r: r.frames)
    camera.restart("--width", "320", "--height", "192")
    ours.join()

    assert "came back with a picture of 320 x 192 instead of 640 x 360" in ours.error.message


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_cancel_ends_a_reconnect_from_another_thread(network_camera, reader, how):
    camera = network_camera()
    ours = reader(camera.url)
    ours.wait_for(lambda r: r.frames)
    if how == "killed":
        camera.kill()  # attempts are refused
    else:
        camera.stop()  # the first attempt is accepted and never answered
    ours.wait_until_lost()
    began = time.monotonic()
    ours.end()

    assert ours.error is None
    assert time.monotonic() - began < ours.source._give_up_s / 2


def test_stopping_ends_a_reconnect(network_camera, reader):
    stopping = threading.Event()
    camera = network_camera()
    ours = reader(camera.url, stopping=stopping.is_set)
    ours.wait_for(lambda r: r.frames)
    camera.kill()
    ours.wait_until_lost()
    stopping.set()
    ours.join()

    assert ours.error is None


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_control_c_ends_a_reconnect(network_camera, how):
    """In a program of its own, which reads on its only thread."""
    camera = network_camera()
    program = (
        "import sys, threading; from guide_vision.pipeline import open_source\n"
        "source = open_source(sys.argv[1], give_up_s=300)\n"
        "source.open(); source.read(); print('reading', flush=True)\n"
        "def tell():\n"
        "    while not source.lost: threading.Event().wait(0.01)\n"
        "    print('lost', flush=True)\n"
        "threading.Thread(target=tell, daemon=True).start()\n"
        "try:\n"
        "    while source.read(): pass\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
        "source.close()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, camera.url], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "reading\n"
        getattr(camera, how)()
        assert process.stdout.readline() == "lost\n"
        os.kill(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert process.wait(GUARD_S) == 0


class Scripted:
    """A source whose connections show what is in `connections`: a number of frames each."""

    live = True

    def __init__(self, *connections):
        self.connections = list(connections)
        self.left = 0
        self.seq = 0
        self.attempts = 0
        self.closed = threading.Event()

    def open(self):
        self.left = self.connections.pop(0)
        return Facts("scripted camera", 8, 8, 30.0, first_frame_s=0.1, stall_s=0.1)

    def reopen(self):
        self.attempts += 1
        if not self.connections:
            raise GuideError("cannot open the scripted camera", "it is over")
        return self.open()

    def read(self, into=None):
        if not self.left:
            raise GuideError("the scripted camera closed", "write a longer script")
        self.left -= 1
        self.seq += 1
        return Frame(np.zeros((8, 8, 3), np.uint8), self.seq - 1, 0, 0)

    def close(self):
        self.closed.set()


def test_connections_without_a_frame_are_no_epoch():
    source = Reconnecting(Scripted(2, 0, 0, 1), give_up_s=GUARD_S)
    source.open()

    frames = [source.read() for _ in range(3)]

    assert [(f.seq, f.epoch) for f in frames] == [(0, 0), (1, 0), (2, 1)]
    assert source.reconnects == 1
    source.close()


def test_connections_without_a_frame_do_not_renew_patience():
    class Hopeless(Scripted):
        def reopen(self):
            self.attempts += 1
            self.left = 0

    script = Hopeless(1)
    source = Reconnecting(script, give_up_s=0.3)
    source.open()
    source.read()

    with pytest.raises(GuideError, match=r"closed, and did not come back within 0\.3 s"):
        source.read()
    assert script.attempts > 2
    source.close()


def test_an_opening_that_hangs_is_left_to_its_thread_which_releases_the_source():
    class Hanging(Scripted):
        def reopen(self):
            opening.set()
            release.wait(GUARD_S)
            return self.open()

    opening, release = threading.Event(), threading.Event()
    script = Hanging(1, 1)
    source = Reconnecting(script, give_up_s=GUARD_S)
    source.open()
    source.read()
    reading = threading.Thread(target=source.read)
    reading.start()
    assert opening.wait(GUARD_S)

    source.cancel()
    reading.join(GUARD_S)
    assert not reading.is_alive()
    source.close()
    assert not script.closed.is_set()  # to release what another thread opens would crash OpenCV

    release.set()
    assert script.closed.wait(GUARD_S)


def test_a_bug_in_a_source_is_no_loss():
    class Broken(Scripted):
        def reopen(self):
            raise ZeroDivisionError("a bug")

    source = Reconnecting(Broken(1), give_up_s=GUARD_S)
    source.open()
    source.read()
    with pytest.raises(ZeroDivisionError):
        source.read()
    source.close()


def test_the_first_opening_is_not_tried_twice():
    script = Scripted()
    source = Reconnecting(script, give_up_s=GUARD_S)
    with contextlib.suppress(IndexError):
        source.open()
    assert script.attempts == 0
    source.close()


def test_a_camera_slower_than_its_time_out_is_given_more_time(network_camera, reader):
    camera = network_camera("--fps", "5")
    ours = reader(camera.url, stall_s=0.12)

    # Each connection shows a frame or two until the time-out has grown past 0.2 s, then it holds
    ours.wait_for(lambda r: r.frames and len([f for f in r.frames if f[1] == r.frames[-1][1]]) > 8)
    assert ours.source.epoch <= 3

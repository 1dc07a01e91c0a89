"""Live sources: the age of what is delivered stays flat, losses are counted, death is told."""

import threading
import time

import numpy as np
import pytest

from guide.errors import GuideError
from guide.timing import Timeline
from guide_vision.pipeline import Facts, Frame, Latest, Lossless, link_for, open_source
from guide_vision.pipeline.barcode import read_barcode


def until_it_fails(link):
    """Take frames until the link raises; returns the message."""

    def take_all():
        while True:
            link.take()

    with pytest.raises(GuideError) as caught:
        take_all()
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return caught.value.message


def test_a_live_source_gets_the_latest_and_a_file_gets_everything(make_clip):
    assert isinstance(link_for(open_source("virtual:live")), Latest)
    assert isinstance(link_for(open_source("http://127.0.0.1:9/")), Latest)
    assert isinstance(link_for(open_source("0")), Latest)
    assert isinstance(link_for(open_source("virtual")), Lossless)
    assert isinstance(link_for(open_source(str(make_clip(frames=2)))), Lossless)


def test_a_slow_consumer_of_a_network_camera_never_falls_behind(network_camera):
    link = link_for(open_source(network_camera("--fps", "60").url))
    link.open()
    began = time.perf_counter_ns()
    sequence, lags = [], []
    for _ in range(20):
        frame = link.take()
        age_ms = time.perf_counter_ns() // 1_000_000 - read_barcode(frame.image, row=0)
        sequence.append((frame.seq, read_barcode(frame.image, row=1)))
        lags.append(link.books.captured - 1 - frame.seq)
        time.sleep(0.05)  # three frames come meanwhile
    elapsed_ms = (time.perf_counter_ns() - began) / 1e6
    books = link.close()

    assert books.balanced
    assert books.delivered == 20
    assert books.dropped > 20  # most were given up, and counted
    assert max(lags) <= 2  # what was delivered was the newest there was
    # A queue would by now be two thirds of the elapsed time behind the camera's own clock
    assert age_ms < elapsed_ms / 4
    ours, theirs = np.diff(np.array(sequence), axis=0).T
    assert np.abs(ours.sum() - theirs.sum()) <= 3  # our count is the camera's own


def test_three_buffers_carry_any_number_of_frames(network_camera):
    link = link_for(open_source(network_camera("--fps", "60").url))
    link.open()

    places = set()
    for _ in range(40):
        places.add(link.take().image.ctypes.data)
    link.close()

    assert len(places) <= 3
    assert link.reallocated == 0


def test_a_frame_stays_as_it_is_until_the_next_one_is_taken(network_camera):
    link = link_for(open_source(network_camera("--fps", "60").url))
    link.open()

    for _ in range(5):
        frame = link.take()
        kept = frame.image.copy()
        time.sleep(0.06)  # the capture thread goes on writing, elsewhere
        assert np.array_equal(frame.image, kept)
    link.close()


def test_a_camera_that_dies_is_one_line(network_camera):
    camera = network_camera()
    link = link_for(open_source(camera.url))
    link.open()
    link.take()

    camera.kill()

    assert "closed after" in until_it_fails(link)
    assert link.close().balanced


def test_a_camera_that_falls_silent_is_one_line_within_its_time_out(network_camera):
    camera = network_camera()
    link = link_for(open_source(camera.url, stall_s=0.4))
    link.open()
    link.take()

    camera.stop()

    assert "has sent no frame for 0." in until_it_fails(link)
    assert link.close().balanced
    assert not link.abandoned


@pytest.mark.parametrize("kind", [Lossless, Latest])
def test_damaged_pictures_are_counted_and_passed_over(scripted_stream, kind):
    def script(stream):
        for number in range(12):
            stream.picture(number, damaged=number in (4, 7, 8))

    link = kind(open_source(scripted_stream(script).url))
    link.open()
    seen = []

    def take_all():
        while True:
            frame = link.take()
            seen.append((frame.seq, read_barcode(frame.image)))

    with pytest.raises(GuideError, match="closed after 9 frames"):
        take_all()
    books = link.close()

    assert books.balanced
    assert (books.captured, books.unreadable) == (12, 3)
    assert str(books).endswith("+ unreadable 3")
    assert all(seq == number for seq, number in seen)  # a gap where one was damaged
    assert seen[-1] == (11, 11)


def test_a_stream_of_nothing_but_damaged_pictures_is_told_as_such(scripted_stream):
    def script(stream):
        number = 0
        while not stream.over.is_set():
            stream.picture(number, damaged=number > 3)
            number += 1

    link = link_for(open_source(scripted_stream(script).url, stall_s=0.4))
    link.open()

    assert "has sent no readable frame for 0." in until_it_fails(link)
    assert link.close().balanced


def test_silence_in_the_middle_of_a_picture_is_silence(scripted_stream):
    def script(stream):
        for number in range(5):
            stream.picture(number)
        stream.picture(5, keep=0.6)
        stream.over.wait(10)

    link = Lossless(open_source(scripted_stream(script).url, stall_s=0.4))
    link.open()

    assert "has sent no frame for 0." in until_it_fails(link)
    assert link.close().delivered == 5  # the fragment is no frame


@pytest.mark.parametrize("when", ["open", "take"])
def test_a_wait_is_over_when_the_run_is_to_stop(when):
    class Slow(Stuck):
        def open(self):
            if when == "open":
                self.released.wait(30)
            return Facts("slow camera", 8, 8, 30.0, first_frame_s=30, stall_s=30)

    source, asked = Slow(0), []

    def stopping():
        asked.append(when)
        return len(asked) > 3

    link = link_for(source, stopping=stopping)
    if when == "open":
        with pytest.raises(GuideError, match="stopped before"):
            link.open()
    else:
        link.open()
        assert link.take() is None
    source.released.set()
    assert link.close().balanced


class Stuck:
    """A source whose driver hangs after some frames, as no real part does on demand."""

    live = True

    def __init__(self, frames):
        self.frames = frames
        self.released = threading.Event()

    def open(self):
        return Facts("stuck camera", 8, 8, 30.0, first_frame_s=0.1, stall_s=0.1)

    def read(self, into=None):
        if not self.frames:
            self.released.wait(30)
            return None
        self.frames -= 1
        return Frame(np.zeros((8, 8, 3), np.uint8), 0, 0, 0)

    def close(self):
        pass


@pytest.mark.parametrize("frames", [0, 1])
def test_a_driver_that_never_returns_does_not_freeze_the_program(frames):
    source = Stuck(frames)
    link = Latest(source)
    link.open()

    assert "stuck camera has shown nothing" in until_it_fails(link)
    assert link.close().balanced
    assert link.abandoned
    source.released.set()


def test_an_error_of_the_capture_thread_arrives_at_the_consumer():
    class Broken(Stuck):
        def read(self, into=None):
            raise ZeroDivisionError("a bug in a source")

    link = Latest(Broken(0))
    link.open()
    with pytest.raises(ZeroDivisionError, match="a bug"):
        link.take()
    assert link.close().balanced


def test_a_link_that_never_opened_can_be_closed():
    assert Latest(open_source("0")).close().balanced
    assert Lossless(open_source("virtual")).close().balanced


def test_waiting_and_capturing_are_spans_of_two_threads():
    timeline = Timeline()
    link = link_for(open_source("virtual:live", width=64, height=64), timeline)
    link.open()
    for _ in range(3):
        link.take()
    link.close()

    lanes = {span.name: span.lane for span in timeline.spans()}
    assert set(lanes) == {"camera", "wait"}
    assert lanes["camera"] != lanes["wait"]
    assert timeline.lanes[lanes["camera"]] == "capture"


def test_memory_that_does_not_fit_is_counted():
    class Changing(Stuck):
        live = False

        def read(self, into=None):
            self.frames += 1
            size = 8 if self.frames < 3 else 16
            fits = into is not None and into.shape[0] == size
            image = into if fits else np.zeros((size, size, 3), np.uint8)
            return Frame(image, self.frames, 0, 0)

    link = Lossless(Changing(0))
    link.open()
    for _ in range(6):
        link.take()

    assert link.reallocated == 1

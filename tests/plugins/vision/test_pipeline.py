"""A pipeline: nothing is lost uncounted, what is live stays young, every end is told."""

import threading
import time

import cv2
import numpy as np
import pytest

from guide.errors import GuideError
from guide.loop import Loop
from guide.timing import Timeline
from guide_vision.pipeline import Facts, Frame, Pipeline, Sample, link_for, open_source
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
    assert link_for(open_source("virtual:live")) == "latest"
    assert link_for(open_source("http://127.0.0.1:9/")) == "latest"
    assert link_for(open_source("0")) == "latest"
    assert link_for(open_source("virtual")) == "lossless"
    assert link_for(open_source(str(make_clip(frames=2)))) == "lossless"


def test_a_slow_consumer_of_a_network_camera_never_falls_behind(network_camera):
    link = Pipeline(open_source(network_camera("--fps", "60").url))
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
    assert books.dropped["replaced"] > 20  # most were given up, and counted
    assert max(lags) <= 2  # what was delivered was the newest there was
    # A queue would by now be two thirds of the elapsed time behind the camera's own clock
    assert age_ms < elapsed_ms / 4
    ours, theirs = np.diff(np.array(sequence), axis=0).T
    assert np.abs(ours.sum() - theirs.sum()) <= 3  # our count is the camera's own


def test_four_slots_carry_any_number_of_frames(network_camera):
    link = Pipeline(open_source(network_camera("--fps", "60").url))
    link.open()

    places = set()
    for _ in range(40):
        places.add(link.take().image.ctypes.data)
    link.close()

    assert len(places) <= 4
    assert link.reallocated == 0


def test_a_frame_stays_as_it_is_until_the_next_one_is_taken(network_camera):
    link = Pipeline(open_source(network_camera("--fps", "60").url))
    link.open()

    for _ in range(5):
        frame = link.take()
        kept = frame.image.copy()
        time.sleep(0.06)  # the capture thread goes on writing, elsewhere
        assert np.array_equal(frame.image, kept)
    link.close()


def test_a_camera_that_dies_is_one_line(network_camera):
    camera = network_camera()
    link = Pipeline(open_source(camera.url))
    link.open()
    link.take()

    camera.kill()

    assert "closed after" in until_it_fails(link)
    assert link.close().balanced


def test_a_camera_that_falls_silent_is_one_line_within_its_time_out(network_camera):
    camera = network_camera()
    link = Pipeline(open_source(camera.url, stall_s=0.4))
    link.open()
    link.take()

    camera.stop()

    assert "has sent no frame for 0." in until_it_fails(link)
    assert link.close().balanced
    assert not link.abandoned


@pytest.mark.parametrize("kind", ["lossless", "latest"])
def test_damaged_pictures_are_counted_and_passed_over(scripted_stream, kind):
    def script(stream):
        for number in range(12):
            stream.picture(number, damaged=number in (4, 7, 8))

    link = Pipeline(open_source(scripted_stream(script).url), link=kind)
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

    link = Pipeline(open_source(scripted_stream(script).url, stall_s=0.4))
    link.open()

    assert "has sent no readable frame for 0." in until_it_fails(link)
    assert link.close().balanced


def test_silence_in_the_middle_of_a_picture_is_silence(scripted_stream):
    def script(stream):
        for number in range(5):
            stream.picture(number)
        stream.picture(5, keep=0.6)
        stream.over.wait(10)

    link = Pipeline(open_source(scripted_stream(script).url, stall_s=0.4))
    link.open()

    assert "has sent no frame for 0." in until_it_fails(link)
    assert link.close().captured == 5  # the fragment is no frame


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

    link = Pipeline(source, stopping=stopping)
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
    link = Pipeline(source)
    link.open()

    assert "stuck camera has shown nothing" in until_it_fails(link)
    assert link.close().balanced
    assert link.abandoned
    source.released.set()


def test_an_error_of_the_capture_thread_arrives_at_the_consumer():
    class Broken(Stuck):
        def read(self, into=None):
            raise ZeroDivisionError("a bug in a source")

    link = Pipeline(Broken(0))
    link.open()
    with pytest.raises(ZeroDivisionError, match="a bug"):
        link.take()
    assert link.close().balanced


def test_a_link_that_never_opened_can_be_closed():
    assert Pipeline(open_source("0")).close().balanced
    assert Pipeline(open_source("virtual")).close().balanced


def test_waiting_and_capturing_are_spans_of_two_threads():
    timeline = Timeline()
    link = Pipeline(open_source("virtual:live", width=64, height=64), timeline=timeline)
    link.open()
    for _ in range(3):
        link.take()
    link.close()

    lanes = {span.name: span.lane for span in timeline.spans()}
    assert set(lanes) == {"capture", "wait"}
    assert lanes["capture"] != lanes["wait"]
    assert timeline.lanes[lanes["capture"]] == "worker 0"


def test_memory_that_does_not_fit_is_counted():
    class Changing(Stuck):
        live = False

        def read(self, into=None):
            self.frames += 1
            size = 8 if self.frames < 3 else 16
            fits = into is not None and into.shape[0] == size
            image = into if fits else np.zeros((size, size, 3), np.uint8)
            return Frame(image, self.frames, 0, 0)

    link = Pipeline(Changing(0))
    link.open()
    for _ in range(6):
        link.take()

    assert link.reallocated == 1


class Counting:
    """A source of numbered frames that ends; its picture holds its number."""

    live = False

    def __init__(self, frames, size=8):
        self.frames, self.seq, self.size = frames, 0, size

    def open(self):
        return Facts("counter", self.size, self.size, None)

    def read(self, into=None):
        if self.seq == self.frames:
            return None
        into[:] = self.seq % 256
        self.seq += 1
        return Frame(into, self.seq - 1, 0, time.perf_counter_ns())

    def close(self):
        pass


class Look:
    """A stage that keeps what it saw."""

    def __init__(self, name="look", *, parallel=False, fails_on=None):
        self.name, self.parallel, self.fails_on = name, parallel, fails_on
        self.seen, self.inside, self.most_inside = [], 0, 0
        self.lock = threading.Lock()

    def process(self, frame):
        with self.lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            self.seen.append(frame.seq)
        time.sleep(0.0005)  # lets go of the GIL, as every call of OpenCV does
        with self.lock:
            self.inside -= 1
        if frame.seq == self.fails_on:
            raise ZeroDivisionError("a bug in a stage")
        return int(frame.image[0, 0, 0]), frame.image.ctypes.data


def all_of(pipeline):
    pipeline.open()
    frames = []
    while (frame := pipeline.take()) is not None:
        frames.append((frame.seq, dict(frame.results), frame.image.ctypes.data))
    return frames


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
def test_any_number_of_workers_gives_every_frame_in_order_with_the_same_results(workers):
    stages = [Look("first"), Look("any", parallel=True), Look("last")]
    pipeline = Pipeline(Counting(100), stages, workers=workers)

    frames = all_of(pipeline)
    books = pipeline.close()

    assert [seq for seq, _, _ in frames] == list(range(100))
    assert stages[0].seen == stages[2].seen == list(range(100))
    assert sorted(stages[1].seen) == list(range(100))
    assert stages[0].most_inside == stages[2].most_inside == 1
    assert (books.captured, books.delivered, books.in_flight) == (100, 100, 0)
    for seq, results, place in frames:
        # every stage saw the frame where the source had put it: nobody made a copy
        assert dict.fromkeys(("first", "any", "last"), (seq, place)) == results
    assert len({place for _, _, place in frames}) <= pipeline.slots
    assert pipeline.reallocated == 0


def test_several_workers_are_in_a_stage_that_remembers_nothing_at_once():
    met = threading.Barrier(2, timeout=10)  # passed only by two threads inside at one time

    class Meet(Look):
        def process(self, frame):
            met.wait()

    pipeline = Pipeline(Counting(10), [Meet(parallel=True)], workers=2)

    assert len(all_of(pipeline)) == 10
    assert pipeline.close().balanced


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_stage_that_raises_lets_those_before_it_through_and_is_named(workers):
    stages = [Look("look"), Look("count", fails_on=30), Look("after")]
    pipeline = Pipeline(Counting(1000), stages, workers=workers)
    pipeline.open()
    got = []

    def take_all():
        while True:
            got.append(pipeline.take().seq)

    with pytest.raises(ZeroDivisionError) as caught:
        take_all()
    books = pipeline.close()

    assert got == list(range(30))
    assert pipeline.broken == ("count", 30)
    assert "in the stage count, on frame 30" in caught.value.__notes__
    assert books.balanced, str(books)
    assert books.dropped["failed"] == 1
    assert "failed 1" in str(books)
    assert books.in_flight == 0


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sample_is_every_nth_and_the_others_are_counted(workers):
    pipeline = Pipeline(Counting(100), [Look()], link=Sample(3), workers=workers)

    assert [seq for seq, _, _ in all_of(pipeline)] == list(range(0, 100, 3))
    books = pipeline.close()
    assert books.balanced
    assert str(books) == "captured 100 = delivered 34 + dropped 66 (sampled 66) + in flight 0"


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_consumer_may_leave_at_any_time_and_the_books_balance(workers):
    for leave_after in (0, 1, 7):
        pipeline = Pipeline(Counting(10**6), [Look("a"), Look("b")], workers=workers)
        pipeline.open()
        for _ in range(leave_after):
            pipeline.take()
        books = pipeline.close()
        assert books.balanced, str(books)
        assert books.delivered == leave_after
        assert books.in_flight <= pipeline.slots


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_slow_stage_on_a_live_camera_gets_young_frames(network_camera, workers):
    class Slow(Look):
        def process(self, frame):
            time.sleep(0.05)  # three frames come meanwhile

    source = open_source(network_camera("--fps", "60").url)
    pipeline = Pipeline(source, [Slow("slow"), Look("after")], workers=workers)
    pipeline.open()
    lags = []
    for _ in range(20):
        frame = pipeline.take()
        assert {"slow", "after"} == set(frame.results)
        lags.append(pipeline.books.captured - 1 - frame.seq)
    books = pipeline.close()

    assert books.balanced, str(books)
    assert books.dropped["replaced"] > 20
    # work of three periods, and at most two that it waited for its turn; never more and more
    assert sorted(lags)[10] <= 6
    assert lags[-1] - lags[5] < 10


def test_each_frame_carries_when_every_stage_had_it():
    pipeline = Pipeline(Counting(5), [Look("a"), Look("b")], workers=2)
    pipeline.open()
    while (frame := pipeline.take()) is not None:
        names, began, ended = zip(*frame.stamps, strict=True)
        assert names == ("capture", "a", "b")
        assert list(began) == sorted(began)
        assert all(e <= b for e, b in zip(ended, began[1:], strict=False))
    pipeline.close()

    assert pipeline.ages.end.count == 5
    rows = pipeline.ages.table().splitlines()
    assert [row.split()[0] for row in rows[1:]] == ["capture", "a", "b", "delivered"]


def test_a_frame_is_one_flow_across_the_threads():
    timeline = Timeline()
    pipeline = Pipeline(Counting(20), [Look("a"), Look("b")], workers=2, timeline=timeline)
    all_of(pipeline)
    pipeline.close()

    for seq in range(20):
        flow = [s.name for s in timeline.spans() if s.flow == seq]
        assert sorted(flow) == ["a", "b", "capture"]


def test_too_few_slots_and_two_stages_of_one_name_are_refused():
    with pytest.raises(ValueError, match="at least 2"):
        Pipeline(Counting(1), [Look()], workers=1, slots=1)
    with pytest.raises(ValueError, match="one name: look, look"):
        Pipeline(Counting(1), [Look(), Look()])
    with pytest.raises(ValueError, match="n from 1"):
        Sample(0)


def test_opencv_uses_one_thread_inside_a_pipeline_and_what_it_had_after_it():
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        pipeline = Pipeline(Counting(3), [Look()], workers=1)
        pipeline.open()
        assert cv2.getNumThreads() == 1
        pipeline.close()
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loop_that_follows_it_begins_a_tick_as_a_frame_comes(workers):
    timeline = Timeline()
    source = open_source("virtual:live", width=64, height=64, clock=timeline.clock)
    pipeline = Pipeline(source, [Look()], workers=workers, timeline=timeline)
    pipeline.open()
    loop = Loop(30, ticks=8, timeline=timeline)
    loop.follow(pipeline.wait)
    due = [(tick.due_ns, pipeline.take().t_capture_ns) for tick in loop]

    assert pipeline.close().balanced
    # a newer frame may come between the two; nobody waits for a grid of its own
    assert all(captured - due_ns in (0, pytest.approx(1e9 / 30, abs=9)) for due_ns, captured in due)
    assert len({due_ns for due_ns, _ in due}) == 8


def test_following_a_source_that_went_silent_ends_in_its_error():
    pipeline = Pipeline(Stuck(1))
    pipeline.open()
    loop = Loop(30, seconds=20)
    loop.follow(pipeline.wait)

    def run():
        for _ in loop:
            pipeline.take()

    with pytest.raises(GuideError, match="stuck camera has shown nothing"):
        run()
    pipeline.close()

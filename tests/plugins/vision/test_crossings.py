"""Things that cross, and cameras with faults: the truth holds, and the same run comes again."""

import itertools

import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.errors import GuideError, UsageError
from guide_vision.pipeline import MovingObjects, Pipeline, open_source
from guide_vision.pipeline.barcode import read_barcode
from guide_vision.pipeline.crossings import Crossings
from guide_vision.pipeline.faults import Faults
from guide_vision.pipeline.score import overlap
from guide_vision.pipeline.virtual import VirtualCamera

SIZE = {"width": 320, "height": 180}


def crossings(**settings):
    return Crossings(VirtualCamera(**SIZE, noise=0, speed=0), **settings)


def read(source, count):
    """Copies of the next frames."""
    frames = [source.read() for _ in range(count)]
    assert None not in frames
    return frames


def opened(source):
    source.open()
    return source


def test_a_box_spans_exactly_what_its_thing_changes():
    source = opened(crossings(count=1, noise=0))
    empty, *frames = read(source, 120)
    checked = 0
    for frame in frames:
        changed = (frame.image != empty.image).any(axis=2)
        for x, y, w, h in frame.true_boxes.astype(int):
            rows, columns = (np.flatnonzero(changed.any(axis=k)) for k in (1, 0))
            # A thing may have a pixel of the colour of what is behind it
            assert np.abs([rows[0] - y, rows[-1] + 1 - y - h]).max() <= 1
            assert np.abs([columns[0] - x, columns[-1] + 1 - x - w]).max() <= 1
            checked += 1
    assert checked > 50


def test_things_hide_one_another_and_ids_are_never_given_twice():
    hidden, last, first = 0, {}, {}
    for frame in read(opened(crossings()), 600):
        common = np.triu(overlap(frame.true_boxes, frame.true_boxes), 1)
        hidden += (common > 0.1).sum()
        assert len(set(frame.true_ids.tolist())) == len(frame.true_ids) == len(frame.true_boxes)
        for k in frame.true_ids.tolist():
            first.setdefault(k, frame.seq)
            last[k] = frame.seq
    assert hidden > 60
    assert len(first) > 12
    # One passage each: nobody comes back under an old id after it has left
    assert max(last[k] - first[k] for k in first) < 400


def test_the_background_can_be_learned_first():
    assert not any(len(frame.true_ids) for frame in read(opened(crossings()), 15))


def test_a_seed_gives_the_same_run():
    def one(seed):
        name = "virtual:crossings+drop+duplicate+dim+resize"
        source = opened(open_source(name, seed=seed, **SIZE))
        return [(f.seq, f.image.sum(), f.true_ids.tolist()) for f in read(source, 200)]

    assert one(3) == one(3)
    assert one(3) != one(4)


def test_dropped_frames_leave_gaps_and_the_rest_is_as_it_was():
    whole = {f.seq: f for f in read(opened(crossings()), 200)}
    frames = read(opened(Faults(crossings(), drop=0.25)), 120)

    numbers = [f.seq for f in frames]
    assert numbers == sorted(set(numbers))
    assert 0.15 < 1 - 120 / (numbers[-1] + 1) < 0.35
    for f in frames:
        assert np.array_equal(f.true_boxes, whole[f.seq].true_boxes)


def test_duplicates_show_the_same_moment_under_the_next_number():
    frames = read(opened(Faults(crossings(), duplicate=0.3)), 100)

    assert [f.seq for f in frames] == list(range(100))
    twins = [(a, b) for a, b in itertools.pairwise(frames) if a.t_capture_ns == b.t_capture_ns]
    assert 10 < len(twins) < 50
    for a, b in twins:
        assert np.array_equal(a.image, b.image)
        assert a.true_boxes is b.true_boxes


def test_late_frames_are_late_by_what_was_asked():
    clock = VirtualClock()
    source = Faults(
        VirtualCamera(**SIZE, live=True, fps=10, clock=clock), late=0.2, late_s=0.05, clock=clock
    )
    source.open()
    ages = [frame.age_ns(clock.now_ns()) for frame in (source.read() for _ in range(60))]

    assert set(ages) == {0, 50_000_000}
    assert 4 < ages.count(50_000_000) < 24


def test_the_light_goes_down_and_up_again():
    frames = read(opened(Faults(crossings(count=1, noise=0), dim_every=10, dim=0.5)), 30)
    light = np.array([f.image.mean() for f in frames])

    assert np.allclose(light[10:20] / light[:10], 0.5, atol=0.02)
    assert np.allclose(light[20:] / light[:10], 1, atol=0.02)


@pytest.mark.parametrize("link", [True, False])
def test_a_change_of_size_takes_the_truth_along(link):
    whole = read(opened(crossings()), 60)
    source = Faults(crossings(), resize_at=40)
    if link:
        lossless = Pipeline(source)
        lossless.open()
        frames = []
        for _ in range(60):
            frame = lossless.take()
            frames.append((frame.image.shape, frame.true_boxes, frame.truth))
        assert lossless.reallocated == 1  # the change is noticed, and only once
    else:
        frames = [(f.image.shape, f.true_boxes, f.truth) for f in read(opened(source), 60)]

    assert [shape for shape, _, _ in frames] == [(180, 320, 3)] * 40 + [(90, 160, 3)] * 20
    assert np.array_equal(frames[50][1], whole[50].true_boxes / 2)
    corner = np.array([10.0, 20.0, 1.0])
    assert np.allclose((frames[50][2] @ corner + 0.5)[:2], (whole[50].truth @ corner + 0.5)[:2] / 2)


def test_a_change_of_size_does_not_upset_the_stage():
    stage, source = MovingObjects(), opened(open_source("virtual:crossings+resize", **SIZE))
    seen = [stage.process(frame) for frame in read(source, 220)]

    assert seen[150].restarted
    assert any(s.count for s in seen[140:150])
    assert any(s.count for s in seen[200:])


def test_the_barcode_says_number_and_time():
    clock = VirtualClock(123_000_000)
    source = opened(Faults(VirtualCamera(**SIZE, clock=clock), barcode=True, duplicate=0.3))
    for frame in read(source, 20):
        assert read_barcode(frame.image, row=1) == frame.seq
        assert read_barcode(frame.image, row=0) == 123


def test_a_picture_too_narrow_for_a_barcode_is_one_line():
    with pytest.raises(GuideError, match="needs 256 pixels, the picture has 160"):
        open_source("virtual:crossings+barcode+resize", **SIZE).open()


@pytest.mark.parametrize("name", ["virtual:crossings+rain", "virtual:crossing", "virtual:+"])
def test_a_fault_that_there_is_not(name):
    with pytest.raises(UsageError) as caught:
        open_source(name)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "settings", [{"drop": 1}, {"late": -0.1}, {"dim": 0}, {"resize": -1}, {"dim_every": 0}]
)
def test_a_fault_that_cannot_be(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        Faults(crossings(), **settings)

"""Tracks keep their ids: crossings, absences, flickers, dropped frames, and held against truth."""

import numpy as np
import pytest

from guide_vision.pipeline import MovingObjects, open_source
from guide_vision.pipeline.identity import Identity
from guide_vision.pipeline.tracking import BoxFilter, Tracker, TrackMetrics


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize("kind", [Identity, Tracker])
def test_two_that_cross_keep_their_ids(kind):
    tracker, first = kind(confirm=2), {}
    for k in range(21):
        # they pass each other 12 pixels apart, handed over in alternating order
        pair = [(10 + 10 * k, 50, 20, 20), (210 - 10 * k, 62, 20, 20)]
        ids, at = tracker.update(boxes(*(pair if k % 2 else pair[::-1])))

        first = first or dict(zip(np.round(at[:, 0], -1).tolist(), ids.tolist(), strict=True))
    # the one that began on the left is now on the right
    assert ids[at[:, 0].argmax()] == first[min(first)]
    assert sorted(ids.tolist()) == [0, 1]


@pytest.mark.parametrize("kind", [Identity, Tracker])
def test_one_that_is_hidden_for_a_while_comes_back_as_itself(kind):
    tracker = kind(confirm=2, forget=5)
    for k in range(6):
        ids, _ = tracker.update(boxes((10 * k, 50, 20, 20)))
    assert ids.tolist() == [0]
    for _ in range(4):
        ids, _ = tracker.update(boxes())
        assert not len(ids)
    ids, _ = tracker.update(boxes((100, 50, 20, 20)))
    assert ids.tolist() == [0]


@pytest.mark.parametrize("kind", [Identity, Tracker])
def test_one_that_stays_away_is_forgotten(kind):
    tracker = kind(confirm=2, forget=3)
    for _ in range(4):
        tracker.update(boxes((50, 50, 20, 20)))
    for _ in range(4):
        tracker.update(boxes())
    for _ in range(3):
        ids, _ = tracker.update(boxes((50, 50, 20, 20)))
    assert ids.tolist() == [1]


@pytest.mark.parametrize("kind", [Identity, Tracker])
def test_a_flicker_is_never_reported(kind):
    tracker = kind(confirm=3)
    for k in range(10):
        ids, _ = tracker.update(boxes((50, 50, 20, 20)) if k % 2 else boxes())
        assert not len(ids)


def test_two_that_become_one_blob_are_both_reported_and_part_as_themselves():
    tracker = Tracker(confirm=2)
    for k in range(40):
        a, b = 5 * k, 200 - 5 * k  # 40 wide: one blob while they overlap
        if abs(a - b) < 40:
            left = min(a, b)
            blob = boxes((left, 50, max(a, b) + 40 - left, 40))
        else:
            blob = boxes((a, 50, 40, 40), (b, 50, 40, 40))
        ids, at = tracker.update(blob)
        if k >= 2:
            # One that is all but wholly behind the other is not in this frame
            assert sorted(ids.tolist()) == [0, 1] or abs(a - b) <= 10
            assert all(min(abs(x - a), abs(x - b)) < 8 for x in at[:, 0])
        if k == 5:
            before = ids[at[:, 0].argmin()]
    assert ids[at[:, 0].argmax()] == before


def test_one_that_is_missed_for_a_frame_may_coast():
    tracker = Tracker(confirm=2, coast=1)
    for k in range(10):
        tracker.update(boxes((6 * k, 50, 30, 30)))
    ids, at = tracker.update(boxes())
    assert ids.tolist() == [0]
    assert at[0, 0] == pytest.approx(60, abs=1)
    ids, _ = tracker.update(boxes())
    assert not len(ids)


def test_dropped_frames_do_not_confuse_when_they_are_counted():
    """Two cross, of every five frames one is seen; per call they move further than they are big."""

    def run(elapsed):
        tracker, names = Tracker(confirm=2), []
        for k in range(0, 60, 5):
            pair = boxes((8 * k, 50, 30, 30), (480 - 8 * k, 90, 30, 30))
            ids, at = tracker.update(pair, elapsed)
            names.append(
                {round(float(y), -1): i for y, i in zip(at[:, 1], ids.tolist(), strict=True)}
            )
        return names

    assert len({tuple(sorted(n.items())) for n in run(5.0) if n}) == 1


def test_an_id_is_never_given_twice():
    rng, tracker, seen, last = np.random.default_rng(0), Tracker(confirm=1, forget=2), {}, -1
    for k in range(300):
        ids, _ = tracker.update(rng.uniform(0, 500, (rng.integers(0, 6), 4)).astype(np.float32))
        assert len(set(ids.tolist())) == len(ids)
        for i in ids.tolist():
            # a new one is above all there were
            assert i in seen or i > last
            seen[i] = k
        last = max(seen, default=-1)
    assert last > 50


def test_the_filter_converges_on_the_speed_and_says_how_sure_it_is():
    rng, kalman = np.random.default_rng(1), BoxFilter(waver=0.05)
    truth = boxes((0, 0, 40, 40), (300, 0, 80, 80))
    kalman.add(truth)
    distances = []
    for _ in range(300):
        truth[:, 0] += (2, -1)
        kalman.predict()
        noise = rng.normal(0, 0.05, (2, 2)) * [[40], [80]]
        measured = truth.copy()
        measured[:, :2] += noise.astype(np.float32)
        distances.append(np.diag(kalman.distance(measured)))
        kalman.correct(np.arange(2), measured)
    assert np.allclose(kalman.speed, [(2, 0), (-1, 0)], atol=1.0)
    assert np.abs(kalman.boxes - truth).max() < 6
    # 99 in 100 within the gate of two axes: the filter does not overstate what it knows
    assert np.mean(np.array(distances[20:]) < 9.21) > 0.97


def detections(seed):
    """True boxes that jitter, go missing and come with false ones, and MOG2's blobs."""
    source = open_source("virtual:crossings", seed=seed, width=480, height=270)
    source.open()
    rng = np.random.default_rng(seed)
    for _ in range(300):
        frame = source.read()
        kept = frame.true_boxes[rng.random(len(frame.true_boxes)) < 0.9]
        kept = kept + rng.normal(0, 2, kept.shape)
        if rng.random() < 0.1:
            kept = np.vstack([kept, [*rng.uniform(0, 200, 2), 50, 50]])
        yield rng.permutation(kept).astype(np.float32), frame


def test_against_truth_it_is_better_than_the_greedy_one():
    total = {Identity: [], Tracker: []}
    for seed in range(3):
        metrics, trackers = {k: TrackMetrics() for k in total}, {k: k() for k in total}
        for seen, frame in detections(seed):
            for kind, tracker in trackers.items():
                metrics[kind].add(*tracker.update(seen), frame.true_ids, frame.true_boxes)
        for kind in total:
            total[kind].append(metrics[kind].score())

    def mean(kind, name):
        return np.mean([getattr(s, name) for s in total[kind]])

    for name in ("hota", "deta", "assa", "idf1", "motp"):
        assert mean(Tracker, name) > mean(Identity, name), name
    assert mean(Tracker, "rmse_px") < 0.8 * mean(Identity, "rmse_px")
    assert mean(Tracker, "mota") > mean(Identity, "mota") - 0.01
    assert mean(Tracker, "switches") <= mean(Identity, "switches")


def test_the_stage_tracks_what_crosses():
    source, stage, metrics = open_source("virtual:crossings"), MovingObjects(), TrackMetrics()
    source.open()
    for _ in range(400):
        frame = source.read()
        seen = stage.process(frame)
        metrics.add(seen.ids, seen.boxes, frame.true_ids, frame.true_boxes)
    score = metrics.score()

    assert score.hota > 0.6  # the greedy tracker reaches 0.49
    assert score.mota > 0.65
    assert score.rmse_px < 5

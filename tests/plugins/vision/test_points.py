"""Points follow the picture to a fraction of a pixel, measured against the virtual camera."""

import itertools
from statistics import median

import cv2
import numpy as np
import pytest

from guide_vision.pipeline import Frame, Pipeline, PointTracker, open_source
from guide_vision.pipeline.motion import between, describe, distance_px, similarity, transform


def follow(tracker, count, **settings):
    """What the tracker saw in the first frames of the virtual camera."""
    link = Pipeline(open_source("virtual", **{"width": 480, "height": 270, **settings}))
    link.open()
    seen = [tracker.process(link.take()) for _ in range(count)]
    link.close()
    return seen


@pytest.mark.parametrize("model", ["similarity", "homography"])
@pytest.mark.parametrize(("noise", "allowed_px"), [(0.0, 0.05), (2.0, 0.1), (8.0, 0.5)])
def test_the_error_against_the_truth_is_small(model, noise, allowed_px):
    seen = follow(PointTracker(model=model), 45, noise=noise)

    assert median(s.error_px for s in seen[1:]) < allowed_px
    assert median(s.point_error_px for s in seen[1:]) < allowed_px
    assert not any(s.restarted for s in seen[1:])


def test_frames_that_were_dropped_in_between_do_no_harm():
    tracker = PointTracker()
    link = Pipeline(open_source("virtual", width=480, height=270))
    link.open()
    errors = []
    for number in range(60):
        frame = link.take()
        if number % 3 == 0:
            seen = tracker.process(frame)
            errors.append(seen.error_px)
    link.close()

    assert median(errors[1:]) < 0.1


def test_an_id_stays_with_its_point_and_is_never_given_twice():
    seen = follow(PointTracker(count=60), 60)

    for before, after in itertools.pairwise(seen):
        _, rows, later = np.intersect1d(before.ids, after.ids, return_indices=True)
        assert len(rows) > 20
        step = np.linalg.norm(after.points[later] - before.points[rows], axis=1)
        assert np.median(step) < 8
    # an id that was lost does not come back
    for k in range(1, len(seen)):
        gone = set(seen[k - 1].ids.tolist()) - set(seen[k].ids.tolist())
        assert not gone & set(np.concatenate([s.ids for s in seen[k:]]).tolist())


def test_points_that_leave_are_replaced():
    seen = follow(PointTracker(count=120), 120)

    assert min(s.count for s in seen) > 60
    assert max(s.count for s in seen) <= 120


def test_what_moves_on_its_own_is_told_apart():
    tracker = PointTracker(count=200)
    link = Pipeline(open_source("virtual", width=480, height=270, noise=0))
    link.open()
    patch = np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)
    patch = cv2.GaussianBlur(patch, (5, 5), 0)
    for number in range(12):
        frame = link.take()
        x = 100 + 7 * number
        frame.image[100:160, x : x + 60] = patch
        seen = tracker.process(frame)
    link.close()

    inside = (np.abs(seen.points - (x + 30, 130)) < 22).all(axis=1)
    assert inside.sum() >= 5
    assert seen.steady[inside].mean() < 0.2
    assert seen.steady[~inside].mean() > 0.9
    assert seen.error_px < 0.1


def test_a_cut_restarts_instead_of_inventing_a_motion():
    tracker = PointTracker()
    rng = np.random.default_rng(0)
    scenes = [cv2.resize(rng.integers(0, 255, (27, 48, 3), np.uint8), (480, 270)) for _ in range(2)]
    results = [
        tracker.process(Frame(scene, k, 0, 0))
        for k, scene in enumerate([scenes[0], scenes[0], scenes[1], scenes[1]])
    ]

    assert [r.restarted for r in results] == [True, False, True, False]
    assert results[2].motion is None
    assert not set(results[1].ids.tolist()) & set(results[2].ids.tolist())


def test_a_new_epoch_or_a_new_size_restarts():
    tracker = PointTracker()
    image = cv2.resize(np.random.default_rng(0).integers(0, 255, (27, 48, 3), np.uint8), (480, 270))

    assert tracker.process(Frame(image, 0, 0, 0)).restarted
    assert not tracker.process(Frame(image, 1, 0, 0)).restarted
    assert tracker.process(Frame(image, 2, 1, 0)).restarted
    assert tracker.process(Frame(image[:200, :400].copy(), 3, 1, 0)).restarted


def test_too_few_points_to_ask_for_is_refused():
    with pytest.raises(ValueError, match="at least"):
        PointTracker(count=3)


def test_motions_compose_and_are_told_apart_in_pixels():
    earlier, later = similarity(3, 4, 0.1, 1.1), similarity(-2, 1, 0.2, 1.3)
    corner = [(0.0, 0.0), (100.0, 50.0)]

    moved = transform(between(earlier, later), transform(earlier, corner))

    assert np.allclose(moved, transform(later, corner))
    assert distance_px(similarity(0, 0), similarity(3, 4), 640, 360) == pytest.approx(5)
    still = describe(np.eye(3), 640, 360)
    assert np.allclose(still, (0, 0, 0, 1))

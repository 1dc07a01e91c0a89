"""Moving objects before a fixed camera: boxes where they are, ids that last."""

import cv2
import numpy as np

from guide_vision.pipeline import Frame, MovingObjects, Pipeline, open_source
from guide_vision.pipeline.identity import Identity
from guide_vision.pipeline.score import BoxScore, overlap
from guide_vision.pipeline.virtual import VirtualCamera

SIZE = (320, 180)
COLOURS = ((230, 230, 230), (230, 160, 20))  # neither is in the photograph


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def truth(number):
    """Where the two squares of `street` are: one goes right, one goes left, below it."""
    return [(20 + 4 * number, 30, 36, 36), (260 - 4 * number, 110, 30, 30)]


def street(image, number):
    """A photograph at rest with two squares in it, from frame 10 on."""
    if not hasattr(street, "background"):
        camera = VirtualCamera(width=SIZE[0], height=SIZE[1], noise=0)
        camera.open()
        street.background = camera.read().image
    image[:] = street.background
    if number >= 10:
        for (x, y, w, h), colour in zip(truth(number - 10), COLOURS, strict=True):
            image[y : y + h, x : x + w] = colour


def test_boxes_are_where_the_objects_are_and_keep_their_ids(make_clip):
    link = Pipeline(open_source(str(make_clip(frames=55, draw=street, size=SIZE))))
    link.open()
    stage = MovingObjects()
    found = {0: [], 1: []}
    ids = {0: set(), 1: set()}
    while (frame := link.take()) is not None:
        seen = stage.process(frame)
        if frame.seq < 16:
            continue
        for which, quality in enumerate(overlap(boxes(*truth(frame.seq - 10)), seen.boxes)):
            found[which].append(quality.max(initial=0.0))
            if found[which][-1] > 0.5:
                ids[which].add(int(seen.ids[quality.argmax()]))
    link.close()

    for which in (0, 1):
        assert np.median(found[which]) > 0.6
        assert np.mean(np.array(found[which]) > 0.5) > 0.9
        assert len(ids[which]) == 1
    assert ids[0] != ids[1]


def test_marbles_are_found_and_the_score_says_how_many():
    link = Pipeline(open_source("virtual:marbles", width=480, height=270))
    link.open()
    stage, score = MovingObjects(), BoxScore()
    for _ in range(200):
        frame = link.take()
        seen = stage.process(frame)
        score.add(boxes() if seen.boxes is None else seen.boxes, frame.true_boxes)
    link.close()

    assert score.true > 300
    assert score.recall > 0.85
    assert score.precision > 0.85


def test_the_score_finds_each_box_once():
    score = BoxScore()
    score.add(boxes((0, 0, 10, 10), (1, 0, 10, 10), (50, 50, 9, 9)), boxes((0, 0, 10, 10)))
    score.add(boxes(), boxes((5, 5, 10, 10)))

    assert (score.true, score.seen, score.found) == (2, 3, 1)
    assert (score.recall, round(score.precision, 3)) == (0.5, 0.333)
    assert BoxScore().recall == BoxScore().precision == 0
    assert np.allclose(overlap(boxes((0, 0, 10, 10)), boxes((5, 0, 10, 10))), 1 / 3)


def test_a_cut_is_learned_anew_and_not_reported():
    stage = MovingObjects()
    rng = np.random.default_rng(0)
    scenes = [cv2.resize(rng.integers(0, 255, (9, 16, 3), np.uint8), SIZE) for _ in range(2)]

    results = [stage.process(Frame(scenes[k // 15], k, 0, 0)) for k in range(30)]

    assert [k for k, r in enumerate(results) if r.restarted] == [0, 15]
    assert all(r.count == 0 for r in results)


def test_two_that_cross_keep_their_ids():
    identity = Identity(confirm=2)
    for k in range(21):
        # they pass each other 12 pixels apart, handed over in alternating order
        pair = [(10 + 10 * k, 50, 20, 20), (210 - 10 * k, 62, 20, 20)]
        ids, at = identity.update(boxes(*(pair if k % 2 else pair[::-1])))

    assert dict(zip(ids.tolist(), at[:, 0].tolist(), strict=True)) == {0: 10.0, 1: 210.0} or dict(
        zip(ids.tolist(), at[:, 0].tolist(), strict=True)
    ) == {0: 210.0, 1: 10.0}


def test_one_that_is_hidden_for_a_while_comes_back_as_itself():
    identity = Identity(confirm=2, forget=5)
    for k in range(6):
        ids, _ = identity.update(boxes((10 * k, 50, 20, 20)))
    assert ids.tolist() == [0]
    for _ in range(4):
        ids, _ = identity.update(boxes())
        assert not len(ids)
    ids, _ = identity.update(boxes((100, 50, 20, 20)))
    assert ids.tolist() == [0]


def test_one_that_stays_away_is_forgotten():
    identity = Identity(confirm=2, forget=3)
    for _ in range(4):
        identity.update(boxes((50, 50, 20, 20)))
    for _ in range(4):
        identity.update(boxes())
    for _ in range(3):
        ids, _ = identity.update(boxes((50, 50, 20, 20)))
    assert ids.tolist() == [1]


def test_a_flicker_is_never_reported():
    identity = Identity(confirm=3)
    for k in range(10):
        ids, _ = identity.update(boxes((50, 50, 20, 20)) if k % 2 else boxes())
        assert not len(ids)

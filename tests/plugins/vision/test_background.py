"""The two background models against the truth: their masks, and what tracking makes of them."""

import builtins
import sys

import cv2
import numpy as np
import pytest

from guide.errors import GuideError
from guide_vision.pipeline import MovingObjects, open_source
from guide_vision.pipeline.background import make_background
from guide_vision.pipeline.score import BoxScore
from guide_vision.pipeline.tracking import TrackMetrics

SIZE = {"width": 640, "height": 360}


@pytest.fixture
def fused():
    pytest.importorskip("numba", reason="pip install numba")
    return make_background("fused")


def mask_quality(background, noise, frames=150):
    """Overlap of mask and truth, over all frames: the truth is where a noiseless twin changes."""
    seen, true = (open_source("virtual:crossings", noise=n, **SIZE) for n in (noise, 0))
    seen.open()
    true.open()
    empty = true.read().image.copy()
    seen.read()
    common = union = 0
    for _ in range(frames):
        mask = background.apply(seen.read().image) > 0
        changed = (true.read().image != empty).any(axis=2).astype(np.uint8)
        changed = cv2.resize(changed, mask.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
        if not background.learning:
            common += (mask & changed).sum()
            union += (mask | changed).sum()
    return common / union


def through_the_stage(kind, name="virtual:crossings", frames=300):
    source, stage = open_source(name, **SIZE), MovingObjects(background=kind)
    source.open()
    metrics, score = TrackMetrics(), BoxScore()
    for _ in range(frames):
        frame = source.read()
        seen = stage.process(frame)
        metrics.add(seen.ids, seen.boxes, frame.true_ids, frame.true_boxes)
        score.add(seen.boxes, frame.true_boxes)
    return score, metrics.score()


@pytest.mark.parametrize("noise", [2.0, 8.0])
def test_the_fused_mask_is_nearly_as_good_as_that_of_mog2(fused, noise):
    theirs, ours = mask_quality(make_background("mog2"), noise), mask_quality(fused, noise)
    assert theirs > 0.8
    assert ours > theirs - 0.2  # the published bound


@pytest.mark.parametrize("name", ["virtual:crossings", "virtual:crossings+dim"])
def test_the_published_bound_holds(fused, name):
    (score, tracks), (mog2_score, mog2_tracks) = (
        through_the_stage(kind, name) for kind in ("fused", "mog2")
    )
    assert score.recall > mog2_score.recall - 0.05
    assert tracks.hota > mog2_tracks.hota - 0.1


def test_the_pass_computes_what_its_formula_says(fused):
    rng = np.random.default_rng(0)
    mean = variance = None
    for k in range(30):
        gray = rng.integers(
            90, 110, (37, 51), np.uint8
        )  # odd: the last row and column are left out
        gray[4:10, 8:20] += 100 * (k > 20)
        small = gray[:36, :50].reshape(18, 2, 25, 2).mean(axis=(1, 3))
        mask = fused.apply(gray)
        if mean is None:
            mean, variance = small, np.zeros_like(small)
            continue
        off = small - mean
        out = off**2 > 16 * np.maximum(variance, 4)
        rate = 1 / (1 + k) if k < 8 else np.where(out, 1 / 600, 1 / 60)
        mean, variance = mean + rate * off, variance + rate * (off**2 - variance)
        assert np.mean((mask > 0) == out) > 0.995
        assert set(np.unique(mask)) <= {0, 255}
    assert mask[2:5, 4:10].all()


def test_a_gray_picture_gives_the_mask_of_the_colour_one(fused):
    colour, gray = fused, make_background("fused")
    source = open_source("virtual:crossings", **SIZE)
    source.open()
    for _ in range(60):
        image = source.read().image
        one = colour.apply(image)
        assert np.array_equal(one, gray.apply(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)))
    assert one.any()


def test_the_memory_stays_the_same_and_follows_a_change_of_size(fused):
    first = fused.apply(np.zeros((40, 60), np.uint8))
    assert fused.apply(np.zeros((40, 60), np.uint8)) is first
    assert fused.apply(np.zeros((80, 60), np.uint8)).shape == (40, 30)
    assert fused.learning


def test_without_numba_it_says_what_to_type(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name.partition(".")[0] == "numba":
            raise ImportError("No module named 'numba'")
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "guide_vision.pipeline.fused", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(GuideError, match="needs numba") as caught:
        MovingObjects(background="fused")
    assert "pip install numba" in caught.value.remedy


def test_a_background_there_is_not():
    with pytest.raises(GuideError, match="no background 'knn'"):
        make_background("knn")

"""The virtual camera does what it says: its truth is checked without the tracker."""

import cv2
import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.errors import GuideError
from guide_vision.pipeline import VirtualCamera, open_source
from guide_vision.pipeline.motion import between


def frames(count, **settings):
    camera = VirtualCamera(**{"width": 320, "height": 180, **settings})
    camera.open()
    return [camera.read() for _ in range(count)]


def test_the_stated_motion_takes_one_frame_to_the_other():
    first, *_, last = frames(20, noise=0)
    motion = between(first.truth, last.truth)
    predicted = cv2.warpPerspective(first.image, motion, (320, 180))
    inner = np.s_[40:-40, 40:-40]

    with_truth = np.abs(predicted[inner].astype(int) - last.image[inner]).mean()
    without = np.abs(first.image[inner].astype(int) - last.image[inner]).mean()

    assert not np.allclose(motion, np.eye(3), atol=0.5)
    assert with_truth < 3 < without


def test_a_wrong_truth_would_be_noticed():
    """The test above sees half a pixel, so it says something."""
    first, *_, last = frames(20, noise=0)
    motion = between(first.truth, last.truth)
    inner = np.s_[40:-40, 40:-40]

    def residual(dx):
        moved = motion.copy()
        moved[0, 2] += dx
        predicted = cv2.warpPerspective(first.image, moved, (320, 180))
        return np.abs(predicted[inner].astype(int) - last.image[inner]).mean()

    assert residual(0) < residual(0.5) < residual(1.5)
    assert residual(0) < residual(-0.5) < residual(-1.5)


def test_a_seed_gives_the_same_pictures_and_another_does_not():
    first, same, other = (frames(3, seed=seed)[2].image for seed in (1, 1, 2))

    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_noise_is_as_strong_as_asked_for():
    clean, noisy = (frames(1, noise=level)[0].image.astype(float) for level in (0, 6))
    # where nothing is clipped at black or white
    middle = (clean > 40) & (clean < 215)

    assert (noisy - clean)[middle].std() == pytest.approx(6, rel=0.05)


def test_it_writes_into_the_memory_it_is_given():
    camera = VirtualCamera(width=320, height=180)
    camera.open()
    fits, too_small = np.empty((180, 320, 3), np.uint8), np.empty((10, 10, 3), np.uint8)

    assert camera.read(fits).image is fits
    assert camera.read(too_small).image is not too_small


def test_live_it_keeps_to_its_rate_and_skips_what_nobody_read():
    clock = VirtualClock()
    camera = VirtualCamera(width=320, height=180, fps=50, live=True, clock=clock)
    camera.open()

    stamps = [camera.read().t_capture_ns for _ in range(3)]
    clock.advance(105_000_000)  # someone was slow: frames 3 to 7 were never taken
    late = camera.read()

    assert stamps == [0, 20_000_000, 40_000_000]
    assert late.t_capture_ns == 140_000_000
    assert late.seq == 3
    assert np.allclose(late.truth, camera.pose(7 / 50))


def test_the_photograph_is_yours_to_choose(tmp_path):
    photo = tmp_path / "mine.png"
    cv2.imwrite(str(photo), np.full((200, 300, 3), (10, 20, 200), np.uint8))
    camera = open_source("virtual", photo=photo, noise=0, width=320, height=180)

    facts = camera.open()

    assert "mine.png" in facts.name
    assert tuple(camera.read().image[90, 160]) == (10, 20, 200)


@pytest.mark.parametrize(("width", "height"), [(32767, 64), (64, 100_000)])
def test_a_frame_that_is_too_large_is_one_line(width, height):
    with pytest.raises(GuideError, match="too large"):
        VirtualCamera(width=width, height=height)


def test_a_photograph_that_is_a_strip_is_one_line(tmp_path):
    photo = tmp_path / "strip.png"
    cv2.imwrite(str(photo), np.zeros((1, 4000, 3), np.uint8))

    with pytest.raises(GuideError, match=r"strip.png is 4000 x 1: too narrow"):
        VirtualCamera(photo).open()


def test_the_largest_frame_is_served():
    (frame,) = frames(1, width=8192, height=64, noise=0)
    assert frame.image.shape == (64, 8192, 3)


@pytest.mark.parametrize("noise", [float("nan"), float("inf"), -1, 1e300])
def test_a_noise_that_cannot_be_is_one_line(noise):
    with pytest.raises(GuideError, match="0 to 255"):
        VirtualCamera(noise=noise)


@pytest.mark.parametrize("source", ["virtual", "virtual:marbles"])
def test_any_whole_number_is_a_seed(source):
    pictures = []
    for seed in (-1, 1, 2**70):
        camera = open_source(source, width=64, height=64, seed=seed)
        camera.open()
        pictures.append(camera.read().image)

    assert not np.array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize("name", ["absent.jpg", "no_picture.txt"])
def test_a_photograph_that_cannot_be_read_is_one_line(tmp_path, name):
    (tmp_path / "no_picture.txt").write_text("words")

    with pytest.raises(GuideError, match=name) as caught:
        VirtualCamera(tmp_path / name).open()
    assert "--set photo=" in caught.value.remedy

"""The decoder's grey plane, without conversion and in place; a line where there is none."""

import subprocess

import cv2
import numpy as np
import pytest

from guide.errors import GuideError, UsageError
from guide_vision.pipeline import open_source
from guide_vision.pipeline.barcode import read_barcode


def opened(name):
    source = open_source(str(name), gray=True)
    return source, source.open()


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4"])
def test_a_file_gives_its_grey_plane_in_place(make_clip, name):
    source, facts = opened(make_clip(frames=5, name=name))
    into = np.zeros((facts.height, facts.width), np.uint8)

    frames = [source.read(into) for _ in range(5)]

    assert all(frame.image is into for frame in frames)
    assert read_barcode(into) == 4
    assert source.read(into) is None
    source.close()


def test_a_stream_gives_its_grey_plane_in_place(network_camera):
    source, facts = opened(network_camera().url)
    into = np.zeros((facts.height, facts.width), np.uint8)

    numbers = []
    for _ in range(3):
        assert source.read(into).image is into
        numbers.append(read_barcode(into, row=1))

    assert numbers == sorted(set(numbers))
    source.close()


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4"])
def test_colour_is_written_in_place_too(make_clip, name):
    source = open_source(str(make_clip(frames=3, name=name)))
    facts = source.open()
    into = np.zeros((facts.height, facts.width, 3), np.uint8)

    assert all(source.read(into).image is into for _ in range(3))
    source.close()


def test_grey_is_what_the_colours_are_worth(clips):
    grey, _ = opened(clips / "bikes.mp4")
    colour = open_source(str(clips / "bikes.mp4"))
    colour.open()
    plane, picture = grey.read().image, colour.read().image
    grey.close()
    colour.close()

    # Film's grey goes from 16 to 235, OpenCV's from 0 to 255
    stretched = (plane.astype(float) - 16) * 255 / 219
    expected = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float)
    assert np.abs(stretched - expected).mean() < 3


@pytest.mark.parametrize("pixels", ["rgb24", "yuv420p10le"])
def test_what_has_no_grey_plane_is_one_line(tmp_path, pixels):
    """OpenCV itself hands out rubbish here, of the right shape."""
    path = tmp_path / "film.mkv"
    codec = {"rgb24": "png", "yuv420p10le": "ffv1"}[pixels]
    picture = "testsrc=size=320x180:rate=25:duration=0.2"
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", picture]
    try:
        subprocess.run([*command, "-pix_fmt", pixels, "-c:v", codec, path], check=True)
    except FileNotFoundError:
        pytest.skip("there is no ffmpeg to write such a film")

    with pytest.raises(GuideError, match="no plane of 8-bit grey") as caught:
        opened(path)
    assert "gray" in caught.value.remedy


@pytest.mark.parametrize("name", ["virtual", "0"])
def test_a_source_without_planes_says_so(name):
    with pytest.raises(UsageError, match="no Y plane"):
        open_source(name, gray=True)

"""Pictures of a folder or a pattern, in the order a person would put them."""

import cv2
import numpy as np
import pytest

from guide.errors import GuideError
from guide_vision.pipeline import open_source
from guide_vision.pipeline.barcode import read_barcode, write_barcode


@pytest.fixture
def pictures(tmp_path):
    """Writes pictures img1 ... img12 with their number in them."""

    def write(name="img{}.png", numbers=range(1, 13), size=(180, 320)):
        for number in numbers:
            image = np.full((*size, 3), 90, np.uint8)
            write_barcode(image, number)
            assert cv2.imwrite(str(tmp_path / name.format(number)), image)
        return tmp_path

    return write


def rest(source, into=None):
    found = []
    while (frame := source.read(into)) is not None:
        found.append((frame.seq, frame.unreadable, read_barcode(frame.image)))
    return found


def test_a_folder_in_natural_order(pictures):
    folder = pictures()
    (folder / "notes.txt").write_text("no picture, and not meant as one")
    source = open_source(str(folder))

    facts = source.open()

    assert (facts.width, facts.height, facts.fps, facts.frames) == (320, 180, None, 12)
    assert [number for _, _, number in rest(source)] == list(range(1, 13))
    assert source.notes() == []


@pytest.mark.parametrize(
    ("pattern", "expected"), [("img?.png", range(1, 10)), ("img%d.png", range(1, 13))]
)
def test_a_pattern(pictures, monkeypatch, tmp_path, pattern, expected):
    folder = pictures()
    pictures("img{}b.png", [77])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    source = open_source(pattern, folder=folder)
    source.open()

    found = [number for _, _, number in rest(source)]

    assert found == list(expected)


def test_pictures_are_written_in_place(pictures):
    for gray, shape in ((False, (180, 320, 3)), (True, (180, 320))):
        source = open_source(str(pictures()), gray=gray)
        source.open()
        into = np.zeros(shape, np.uint8)
        assert source.read(into).image is into
        assert read_barcode(into) == 1


def test_what_cannot_be_read_is_counted_passed_over_and_named(pictures):
    folder = pictures()
    (folder / "img1.png").write_bytes(b"")
    (folder / "img4.png").write_text("words")
    whole = (folder / "img5.png").read_bytes()
    (folder / "img5.png").write_bytes(whole[: len(whole) // 2])
    source = open_source(str(folder))
    source.open()

    into = np.zeros((180, 320, 3), np.uint8)
    frames = rest(source, into)

    assert frames[0] == (1, 1, 2)  # seq, unreadable before it, its own number
    assert (5, 2, 6) in frames
    assert [number for _, _, number in frames] == [2, 3, *range(6, 13)]
    (note,) = source.notes()
    assert note == "3 files could not be read as a picture: img1.png, img4.png, img5.png"


def test_a_loop_is_a_new_epoch(pictures):
    source = open_source(str(pictures(numbers=range(1, 4))), loop=True)
    source.open()
    seen = [(f.seq, f.epoch) for f in (source.read() for _ in range(7))]
    assert seen == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 2)]


def failure(name):
    source = open_source(str(name))

    def read_all():
        source.open()
        rest(source)

    with pytest.raises(GuideError) as caught:
        read_all()
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return caught.value.message


def test_mixed_sizes_are_one_line(pictures):
    pictures(numbers=[1, 2])
    folder = pictures(numbers=[3], size=(360, 480))
    assert "img3.png is 480 x 360, the pictures before it were 320 x 180" in failure(folder)


def test_a_pattern_that_matches_nothing(tmp_path):
    assert "no file is called like" in failure(tmp_path / "img_%04d.png")


def test_an_empty_folder(tmp_path):
    assert "holds no pictures" in failure(tmp_path)


def test_a_folder_of_rubbish(tmp_path):
    (tmp_path / "a.png").write_text("words")
    assert "none of the 1 files" in failure(tmp_path)

"""Sources by name, files in order, and a line that helps when there is nothing to read."""

import os
import socket
from pathlib import Path

import cv2
import numpy as np
import pytest

from guide.errors import GuideError, UsageError
from guide_vision.pipeline import Pipeline, open_source
from guide_vision.pipeline.barcode import read_barcode, write_barcode
from guide_vision.pipeline.camera import Stream


def numbers(link):
    """The barcodes of all frames that are left."""
    found = []
    while (frame := link.take()) is not None:
        found.append(read_barcode(frame.image))
    return found


def failure(name, **settings):
    """The GuideError of opening and reading `name` to its end."""
    link = Pipeline(open_source(str(name), **settings))

    def read_all():
        try:
            link.open()
            numbers(link)
        finally:
            link.close()

    with pytest.raises(GuideError) as caught:
        read_all()
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return caught.value.message


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4"])
def test_a_file_gives_every_frame_in_order(make_clip, name):
    link = Pipeline(open_source(str(make_clip(frames=40, name=name))))

    facts = link.open()

    assert (facts.width, facts.height, facts.fps, facts.frames) == (320, 180, 25.0, 40)
    assert numbers(link) == list(range(40))
    assert link.close().balanced
    assert link.books.captured == 40
    assert link.reallocated == 0


def test_a_looped_file_starts_a_new_epoch_and_goes_on_counting(make_clip):
    link = Pipeline(open_source(str(make_clip(frames=5)), loop=True))
    link.open()

    seen = [(f.seq, f.epoch, read_barcode(f.image)) for f in (link.take() for _ in range(12))]

    assert [epoch for _, epoch, _ in seen] == [0] * 5 + [1] * 5 + [2] * 2
    assert [seq for seq, _, _ in seen] == list(range(12))
    assert [number for _, _, number in seen] == [*range(5), *range(5), 0, 1]
    link.close()


def test_a_relative_path_is_looked_for_in_the_project_too(make_clip, monkeypatch, tmp_path):
    clip = make_clip(frames=3)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    link = Pipeline(open_source(clip.name, folder=clip.parent))

    assert link.open().name == clip.name
    link.close()


def test_real_film_is_read_to_its_end(clips):
    link = Pipeline(open_source(str(clips / "carphone_pristine.mp4")))
    facts = link.open()

    count = 0
    while link.take() is not None:
        count += 1

    assert count == facts.frames == 120
    link.close()


def test_a_file_that_is_not_there(tmp_path):
    assert "absent.mp4" in failure(tmp_path / "absent.mp4")


def test_a_file_that_is_no_video(tmp_path):
    (tmp_path / "words.mp4").write_text("not a film")
    assert "words.mp4 holds no video" in failure(tmp_path / "words.mp4")


def test_a_picture_is_not_a_film(tmp_path):
    cv2.imwrite(str(tmp_path / "still.png"), np.zeros((64, 64, 3), np.uint8))
    assert "still.png is a picture, not a video" in failure(tmp_path / "still.png")


def test_a_folder_without_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert failure(".") == ". holds no pictures"


def test_a_file_that_may_not_be_read(make_clip, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    clip = make_clip(frames=3)
    monkeypatch.setattr(type(clip), "open", refuse)  # who runs this may be root, who may read all
    assert "permission denied" in failure(clip)


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.mp4").touch()
    assert "empty.mp4 holds no video" in failure(tmp_path / "empty.mp4")


def test_a_film_that_was_cut_off_names_the_frame_it_ends_at(make_clip):
    def noise(image, number):
        image[:] = np.random.default_rng(number).integers(0, 255, image.shape, np.uint8)

    clip = make_clip(frames=60, draw=noise)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])

    message = failure(clip)

    assert "of its 60 frames" in message
    assert "cut off" in message


def test_an_mp4_without_its_index(make_clip):
    clip = make_clip(frames=60, name="half.mp4")
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])

    assert "cut off" in failure(clip)


def test_a_camera_that_is_not_there():
    assert "no camera 63" in failure("63")


def test_a_camera_that_another_program_uses():
    device = Path("/dev/video62")
    try:
        device.touch(exist_ok=False)  # to OpenCV, what refuses its settings is in use
    except OSError as error:
        pytest.skip(f"no device can be made here: {error.strerror}")
    try:
        message = failure("62")
    finally:
        device.unlink()
    assert "another program uses it, or /dev/video62 is no camera" in message


def test_an_address_nobody_listens_at():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        assert "refused" in failure(f"http://127.0.0.1:{port}/")
        assert "refused" in failure(f"rtsp://127.0.0.1:{port}/cam")


def test_a_server_that_accepts_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = Stream(f"http://127.0.0.1:{server.getsockname()[1]}/", open_s=0.3)
        with pytest.raises(GuideError, match="cannot open"):
            stream.open()


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("size", [(640, 360), (160, 90)])
def test_a_stream_that_changes_its_resolution_goes_on_at_the_first_one(scripted_stream, gray, size):
    def paint(image):
        image[:] = 30
        image[:, image.shape[1] // 2 :] = 220

    def script(stream):
        for number in range(12):
            now = (320, 180) if number < 6 else size
            stream.picture(number, size=now, paint=paint)
        stream.over.wait(30)

    source = open_source(scripted_stream(script).url, gray=gray)
    source.open()
    into = np.zeros((180, 320) if gray else (180, 320, 3), np.uint8)
    for _ in range(12):
        assert source.read(into).image is into
        left, right = into[:160, :150].mean(), into[:160, 170:].mean()
        assert abs(left - 30) < 5  # the whole picture, not its corner
        assert abs(right - 220) < 5
    source.close()


def test_what_rtsp_is_set_to_does_not_cost_another_stream_its_first_frames(scripted_stream):
    def script(stream):
        for number in range(6):
            stream.picture(number)
        stream.over.wait(30)

    failure("rtsp://127.0.0.1:9/camera")
    source = open_source(scripted_stream(script).url)
    source.open()
    assert [read_barcode(source.read().image) for _ in range(6)] == list(range(6))
    source.close()


def test_a_server_without_a_video(network_camera):
    camera = network_camera()
    assert "no video at this address" in failure(camera.url + "nothing")


@pytest.mark.parametrize(
    "name",
    [
        "rtsp://user:secret@127.0.0.1:9/cam",
        "rtsp://user:1/secret@127.0.0.1:9/cam",
        "http://127.0.0.1:9/cam?key=secret",
    ],
)
def test_a_password_does_not_stand_in_the_message(name):
    assert "secret" not in failure(name)


@pytest.mark.parametrize(
    "name",
    ["http://", "http://[::1", "http://host:99999/", "http://host:0/", "http://a:secret/@b/"],
)
def test_an_address_that_cannot_be_is_one_line(name):
    with pytest.raises(UsageError, match="names no host, or a port that cannot be") as caught:
        open_source(name)
    assert "secret" not in str(caught.value)


def test_a_name_that_no_host_can_have():
    assert "no host is called" in failure(f"http://{'a' * 70}.invalid/")


def test_capital_letters_are_an_address_too(network_camera):
    link = Pipeline(open_source(network_camera().url.replace("http", "HTTP")))
    link.open()
    assert link.take() is not None
    link.close()


@pytest.mark.parametrize("name", ["~nosuchuser/clip.mp4", "x" * 300, "9" * 5000])
def test_a_path_that_cannot_be_is_one_line(name):
    with pytest.raises(UsageError):
        open_source(name)


@pytest.mark.parametrize("name", ["", "ftp://host/clip.mp4"])
def test_a_name_that_means_nothing(name):
    with pytest.raises(UsageError):
        open_source(name)


def test_a_barcode_survives_jpeg():
    image = np.random.default_rng(0).integers(0, 255, (180, 320, 3), np.uint8)
    write_barcode(image, 0xDEADBEEF, row=0)
    write_barcode(image, 2**32 + 5, row=1)  # the lowest 32 bits
    coded = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 1)

    assert read_barcode(coded, row=0) == 0xDEADBEEF
    assert read_barcode(coded, row=1) == 5


def test_what_an_rtsp_camera_is_opened_with_is_taken_back(make_clip):
    clip = make_clip(frames=3)
    with pytest.raises(GuideError):
        open_source("rtsp://127.0.0.1:9/nobody").open()

    assert "OPENCV_FFMPEG_CAPTURE_OPTIONS" not in os.environ
    assert open_source(str(clip)).open().frames == 3  # such options keep a file from opening

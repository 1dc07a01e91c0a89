"""Recordings hold every frame, cost the run a copy, and survive what ends a run early."""

import json
import resource
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest

from guide.errors import GuideError
from guide_vision.pipeline import Frame, Null, Observation, Recorder, Results, open_source
from guide_vision.pipeline.barcode import read_barcode, write_barcode

NOISE = np.random.default_rng(0).integers(0, 255, (180, 320, 3), np.uint8)


def numbers_in(path):
    capture, found = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while True:
        ok, image = capture.read()
        if not ok:
            return found
        found.append(read_barcode(image))


def whole_frames(path):
    """Without the last one, of which there may be only a part."""
    numbers = numbers_in(path)[:-1]
    assert numbers == list(range(len(numbers)))
    return len(numbers)


def numbered(number):
    image = NOISE.copy()
    write_barcode(image, number)
    return image


@pytest.mark.parametrize("name", ["out.avi", "out.mkv", "out.mp4"])
def test_every_frame_is_recorded_whatever_becomes_of_the_callers_picture(tmp_path, name):
    recorder, image = Recorder(tmp_path / name, fps=25, slots=2), NOISE.copy()
    for number in range(40):
        write_barcode(image, number)
        recorder.write(image)
        image[:] = 0  # the pipeline goes on with its memory
        image[:] = NOISE
    recorder.close()

    assert numbers_in(tmp_path / name) == list(range(40))
    assert recorder.frames == 40


def test_a_slow_disk_makes_the_writer_wait_and_is_told(tmp_path):
    recorder = Recorder(tmp_path / "out.avi", fps=25, slots=2)
    recorder.write(numbered(0))
    held = [recorder._free.get() for _ in range(2)]  # as if the encoder had them both
    writing = threading.Thread(target=recorder.write, args=(numbered(1),))
    writing.start()
    while not recorder.waits:
        assert writing.is_alive()
    for slot in held:
        recorder._free.put(slot)
    writing.join(30)
    recorder.close()

    assert recorder.waits == 1
    assert "held the run up 1 times" in recorder.notes()[0]
    assert numbers_in(tmp_path / "out.avi") == [0, 1]


@pytest.mark.parametrize("name", ["out.avi", "out.mkv"])
def test_a_killed_run_leaves_a_recording_that_plays(tmp_path, name):
    program = (
        "import sys, pathlib, numpy as np\n"
        "from guide_vision.pipeline import Recorder\n"
        "from guide_vision.pipeline.barcode import write_barcode\n"
        "recorder = Recorder(pathlib.Path(sys.argv[1]), 25)\n"
        "noise = np.random.default_rng(0).integers(0, 255, (180, 320, 3), np.uint8)\n"
        "for number in range(100):\n"
        "    write_barcode(noise, number); recorder.write(noise)\n"
        "while recorder._free.qsize() < 8: pass\n"
        "print('written', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, tmp_path / name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"written\n"
        process.kill()

    assert whole_frames(tmp_path / name) >= 90  # all but what lay in FFmpeg's buffer

    source = open_source(str(tmp_path / name), loop=True)  # which has no index to go back by
    source.open()
    numbers = [read_barcode(source.read().image) for _ in range(120)]
    assert numbers[:90] == list(range(90))
    assert numbers.count(0) == 2
    source.close()


@pytest.mark.parametrize("name", ["out.avi", "out.mkv"])
def test_what_a_full_disk_kept_plays(tmp_path, name):
    recorder = Recorder(tmp_path / name, fps=25)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        for number in range(60):
            recorder.write(numbered(number))
        with pytest.raises(GuideError, match="is damaged"):
            recorder.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert 10 < whole_frames(tmp_path / name) < 60


def test_a_disk_that_fills_up_ends_the_recording_with_a_line(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here: that takes root")
    try:
        recorder = Recorder(disk / "out.avi", fps=25)

        def fill():
            for number in range(1000):
                recorder.write(numbered(number))

        with pytest.raises(GuideError, match="is full after") as caught:
            fill()
        assert "df -h" in caught.value.remedy
        recorder.close()
        assert whole_frames(disk / "out.avi") > 10
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def seen(boxes=None):
    points = np.array([[10.25, 20.5], [30, 40]], np.float32)
    return Observation(ids=np.array([3, 7]), points=points, boxes=boxes)


def frame(seq):
    return Frame(NOISE, seq=seq, epoch=1, t_capture_ns=seq * 40_000_000)


def test_results_are_a_line_for_each_thing(tmp_path):
    boxes = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32)
    for name in ("out.csv", "out.jsonl"):
        results = Results(tmp_path / name)
        results.write(frame(0), seen())
        results.write(frame(1), Observation())
        results.write(frame(2), seen(boxes))
        results.close()
        assert results.rows == 4

    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "seq,epoch,t_s,id,x,y,w,h",
        "0,1,0.0,3,10.25,20.5,,",
        "0,1,0.0,7,30.0,40.0,,",
        "2,1,0.08,3,1.0,2.0,3.0,4.0",
        "2,1,0.08,7,5.0,6.0,7.0,8.0",
    ]
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert rows[0]["w"] is None
    expected = {"seq": 2, "epoch": 1, "t_s": 0.08, "id": 7, "x": 5, "y": 6, "w": 7, "h": 8}
    assert rows[3] == expected


def test_results_are_there_line_by_line_before_the_end(tmp_path):
    results = Results(tmp_path / "out.csv")
    for seq in range(5):
        results.write(frame(seq), seen())
        lines = (tmp_path / "out.csv").read_text()
        assert lines.endswith("\n")
        assert lines.count("\n") == 1 + 2 * (seq + 1)
    results.close()


def test_results_on_a_full_disk_are_whole_lines(tmp_path):
    results = Results(tmp_path / "out.csv")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))

    def fill():
        for seq in range(100):
            results.write(frame(seq), seen())

    try:
        with pytest.raises(GuideError, match=r"cannot write .*out\.csv: file too large"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    results.close()
    text = (tmp_path / "out.csv").read_text()
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1 + results.rows


def test_results_that_cannot_be_written_are_one_line(tmp_path):
    with pytest.raises(GuideError, match=r"out\.txt"):
        Results(tmp_path / "out.txt")
    with pytest.raises(GuideError, match="no such file"):
        Results(tmp_path / "no" / "out.csv")


def test_the_null_sink_takes_everything():
    sink = Null()
    assert sink.write(NOISE)
    sink.close()

"""The photo finish: each frame is one column, whatever the line's direction."""

import cv2
import numpy as np

from line_counter.counting import Line
from line_counter.slitscan import main, scan, slit


def test_a_slit_is_the_pixels_under_the_line_from_the_top():
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)[..., None].repeat(3, 2)
    down = slit(image, Line(4, 1, 4, 8))
    assert down.shape == (7, 1, 3)
    assert down[0, 0, 0] == 14
    assert down[-1, 0, 0] == 84
    assert np.array_equal(down, slit(image, Line(4, 8, 4, 1)))


def test_every_frame_of_a_clip_is_a_column(tmp_path, monkeypatch):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for level in range(20):
        writer.write(np.full((48, 64, 3), 10 * level, np.uint8))
    writer.release()

    picture = scan(str(path), "0.5,0,0.5,1")
    columns = picture[20, 1 : 3 * 20 : 3, 0].astype(int)
    assert np.abs(columns - 10 * np.arange(20)).max() < 5

    target = tmp_path / "slit.png"
    monkeypatch.setattr("sys.argv", ["slitscan", str(path), str(target)])
    main()
    assert target.exists()

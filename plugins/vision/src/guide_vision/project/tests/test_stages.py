"""What you build in stages.py and hud.py."""

import numpy as np

from guide_project import hud
from guide_project.stages import make_stage, warm_up
from guide_vision.pipeline import Facts, Frame, Observation

FACTS = Facts("camera 0", 320, 240, 30.0)


def test_a_stage_that_sees_a_blank_wall_finds_nothing_and_goes_on():
    blank = np.full((240, 320, 3), 128, np.uint8)
    for name in ("points", "objects"):
        stage = make_stage(name)
        for seq in range(12):
            seen = stage.process(Frame(blank, seq, 0, 0))
            assert seen.count == 0


def test_the_text_fits_what_is_known():
    assert hud.lines(FACTS, Observation(), 7.25) == ["camera 0   320 x 240", "latency 7.2 ms"]
    known = Observation(motion=np.eye(3), error_px=0.01)
    assert any("error 0.010 px" in line for line in hud.lines(FACTS, known, 1.0))


def test_warm_up_works_at_any_size():
    warm_up("points", Facts("tiny", 64, 64, None))
    warm_up("objects", Facts("odd", 97, 131, None))

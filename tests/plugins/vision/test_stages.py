"""Flow, features, tags, stabilisation: each held against a truth that is known exactly."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from guide.errors import GuideError, UsageError
from guide_vision.pipeline import Frame, open_source
from guide_vision.pipeline.motion import transform
from guide_vision.pipeline.stages import STAGES, make_stage


def run(stage, source="virtual", frames=40, **settings):
    camera = open_source(source, **settings)
    camera.open()
    return [(frame, stage.process(frame)) for frame in (camera.read() for _ in range(frames))]


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_runs_by_its_name_and_survives_an_empty_picture(name):
    stage = make_stage(name)
    assert stage.name == name
    gray = np.full((90, 160, 3), 90, np.uint8)
    for k in range(12):
        seen = stage.process(Frame(gray, k, 0, 0))
        assert len(seen.ids) == len(seen.points) == len(seen.steady)


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_survives_a_change_of_size(name):
    stage = make_stage(name)
    seen = [o for _, o in run(stage, "virtual+resize", 156, width=320, height=180)]
    if name != "tags":
        assert seen[150].restarted
        assert not seen[155].restarted


def test_a_stage_there_is_not():
    with pytest.raises(UsageError, match="no stage 'hog'"):
        make_stage("hog")


@pytest.mark.parametrize(
    ("name", "settings", "bound_px"),
    [
        ("flow", {}, 0.25),
        ("features", {"kind": "orb"}, 1.5),
        ("features", {"kind": "sift"}, 0.1),
    ],
)
def test_the_motion_of_the_camera_is_that_of_the_truth(name, settings, bound_px):
    seen = [o for _, o in run(make_stage(name, **settings))]

    assert [o.restarted for o in seen] == [True] + [False] * 39
    assert np.median([o.error_px for o in seen[1:]]) < bound_px
    assert np.median([o.point_error_px for o in seen[1:]]) < 2 * bound_px
    assert np.mean([o.support for o in seen[1:]]) > 0.5


def test_the_flow_is_that_of_the_truth_pixel_by_pixel():
    frames = run(make_stage("flow", work_width=320), frames=10, width=320, height=180)
    frame, seen = frames[-1]
    before = frames[-2][0]
    y, x = np.mgrid[20:160, 20:300]
    grid = np.column_stack([x.ravel(), y.ravel()])
    true = transform(frame.truth @ np.linalg.inv(before.truth), grid) - grid

    off = np.hypot(*(seen.detail[y, x].reshape(-1, 2) - true).T)
    assert seen.detail.shape == (180, 320, 2)
    assert np.median(off) < 0.3
    assert np.median(np.hypot(*true.T)) > 1


def test_a_feature_keeps_its_id():
    seen = [o for _, o in run(make_stage("features"))]
    common = [len(np.intersect1d(a.ids, b.ids)) / len(b.ids) for a, b in pairwise(seen)]
    assert np.mean(common) > 0.3
    assert all(len(np.unique(o.ids)) == len(o.ids) for o in seen)


def test_features_that_there_are_not():
    with pytest.raises(ValueError, match="orb or sift"):
        make_stage("features", kind="hog")


def tag_picture(family, number, rotation, position, focal, side=0.1, size=(640, 360), over=4):
    """A tag rendered in that pose, four times over-sampled."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{family}"))
    pixels = 400
    tag = cv2.aruco.generateImageMarker(dictionary, number, pixels)
    tag = cv2.copyMakeBorder(tag, 80, 80, 80, 80, cv2.BORDER_CONSTANT, value=255)
    # A pixel of the tag in metres, y up
    metres = side / pixels
    place = np.array(
        [
            [metres, 0, (0.5 - 80) * metres - side / 2],
            [0, -metres, side / 2 - (0.5 - 80) * metres],
            [0, 0, 1],
        ]
    )
    camera = np.array([[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1]])
    finer = np.array([[over, 0, (over - 1) / 2], [0, over, (over - 1) / 2], [0, 0, 1]])
    plane = np.column_stack([rotation[:, 0], rotation[:, 1], position])
    large = cv2.warpPerspective(
        tag,
        finer @ camera @ plane @ place,
        (size[0] * over, size[1] * over),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=150,
    )
    gray = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)


@pytest.mark.parametrize("family", ["APRILTAG_36h11", "4X4_50"])
@pytest.mark.parametrize("angles", [(0.0, 0.6, 0.0), (0.5, -0.3, 0.4), (-0.4, 0.5, 2.0)])
def test_the_pose_of_a_tag_is_that_it_was_drawn_in(family, angles):
    facing = np.diag([1.0, -1.0, -1.0])  # y up and z to the camera
    rotation = cv2.Rodrigues(np.array(angles))[0] @ facing
    position = np.array([0.05, -0.03, 0.5])
    stage = make_stage("tags", family=family, side_m=0.1, focal_px=600)

    seen = stage.process(Frame(tag_picture(family, 7, rotation, position, 600), 0, 0, 0))

    assert seen.ids.tolist() == [7]
    (pose,) = seen.detail
    turn = np.linalg.norm(cv2.Rodrigues(pose.rotation @ rotation.T)[0])
    assert np.degrees(turn) < 0.5
    assert np.linalg.norm(pose.position_m - position) < 0.002  # of 0.5 m
    assert pose.error_px < 0.5


def test_a_tag_family_there_is_not():
    with pytest.raises(GuideError, match="no tag family QR"):
        make_stage("tags", family="QR")


def jitter_px(places):
    """What a viewer sees as shaking: the second difference of where a point goes."""
    return float(np.sqrt((np.diff(places, 2, axis=0) ** 2).sum(axis=1).mean()))


def test_a_steady_picture_shakes_a_tenth_as_much():
    shaken, steady, exact = [], [], []
    stage = make_stage("stabilise")
    for frame, seen in run(stage, "virtual+shake", 120, noise=0):
        if frame.seq == 0:
            point = transform(np.linalg.inv(frame.truth), [[320, 180]])
        shaken.append(transform(frame.truth, point)[0])
        steady.append(transform(seen.detail @ frame.truth, point)[0])
        exact.append(stage.picture.shape)
    assert jitter_px(np.array(shaken)) > 5
    assert jitter_px(np.array(steady)) < 0.1 * jitter_px(np.array(shaken))
    assert set(exact) == {(360, 640, 3)}


def test_a_path_averaged_over_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1 frame"):
        make_stage("stabilise", memory=0)

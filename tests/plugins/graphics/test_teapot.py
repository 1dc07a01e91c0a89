from collections import Counter

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import teapot


@pytest.fixture(scope="module")
def pot():
    return teapot(10_000)


def corners(mesh):
    return mesh.positions[mesh.triangles].astype(np.float64)


@pytest.mark.parametrize("wanted", [1000, 3333, 10_000, 69_666, 300_000])
def test_it_has_about_as_many_triangles_as_asked_for(wanted):
    assert len(teapot(wanted).triangles) == pytest.approx(wanted, rel=0.05)


@pytest.mark.parametrize("wanted", [-5, 0, 1, 112])
def test_the_fewest_are_112(wanted):
    assert len(teapot(wanted).triangles) == 112


def test_more_than_memory_holds_are_refused():
    with pytest.raises(GuideError, match="too large") as caught:
        teapot(10**12)
    assert caught.value.remedy


def test_it_is_two_wide_and_as_high_as_newell_made_it(pot):
    low, high = pot.positions.min(axis=0), pot.positions.max(axis=0)
    assert high[0] - low[0] == pytest.approx(2)
    assert low[1] == 0
    # 6.43 units from handle to spout, 3.15 high, 4.0 across
    assert (high - low)[1:] == pytest.approx([2 * 3.15 / 6.433, 2 * 4.0 / 6.433], rel=1e-2)


def test_no_triangle_is_degenerate(pot):
    a, b, c = corners(pot).transpose(1, 0, 2)
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 0


def test_normals_are_unit_and_agree_with_the_triangles(pot):
    assert np.linalg.norm(pot.normals, axis=1) == pytest.approx(1, abs=1e-5)
    a, b, c = corners(pot).transpose(1, 0, 2)
    face = np.cross(b - a, c - a)
    face /= np.linalg.norm(face, axis=1, keepdims=True)
    agreement = np.einsum("tc,tkc->tk", face, pot.normals[pot.triangles])
    assert (agreement > 0).all()
    assert np.median(agreement) > 0.99


def test_poles_of_lid_and_bottom_point_up_and_down(pot):
    top = pot.positions[:, 1] == pot.positions[:, 1].max()
    assert abs(pot.normals[top] - [0, 1, 0]).max() < 1e-3
    axis = pot.positions[top][0, [0, 2]]
    foot = (pot.positions[:, 1] == 0) & (pot.positions[:, [0, 2]] == axis).all(axis=1)
    assert foot.any()
    assert abs(pot.normals[foot] - [0, -1, 0]).max() < 1e-3


def test_it_encloses_a_volume_from_outside(pot):
    a, b, c = corners(pot).transpose(1, 0, 2)
    volume = np.einsum("tc,tc->t", a, np.cross(b, c)).sum() / 6
    # the body is about a cylinder of radius 2 and height 2.4, in a teapot 6.433 wide
    assert 0.6 < volume / (np.pi * 4 * 2.4 * (2 / 6.433) ** 3) < 1.3


def test_it_is_open_only_where_newell_left_it_open(pot):
    _, same = np.unique(pot.positions, axis=0, return_inverse=True)
    triangles = same.reshape(-1)[pot.triangles]
    sides = Counter(
        tuple(sorted(side))
        for t in triangles.tolist()
        for side in zip(t, t[1:] + t[:1], strict=True)
    )
    assert set(sides.values()) <= {1, 2}, "a seam does not close"
    border = [side for side, count in sides.items() if count == 1]
    follow = {}
    for a, b in border:
        follow.setdefault(a, []).append(b)
        follow.setdefault(b, []).append(a)
    assert {len(n) for n in follow.values()} == {2}
    loops, left = 0, set(follow)
    while left:
        todo = [left.pop()]
        while todo:
            near = [n for n in follow[todo.pop()] if n in left]
            left.difference_update(near)
            todo += near
        loops += 1
    # rim, edge of the lid, both ends of the handle, root and tip of the spout
    assert loops == 6


def test_texture_runs_on_across_the_seams_of_mirrored_patches(pot):
    edge = np.concatenate([pot.triangles[:, [0, 1]], pot.triangles[:, [1, 2]]])
    assert abs(pot.uv[edge[:, 0]] - pot.uv[edge[:, 1]]).max() < 0.25

from collections import Counter

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import Mesh, crate_field, icosphere, torus_knot


def crates(count, cells):
    """A field without its ground, which is open."""
    mesh = crate_field(count, cells)
    return Mesh(mesh.positions, mesh.normals, mesh.uv, mesh.triangles[:-2])


CLOSED = {
    "icosahedron": icosphere(0),
    "ball": icosphere(3),
    "trefoil": torus_knot(),
    "3-7": torus_knot(3, 7, 400, 12),
    "ring": torus_knot(1, 0, 40, 9),
    "boxes": crates(3, 1),
    "cut boxes": crates(2, 7),
}
closed = pytest.mark.parametrize("mesh", CLOSED.values(), ids=CLOSED.keys())


@closed
def test_every_edge_is_shared_by_two_triangles_that_run_along_it_either_way(mesh):
    # By place, to the bit: vertices are doubled where a texture or a normal has a seam
    place = np.unique(mesh.positions, axis=0, return_inverse=True)[1][mesh.triangles]
    edges = Counter(map(tuple, place[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).tolist()))
    assert set(edges.values()) == {1}
    assert all((b, a) in edges for a, b in edges)


@closed
def test_normals_have_length_one_and_point_outward_like_the_triangles(mesh):
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-6)
    a, b, c = (mesh.positions[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
    assert volume > 0
    faces = np.cross(b - a, c - a)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    along = np.einsum("ij,ikj->ik", faces, mesh.normals[mesh.triangles])
    assert along.min() > 0.7


@pytest.mark.parametrize("mesh", [icosphere(1), torus_knot(), crate_field(3)])
def test_it_stands_on_the_ground_and_covers_the_texture(mesh):
    assert mesh.positions[:, 1].min() == pytest.approx(0, abs=1e-6)
    assert np.ptp(mesh.uv, axis=0).min() > 0.8


@pytest.mark.parametrize(
    ("mesh", "triangles"),
    [
        (icosphere(0), 20),
        (icosphere(4), 5120),
        (torus_knot(segments=50, sides=7), 700),
        (crate_field(1), 14),
        (crate_field(3, 4), 12 * 9 * 16 + 2),
    ],
)
def test_it_has_as_many_triangles_as_it_says(mesh, triangles):
    assert len(mesh.triangles) == triangles


def test_a_ball_is_round_and_its_volume_is_that_of_a_sphere():
    mesh = icosphere(5)
    a, b, c = (mesh.positions[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    centre = np.array([0, 1, 0])
    assert np.linalg.norm(mesh.positions - centre, axis=1) == pytest.approx(1, abs=1e-6)
    volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
    assert volume == pytest.approx(4 / 3 * np.pi, rel=2e-3)
    assert len(mesh.positions) == 10 * 4**5 + 2


def test_a_knot_is_two_long_and_goes_round_its_axis_p_times():
    mesh = torus_knot(3, 4, 600, 8)
    assert np.ptp(mesh.positions, axis=0).max() == pytest.approx(2)
    middle = mesh.positions.reshape(601, 9, 3)[:, :8].mean(axis=1)
    turns = np.unwrap(np.arctan2(middle[:, 2], middle[:, 0]))
    assert abs(turns[-1] - turns[0]) == pytest.approx(3 * 2 * np.pi, rel=1e-4)


def test_boxes_do_not_touch_and_have_the_whole_texture_on_every_face():
    mesh = crate_field(5, 2)
    boxes = mesh.positions[:-4].reshape(25, -1, 3).astype(np.float64)
    middle = (boxes.min(axis=1) + boxes.max(axis=1)) / 2
    reach = np.linalg.norm((boxes - middle[:, None])[..., [0, 2]], axis=2).max(axis=1)
    apart = np.linalg.norm((middle[:, None] - middle)[..., [0, 2]], axis=2)
    assert (apart + 9 * np.eye(25) > reach[:, None] + reach).all()
    uv = mesh.uv[:-4].reshape(150, -1, 2)
    assert (uv.min(axis=1) == 0).all()
    assert (uv.max(axis=1) == 1).all()
    assert len(np.unique(reach)) == 25


def test_the_ground_faces_up_and_repeats_the_texture_once_a_box():
    mesh = crate_field(5)
    corners = mesh.triangles[-2:].ravel()
    assert (mesh.normals[corners] == [0, 1, 0]).all()
    assert (mesh.positions[corners][:, 1] == 0).all()
    assert np.ptp(mesh.uv[corners], axis=0).tolist() == [5, 5]


def test_a_field_is_the_same_every_time():
    assert np.array_equal(crate_field(4, 2).positions, crate_field(4, 2).positions)


@pytest.mark.parametrize("make", [icosphere, torus_knot, crate_field])
def test_the_material_is_as_asked_for(make):
    assert make(material=3).material == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: icosphere(-1),
        lambda: icosphere(11),
        lambda: icosphere(10**9),
        lambda: torus_knot(2, 4),
        lambda: torus_knot(segments=2),
        lambda: torus_knot(segments=10**9),
        lambda: crate_field(0),
        lambda: crate_field(3, 0),
        lambda: crate_field(10**6),
    ],
)
def test_what_is_no_shape_or_too_large_is_refused_in_one_line(make):
    with pytest.raises(GuideError) as caught:
        make()
    assert caught.value.remedy
    assert "\n" not in str(caught.value)

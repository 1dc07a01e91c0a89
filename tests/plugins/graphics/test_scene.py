import warnings

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import Light, Material, Mesh, Scene, grid
from guide_graphics.raster.scene import same_geometry


def mesh_with(**changed):
    square = grid(1, 1)
    arrays = {name: getattr(square, name) for name in ("positions", "normals", "uv", "triangles")}
    return Mesh(**{**arrays, **changed})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["positions", "normals", "uv"])
def test_a_number_that_is_none_is_refused_in_one_line(name, bad):
    values = getattr(grid(1, 1), name).copy()
    values[2, 1] = bad
    with pytest.raises(GuideError, match=f"{name} of vertex 2 are not finite") as caught:
        mesh_with(**{name: values})
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"positions": np.zeros((4, 2))}, "shape"),
        ({"positions": np.zeros((5, 3))}, "5 positions, 4 normals"),
        ({"triangles": [[0, 1, 4]]}, "vertex outside 0 to 3"),
        ({"triangles": [[0, 1, -1]]}, "vertex outside"),
        ({"transform": np.diag([1, 2, 1, 1])}, "scale all axes alike"),
        ({"transform": np.zeros((4, 4))}, "scale all axes alike"),
        ({"transform": np.full((4, 4), np.nan)}, "finite"),
    ],
)
def test_a_mesh_that_makes_no_sense_is_refused(changed, said):
    with pytest.raises(GuideError, match=said):
        mesh_with(**changed)


def test_a_scene_refuses_a_missing_material_and_too_many_lights():
    with pytest.raises(GuideError, match="material 0 of 0"):
        Scene([grid(1, 1)], [])
    with pytest.raises(GuideError, match="5 lights"):
        Scene([], [], [Light((0, 1, 0))] * 5)
    with pytest.raises(GuideError, match="direction"):
        Light((0, 0, 0))
    with pytest.raises(GuideError, match="texture"):
        Material(texture=np.zeros((2, 2), np.uint8))


def test_fitted_stands_on_the_ground_two_wide():
    mesh = mesh_with(positions=grid(1, 1).positions * [30, 5, 5] + [7, 100, -3]).fitted()
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    assert high - low == pytest.approx([2, 1 / 3, 0])
    assert low == pytest.approx([-1, 0, 0])


@pytest.mark.parametrize("size", [1e-42, 3e38])
def test_fitted_takes_any_length_that_float32_holds(size):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mesh = mesh_with(positions=np.sign(grid(1, 1).positions) * size / 2).fitted()
    assert np.ptp(mesh.positions, axis=0).max() == pytest.approx(2)


@pytest.mark.parametrize("changed", ["positions", "transform"])
def test_a_number_beyond_float32_is_refused_without_a_warning(changed):
    value = np.array(grid(1, 1).positions if changed == "positions" else np.eye(4), np.float64)
    value[0, 0] = 1e300
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(GuideError, match="finite"):
            mesh_with(**{changed: value})


def test_moving_a_mesh_is_no_new_geometry():
    materials = [Material()]
    still = Scene([grid(2, 2)], materials)
    turned = np.eye(4)[[2, 1, 0, 3]] * [[1], [1], [-1], [1]]
    assert same_geometry(still, Scene([still.meshes[0].moved(turned)], materials))
    assert not same_geometry(still, Scene([grid(2, 2)], materials))
    assert not same_geometry(None, still)

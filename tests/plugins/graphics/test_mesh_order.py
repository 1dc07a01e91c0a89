import numpy as np
import pytest

from guide_graphics.raster import Mesh, disc, icosphere, ordered, teapot, torus_knot


def corners(mesh):
    """Every triangle as its corners' numbers, from its first corner on."""
    vertices = np.hstack([mesh.positions, mesh.normals, mesh.uv])
    return vertices[mesh.triangles].reshape(-1, 24)


def in_one_order(rows):
    return rows[np.lexsort(rows.T)]


def shuffled(mesh, seed=0):
    """The same surface with triangles and vertices in a random order, and vertices to spare."""
    random = np.random.default_rng(seed)
    place = random.permutation(len(mesh.positions) + 10)
    at = np.full(len(place), -1)
    at[place] = np.arange(len(place))
    spare = np.ones((10, 3), np.float32)
    return Mesh(
        np.concatenate([mesh.positions, spare])[place],
        np.concatenate([mesh.normals, spare])[place],
        np.concatenate([mesh.uv, spare[:, :2]])[place],
        random.permutation(at[mesh.triangles]),
    )


def misses(mesh, entries=32):
    """How often a cache of the last vertices misses, per triangle."""
    held, count = dict.fromkeys(range(-entries, 0)), 0
    for vertex in mesh.triangles.ravel().tolist():
        if vertex in held:
            continue
        count += 1
        held[vertex] = None
        del held[next(iter(held))]
    return count / len(mesh.triangles)


@pytest.mark.parametrize("mesh", [teapot(2_000), torus_knot(segments=60), disc()])
def test_the_surface_is_the_same(mesh):
    after = ordered(mesh)
    assert np.array_equal(in_one_order(corners(after)), in_one_order(corners(mesh)))
    assert after.material == mesh.material


def test_the_order_before_leaves_no_trace():
    mesh = ordered(icosphere(4))
    for seed in range(3):
        again = ordered(shuffled(mesh, seed))
        assert np.array_equal(corners(again), corners(mesh))
        assert np.array_equal(again.triangles, mesh.triangles)


def test_vertices_stand_in_the_order_of_their_first_use():
    flat = ordered(shuffled(teapot(2_000))).triangles.ravel()
    assert np.array_equal(flat[np.sort(np.unique(flat, return_index=True)[1])], np.unique(flat))


def test_vertices_that_no_triangle_uses_are_left_out():
    mesh = teapot(2_000)
    assert len(shuffled(mesh).positions) == len(mesh.positions) + 10
    assert len(ordered(shuffled(mesh)).positions) == len(np.unique(mesh.triangles))


def test_it_is_ordered_already_after_one_time():
    mesh = ordered(shuffled(torus_knot(segments=60)))
    assert np.array_equal(ordered(mesh).triangles, mesh.triangles)


def test_a_small_cache_of_vertices_misses_much_less_than_in_a_random_order():
    mesh = shuffled(icosphere(5))
    assert misses(mesh) > 2.5
    assert misses(ordered(mesh)) < 1.1


def test_a_mesh_of_one_place_or_of_nothing_is_left_as_it_is():
    point = Mesh(np.ones((3, 3)), np.ones((3, 3)), np.zeros((3, 2)), [[0, 1, 2]])
    assert ordered(point).triangles.tolist() == [[0, 1, 2]]
    nothing = Mesh(np.ones((3, 3)), np.ones((3, 3)), np.zeros((3, 2)), np.empty((0, 3)))
    assert len(ordered(nothing).triangles) == 0

import numpy as np
import pytest

from guide_project.hopper import RADIUS, Hopper
from guide_project.scene import hopping

MESH = hopping()
SECOND = 1_000_000_000


def place(mesh):
    """Where its foot is: its vertices are in the world, or the transform takes them there."""
    world = mesh.positions @ mesh.transform[:3, :3].T + mesh.transform[:3, 3]
    spread = MESH.positions - MESH.positions.mean(axis=0)
    # The rotation about y that takes the vertices as they came to where they are now
    now = world - world.mean(axis=0)
    cos, sin = (
        (spread[:, [0, 2]] * now[:, [0, 2]]).sum(),
        (spread[:, 2] * now[:, 0] - spread[:, 0] * now[:, 2]).sum(),
    )
    cos, sin = np.array((cos, sin)) / np.hypot(cos, sin)
    x, y, z = MESH.positions.mean(axis=0)
    return world.mean(axis=0) - (cos * x + sin * z, y, cos * z - sin * x)


def film(seed, times_ns):
    hopper = Hopper(MESH, seed)
    return np.array([place(hopper.at(int(t_ns))) for t_ns in times_ns])


def test_it_is_where_it_is_at_any_frame_rate():
    ends = [film(1, np.linspace(0, 5 * SECOND, n))[-1] for n in (50, 301, 720)]
    assert (ends[0] == ends[1]).all()
    assert (ends[0] == ends[2]).all()


def test_the_seed_decides():
    times_ns = np.linspace(0, SECOND, 30)
    assert (film(2, times_ns) == film(2, times_ns)).all()
    assert (film(2, times_ns) != film(3, times_ns)).any()


def test_it_goes_round_in_hops_and_never_through_the_ground():
    places = film(1, np.linspace(0, 20 * SECOND, 2400))
    heights = places[:, 1]
    assert heights.min() >= 0
    assert 0.2 < heights.max() < 0.6
    assert heights[-600:].max() == pytest.approx(heights[:600].max(), abs=0.03), "it tires"
    assert np.hypot(places[:, 0], places[:, 2]) == pytest.approx(RADIUS, abs=1e-4)


def test_between_two_steps_it_is_drawn_between_them():
    # Without interpolation some frames at 240 Hz would show it where it was before
    heights = film(1, np.arange(24) * SECOND / 240 + 10_000_000)[:, 1]
    assert (np.diff(heights[:12]) > 0).all()
    assert np.abs(np.diff(heights, 2)).max() < 0.003, "it trembles"

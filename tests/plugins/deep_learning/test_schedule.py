"""The trapezoid; the other schedules are tested with the training."""

import numpy as np
import pytest

from guide.errors import GuideError
from guide_deep_learning.training.optimizers.schedule import Schedule


def rates(steps: int = 100, **settings: float) -> np.ndarray:
    rate = Schedule(2.0, steps, decay="trapezoid", **settings)  # type: ignore[arg-type]
    return np.array([rate(step) for step in range(steps)])


def test_a_trapezoid_rises_stays_and_falls_in_a_straight_line() -> None:
    found = rates(warmup=10, cooldown=0.4, floor=0.0)
    assert (np.diff(found[:11]) > 0).all()
    assert (found[10:60] == 2.0).all()
    falling = np.diff(found[60:])
    np.testing.assert_allclose(falling, falling[0])
    assert falling[0] < 0
    assert found[99] == 0.0


def test_a_trapezoid_stays_at_its_floor_after_the_last_step() -> None:
    rate = Schedule(2.0, 100, decay="trapezoid", floor=0.1)
    assert rate(99) == rate(500) == pytest.approx(0.2)


def test_a_trapezoid_that_cools_all_the_way_is_a_line() -> None:
    line = Schedule(2.0, 100, decay="linear")
    np.testing.assert_allclose(rates(cooldown=1.0), [line(step) for step in range(100)])


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("warmup", [0, 3])
def test_the_shortest_trapezoids_have_a_rate(steps: int, warmup: int) -> None:
    assert ((rates(steps, warmup=warmup) > 0) & (rates(steps, warmup=warmup) <= 2)).all()


@pytest.mark.parametrize("cooldown", [0.0, -1.0, 1.5, float("nan")])
def test_a_cooldown_that_is_no_share_is_one_line(cooldown: float) -> None:
    with pytest.raises(GuideError, match="cooldown must be above 0 and at most 1"):
        Schedule(1.0, 100, decay="trapezoid", cooldown=cooldown)

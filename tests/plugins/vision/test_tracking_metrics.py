"""The metrics of tracks: known answers, the answers of trackeval, and input that cannot be."""

import itertools
import math

import numpy as np
import pytest

from guide_vision.pipeline.score import overlap
from guide_vision.pipeline.tracking import TrackMetrics, assign


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def score(*frames):
    metrics = TrackMetrics()
    for frame in frames:
        metrics.add(*frame)
    return metrics.score()


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (1, 6), (6, 1)])
def test_an_assignment_costs_the_least_there_is(shape):
    rng = np.random.default_rng(sum(shape))
    for _ in range(20):
        cost = rng.normal(size=shape)
        rows, columns = assign(cost)
        wide = cost if shape[0] <= shape[1] else cost.T
        least = min(
            sum(wide[k, c] for k, c in enumerate(chosen))
            for chosen in itertools.permutations(range(wide.shape[1]), wide.shape[0])
        )
        assert len(set(rows.tolist())) == len(set(columns.tolist())) == min(shape)
        assert rows.tolist() == sorted(rows.tolist())
        assert cost[rows, columns].sum() == pytest.approx(least)


def test_an_assignment_with_ties_and_with_nothing_to_assign():
    _, columns = assign(np.zeros((3, 4)))
    assert len(set(columns.tolist())) == 3
    assert [len(k) for k in assign(np.zeros((0, 4)))] == [0, 0]
    assert [len(k) for k in assign(np.zeros((4, 0)))] == [0, 0]


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_cost_that_is_no_number_is_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        assign([[0, bad], [1, 2]])


def test_a_perfect_run_scores_one_whatever_its_ids_are_called():
    box = boxes((0, 0, 10, 10), (50, 0, 10, 10))
    result = score(*[([7, 3], box, [0, 1], box)] * 5)

    assert (result.mota, result.idf1, result.hota, result.deta, result.assa) == (1, 1, 1, 1, 1)
    assert (result.switches, result.rmse_px, result.found) == (0, 0, 10)


def test_an_exchange_of_ids_is_two_switches_and_half_of_the_identities():
    box = boxes((0, 0, 10, 10), (50, 0, 10, 10))
    result = score(*[([0, 1], box, [0, 1], box)] * 5, *[([1, 0], box, [0, 1], box)] * 5)

    assert result.switches == 2
    assert result.mota == pytest.approx((20 - 2) / 20)
    assert (result.idtp, result.idfp, result.idfn) == (10, 10, 10)
    assert result.idf1 == 0.5
    assert result.deta == 1
    assert result.assa == pytest.approx(1 / 3)  # 5 frames of the 15 either has


def test_a_gap_in_the_truth_and_in_the_track_is_no_switch():
    box = boxes((0, 0, 10, 10))
    result = score(([4], box, [0], box), ([], boxes(), [0], box), ([4], box, [0], box))

    assert result.switches == 0
    assert result.mota == pytest.approx(2 / 3)


def test_the_distance_of_centres_is_in_pixels():
    result = score(([0], boxes((3, 4, 40, 40)), [0], boxes((0, 0, 40, 40))))

    assert result.rmse_px == pytest.approx(5)
    assert result.motp == pytest.approx((37 * 36) / (2 * 1600 - 37 * 36))


def test_nothing_at_all_scores_nothing():
    result = score(([], boxes(), [], boxes()))
    assert (result.mota, result.idf1, result.hota, result.true) == (0, 0, 0, 0)
    assert math.isnan(result.rmse_px)


def test_ids_that_cannot_be_are_refused():
    metrics = TrackMetrics()
    two = boxes((0, 0, 1, 1), (5, 5, 1, 1))
    with pytest.raises(ValueError, match="1 ids for 2 boxes"):
        metrics.add([1], two, [1, 2], two)
    with pytest.raises(ValueError, match="twice"):
        metrics.add([1, 2], two, [3, 3], two)


def noisy_run(seed, frames=120, things=7):
    """Tracks that miss, jitter, swap, break and invent."""
    rng = np.random.default_rng(seed)
    start, pace = rng.uniform(0, 300, (things, 2)), rng.normal(0, 3, (things, 2))
    name = np.arange(things)
    run = []
    for k in range(frames):
        if rng.random() < 0.06:
            a, b = rng.choice(things, 2, replace=False)
            name[[a, b]] = name[[b, a]]
        if rng.random() < 0.05:
            name[rng.integers(things)] = name.max() + 1
        alive = rng.random(things) < 0.93
        true = np.column_stack([start + pace * k, np.full((things, 2), 40.0)])[alive]
        found = rng.random(alive.sum()) < (0.85 if k % 30 else 0)
        seen = true[found] + rng.normal(0, 4, (found.sum(), 4))
        ids = name[alive][found]
        if rng.random() < 0.3:
            seen = np.vstack([seen, [*rng.uniform(0, 300, 2), 40, 40]])
            ids = np.append(ids, 10_000 + k // 4)
        run.append((ids, seen.astype(np.float32), np.flatnonzero(alive), true.astype(np.float32)))
    return run


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_figures_are_those_of_trackeval(seed):
    trackeval = pytest.importorskip("trackeval", reason="pip install -r requirements-dev.txt")
    run = noisy_run(seed)
    ours = score(*run)
    names = [{}, {}]

    def number(ids, side):
        return np.array([names[side].setdefault(int(k), len(names[side])) for k in ids], int)

    data = {
        "tracker_ids": [number(f[0], 0) for f in run],
        "gt_ids": [number(f[2], 1) for f in run],
        "similarity_scores": [overlap(f[3], f[1]) for f in run],
        "num_timesteps": len(run),
        "num_tracker_dets": sum(len(f[0]) for f in run),
        "num_gt_dets": sum(len(f[2]) for f in run),
    }
    data |= {"num_tracker_ids": len(names[0]), "num_gt_ids": len(names[1])}
    quiet = {"PRINT_CONFIG": False}
    clear = trackeval.metrics.CLEAR(quiet).eval_sequence(data)
    identity = trackeval.metrics.Identity(quiet).eval_sequence(data)
    hota = trackeval.metrics.HOTA().eval_sequence(data)

    theirs = {
        "found": clear["CLR_TP"],
        "switches": clear["IDSW"],
        "mota": clear["MOTA"],
        "motp": clear["MOTP"],
        "idtp": identity["IDTP"],
        "idfp": identity["IDFP"],
        "idfn": identity["IDFN"],
        "idf1": identity["IDF1"],
        "hota": hota["HOTA"].mean(),
        "deta": hota["DetA"].mean(),
        "assa": hota["AssA"].mean(),
    }
    assert ours.switches > 3
    assert 0.2 < ours.hota < 0.9
    for name, value in theirs.items():
        assert getattr(ours, name) == pytest.approx(value, abs=1e-9), name

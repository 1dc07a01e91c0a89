"""What the table of training rests on: the same training on all sides, intervals that hold."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.deep_learning import imports, loops, overhead
from benchmarks.deep_learning.scale import QUICK, Scale

ROOT = Path(__file__).parents[1]


class NoMore(Exception):
    pass


class Few(loops.Source):
    """A source of so many batches, for loops that nobody has to leave in between."""

    def __init__(self, batches):
        random = np.random.default_rng(0)
        self.active = True
        self._inputs = random.standard_normal((batches, loops.BATCH, loops.WIDTH), np.float32)
        self._labels = random.integers(0, loops.CLASSES, (batches, loops.BATCH))
        self._number = 0

    def arrays(self, _=0):
        if self._number == len(self._inputs):
            raise NoMore
        self._number += 1
        return self._inputs[self._number - 1], self._labels[self._number - 1]


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_all_loops_that_are_compared_closely_end_with_the_same_weights_bit_by_bit(monkeypatch):
    models, network = [], loops.network

    def kept():
        models.append(network())
        return models[-1]

    monkeypatch.setattr(loops, "network", kept)
    for loop in (loops.plain, loops.tight, loops.ours):
        with pytest.raises(NoMore):
            loop(Few(20))
    weights = [torch.cat([p.detach().flatten() for p in model.parameters()]) for model in models]
    assert len(weights) == 3
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], torch.cat([p.flatten() for p in network().parameters()]))


def test_a_meter_costs_nothing_while_another_loop_has_its_turn():
    class Counted:
        reads = 0

        def start(self):
            pass

        def read(self):
            self.reads += 1
            return loops.Usage(())

    meter, source = Counted(), Few(1)
    in_turn = loops.InTurn(meter, source)
    in_turn.read()
    source.active = False
    in_turn.read()
    assert meter.reads == 1


@pytest.mark.parametrize("n", [7, 20, 41, 100])
def test_the_interval_holds_the_median_with_95_percent_and_a_narrower_one_does_not(n):
    low, high = overhead.interval([float(i) for i in range(n)])
    k = int(low) + 1  # the k-th smallest
    assert high == n - k

    def missed(k):
        return 2 * sum(math.comb(n, i) for i in range(k)) / 2**n

    assert missed(k) <= 0.05 < missed(k + 1)


def test_of_very_few_values_the_interval_is_their_range():
    assert overhead.interval([3.0, 1.0, 2.0]) == (1.0, 3.0)


def test_a_goal_is_judged_by_enough_rounds_alone():
    base = [200e-6] * overhead.FEWEST
    goal = "at most 8 us"
    assert overhead._over("f", base, base, "p", goal).ok is True
    assert overhead._over("f", [b * 1.01 for b in base], base, "p", goal).ok is False
    assert overhead._over("f", base[1:], base[1:], "p", goal).ok is None
    assert QUICK.rounds < overhead.FEWEST <= Scale().rounds


def test_an_import_that_fails_says_why_in_its_row(monkeypatch):
    monkeypatch.setattr(imports, "BEFORE", "")
    monkeypatch.setattr(imports, "FEW", 1)
    monkeypatch.setattr(imports, "OURS", {"ours": "import json"})
    monkeypatch.setattr(imports, "FRAMEWORKS", {"theirs": "import no_such_framework"})
    ours, theirs = imports.rows(QUICK)
    assert ours.ok is None
    assert ours.ours.endswith(" s")
    assert theirs.peer == "ModuleNotFoundError: No module named 'no_such_framework'"
    assert theirs.ratio is None


def test_a_part_that_is_misspelt_is_said_to_be_unknown():
    typed = [sys.executable, "-m", "benchmarks.deep_learning", "overhaed"]
    ended = subprocess.run(typed, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 2
    assert "no part is called overhaed; there are overhead, imports" in ended.stderr

"""Kill it at any moment: it goes on, and ends with the same bits."""

import os
from pathlib import Path

import pytest

from benchmarks.deep_learning.damage import terminate
from benchmarks.deep_learning.kill import EVERY, Fresh, Nursery, torment

from . import tiny

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL and fork are POSIX")
KILLS = 12


def test_after_sigkill_at_random_moments_every_loss_and_the_weights_are_those_of_an_undisturbed_run(
    tmp_path: Path,
) -> None:
    with Nursery() as nursery:
        # The undisturbed one in an interpreter of its own: nothing hangs on being a fork.
        tally = torment(nursery.start, tmp_path, KILLS, undisturbed_by=Fresh)
    assert tally.kills == KILLS
    assert tally.mid_save >= 1  # half of the kills aim at one
    assert tally.trainings >= 1
    assert tally.compared > KILLS
    assert (tally.differing, tally.other_weights, tally.remarks) == (0, 0, [])
    assert tally.most_lost <= 2 * EVERY  # one interval, and one whose save was under way
    assert EVERY == tiny.EVERY


def test_sigterm_ends_a_project_with_a_checkpoint_of_its_last_step_and_exit_code_0(
    tmp_path: Path,
) -> None:
    found = terminate(tmp_path / "my_model")
    assert (found["exit"], found["lost"]) == (0, 0)
    assert found["done"] >= 50  # it had learned, and was not at its end
    assert found["start"] == f"resumed from step {found['done']} of 0001"

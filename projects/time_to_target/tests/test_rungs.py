"""Each rung is a whole recipe, no larger than the baseline, and each run stops at its target."""

from pathlib import Path
from typing import get_args

import pytest

from guide.testing import RunRecord, run_task
from guide_deep_learning.training.checkpointing.checkpoint import committed
from guide_deep_learning.training.models.model import GPT, parameters
from time_to_target.climb import Climb, climbed
from time_to_target.data import BATCH, CONTEXT, VOCABULARY, Data
from time_to_target.drawing import ladder_svg, table
from time_to_target.options import Name
from time_to_target.rungs import RUNGS
from time_to_target.task import Task


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a text that is easy to learn."""
    (tmp_path / "text.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 200)
    return tmp_path


def train(project: Path, **options: object) -> RunRecord:
    options = {"corpus": "text.txt", "eval_every": 2, **options}
    return run_task(Task(), project=project, options=options)


def test_every_rung_has_a_recipe_and_a_name() -> None:
    assert tuple(RUNGS) == get_args(Name)


@pytest.mark.parametrize("name", RUNGS)
def test_no_rung_has_more_parameters_than_the_baseline(name: str) -> None:
    assert parameters(GPT(RUNGS[name].config)) <= parameters(GPT(RUNGS["baseline"].config))


@pytest.mark.parametrize("name", RUNGS)
def test_every_parameter_of_a_rung_is_trained_once(name: str) -> None:
    model = GPT(RUNGS[name].config)
    optimizer = RUNGS[name].build_optimizer(model)
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    assert sorted(map(id, trained)) == sorted(map(id, model.parameters()))


def test_all_bytes_are_within_the_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("naïve café " * 2000, encoding="utf-8")
    data = Data("text.txt", tmp_path, seed=0)
    assert data.batch(0).shape == (BATCH, CONTEXT + 1)
    assert data.batch(0).max() < VOCABULARY
    assert data.held_out.max() < VOCABULARY


def test_it_stops_at_the_first_look_that_finds_the_target(project: Path) -> None:
    record = train(project, rung="tables", target=3.5)
    assert record.error is None, record.error
    assert record.ended == "target"
    losses = [loss for _, loss in record.series["loss.val"]]
    assert losses[-1] <= 3.5
    assert all(loss > 3.5 for loss in losses[:-1])
    assert int(record.facts["steps to target"]) == 2 * len(losses)
    assert float(record.facts["CPU seconds of steps"]) > 0


def test_what_reached_the_target_is_kept(project: Path) -> None:
    record = train(project, rung="tables", target=3.5)
    (kept,) = (project / "checkpoints").iterdir()
    assert committed(kept) == [int(record.facts["steps to target"])]


def test_a_target_that_is_not_reached_is_not_claimed(project: Path) -> None:
    record = train(project, rung="tables", target=0.001, steps=2)
    assert record.ended == "steps"
    assert "steps to target" not in record.facts


@pytest.mark.parametrize(
    ("options", "word"),
    [({"target": 0}, "target"), ({"rung": "ninth"}, "rung"), ({"corpus": " "}, "corpus")],
)
def test_what_cannot_work_is_one_line(project: Path, options: dict[str, object], word: str) -> None:
    record = train(project, **options)
    assert record.status == "failed"
    assert record.error is not None
    assert word in f"{record.error.message} {record.error.remedy}"


FACTS = {
    "rung": "muon: Muon: for the matrices",
    "steps to target": 100,
    "seconds of steps": 8.0,
    "CPU seconds of steps": 5.0,
    "parameters": 10,
}
CPU = {"name": "cpu", "value": 20.0}
ENERGY = {"name": "energy.cpu", "value": 40.0, "low": 10.0, "high": 100.0, "source": "model"}


def test_the_steps_have_their_share_of_the_joules_with_its_bounds() -> None:
    climb = climbed({"facts": FACTS, "usage": {"totals": [CPU, ENERGY]}})
    assert climb is not None
    assert (climb.rung, climb.adds) == ("muon", "Muon: for the matrices")
    assert climb.joules == (2.5, 25.0)
    assert "2.5 to 25 (model)" in table([climb])


def test_what_was_measured_has_no_bounds() -> None:
    measured = {**ENERGY, "low": None, "high": None, "source": "rapl"}
    climb = climbed({"facts": FACTS, "usage": {"totals": [CPU, measured]}})
    assert climb is not None
    assert "| 10 (rapl) |" in table([climb])


def test_without_a_meter_there_are_no_joules_and_without_the_target_no_climb() -> None:
    climb = climbed({"facts": FACTS, "usage": {"totals": [CPU]}})
    assert climb is not None
    assert climb.joules is None
    assert climbed({"facts": {}, "usage": {"totals": []}}) is None


def test_a_bar_half_as_long_is_half_as_much() -> None:
    climbs = [
        Climb("baseline", "", 100, 1.0, 10.0, None, "", 1),
        Climb("a < b", "", 50, 1.0, 5.0, None, "", 1),
    ]
    svg = ladder_svg(climbs)
    assert svg.count('width="250.0"') == svg.count('width="125.0"') == 2
    assert "2.0x less" in svg
    assert "a &lt; b" in svg

"""What this project promises: it learns, it can be interrupted, and it goes on exactly."""

from pathlib import Path

import pytest

from guide.testing import RunRecord, run_task
from guide_project.task import Task

TINY = {"batch": 8, "context": 16, "width": 32, "layers": 1, "heads": 2, "threads": 1}
TINY |= {"precision": "f32"}
TINY |= {"corpus": "text.txt", "lr": 1e-2, "steps": 30, "eval_every": 10, "checkpoint_every": 10}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a text that is easy to learn."""
    (tmp_path / "text.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 200)
    return tmp_path


def train(project: Path, ticks: int | None = None, **options: object) -> RunRecord:
    record = run_task(Task(), ticks=ticks, project=project, options={**TINY, **options})
    assert record.error is None, record.error
    return record


def test_it_learns(project: Path) -> None:
    record = train(project)
    ticks, losses = zip(*record.series["loss"], strict=True)
    assert record.ended == "steps"
    assert ticks == tuple(range(30))
    assert losses[-1] < 0.8 * losses[0]
    assert len(record.series["loss.val"]) == 3


def test_each_phase_of_a_step_is_a_span(project: Path) -> None:
    spans = train(project, ticks=2).spans
    assert {"data", "forward", "backward", "optimizer", "loss"} <= spans.keys()


def test_an_interrupted_run_goes_on_exactly(project: Path) -> None:
    whole = train(project)
    train(project, ticks=7)
    rest = train(project, resume=True)
    assert rest.facts["start"] == "resumed from step 7 of 0002"
    assert rest.ticks == 23
    assert rest.series["loss"] == whole.series["loss"]  # from step 0 on, bit by bit
    assert rest.series["loss.val"] == whole.series["loss.val"]
    assert rest.texts == whole.texts


def test_a_checkpoint_of_another_shape_is_refused(project: Path) -> None:
    train(project, ticks=3)
    record = run_task(Task(), project=project, options={**TINY, "width": 64, "resume": True})
    assert record.error is not None
    assert record.error.message == "the checkpoint was made with width 32, this run has 64"
    assert "--set width=32" in record.error.remedy


@pytest.mark.parametrize("seed", [-7, 2**70])
def test_any_whole_number_is_a_seed(project: Path, seed: int) -> None:
    record = run_task(Task(), ticks=2, project=project, options=TINY, seed=seed)
    assert record.error is None, record.error


def test_it_does_not_learn_from_its_own_runs(project: Path) -> None:
    (project / "runs").mkdir()
    (project / "runs" / "run.json").write_text("{}" * 5000)
    assert train(project, ticks=1, corpus=".").facts["corpus"].startswith(".: 1 files")

"""What was trained can write: a byte a tick, also while the training goes on."""

from pathlib import Path

import pytest

from guide.clock import VirtualClock
from guide.errors import UsageError
from guide.options import configure
from guide.testing import RunRecord, run_task
from guide_deep_learning.training.checkpointing.series import Hold
from guide_project.options import Options
from guide_project.task import Task

TINY = {"batch": 8, "context": 16, "width": 32, "layers": 1, "heads": 2, "threads": 1}
TINY |= {"corpus": "text.txt", "lr": 1e-2, "steps": 60, "eval_every": 0, "checkpoint_every": 0}
SENTENCE = "the quick brown fox jumps over the lazy dog\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that has learned one sentence."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "text.txt").write_text(SENTENCE * 200)
    assert run_task(Task(), project=folder, options=TINY).error is None
    return folder


def write(
    project: Path, seed: int = 0, rate_hz: float | None = None, **options: object
) -> RunRecord:
    clock = None if rate_hz is None else VirtualClock()
    options = {"do": "write", "corpus": "text.txt", "tokens": 60, **options}
    return run_task(
        Task(), project=project, options=options, seed=seed, rate_hz=rate_hz, clock=clock
    )


def written(record: RunRecord) -> str:
    assert record.error is None, record.error
    ((title, text),) = record.texts
    assert title == "Written"
    return text


def test_it_writes_a_byte_a_tick_until_the_tokens_are_spent(project: Path) -> None:
    record = write(project, prompt="the ")
    assert len(written(record)) == len("the ") + 60
    assert written(record).startswith("the ")
    assert (record.ended, record.ticks) == ("tokens", 60)
    assert {"model", "sample"} <= record.spans.keys()
    assert record.facts["model"] == "step 60 of 0001"
    assert record.facts["tokens/s"] > 0


def test_it_writes_what_it_has_learned(project: Path) -> None:
    assert " lazy dog\n" in written(write(project, prompt="the quick", temperature=0))


def test_the_same_seed_writes_the_same_text(project: Path) -> None:
    first, again, other = (written(write(project, seed=s, temperature=3.0)) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_each_byte_is_due_on_the_grid_of_the_rate(project: Path) -> None:
    record = write(project, rate_hz=50)
    assert record.facts["tokens/s"] == pytest.approx(50, rel=0.05)


def test_int8_is_a_quarter_of_the_weights_and_writes_the_sentence_too(project: Path) -> None:
    record = write(project, int8=True, prompt="the quick", temperature=0)
    assert " lazy dog\n" in written(record)
    assert str(record.facts["weights"]).endswith(", int8")
    assert record.facts["parameters"] == write(project).facts["parameters"]


def test_the_shape_is_that_of_the_checkpoint_whatever_is_set(project: Path) -> None:
    assert written(write(project, width=64, context=128)) == written(write(project))


def test_it_reads_while_a_training_holds_the_folder_and_leaves_it_as_it_is(project: Path) -> None:
    folder = project / "checkpoints" / "0001"
    hold = Hold(folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    written(write(project))
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    hold.release()


def test_with_nothing_trained_one_line_says_what_to_type(tmp_path: Path) -> None:
    record = write(tmp_path)
    assert record.error is not None
    assert str(record.error.message) == "there is no checkpoint in checkpoints"
    assert record.error.remedy == "train first: guide run"


def test_a_prompt_the_model_cannot_read_is_one_line(project: Path) -> None:
    record = write(project, prompt="é")
    assert record.error is not None
    assert record.error.message == "the model knows bytes below 128, the prompt has 195"


@pytest.mark.parametrize("option", ["do=sing", "tokens=0", "temperature=-1", "top_k=-1", "int8=2"])
def test_what_cannot_be_written_is_refused_before_anything_is_loaded(option: str) -> None:
    name, _, value = option.partition("=")
    with pytest.raises(UsageError, match=name):
        configure(Options, {name: value})

"""The newest weights are found and read, and nothing is touched."""

import threading
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from guide.errors import GuideError
from guide_deep_learning.training.checkpointing import checkpoint, series
from guide_deep_learning.training.checkpointing.resume import Keeper
from guide_deep_learning.training.deploy.quantize import quantized
from guide_deep_learning.training.deploy.serving import byte_cost, newest
from guide_deep_learning.training.models.model import GPT, GPTConfig

from .tiny import CONFIG, IDENTITY, make_trainer


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Checkpoints of two trainings: of steps 1 and 3, and of steps 1 and 2."""
    for more in (2, 1):
        trainer = make_trainer()
        keeper = Keeper(tmp_path, trainer, IDENTITY)
        trainer.step()
        keeper.save()
        for _ in range(more):
            trainer.step()
        keeper.save()
        keeper.close()
    return tmp_path


def damage(root: Path, pattern: str) -> None:
    for path in root.glob(pattern):
        path.write_bytes(b"damaged")


def test_the_newest_of_the_training_that_was_started_last_is_taken(two: Path) -> None:
    served = newest(two)
    assert (served.step, served.folder, served.passed_over) == (2, two / "0002", ())
    assert served.same == IDENTITY.same
    model = GPT(CONFIG)
    served.into(model)
    assert torch.equal(model.head.weight, served.weights["head.weight"])
    assert newest(two, "0001").step == 3


def test_what_is_not_whole_is_passed_over_and_said(two: Path) -> None:
    damage(two, "0002/step-000000002.pt")
    served = newest(two)
    assert (served.step, served.folder.name) == (1, "0002")
    assert "checkpoint of step 2 is damaged" in served.passed_over[0]
    damage(two, "0002/*.pt")
    served = newest(two)
    assert (served.step, served.folder.name) == (3, "0001")
    assert "no whole checkpoint in" in served.passed_over[0]
    damage(two, "0001/*.pt")
    with pytest.raises(GuideError, match=r"0002: .*0001: .*train first: guide run") as caught:
        newest(two)
    assert "\n" not in str(caught.value)


def test_with_nothing_to_read_one_line_says_what_to_type(two: Path, tmp_path: Path) -> None:
    with pytest.raises(GuideError, match="there is no checkpoint in none; train first: guide run"):
        newest(tmp_path / "none")
    with pytest.raises(GuideError, match=r"there is no checkpoint in .*/0007; train first"):
        newest(two, "0007")


def test_a_state_without_a_model_is_passed_over(two: Path) -> None:
    (two / "0003").mkdir()
    checkpoint.save(two / "0003", 1, {"weights": torch.ones(1)}, {"same": {}})
    served = newest(two)
    assert served.folder.name == "0002"
    assert "0003 has no weights" in served.passed_over[0]


def test_weights_of_another_shape_are_one_line(two: Path) -> None:
    for other in (GPTConfig(128, 16, 64, 2, 2), GPTConfig(128, 16, 32, 3, 2)):
        with pytest.raises(GuideError, match="step 2 of 0002 does not fit this model: ") as caught:
            newest(two).into(GPT(other))
        assert "\n" not in str(caught.value)


def test_reading_goes_on_while_a_training_saves(tmp_path: Path) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    ended = threading.Event()

    def train() -> None:
        try:
            for _ in range(15):
                trainer.step()
                keeper.save()
        finally:
            ended.set()

    trainer.step()
    keeper.save()
    while not series.existing(tmp_path):  # another thread may be writing it
        time.sleep(0.001)
    training = threading.Thread(target=train)
    training.start()
    steps = []
    while not ended.is_set():
        steps.append(newest(tmp_path).step)
    training.join()
    keeper.close()
    assert steps == sorted(steps)
    assert newest(tmp_path).step == 16


def test_what_a_training_is_writing_is_left_alone(two: Path) -> None:
    torn = two / "0002" / "step-000000003.pt.tmp"
    torn.write_bytes(b"half of it")
    newest(two)
    assert torn.exists()


def test_a_byte_reads_each_matrix_once_and_does_two_operations_with_each_weight() -> None:
    model = GPT(CONFIG)
    matrices = [m for m in model.modules() if isinstance(m, nn.Linear)]
    weights = sum(m.weight.numel() for m in matrices)
    biases = sum(m.bias.numel() for m in matrices if m.bias is not None)
    assert byte_cost(model) == (4 * (weights + biases), 2 * weights)
    rows = sum(m.out_features for m in matrices)
    assert byte_cost(quantized(model)) == (weights + 4 * (rows + biases), 2 * weights)

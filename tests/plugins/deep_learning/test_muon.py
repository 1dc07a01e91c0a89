"""What Muon's update is, that it goes on exactly, and that it learns faster than AdamW."""

import io
from dataclasses import replace

import pytest
import torch
from torch import nn

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training.data.batches import windows
from guide_deep_learning.training.loop.trainer import Trainer
from guide_deep_learning.training.models.model import GPT, modern
from guide_deep_learning.training.optimizers.muon import Muon, hybrid, orthogonalized
from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.optimizers.schedule import Schedule

from .tiny import CONFIG, HELD_OUT, TEXT, weights_sha

SHAPES = [(4, 32, 32), (2, 96, 32), (2, 32, 96)]
MODERN = replace(modern(CONFIG), shifted=8, pairs=64, threes=64)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_all_singular_values_end_near_one_and_directions_stay(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(shape)
    made = orthogonalized(matrices, 6)
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.7
    assert values.max() < 1.2
    u, _, vt = torch.linalg.svd(matrices, full_matrices=False)
    aligned = (made * (u @ vt)).sum() / made.norm() / (u @ vt).norm()
    assert aligned > 0.99


def test_more_iterations_lift_the_smallest_singular_value() -> None:
    torch.manual_seed(0)
    matrices = torch.randn(3, 64, 64)
    least = [torch.linalg.svdvals(orthogonalized(matrices, n)).min().item() for n in (1, 3, 6)]
    assert least == sorted(least)
    assert least[0] < 0.1 * least[2]


def test_bf16_is_enough() -> None:
    torch.manual_seed(0)
    matrices = torch.randn(3, 64, 32)
    exact, rough = (orthogonalized(matrices, 4, d) for d in (torch.float32, torch.bfloat16))
    assert rough.dtype == torch.float32
    assert ((exact - rough).norm() / exact.norm()).item() < 0.05


def test_a_gradient_of_zeros_moves_nothing() -> None:
    weight = nn.Parameter(torch.ones(4, 4))
    weight.grad = torch.zeros(4, 4)
    Muon([weight]).step()
    assert torch.equal(weight, torch.ones(4, 4))


def test_the_length_of_a_gradient_does_not_matter() -> None:
    torch.manual_seed(0)
    gradient = torch.randn(8, 4)
    moved = []
    for factor in (1.0, 1e-3):
        weight = nn.Parameter(torch.zeros(8, 4))
        weight.grad = gradient * factor
        Muon([weight], 0.1).step()
        moved.append(weight.detach())
    torch.testing.assert_close(*moved, rtol=0.05, atol=0.01)


def test_a_matrix_of_three_parts_is_updated_as_three() -> None:
    torch.manual_seed(0)
    gradient = torch.randn(96, 32)
    one, three = nn.Parameter(torch.zeros(96, 32)), nn.ParameterList(list(torch.zeros(3, 32, 32)))
    one.grad = gradient
    for weight, part in zip(three, gradient.split(32), strict=True):
        weight.grad = part.clone()
    Muon([{"params": [one], "parts": 3}]).step()
    Muon(three).step()
    assert torch.equal(one, torch.cat(list(three)))


def test_what_muon_cannot_take_is_one_line() -> None:
    with pytest.raises(GuideError, match=r"matrices of 1 parts, not \(3,\)"):
        Muon([nn.Parameter(torch.zeros(3))])
    with pytest.raises(GuideError, match=r"matrices of 3 parts, not \(4, 4\)"):
        Muon([nn.Parameter(torch.zeros(4, 4))], parts=3)
    with pytest.raises(GuideError, match="iterations are 1 to 6, not 7"):
        Muon([nn.Parameter(torch.zeros(4, 4))], iterations=7)
    with pytest.raises(GuideError, match="momentum must be"):
        Muon([nn.Parameter(torch.zeros(4, 4))], momentum=1.0)
    with pytest.raises(GuideError, match=r"no matrices.*take adamw"):
        hybrid(nn.Linear(3, 3))


def test_each_parameter_is_in_one_group() -> None:
    model = GPT(MODERN)
    trained = [p for group in hybrid(model).param_groups for p in group["params"]]
    assert len(trained) == len({id(p) for p in trained}) == len(list(model.parameters()))


def test_a_tied_head_is_trained_once() -> None:
    model = GPT(CONFIG)
    trained = [p for group in hybrid(model).param_groups for p in group["params"]]
    assert len(trained) == len({id(p) for p in trained})


def make_trainer(steps: int = 20, *, muon: bool = True) -> Trainer:
    torch.manual_seed(0)
    model = GPT(MODERN)
    return Trainer(
        model,
        hybrid(model, 0.03) if muon else adamw(model, 3e-3),
        Schedule(0.03 if muon else 3e-3, steps, decay="trapezoid"),
        lambda step: windows(TEXT, 0, step, 4, 16),
        device=torch.device("cpu"),
        timeline=Timeline(),
    )


def test_the_schedule_moves_all_groups_and_keeps_their_proportion() -> None:
    trainer = make_trainer()
    groups = trainer.optimizer.param_groups
    trainer.step()
    first = [group["lr"] for group in groups]
    assert first == pytest.approx([group.get("scale", 1.0) * 0.03 for group in groups])
    for _ in range(19):
        trainer.step()
    assert [group["lr"] for group in groups] == pytest.approx([rate / 10 for rate in first])


def test_it_goes_on_bit_for_bit_from_what_torch_reads_as_weights_only() -> None:
    whole, cut = make_trainer(), make_trainer()
    for _ in range(20):
        whole.step()
    for _ in range(8):
        cut.step()
    file = io.BytesIO()
    torch.save(cut.state(), file)
    file.seek(0)
    rest = make_trainer()
    rest.load(torch.load(file, weights_only=True))
    for _ in range(12):
        rest.step()
    assert weights_sha(rest.model) == weights_sha(whole.model)


def test_the_state_of_another_optimizer_is_refused() -> None:
    other = make_trainer(muon=False)
    other.step()
    with pytest.raises(GuideError, match="the checkpoint does not fit"):
        make_trainer().load(other.state())


def test_it_learns_in_fewer_steps_than_adamw() -> None:
    found = []
    for muon in (True, False):
        trainer = make_trainer(muon=muon)
        for _ in range(20):
            trainer.step()
        found.append(trainer.evaluate(HELD_OUT))
    assert found[0] < 0.8 * found[1]

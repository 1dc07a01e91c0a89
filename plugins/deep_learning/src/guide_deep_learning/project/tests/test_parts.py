"""The parts that are meant to be changed keep what the others rely on."""

import pytest
import torch

from guide.errors import UsageError
from guide.options import configure
from guide_project.model import build_model
from guide_project.options import Options
from guide_project.recipe import build_optimizer, build_schedule

OPTIONS = Options(steps=100, context=16, width=32, layers=2, heads=2, lr=1e-2)


def test_no_position_sees_what_comes_after_it() -> None:
    torch.manual_seed(0)
    model = build_model(OPTIONS, vocabulary=128).eval()
    text = torch.randint(128, (1, 16))
    other = text.clone()
    other[0, 10:] = (other[0, 10:] + 1) % 128
    before, after = model(text), model(other)
    torch.testing.assert_close(before[0, :10], after[0, :10])
    assert not torch.allclose(before[0, 10:], after[0, 10:])


def test_every_parameter_is_trained() -> None:
    model = build_model(OPTIONS, vocabulary=128)
    optimizer = build_optimizer(model, OPTIONS)
    trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert trained == {id(p) for p in model.parameters()}


def test_the_learning_rate_rises_then_falls() -> None:
    rate = build_schedule(OPTIONS)
    rates = [rate(step) for step in range(OPTIONS.steps)]
    peak = rates.index(max(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert max(rates) == OPTIONS.lr


@pytest.mark.parametrize(
    "option",
    [
        *("threads=10000", "threads=-1", "layers=100000", "layers=0", "heads=0", "heads=3"),
        *("width=100000000", "width=-1", "batch=100000000000", "batch=50000000"),
        *("context=0", "context=900000000", f"steps={10**400}", "lr=nan"),
        *("device=gpu", "corpus="),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_loaded(option: str) -> None:
    name, _, value = option.partition("=")
    with pytest.raises(UsageError, match=name):
        configure(Options, {name: value})

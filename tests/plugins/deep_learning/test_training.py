"""It learns; a step is made of spans; a NaN stops it with one line."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training.checkpointing.resume import Keeper
from guide_deep_learning.training.loop.device import pick_device, set_threads
from guide_deep_learning.training.loop.guard import NotFinite
from guide_deep_learning.training.models.generate import generate
from guide_deep_learning.training.models.model import GPT, GPTConfig, parameters
from guide_deep_learning.training.optimizers.schedule import Schedule

from .tiny import CONFIG, HELD_OUT, IDENTITY, make_trainer, weights_sha


def test_the_loss_falls_within_thirty_steps() -> None:
    trainer = make_trainer()
    before = trainer.evaluate(HELD_OUT)
    assert before == pytest.approx(math.log(128), abs=0.2)
    for _ in range(30):
        trainer.step()
    assert trainer.evaluate(HELD_OUT) < 0.7 * before


def test_a_step_is_five_spans_in_order() -> None:
    timeline = Timeline()
    make_trainer(timeline=timeline).step()
    names = [span.name for span in timeline.spans()]
    assert names == ["data", "forward", "backward", "optimizer", "loss"]


def test_the_loss_comes_one_step_late_and_each_once() -> None:
    trainer = make_trainer()
    given = [trainer.step(), trainer.step(), trainer.step(), trainer.flush(), trainer.flush()]
    assert [loss and loss.step for loss in given] == [None, 0, 1, 2, None]


def test_warming_up_and_evaluating_leave_the_training_as_it_is() -> None:
    plain, other = make_trainer(), make_trainer()
    other.warm_up()
    for trainer in (plain, other):
        trainer.step()
    other.evaluate(HELD_OUT)
    generate(other.model, b"the", 5, context=16)
    for trainer in (plain, other):
        trainer.step()
    assert weights_sha(plain.model) == weights_sha(other.model)


def test_evaluating_does_not_depend_on_how_the_windows_are_batched() -> None:
    trainer = make_trainer()
    assert trainer.evaluate(HELD_OUT, batch=3) == pytest.approx(trainer.evaluate(HELD_OUT))


def ruin(trainer: object) -> None:
    with torch.no_grad():
        trainer.model.norm.weight[0] = float("nan")  # type: ignore[attr-defined]


def test_a_nan_stops_it_one_step_late_and_names_step_and_batch() -> None:
    trainer = make_trainer()
    trainer.step()
    ruin(trainer)
    trainer.step()
    with pytest.raises(NotFinite) as caught:
        trainer.step()
    assert caught.value.message == "the loss is nan at step 1 (batch 1)"
    assert "--set lr=" in caught.value.remedy
    assert caught.value.step == 1


def test_a_nan_in_the_last_step_is_not_lost() -> None:
    trainer = make_trainer()
    ruin(trainer)
    trainer.step()
    with pytest.raises(NotFinite, match="at step 0"):
        trainer.flush()


def test_a_ruined_weight_is_never_saved(tmp_path: Path) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    trainer.step()
    keeper.save()
    trainer.step()
    trainer.flush()  # this loss was sound
    ruin(trainer)
    with pytest.raises(NotFinite, match=r"norm.weight is not finite after step 1"):
        keeper.save()
    keeper.close()
    assert Keeper(tmp_path, make_trainer(), IDENTITY).resume() == ["resumed from step 1 of 0001"]


def test_the_model_has_the_parameters_that_its_shape_says() -> None:
    v, t, d, n = 128, 16, 32, 2
    block = (3 * d * d + 3 * d) + (d * d + d) + (8 * d * d + 5 * d) + 4 * d
    assert parameters(GPT(CONFIG)) == v * d + t * d + n * block + 2 * d


def test_attention_sees_nothing_that_comes_later() -> None:
    torch.manual_seed(0)
    model = GPT(CONFIG).eval()
    text = torch.randint(128, (1, 16))
    other = text.clone()
    other[0, 8:] = 0
    torch.testing.assert_close(model(text)[0, :8], model(other)[0, :8])


def test_sampling_is_the_same_for_the_same_seed_and_draws_from_nobody_else() -> None:
    torch.manual_seed(0)
    model = GPT(CONFIG)
    state = torch.get_rng_state()
    one = generate(model, b"the", 20, context=16, seed=1)
    assert one == generate(model, b"the", 20, context=16, seed=1)
    assert one != generate(model, b"the", 20, context=16, seed=2)
    assert len(one) == 20
    assert torch.equal(state, torch.get_rng_state())
    cold = {generate(model, b"the", 9, context=16, temperature=0, seed=s) for s in range(3)}
    assert len(cold) == 1


def test_an_impossible_shape_is_one_line() -> None:
    with pytest.raises(GuideError, match=r"width 100 cannot be shared among 3 heads.*width=96"):
        GPTConfig(width=100, heads=3)
    with pytest.raises(GuideError, match="layers must be at least 1"):
        GPTConfig(layers=0)


@pytest.mark.parametrize("decay", ["cosine", "linear"])
def test_the_rate_warms_up_then_falls_to_its_floor(decay: str) -> None:
    rate = Schedule(1.0, 100, warmup=10, decay=decay, floor=0.1)  # type: ignore[arg-type]
    rates = np.array([rate(step) for step in range(100)])
    assert rates.argmax() == 10
    assert rates[10] == 1.0
    assert (np.diff(rates[:11]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert rates[99] == pytest.approx(0.1)
    assert rate(500) == rate(99)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_shortest_schedules_have_a_rate(steps: int) -> None:
    assert all(0 < Schedule(1.0, steps, warmup=3)(step) <= 1 for step in range(steps + 1))


def test_a_device_that_is_not_there_is_one_line() -> None:
    assert pick_device("cpu").type == "cpu"
    assert pick_device("auto").type in ("cpu", "cuda")
    with pytest.raises(GuideError, match="it is auto, cpu or cuda"):
        pick_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(GuideError, match=r"device=cuda, but torch .* device=cpu"):
            pick_device("cuda")


def test_threads_are_set_and_said() -> None:
    assert set_threads(0) == 1  # as the fixture left it
    assert set_threads(2) == 2
    with pytest.raises(GuideError, match="threads must be 0"):
        set_threads(-1)

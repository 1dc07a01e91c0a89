"""What a step can be asked to do: gather gradients, cut them, use fewer bits, learn from images."""

import math
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from guide.timing import Timeline
from guide_deep_learning.training.data.batches import windows
from guide_deep_learning.training.loop.guard import NotFinite
from guide_deep_learning.training.loop.memory import OutOfMemory
from guide_deep_learning.training.loop.precision import Precision
from guide_deep_learning.training.loop.trainer import Trainer
from guide_deep_learning.training.models.losses import class_loss
from guide_deep_learning.training.models.model import GPT
from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.optimizers.schedule import Schedule

from .tiny import CONFIG, HELD_OUT, TEXT, make_trainer

CPU = torch.device("cpu")


def make(batch_of, **more) -> Trainer:
    torch.manual_seed(0)
    model = GPT(CONFIG)
    return Trainer(
        model,
        more.pop("optimizer", None) or adamw(model, 1e-2),
        more.pop("schedule", None) or Schedule(1e-2, 60, warmup=3),
        batch_of,
        device=CPU,
        timeline=Timeline(),
        **more,
    )


def whole(step: int) -> np.ndarray:
    return windows(TEXT, 0, step, 8, 16)


def halves(number: int) -> np.ndarray:
    return whole(number // 2)[number % 2 * 4 :][:4]


def test_two_halves_of_a_batch_make_the_update_of_the_whole() -> None:
    one, two = make(whole), make(halves, accumulate=2)
    for _ in range(3):
        one.step()
        two.step()
    a, b = one.flush(), two.flush()
    assert a is not None
    assert b is not None
    assert a.step == b.step == 2
    assert a.value == pytest.approx(b.value, rel=1e-5)
    for p, q in zip(one.model.parameters(), two.model.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-3, atol=1e-5)


def test_long_gradients_are_cut() -> None:
    model = GPT(CONFIG)
    seen: list[float] = []

    class Sgd(torch.optim.SGD):
        def step(self, closure=None):  # type: ignore[no-untyped-def]
            squares = [p.grad.square().sum() for g in self.param_groups for p in g["params"]]
            seen.append(float(torch.stack(squares).sum().sqrt()))
            super().step(closure)

    trainer = Trainer(
        model,
        Sgd(model.parameters(), lr=0.1),
        lambda step: 0.1,
        whole,
        device=CPU,
        timeline=Timeline(),
        clip=0.01,
    )
    trainer.step()
    assert seen == [pytest.approx(0.01, rel=1e-3)]


def test_a_group_may_learn_at_a_multiple_of_the_rate() -> None:
    model = GPT(CONFIG)
    slow, fast = list(model.blocks.parameters()), list(model.embedding.parameters())
    groups = [{"params": slow}, {"params": fast, "scale": 5.0}]
    trainer = Trainer(
        model,
        torch.optim.SGD(groups, lr=1.0),
        lambda step: 0.1,
        whole,
        device=CPU,
        timeline=Timeline(),
    )
    trainer.step()
    assert [group["lr"] for group in trainer.optimizer.param_groups] == [0.1, 0.5]


def test_it_learns_in_bf16_as_well() -> None:
    trainer = make(whole, precision=Precision("bf16"))
    before = trainer.evaluate(HELD_OUT)
    for _ in range(20):
        trainer.step()
    assert trainer.evaluate(HELD_OUT) < 0.8 * before
    assert all(p.dtype == torch.float32 for p in trainer.model.parameters())


def test_it_learns_from_images_too() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=64)
    images = rng.integers(50, size=(64, 8, 8), dtype=np.uint8)
    images[np.arange(64), labels * 2] += 200  # the row that is bright says which class it is
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4))
    trainer = Trainer(
        model,
        adamw(model, 1e-2),
        lambda step: 1e-2,
        lambda step: (images[step % 4 * 16 :][:16], labels[step % 4 * 16 :][:16]),
        device=CPU,
        timeline=Timeline(),
        loss_of=class_loss,
    )
    before = trainer.evaluate((images, labels))
    assert before == pytest.approx(math.log(4), abs=0.3)
    for _ in range(40):
        trainer.step()
    assert trainer.evaluate((images, labels), batch=7) < 0.3 * before


def test_a_nan_names_all_batches_of_the_update_and_the_last_good_state() -> None:
    trainer = make(halves, accumulate=2, describe="windows of batch {}".format)
    trainer.kept = "step 40 in checkpoints/0001"
    with torch.no_grad():
        trainer.model.norm.weight[0] = float("nan")
    trainer.step()
    with pytest.raises(NotFinite) as caught:
        trainer.step()
    assert "at step 0 (windows of batch 0, windows of batch 1)" in caught.value.message
    assert "the last good state is step 40 in checkpoints/0001" in caught.value.remedy


def test_no_memory_is_one_line_that_says_what_grew() -> None:
    class Greedy(GPT):
        def forward(self, inputs, past=None):  # type: ignore[no-untyped-def]
            return super().forward(inputs) + torch.empty(10**15)

    model = Greedy(CONFIG)
    trainer = Trainer(
        model, adamw(model, 1e-2), lambda s: 1e-2, whole, device=CPU, timeline=Timeline()
    )
    for call in (trainer.step, trainer.warm_up):
        with pytest.raises(OutOfMemory) as caught:
            call()
        assert "no room for 4,000 TB more for activations; held are weights" in caught.value.message
        assert "lower batch, context" in caught.value.remedy
        assert "\n" not in str(caught.value)


PROGRAM = """
import torch
from guide_deep_learning.training.loop.memory import OutOfMemory
from guide.timing import Timeline
from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.models.losses import class_loss
from guide_deep_learning.training.loop.trainer import Trainer
import numpy as np, resource
wide = torch.nn.Linear(64, 1_000_000)
model = torch.nn.Sequential(torch.nn.Flatten(), wide, torch.nn.Linear(1, 4))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, used + 2**27))
batch = np.zeros((512, 8, 8), np.uint8), np.zeros(512, int)
trainer = Trainer(model, adamw(model, 1e-2), lambda s: 1e-2, lambda s: batch,
                  device=torch.device("cpu"), timeline=Timeline(), loss_of=class_loss)
try:
    trainer.step()
except OutOfMemory as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS"), reason="no limit of the address space")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")
def test_a_real_lack_of_memory_is_told_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert "out of memory in forward" in done.stdout, done.stdout + done.stderr[-500:]
    assert "2.05 GB" in done.stdout


def test_warming_up_draws_nothing_from_the_random_state() -> None:
    trainer = make_trainer()
    torch.manual_seed(7)
    before = torch.get_rng_state()
    dropping = nn.Dropout(0.5)
    trainer.forward = lambda x: dropping(trainer.model(x))
    trainer.warm_up()
    assert torch.equal(before, torch.get_rng_state())
    assert all(p.grad is None for p in trainer.model.parameters())

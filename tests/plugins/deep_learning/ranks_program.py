"""What two processes do under torchrun, in the tests of several ranks: one of the parts by name."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[3]))

from guide.errors import GuideError
from guide.loop import Loop
from guide.timing import Timeline
from guide_deep_learning.training.checkpointing import checkpoint
from guide_deep_learning.training.data.batches import windows
from guide_deep_learning.training.loop.guard import StepLoss
from guide_deep_learning.training.loop.trainer import Trainer
from guide_deep_learning.training.models.model import GPT, GPTConfig
from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.optimizers.schedule import Schedule
from guide_deep_learning.training.processes import per_rank, ranks
from guide_deep_learning.training.processes.agreement import Agreement
from guide_deep_learning.training.processes.communication import Communication
from guide_deep_learning.training.processes.distributed import World, join, synced
from guide_deep_learning.training.processes.share import rows_of, shared
from tests.plugins.deep_learning.tiny import CONFIG, IDENTITY, TEXT, weights_sha

STEPS = 6


def make(
    world: World,
    how: Any = "ddp",
    timeline: Timeline | None = None,
    config: GPTConfig = CONFIG,
    batch: int = 4,
) -> tuple[Trainer, Communication]:
    torch.manual_seed(0)
    timeline = timeline or Timeline()
    communication = Communication(timeline)
    model = GPT(config)
    forward = world.wrap(model, how, communication)
    trainer = Trainer(
        model,
        adamw(model, 1e-2),
        Schedule(1e-2, 60, warmup=3),
        shared(lambda n: windows(TEXT, 0, n, batch, config.context), world.rank, world.size),
        device=world.device,
        timeline=timeline,
    )
    trainer.forward = forward
    trainer.warm_up()
    return trainer, communication


def learn(world: World, trainer: Trainer, steps: int) -> list[float]:
    """The mean losses of so many steps, over the rows of all ranks."""
    agreement, found = Agreement(world, Loop()), []
    for _ in range(steps):
        found += agreement.exchange(trainer.step())
    return [loss.value for loss in [*found, *agreement.settle(trainer.flush())]]


def losses(world: World, root: Path) -> dict[str, Any]:
    """Both ways to train, whole and with a restart in the middle."""
    told: dict[str, Any] = {}
    for how in ("ddp", "fsdp"):
        told[how] = learn(world, make(world, how)[0], STEPS)
        first, again = (make(world, how)[0] for _ in range(2))
        begun = learn(world, first, STEPS // 2)
        keeper = ranks.open_keeper(root / how, first, IDENTITY, world)
        keeper.save()
        keeper.close()
        other = ranks.open_keeper(root / how, again, IDENTITY, world)
        told[f"{how} said"] = other.resume()
        told[f"{how} again"] = begun + learn(world, again, STEPS // 2)
        other.close()
    return told


def sums(world: World) -> dict[str, Any]:
    """The gradient of two batches that were added up before the ranks heard of it, or after."""
    found = []
    for late in (True, False):
        torch.manual_seed(0)
        model = world.wrap(torch.nn.Linear(8, 8))
        data = rows_of(torch.arange(64.0).reshape(8, 8).numpy(), world.rank, world.size)
        for part, last in ((data[:2], False), (data[2:], True)):
            with synced(model, last or not late):
                model(torch.from_numpy(part)).square().mean().backward()
        found.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    return {"sums agree": torch.allclose(*found)}


def stops(world: World) -> dict[str, Any]:
    """Rank 1 alone is asked to stop, in the middle of tick 3."""
    loop = Loop(ticks=100)
    agreement = Agreement(world, loop)
    for tick in loop:
        if tick.index == 3 and world.rank == 1:
            loop.stop("interrupted")
        agreement.exchange(StepLoss(tick.index, 0.0))
    agreement.settle(None)
    return {"stopped": world.gather((loop.log.count, loop.ended))}


def times(world: World, steps: int, width: int = 64, budget: float = 60.0) -> dict[str, Any]:
    """What the report of a run would hold of the network."""
    config = GPTConfig(vocabulary=128, context=32, width=width, layers=2, heads=2)
    loop = Loop(ticks=steps, seconds=budget)
    trainer, communication = make(world, timeline=loop.timeline, config=config)
    for _ in loop:
        trainer.step()
    took = loop.log.columns()
    found = world.gather(per_rank.summarise(world, loop, communication))
    return {
        "facts": per_rank.facts(found),
        "table": per_rank.table(found),
        "tick_time": {
            "count": steps,
            "p50_ns": int(sorted(took.end_ns - took.start_ns)[steps // 2]),
        },
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
    }


def damage(world: World, root: Path) -> dict[str, Any]:
    """The part of rank 1 is damaged; then rank 1 cannot write."""
    folder, told = root / "damaged", {}
    for step in (1, 2):
        ranks.save(folder, step, {"step": step, "rank": world.rank}, {"same": {}}, world)
    if world.rank == 1:
        part = folder / "step-000000002.rank-1.pt"
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 1
        part.write_bytes(content)
    found = ranks.load(folder, world)
    assert found is not None
    told["found"] = world.gather((found.step, found.state))
    told["passed over"] = found.passed_over
    if world.rank == 1:
        for name in ("step-000000001.rank-1.pt", "step-000000001.rank-1.pt.tmp"):
            (root / "full" / name / "in the way").mkdir(parents=True)
    world.gather(None)
    try:
        ranks.save(root / "full", 1, {}, {"same": {}}, world)
    except GuideError as error:
        told["cannot"] = world.gather(error.message)
    told["committed"] = checkpoint.committed(root / "full")
    return told


def farewell(world: World) -> dict[str, Any]:
    """Rank 1 fails; what rank 0 hears of it. Nothing can follow."""
    trainer, _ = make(world)
    try:
        with world.in_touch():
            for step in range(100):
                if step == 3 and world.rank == 1:
                    raise GuideError("there is no more text")
                trainer.step()
    except GuideError as error:
        world.leave()
        return {"farewell": [error.message, error.remedy]}
    return {}


def train(world: World, root: Path, steps: int) -> dict[str, Any]:
    """Train to the end with a checkpoint every 3 steps, going on from whatever is there."""
    torch.manual_seed(0)
    trainer, _ = make(world)
    keeper = ranks.open_keeper(root, trainer, IDENTITY, world)
    log = (root / f"losses-{world.rank}").open("a")
    print("pid", world.rank, os.getpid(), *keeper.resume(), file=log, flush=True)
    with world.in_touch():
        while trainer.done < steps:
            late = [trainer.step()]
            if trainer.done % 3 == 0:
                late.append(keeper.save())
            for loss in filter(None, late):
                print("loss", loss.step, loss.value.hex(), file=log, flush=True)
            time.sleep(0.005)  # or it is over before anybody can kill it
    print("weights", weights_sha(trainer.model), file=log, flush=True)
    return {}


def main(part: str, root: Path, number: int) -> None:
    torch.set_num_threads(1)
    world = join(torch.device("cpu"), timeout_s=60)
    if part == "all":
        told = {
            **losses(world, root),
            **sums(world),
            **stops(world),
            **times(world, 20),
        }
        told |= farewell(world)
    elif part == "whole":
        told = {**train(world, root, number), **damage(world, root)}
    elif part == "times":
        told = times(world, number, width=128)
    else:
        told = train(world, root, number)
    if world.rank == 0:
        (root / "told.json").write_text(json.dumps(told))
    world.leave()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))

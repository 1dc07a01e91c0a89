"""Everything a training consists of, put together: the place to swap a part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from guide.run import Run
from guide_deep_learning.training import per_rank
from guide_deep_learning.training.agreement import Agreement
from guide_deep_learning.training.communication import Communication
from guide_deep_learning.training.corpus import as_text
from guide_deep_learning.training.device import pick_device, set_threads
from guide_deep_learning.training.distributed import World, join
from guide_deep_learning.training.identity import Identity, Value
from guide_deep_learning.training.model import generate, parameters
from guide_deep_learning.training.ranks import RankKeeper, open_keeper
from guide_deep_learning.training.resume import Keeper
from guide_deep_learning.training.share import rows_of, shared
from guide_deep_learning.training.trainer import Trainer

from .data import Data
from .model import build_model
from .options import Options
from .recipe import build_optimizer, build_schedule


@dataclass(frozen=True)
class Session:
    """The parts that live as long as the training."""

    data: Data
    trainer: Trainer
    keeper: Keeper | RankKeeper
    world: World
    agreement: Agreement
    communication: Communication | None

    def evaluate(self) -> float:
        """The mean loss on what it never learns from, in nats per byte: each rank takes a part."""
        part = rows_of(self.data.held_out, self.world.rank, self.world.size)
        return self.world.mean(self.trainer.evaluate(part))

    def sum_up(self, run: Run) -> None:
        """Let every rank say how it did, in rank 0's report."""
        if not self.world.alone:
            found = self.world.gather(per_rank.summarise(self.world, run.loop, self.communication))
            run.text("Ranks", per_rank.table(found))
            run.facts.update(per_rank.facts(found))

    def sample(self, count: int) -> str:
        """What the model writes after the prompt."""
        context = self.data.options.context
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # one byte at a time is too little work to share
        try:
            new = generate(self.trainer.model, self.data.prompt, count, context=context)
        finally:
            torch.set_num_threads(threads)
        return as_text(self.data.prompt + new)


def open_session(options: Options, run: Run) -> Session:
    """Build the parts in order, and go on from a checkpoint where one is wanted."""
    world = join(pick_device(options.device))
    device = world.device
    threads = set_threads(options.threads)
    data = Data(options, run.project, run.seed)
    torch.manual_seed(run.seed % 2**64)  # torch takes no larger ones, and few below 0
    model = build_model(options, data.corpus.vocabulary).to(device)
    count = parameters(model)
    communication = None if world.alone else Communication(run.timeline)
    forward = world.wrap(model, "fsdp" if options.sharded else "ddp", communication)
    world.own_randomness(run.seed)
    trainer = Trainer(
        model,
        build_optimizer(model, options),
        build_schedule(options),
        shared(data.batch, world.rank, world.size),
        device=device,
        timeline=run.timeline,
        describe=data.describe,
    )
    trainer.forward = forward
    identity = identify(options, data, world, threads)
    keeper = open_keeper(run.project / "checkpoints", trainer, identity, world)
    if options.resume or options.resume_from:
        with world.in_touch():
            went_on, *remarks = keeper.resume(options.resume_from)
        run.fact("start", went_on)
        for remark in remarks:
            run.note(remark)

    corpus = data.corpus
    run.fact("parameters", count)
    run.fact("corpus", f"{corpus.name}: {corpus.files} files, {corpus.size} bytes")
    run.fact("corpus sha256", corpus.sha256[:12])
    run.fact("held out", f"{len(corpus.held_out)} bytes, {corpus.split}")
    run.fact("device", torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu")
    run.fact("threads", threads)
    run.fact("torch", torch.__version__)
    agreement = Agreement(world, run.loop)
    return Session(data, trainer, keeper, world, agreement, communication)


def identify(options: Options, data: Data, world: World, threads: int) -> Identity:
    """What a restart must have the same to be the same training, and to be so bit for bit."""
    o = options
    same: dict[str, Value] = {
        "corpus": data.corpus.sha256[:12],
        "seed": data.seed,
        "batch": o.batch,
    }
    same |= {"ranks": world.size, "sharded": o.sharded}
    same |= {"context": o.context, "width": o.width, "layers": o.layers, "heads": o.heads}
    exact: dict[str, Value] = {"steps": o.steps, "lr": o.lr, "threads": threads}
    exact |= {"device": world.device.type, "cpu": torch.backends.cpu.get_cpu_capability()}
    exact |= {"torch": str(torch.__version__), "numpy": np.__version__}
    return Identity(same, exact)

"""Everything a training consists of, put together: the place to swap a part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from guide.run import Run
from guide_deep_learning.training.corpus import as_text
from guide_deep_learning.training.device import pick_device, set_threads
from guide_deep_learning.training.generate import generate
from guide_deep_learning.training.identity import Identity, Value
from guide_deep_learning.training.model import parameters
from guide_deep_learning.training.resume import Keeper
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
    keeper: Keeper

    def evaluate(self) -> float:
        """The mean loss on what it never learns from, in nats per byte."""
        return self.trainer.evaluate(self.data.held_out)

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
    device = pick_device(options.device)
    threads = set_threads(options.threads)
    data = Data(options, run.project, run.seed)
    torch.manual_seed(run.seed % 2**64)  # torch takes no larger ones, and few below 0
    model = build_model(options, data.corpus.vocabulary).to(device)
    trainer = Trainer(
        model,
        build_optimizer(model, options),
        build_schedule(options),
        data.batch,
        device=device,
        timeline=run.timeline,
        describe=data.describe,
    )
    keeper = Keeper(run.project / "checkpoints", trainer, identify(options, data, device, threads))
    if options.resume or options.resume_from:
        went_on, *remarks = keeper.resume(options.resume_from)
        run.fact("start", went_on)
        for remark in remarks:
            run.note(remark)

    corpus = data.corpus
    run.fact("parameters", parameters(model))
    run.fact("corpus", f"{corpus.name}: {corpus.files} files, {corpus.size} bytes")
    run.fact("corpus sha256", corpus.sha256[:12])
    run.fact("held out", f"{len(corpus.held_out)} bytes, {corpus.split}")
    run.fact("device", torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu")
    run.fact("threads", threads)
    run.fact("torch", torch.__version__)
    return Session(data, trainer, keeper)


def identify(options: Options, data: Data, device: torch.device, threads: int) -> Identity:
    """What a restart must have the same to be the same training, and to be so bit for bit."""
    o = options
    same: dict[str, Value] = {
        "corpus": data.corpus.sha256[:12],
        "seed": data.seed,
        "batch": o.batch,
    }
    same |= {"context": o.context, "width": o.width, "layers": o.layers, "heads": o.heads}
    exact: dict[str, Value] = {"steps": o.steps, "lr": o.lr, "threads": threads}
    exact |= {"device": device.type, "cpu": torch.backends.cpu.get_cpu_capability()}
    exact |= {"torch": str(torch.__version__), "numpy": np.__version__}
    return Identity(same, exact)

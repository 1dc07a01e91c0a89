"""What is trained, on what, and how: the parts put together. The place to swap one."""

from __future__ import annotations

from guide.run import Run
from guide_deep_learning.training.loop.training import Plan

from .data import Data
from .model import build_model
from .options import Options
from .recipe import build_optimizer, build_schedule


def make_plan(options: Options, data: Data, run: Run) -> Plan:
    """The plan of this project's training."""
    o, corpus = options, data.corpus
    run.fact("corpus", f"{corpus.name}: {corpus.files} files, {corpus.size} bytes")
    run.fact("corpus sha256", corpus.sha256[:12])
    run.fact("held out", f"{len(corpus.held_out)} bytes, {corpus.split}")
    return Plan(
        build_model=lambda: build_model(options, corpus.vocabulary),
        build_optimizer=lambda model: build_optimizer(model, options),
        schedule=build_schedule(options),
        batch_of=data.batch,
        held_out=data.held_out,
        samples=o.batch * o.accumulate * o.context,
        # Another of these would be another training; a name is that of its option.
        same={
            "corpus": corpus.sha256[:12],
            "seed": data.seed,
            "batch": o.batch,
            "accumulate": o.accumulate,
            "context": o.context,
            "width": o.width,
            "layers": o.layers,
            "heads": o.heads,
        },
        # Another of these goes on, and is said.
        exact={"steps": o.steps, "lr": o.lr, "clip": float(o.clip), "dropout": float(o.dropout)},
        describe=data.describe,
    )

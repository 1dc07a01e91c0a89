"""The other task: the trained model writes, a byte a tick, with a deadline for each."""

from __future__ import annotations

from dataclasses import fields, replace

import torch
from torch import nn

from guide.loop import Tick
from guide.run import Run
from guide.units import size
from guide_deep_learning.training.data.corpus import as_text
from guide_deep_learning.training.deploy.quantize import quantized, weight_bytes
from guide_deep_learning.training.deploy.serving import Served, byte_cost, newest
from guide_deep_learning.training.loop.device import pick_device, set_threads
from guide_deep_learning.training.models.generate import Generator, generate
from guide_deep_learning.training.models.model import parameters

from .model import build_model
from .options import Options


class Writer:
    """Continues a prompt with the newest checkpoint; nothing is saved, a training may go on."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.generator: Generator | None = None
        self.written = 0

    def start(self, run: Run) -> None:
        """Load the weights, take in the prompt, and warm up."""
        self.run, options = run, self.options
        served = newest(run.project / "checkpoints", options.resume_from)
        for sentence in served.passed_over:
            run.note(sentence)
        device = pick_device(options.device)
        # One byte at a time is too little work to share, unless the model is wide.
        threads = set_threads(options.threads or 1)
        weights = served.weights.get("embedding.weight")
        vocabulary = 256 if weights is None else len(weights)
        model: nn.Module = build_model(shaped(options, served), vocabulary)
        served.into(model)
        model = model.to(device).eval()
        run.fact("model", f"step {served.step} of {served.folder.name}")
        run.fact("parameters", parameters(model))
        if options.int8:
            model = quantized(model)
            if device.type != "cpu":
                run.note("int8 saves memory on a GPU, not time: its kernels here are the CPU's")
        run.fact("weights", f"{size(weight_bytes(model))}, {'int8' if options.int8 else 'float32'}")
        run.fact("device", torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu")
        run.fact("threads", threads)
        run.fact("torch", torch.__version__)
        read, operations = byte_cost(model)
        run.cost("model", bytes=read, flops=operations)

        begin = options.prompt or ("def " if options.corpus == "stdlib" else "\n")
        prompt = begin.encode("utf-8", "surrogateescape")
        generate(model, prompt, 2)  # the first call of a kernel is nobody's tick
        self.generator = Generator(
            model,
            prompt,
            temperature=options.temperature,
            top_k=options.top_k,
            seed=run.seed,
        )
        self.generator.score()

    def step(self, tick: Tick) -> None:
        """Write one byte. Every so often the context is full, and half of it is computed anew."""
        generator = self.generator
        assert generator is not None
        with tick.span("model"):
            generator.score()
        with tick.span("sample"):
            generator.choose()
        self.written += 1
        if self.written >= self.options.tokens:
            self.run.stop("tokens")

    def close(self) -> None:
        """Keep what was written."""
        if self.generator is None:
            return
        run = self.run
        run.text("Written", as_text(bytes(self.generator.text)))
        spent_s = (run.ended_ns - run.started_ns) / 1e9
        if self.written and spent_s > 0:
            run.fact("tokens/s", round(self.written / spent_s, 1))


def shaped(options: Options, served: Served) -> Options:
    """The options with the shape of the model that was trained, whatever is set now."""
    known = {field.name for field in fields(options)} - {"corpus"}  # there it is a hash
    return replace(options, **{k: v for k, v in served.same.items() if k in known})

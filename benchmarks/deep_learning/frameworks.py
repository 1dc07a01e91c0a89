"""The same training as in `loops.py`, driven by the loops of frameworks.

Each is set up as its documentation says for one CPU, with what can be left out left out, except
where the name says "as it comes". None has a schedule: where one loop does more, it is ours.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from benchmarks.deep_learning.loops import BATCH, CLASSES, RATE, WIDTH, Source, adamw, network

ENDLESS = 10**9
warnings.simplefilter("ignore")


def fabric(source: Source) -> None:
    """Lightning Fabric: one's own loop, its model, optimizer and backward."""
    from lightning.fabric import Fabric

    driver = Fabric(accelerator="cpu", devices=1)
    plain = network()
    model, optimizer = driver.setup(plain, adamw(plain))
    for inputs, labels in source:
        loss = F.cross_entropy(model(inputs), labels)
        driver.backward(loss)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()


def lightning_barebones(source: Source) -> None:
    """Lightning's Trainer without anything that can be left out."""
    _lightning(source, logged=False, barebones=True)


def lightning_default(source: Source) -> None:
    """Lightning's Trainer as it comes: progress bar, log, checkpoints, the loss logged."""
    _lightning(source, logged=True)


def _lightning(source: Source, *, logged: bool, **settings: Any) -> None:
    import lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = network()

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            inputs, labels = batch
            loss = F.cross_entropy(self.model(inputs), labels)
            if logged:
                self.log("loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self) -> Any:
            return adamw(self.model)

    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=ENDLESS,
        max_epochs=1,
        default_root_dir=tempfile.mkdtemp(),
        **settings,
    )
    trainer.fit(Module(), source)


def accelerate(source: Source) -> None:
    """Hugging Face accelerate: one's own loop within `accumulate`."""
    from accelerate import Accelerator

    driver = Accelerator(cpu=True)
    plain = network()
    model, optimizer = driver.prepare(plain, adamw(plain))
    for inputs, labels in source:
        with driver.accumulate(model):
            loss = F.cross_entropy(model(inputs), labels)
            driver.backward(loss)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        loss.item()


def ignite(source: Source) -> None:
    """PyTorch-Ignite: an engine around one's own step."""
    from ignite.engine import Engine

    model = network()
    optimizer = adamw(model)

    def step(_: Any, batch: tuple[Tensor, Tensor]) -> float:
        inputs, labels = batch
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    Engine(step).run(source, max_epochs=1, epoch_length=ENDLESS)


def transformers(source: Source) -> None:
    """Hugging Face's Trainer, which saves and reports nothing here."""
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    from transformers import Trainer, TrainingArguments

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = network()

        def forward(self, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
            return {"loss": F.cross_entropy(self.model(inputs), labels)}

    class FromSource(Trainer):
        def get_train_dataloader(self) -> Any:
            return Named(source)

    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        use_cpu=True,
        max_steps=ENDLESS,
        per_device_train_batch_size=BATCH,
        optim="adamw_torch_fused",
        learning_rate=RATE.peak,
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    model = Model()
    FromSource(model, arguments, optimizers=(adamw(model), None), train_dataset=[0] * BATCH).train()


class Named:
    """Batches under the names that the model's arguments have."""

    batch_size = BATCH

    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for inputs, labels in self._source:
            yield {"inputs": inputs, "labels": labels}


def keras(source: Source) -> None:
    """Keras on torch: `fit`, with its own AdamW."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras as k

    layers = [k.layers.Dense(WIDTH, activation="relu") for _ in range(2)]
    model = k.Sequential([k.Input((WIDTH,)), *layers, k.layers.Dense(CLASSES)])
    model.compile(
        optimizer=k.optimizers.AdamW(RATE.peak),
        loss=k.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    batches = (next(source) for _ in count())
    model.fit(batches, steps_per_epoch=ENDLESS, epochs=1, verbose=0)


FRAMEWORKS: dict[str, Callable[[Source], None]] = {
    "Lightning Fabric 2.6": fabric,
    "PyTorch-Ignite 0.5": ignite,
    "accelerate 1.15": accelerate,
    "transformers 5.24 Trainer": transformers,
    "Lightning 2.6 Trainer, barebones": lightning_barebones,
    "Lightning 2.6 Trainer, as it comes": lightning_default,
    "Keras 3.15 on torch": keras,
}

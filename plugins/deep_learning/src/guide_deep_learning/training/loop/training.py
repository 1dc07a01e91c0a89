"""A training from its first step to its last: the parts put together, in the order they need.

What is one's own is a `Plan`: model, optimizer, schedule, data, loss. What is the same for all of
them is here: finding the other processes, choosing threads and precision, going on from a
checkpoint, the curves of the report, and what is said at the end.

    training = Training(run, settings, plan)
    for each tick:
        training.update(tick)
        if training.due(settings.eval_every): training.evaluate(tick)
        if training.due(settings.checkpoint_every): training.save(tick)
        training.stop_when_finished()
    training.finish()
    training.close()
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from guide.loop import Tick
from guide.machine import usable_threads
from guide.run import Run
from guide.units import percent, quantity
from guide_deep_learning.training.checkpointing import randomness
from guide_deep_learning.training.checkpointing.identity import Identity, Value, surroundings
from guide_deep_learning.training.checkpointing.resume import about_newest
from guide_deep_learning.training.data.prefetch import Prefetch
from guide_deep_learning.training.loop import compiling, flops
from guide_deep_learning.training.loop.device import pick_device
from guide_deep_learning.training.loop.guard import StepLoss
from guide_deep_learning.training.loop.settings import Settings
from guide_deep_learning.training.loop.trainer import PHASES, Batch, Trainer
from guide_deep_learning.training.loop.tuning import Setting, tune
from guide_deep_learning.training.models.losses import next_byte_loss
from guide_deep_learning.training.models.model import parameters
from guide_deep_learning.training.processes import per_rank
from guide_deep_learning.training.processes.agreement import Agreement
from guide_deep_learning.training.processes.communication import Communication
from guide_deep_learning.training.processes.distributed import join
from guide_deep_learning.training.processes.ranks import open_keeper
from guide_deep_learning.training.processes.share import judged_rows, shared


@dataclass(frozen=True)
class Plan:
    """What is one's own in a training.

    Attributes:
        build_model: makes the model, on the CPU; called once, after the random states were set.
        build_optimizer: makes the optimizer of that model.
        schedule: the learning rate of a step, by its number.
        batch_of: the batch by its number: a pure function.
        held_out: what it is judged by, in the form of a batch.
        samples: what a step learns from, in `unit`: for a throughput.
        same: what must not change between two starts; a name is that of its option.
        exact: what may change at the price of exactness.
        unit: what is counted: "tokens", "images".
        loss_of: as for `Trainer`.
        loss_unit: "nats/byte".
        describe: says in words which data a batch had.
    """

    build_model: Callable[[], nn.Module]
    build_optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    schedule: Callable[[int], float]
    batch_of: Callable[[int], Batch]
    held_out: Batch
    samples: int
    same: Mapping[str, Value]
    exact: Mapping[str, Value] = field(default_factory=dict)
    unit: str = "tokens"
    loss_of: Callable[..., Tensor] = next_byte_loss
    loss_unit: str = "nats/byte"
    describe: Callable[[int], str] = "batch {}".format


class Training:
    """One training, in this process and in those that run it with this one.

    Args:
        run: what it is part of: its record, its folder, its seed.
        settings: what the user has set.
        plan: what is one's own.

    Attributes:
        trainer, keeper, world: the parts, for whoever wants to look.
        sound: whether what is in memory is worth saving.
        step_flops: operations of a step; 0 where they were not counted.

    Raises:
        GuideError: when it cannot begin: no such device, no fitting checkpoint, no memory.
    """

    def __init__(self, run: Run, settings: Settings, plan: Plan) -> None:
        self.run, self.settings, self.plan = run, settings, plan
        self._opened = ExitStack()
        self.sound = False
        try:
            self._open()
        except BaseException:
            self._opened.close()
            raise

    @property
    def model(self) -> nn.Module:
        """What is trained, without what is wrapped around it."""
        return self.trainer.model

    @property
    def done(self) -> int:
        """Steps made, in this run and in those before it."""
        return self.trainer.done

    @property
    def finished(self) -> bool:
        """Whether all steps are made."""
        return self.done >= self.settings.steps

    def due(self, every: int) -> bool:
        """Whether something that happens every so many steps does so now; 0 is only at the end."""
        return self.finished or (every > 0 and self.done % every == 0)

    def update(self, tick: Tick) -> None:
        """Make one step, and log the loss of the one before.

        Raises:
            NotFinite, OutOfMemory, GuideError: as `Trainer.step`; when a checkpoint that was under
                way could not be written; when another process is gone.
        """
        if self.finished:  # resumed after the end
            return
        run = self.run
        self.keeper.check()  # first: what is in memory is still worth saving elsewhere
        self.sound = False
        with self._in_touch():
            self._log(self._agreement.exchange(self.trainer.step()))
        spent_s = (run.clock.now_ns() - tick.start_ns) / 1e9
        run.log(f"{self.plan.unit}/s", self.plan.samples / max(spent_s, 1e-9))
        self.sound = True

    def evaluate(self, tick: Tick) -> float:
        """Judge it by what it never learns from, and log that."""
        with tick.span("evaluate"), self._in_touch():
            self._settle(self.trainer.flush())
            part = judged_rows(self.plan.held_out, self.world.rank, self.world.size)
            value = self.world.mean(self.trainer.evaluate(part))
        self.trainer.judged.append((self.done, value))
        self.run.log("loss.val", value, self.plan.loss_unit, step=self.done)
        return value

    def save(self, tick: Tick) -> None:
        """Keep the state as it is now. What the span takes is the copy; a thread writes it."""
        with tick.span("checkpoint"):
            self._save()

    def stop_when_finished(self) -> None:
        """End the run after this tick if all steps are made."""
        if self.finished:
            self.run.loop.stop("steps", agreed=True)

    def finish(self) -> bool:
        """Save what an interruption would lose, and say how it went; once, before `close`.

        Returns:
            False after an error of a step. Nothing is saved then: the last good state is on the
            disk already.
        """
        if not self.sound:
            return False
        self.sound = False
        self._save()
        with self._in_touch():
            self._sum_up()
        return True

    def close(self) -> None:
        """Wait until the newest checkpoint is on the disk, and let others go on from it."""
        self._opened.close()

    def _open(self) -> None:
        run, settings, plan = self.run, self.settings, self.plan
        self.world = world = join(pick_device(settings.device))
        self._opened.callback(world.leave)
        device = world.device
        randomness.seed(run.seed)
        model = plan.build_model().to(device)
        count = parameters(model)
        communication = (
            None if world.alone else Communication(run.timeline, half=settings.short_gradients)
        )
        forward = world.wrap(model, "fsdp" if settings.sharded else "ddp", communication)
        world.own_randomness(run.seed)
        batch_of = shared(plan.batch_of, world.rank, world.size)
        self.trainer = trainer = Trainer(
            model,
            plan.build_optimizer(model),
            plan.schedule,
            batch_of,
            device=device,
            timeline=run.timeline,
            describe=plan.describe,
            loss_of=plan.loss_of,
            accumulate=settings.accumulate,
            clip=settings.clip,
        )
        trainer.forward = forward
        self._agreement, self._communication = Agreement(world, run.loop), communication

        root = run.project / "checkpoints"
        # Fewer processes could not read what so many wrote, nor the other way round.
        same: dict[str, Value] = {**plan.same, "ranks": world.size}
        if not world.alone:
            same["sharded"] = settings.sharded
            same["short_gradients"] = settings.short_gradients
        resumes = bool(settings.resume or settings.resume_from)
        kept: Mapping[str, Any] = {}
        if resumes:
            kept = world.from_first(about_newest(root, same, settings.resume_from) or {})
        with self._in_touch():
            setting = self._choose(kept.get("exact") or {})
        around = surroundings(
            device,
            threads=setting.threads,
            precision=setting.precision,
            world_size=world.size,
        )
        identity = Identity(same, {**plan.exact, **around})
        self.keeper = open_keeper(root, trainer, identity, world, timeline=run.timeline)
        self._opened.callback(self.keeper.close)
        if resumes:
            with self._in_touch():
                self._go_on(self.keeper.resume(settings.resume_from))
        self._compile()
        if settings.workers:
            first = trainer.done * settings.accumulate
            ahead: Prefetch[Batch] = Prefetch(
                batch_of,
                settings.workers,
                2 * settings.workers,
                first,
                pin=device.type == "cuda",
                timeline=run.timeline,
            )
            self._opened.callback(ahead.close)
            trainer.batch_of = ahead
        self._say(count, setting)
        self.sound = True

    def _choose(self, before: Mapping[str, Any]) -> Setting:
        """Threads and precision: what is set, else what the checkpoint had, else what is fastest.

        Several processes cannot try by themselves: each of their steps waits for the others.
        """
        settings, world = self.settings, self.world
        threads = settings.threads or int(before.get("threads", 0))
        precision = settings.precision
        if precision == "auto" and before.get("precision"):
            precision = before["precision"]
        if not world.alone:
            on_this_host = int(os.environ.get("LOCAL_WORLD_SIZE", world.size))
            threads = threads or max(usable_threads() // on_this_host, 1)
            precision = "f32" if precision == "auto" and world.device.type == "cpu" else precision
        setting, trials = tune(self.trainer, world.device, threads, precision)
        if trials:
            self.run.fact("tried", trials)
        else:
            self.trainer.warm_up()
        return setting

    def _go_on(self, said: list[str]) -> None:
        """Say where it went on from, and give the report the curves from their beginning."""
        went_on, *remarks = said
        self.run.fact("start", went_on)
        for remark in remarks:
            self.run.note(remark)
        for loss in self.keeper.losses.history:
            self.run.log("loss", loss.value, self.plan.loss_unit, step=loss.step)
        for step, value in self.trainer.judged:
            self.run.log("loss.val", value, self.plan.loss_unit, step=step)
        self._name_kept()

    def _compile(self) -> None:
        if self.settings.compile:
            paid = compiling.compiled(self.trainer)
            self.run.note(paid.sentence(self.settings.steps - self.done))

    def _say(self, count: int, setting: Setting) -> None:
        run, device = self.run, self.world.device
        run.fact("parameters", count)
        run.fact("device", torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu")
        run.fact("threads", setting.threads)
        run.fact("precision", setting.precision)
        run.fact("torch", torch.__version__)
        self.step_flops = 0
        if self.world.alone:  # others would wait for steps that only count
            of_batch = flops.counted(self.trainer.warm_up)
            self.step_flops = of_batch * self.settings.accumulate
            # A product costs one product forward, and two backward: for its input and its weight.
            run.cost("forward", flops=of_batch / 3)
            run.cost("backward", flops=of_batch * 2 / 3)
            run.fact("operations a step", f"{self.step_flops / 1e9:.3g} GFLOP")

    def _save(self) -> None:
        with self._in_touch():
            self._settle(self.trainer.flush())  # before the save: its curve goes as far
            self.keeper.save()
        self._name_kept()

    def _name_kept(self) -> None:
        if self.keeper.folder is not None and self.keeper.saved > 0:
            self.trainer.kept = f"step {self.keeper.saved} in checkpoints/{self.keeper.folder.name}"

    def _sum_up(self) -> None:
        run = self.run
        if self.keeper.losses.remark:
            run.note(self.keeper.losses.remark)
        if not self.world.alone:
            found = self.world.gather(per_rank.summarise(self.world, run.loop, self._communication))
            run.text("Ranks", per_rank.table(found))
            run.facts.update(per_rank.facts(found))
        stats = run.timeline.stats()
        step_s = sum(stats[name].mean for name in PHASES if name in stats) / 1e9
        limit, name = flops.ceiling(
            self.world.device, torch.get_num_threads(), self.trainer.precision.name
        )
        if self.step_flops and step_s:
            rate = self.step_flops / step_s
            words = quantity(rate, "FLOP/s")
            if limit:
                words = f"{percent(rate, limit)}: {words} of {quantity(limit, 'FLOP/s')} ({name})"
            run.fact("MFU", words)

    def _settle(self, loss: StepLoss | None) -> None:
        self._log(self._agreement.settle(loss))

    def _log(self, losses: Iterable[StepLoss]) -> None:
        for loss in losses:
            self.keeper.losses.add(loss.step, loss.value)
            self.run.log("loss", loss.value, self.plan.loss_unit, step=loss.step)

    def _in_touch(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext() if self.world.alone else self.world.in_touch()

"""Checkpoints of several ranks: whole on all of them, or not there.

    step-000000120.rank-0.pt, .json    what rank 0 holds, with a manifest of its own
    step-000000120.rank-1.pt, .json    what rank 1 holds
    step-000000120.pt, .json           written last, by rank 0, when all parts are on the disk:
                                       how many there are

Each rank writes its part: its weights or its shard of them, and its random state. The last is the
commit point. A kill before it leaves parts that nobody reads, and the state before them whole:
each rank keeps two. Going on, all ranks try the newest committed step, and take the one before it
together if the part of one of them is damaged. Hosts need not share a disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training.checkpointing import checkpoint, series
from guide_deep_learning.training.checkpointing.identity import Identity
from guide_deep_learning.training.checkpointing.losslog import LossLog
from guide_deep_learning.training.checkpointing.resume import Keeper
from guide_deep_learning.training.loop.guard import StepLoss
from guide_deep_learning.training.loop.trainer import Trainer
from guide_deep_learning.training.processes.distributed import World


def save(
    folder: Path,
    step: int,
    state: Mapping[str, Any],
    about: Mapping[str, Any],
    world: World,
    *,
    damaged: Collection[int] = (),
) -> None:
    """Write the state reached after `step` updates; called by all ranks, and ends on all.

    Args:
        folder: this training's own, the same name on all ranks.
        step: updates done.
        state: what this rank holds; see `checkpoint.save`.
        about: what the training is; the same on all ranks.
        world: the ranks.
        damaged: steps that `load` passed over when this training went on: they go too.

    Raises:
        GuideError: on all of them, when one cannot write. What was saved before is untouched.
    """
    trouble = None
    try:
        checkpoint.save(folder, step, state, about, part=_part(world.rank), damaged=damaged)
    except GuideError as error:
        trouble = (f"rank {world.rank}: {error.message}", error.remedy)
    _raise_first(world.gather(trouble))  # nobody goes on before all parts are on the disk
    if world.rank == 0:
        trouble = None
        try:
            checkpoint.save(folder, step, {"ranks": world.size}, about, damaged=damaged)
        except GuideError as error:
            trouble = _as_trouble(error, folder)
    _raise_first([world.from_first(trouble)])


def load(folder: Path, world: World) -> checkpoint.Checkpoint | None:
    """The newest state that is whole on all ranks, this rank's part of it; called by all.

    Returns:
        The same step on all of them; None when rank 0 knows of none.

    Raises:
        GuideError: on all of them, when there are states and none is whole.
    """
    steps = world.from_first(checkpoint.committed(folder) if world.rank == 0 else [])
    about = world.from_first(checkpoint.about(folder) if world.rank == 0 else None)
    passed_over: dict[int, str] = {}
    for step in steps:
        state, reason = None, ""
        try:
            if world.rank == 0 and checkpoint.load(folder, step).state != {"ranks": world.size}:
                raise GuideError(f"it is not of {world.size} ranks")
            state = checkpoint.load(folder, step, part=_part(world.rank)).state
        except GuideError as error:
            reason = error.message
        reasons = world.gather(reason)
        if not any(reasons) and state is not None:
            said = tuple(passed_over.values())
            return checkpoint.Checkpoint(step, state, about or {}, said, tuple(passed_over))
        whose = next(rank for rank, text in enumerate(reasons) if text)
        passed_over[step] = f"checkpoint of step {step} is damaged (rank {whose}: {reasons[whose]})"
    if passed_over:
        raise GuideError(
            f"no checkpoint in {folder} is whole on all ranks: {'; '.join(passed_over.values())}",
            "start anew with --set resume=false",
        )
    return None


class RankKeeper:
    """Keeps the states of one training on several ranks; what `Keeper` is to one process.

    Args:
        root: the folder of all checkpoints of a project.
        trainer: whose state; of a sharded model too.
        identity: what the training is.
        world: the ranks.

    Raises:
        GuideError: when nothing can be saved in `root`.
    """

    def __init__(self, root: Path, trainer: Trainer, identity: Identity, world: World) -> None:
        series.prepare(root)
        self.folder: Path | None = None
        self.saved = -1
        self.losses = LossLog()  # the means over all ranks; rank 0 writes them
        self._root, self._trainer, self._world = root, trainer, world
        # Fewer could not read what so many wrote, nor the other way round.
        self._identity = Identity({**identity.same, "ranks": world.size}, identity.exact)
        self._hold: series.Hold | None = None
        self._damaged: tuple[int, ...] = ()  # passed over by `resume`, until a save is whole

    def resume(self, name: str = "") -> list[str]:
        """Go on from the newest step that is whole on all ranks; called by all.

        Args:
            name: go on in this folder of `root` and in no other.

        Returns:
            Sentences on what happened, the first says where the training goes on.

        Raises:
            GuideError: on all ranks, when no training fits, none is whole, or another run has it.
        """
        chosen = trouble = None
        if self._world.rank == 0:
            try:
                chosen = self._choose(name)
            except GuideError as error:
                trouble = _as_trouble(error, self._root)
        _raise_first([self._world.from_first(trouble)])
        chosen = self._world.from_first(chosen)
        if chosen is None:
            return [f"nothing to resume in {self._root.name}: started at step 0"]
        folder = self._root / chosen
        found = load(folder, self._world)
        if found is None:
            raise GuideError(f"the checkpoints in {folder} were removed just now")
        # What a kill has left: rank 0 holds the folder for all of them.
        checkpoint.tidy(folder, part=_part(self._world.rank))
        if self._world.rank == 0:
            checkpoint.tidy(folder)
        trouble, curve = None, []
        try:
            inexact = self._identity.check(found.about)
            self._load(found)
            if self._world.rank == 0:
                curve = self.losses.go_on(folder, found.step, found.about.get("losses"))
        except (GuideError, OSError) as error:
            trouble = _as_trouble(error, folder)
        _raise_first(self._world.gather(trouble))
        self.folder, self.saved, self._damaged = folder, found.step, found.damaged
        went_on = f"resumed from step {found.step} of {folder.name} on {self._world.size} ranks"
        return [went_on, *found.passed_over, *inexact, *curve]

    def save(self) -> StepLoss | None:
        """Save the state as it is now on all ranks, unless it is saved or nothing was learned yet.

        Returns:
            The loss of the newest step of this rank, where it was not given out yet.

        Raises:
            GuideError: as `ranks.save`, or when a loss or a weight of this rank is not finite.
        """
        late = self._trainer.flush()
        if self._trainer.done not in (0, self.saved):
            state = _to_file(self._trainer.state())
            if self.folder is None:
                self.folder = self._root / self._new_folder()
            mark = self.losses.mark()
            self._sync_losses(mark)
            about = {**self._identity.as_json(), "losses": mark}
            done, world = self._trainer.done, self._world
            save(self.folder, done, state, about, world, damaged=self._damaged)
            self.saved, self._damaged = done, ()
        return late

    def check(self) -> None:
        """Nothing: what could not be written was raised by `save`."""

    def close(self) -> None:
        """Let others go on from here."""
        self.losses.close()
        if self._hold is not None:
            self._hold.release()

    def _load(self, found: checkpoint.Checkpoint) -> None:
        try:
            self._trainer.load(_to_model(found.state, self._trainer))
        except (KeyError, TypeError, AttributeError) as error:
            raise GuideError(
                f"the checkpoint of step {found.step} was made by another program: "
                f"{type(error).__name__}: {error}",
                "start anew with --set resume=false",
            ) from error

    def _sync_losses(self, mark: Mapping[str, int]) -> None:
        trouble = None
        if self._world.rank == 0:
            try:
                self.losses.sync(mark)
            except OSError as error:
                trouble = _as_trouble(error, self._root)
        _raise_first([self._world.from_first(trouble)])

    def _choose(self, name: str) -> str | None:
        """On rank 0: the folder to go on in, held; None where there is none."""
        found = series.existing(self._root)
        if name and self._root / name not in found:
            there = ", ".join(path.name for path in found) or "none"
            raise GuideError(
                f"nothing to resume in {self._root.name}/{name}", f"there are: {there}"
            )
        if not found:
            return None
        fitting = [folder for folder in found if self._fits(folder)]
        folder = self._root / name if name else (fitting or found)[0]
        self._identity.check(checkpoint.about(folder) or {})  # where none fits it says why
        self._hold = series.Hold(folder)
        return folder.name

    def _fits(self, folder: Path) -> bool:
        with contextlib.suppress(GuideError):
            self._identity.check(checkpoint.about(folder) or {})
            return True
        return False

    def _new_folder(self) -> str:
        made = trouble = None
        if self._world.rank == 0:
            try:
                folder = series.new(self._root)
                self._hold = series.Hold(folder)
                self.losses.begin(folder)
                made = folder.name
            except (GuideError, OSError) as error:
                trouble = _as_trouble(error, self._root)
        _raise_first([self._world.from_first(trouble)])
        return cast(str, self._world.from_first(made))


def open_keeper(
    root: Path,
    trainer: Trainer,
    identity: Identity,
    world: World,
    *,
    timeline: Timeline | None = None,
) -> Keeper | RankKeeper:
    """The keeper for as many processes as there are. Raises GuideError as they do."""
    if world.alone:
        return Keeper(root, trainer, identity, timeline=timeline)
    return RankKeeper(root, trainer, identity, world)


def _part(rank: int) -> str:
    return f"rank-{rank}"


def _as_trouble(error: GuideError | OSError, folder: Path) -> tuple[str, str]:
    """What can be told to other ranks of an error."""
    if isinstance(error, OSError):
        error = series.cannot_save(folder, error)
    return error.message, error.remedy


def _raise_first(troubles: list[tuple[str, str] | None]) -> None:
    """Raise the first trouble of any rank, on this one too."""
    for trouble in troubles:
        if trouble is not None:
            raise GuideError(*trouble)


def _to_file(thing: Any) -> Any:
    """A state with this rank's shards in place of sharded tensors, which only code could read."""
    if isinstance(thing, Mapping):
        return {key: _to_file(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_to_file(value) for value in thing]
    return thing.to_local() if _is_sharded(thing) else thing


def _to_model(state: dict[str, Any], trainer: Trainer) -> dict[str, Any]:
    """A state from a file, with its shards as the sharded tensors that the model has."""
    return {
        **state,
        "model": _sharded_as(state["model"], trainer.model),
        "optimizer": _moments_as(state["optimizer"], trainer.optimizer),
    }


def _sharded_as(weights: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    like = model.state_dict()
    return {name: _shard_as(value, like.get(name)) for name, value in weights.items()}


def _moments_as(saved: dict[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments = {}
    for number, of_parameter in saved["state"].items():
        like = parameters[number] if number < len(parameters) else None
        moments[number] = {k: _shard_as(value, like) for k, value in of_parameter.items()}
    return {**saved, "state": moments}


def _shard_as(value: Any, like: Any) -> Any:
    """`value` as a shard of what `like` is a shard of; as it is where that is whole, or differs."""
    if not _is_sharded(like) or not isinstance(value, Tensor):
        return value
    if value.shape != like.to_local().shape:
        return value  # an optimizer's count of steps; or the model was changed, which is said
    from torch.distributed.tensor import DTensor

    return DTensor.from_local(
        value.to(like.device),
        like.device_mesh,
        like.placements,
        run_check=False,
        shape=like.shape,
        stride=like.stride(),
    )


def _is_sharded(thing: Any) -> bool:
    return isinstance(thing, Tensor) and hasattr(thing, "to_local")

"""Saving a training and going on with it: what ties a trainer to its checkpoints."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training.checkpointing import checkpoint, series
from guide_deep_learning.training.checkpointing.identity import Identity, Value
from guide_deep_learning.training.checkpointing.losslog import LossLog
from guide_deep_learning.training.checkpointing.saving import Saver, Snapshot
from guide_deep_learning.training.loop.guard import StepLoss
from guide_deep_learning.training.loop.trainer import Trainer


class Keeper:
    """Keeps the states of one training, and the losses of its steps.

    Args:
        root: the folder of all checkpoints of a project. A new training saves in a numbered
            folder of its own there, one that goes on in the folder it came from.
        trainer: whose state.
        identity: what the training is.
        asynchronous: whether `save` only copies the state in memory and a thread writes it. A
            kill then costs the steps since the newest save that was whole; one that was under way
            does not count.
        timeline: where the span "save" of that thread goes, on a lane of its own.

    Raises:
        GuideError: when nothing can be saved in `root`.
    """

    def __init__(
        self,
        root: Path,
        trainer: Trainer,
        identity: Identity,
        *,
        asynchronous: bool = True,
        timeline: Timeline | None = None,
    ) -> None:
        series.prepare(root)
        self.folder: Path | None = None  # made at the first save
        self.saved = -1  # updates done when the newest checkpoint was made, or is being written
        self.losses = LossLog()  # of all steps; whoever gets one from the trainer adds it
        self._root = root
        self._trainer = trainer
        self._identity = identity
        self._asynchronous = asynchronous
        self._snapshot = Snapshot()
        self._saver = Saver(timeline)
        self._hold: series.Hold | None = None
        self._damaged: tuple[int, ...] = ()  # passed over by `resume`, until a save is whole

    def resume(self, name: str = "") -> list[str]:
        """Go on from the newest whole checkpoint of the training that was started last.

        `losses.history` then begins with the losses of the steps up to there.

        A training that does not fit (another seed, another width) is left aside for the one
        before it, so that a short experiment does not hide last night's work.

        Args:
            name: go on in this folder of `root` and in no other.

        Returns:
            Sentences on what happened; the first says where the training goes on. Without any
            checkpoint it begins at step 0, so that a command that restarts until it succeeds
            needs no second form.

        Raises:
            GuideError: when none fits, none is whole, or another run is training there.
        """
        found = series.existing(self._root)
        if name and self._root / name not in found:
            there = ", ".join(path.name for path in found) or "none"
            raise GuideError(
                f"nothing to resume in {self._root.name}/{name}", f"there are: {there}"
            )
        if not found:
            return [f"nothing to resume in {self._root.name}: started at step 0"]
        misfits = {path: self._misfit(path) for path in found}
        fitting = [path for path, why in misfits.items() if not why]
        # Where none fits, the newest says why.
        folder = self._root / name if name else (fitting or found)[0]
        self._hold = series.Hold(folder)
        try:
            checkpoint.tidy(folder)
            state = checkpoint.load_newest(folder)
            if state is None:
                raise GuideError(f"the checkpoints in {folder} were removed just now")
            inexact = self._identity.check(state.about)
            self._load(state)
            curve = self._take_up(folder, state)
        except GuideError:
            self.close()
            raise
        self.folder, self.saved, self._damaged = folder, state.step, state.damaged
        others = [] if name else _others(folder, state.step, misfits)
        went_on = f"resumed from step {state.step} of {folder.name}"
        return [went_on, *state.passed_over, *others, *inexact, *curve]

    def _load(self, found: checkpoint.Checkpoint) -> None:
        try:
            self._trainer.load(found.state)
        except (KeyError, TypeError, AttributeError) as error:
            raise GuideError(
                f"the checkpoint of step {found.step} was made by another program: "
                f"{type(error).__name__}: {error}",
                "start anew with --set resume=false",
            ) from error

    def _take_up(self, folder: Path, found: checkpoint.Checkpoint) -> list[str]:
        try:
            return self.losses.go_on(folder, found.step, found.about.get("losses"))
        except OSError as error:
            raise series.cannot_save(folder, error) from error

    def _misfit(self, folder: Path) -> str:
        try:
            about = checkpoint.about(folder)
            if about is None:
                return "no manifest in it can be read"
            self._identity.check(about)
        except GuideError as error:
            return error.message
        return ""

    def save(self) -> StepLoss | None:
        """Save the state as it is now, unless it is saved already or nothing was learned yet.

        Where another save is still under way, it is waited for: there is one at a time.

        Returns:
            The loss of the newest step where `Trainer.step` has not given it out yet: a NaN that
            is still on its way must not be saved, so it is waited for. It is in `losses` already.

        Raises:
            GuideError: when it cannot be written, or a loss or weight is not finite; also when
                the save before this one failed meanwhile.
        """
        trainer = self._trainer
        late = trainer.flush()
        if late is not None:
            self.losses.add(*late)
        self.wait()
        if trainer.done not in (0, self.saved):
            state = trainer.state()
            if self.folder is None:
                self._begin()
            mark = self.losses.mark()
            about = {**self._identity.as_json(), "losses": mark}
            if self._asynchronous:
                state = self._snapshot.take(state)
                self._saver.start(partial(self._write, trainer.done, state, about, mark))
            else:
                self._write(trainer.done, state, about, mark)
            self.saved = trainer.done
        return late

    def check(self) -> None:
        """Raise what a save that is under way has met so far. Cheap: for every step.

        Raises:
            GuideError: when it could not be written.
        """
        try:
            self._saver.check()
        except GuideError:
            self.saved = -1  # what is in memory is worth another try
            raise

    def wait(self) -> None:
        """Wait until the newest checkpoint is on the disk.

        Raises:
            GuideError: when it could not be written.
        """
        try:
            self._saver.wait()
        except GuideError:
            self.saved = -1
            raise

    def close(self) -> None:
        """Wait until the newest checkpoint is on the disk, and let others go on from it.

        Raises:
            GuideError: when it could not be written.
        """
        try:
            self.wait()
        finally:
            self.losses.close()
            if self._hold is not None:
                self._hold.release()

    def _begin(self) -> None:
        folder = series.new(self._root)
        self._hold = series.Hold(folder)
        try:
            self.losses.begin(folder)
        except OSError as error:
            raise series.cannot_save(folder, error) from error
        self.folder = folder

    def _write(
        self, step: int, state: Mapping[str, Any], about: Mapping[str, Any], mark: dict[str, int]
    ) -> None:
        """On either thread. The losses first: the manifest says how many there are."""
        assert self.folder is not None
        try:
            self.losses.sync(mark)
        except OSError as error:
            raise series.cannot_save(self.folder, error) from error
        checkpoint.save(self.folder, step, state, about, damaged=self._damaged)
        self._damaged = ()


def about_newest(root: Path, same: Mapping[str, Value], name: str = "") -> dict[str, Any] | None:
    """What the manifest says of the state that a training of `same` would go on from.

    Without reading the state: to know, before it is loaded, with how many threads it was made.

    Args:
        root: the folder of all checkpoints of a project.
        same: as in `Identity`.
        name: look into this folder of `root` and into no other.
    """
    wanted = Identity(same, {})
    for folder in [root / name] if name else series.existing(root):
        with contextlib.suppress(GuideError):
            about = checkpoint.about(folder)
            if about is not None:
                wanted.check(about)
                return about
    return None


def _others(folder: Path, step: int, misfits: Mapping[Path, str]) -> list[str]:
    """What to know of the trainings that were not taken: the newer ones, and who got further."""
    said = []
    for path, why in misfits.items():
        reached = checkpoint.committed(path)[:1]
        if why and int(path.name) > int(folder.name):
            said.append(f"left {path.name} aside: {why}")
        elif not why and path != folder and reached > [step]:
            go_on = f"--set resume_from={path.name} goes on there"
            said.append(f"{path.name} is at step {reached[0]}: {go_on}")
    return said

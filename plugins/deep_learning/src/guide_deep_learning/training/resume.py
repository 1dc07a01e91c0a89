"""Saving a training and going on with it: what ties a trainer to its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from guide.errors import GuideError
from guide_deep_learning.training import checkpoint, series
from guide_deep_learning.training.guard import StepLoss
from guide_deep_learning.training.identity import Identity
from guide_deep_learning.training.trainer import Trainer


class Keeper:
    """Keeps the states of one training.

    Args:
        root: the folder of all checkpoints of a project. A new training saves in a numbered
            folder of its own there, one that goes on in the folder it came from.
        trainer: whose state.
        identity: what the training is.

    Raises:
        GuideError: when nothing can be saved in `root`.
    """

    def __init__(self, root: Path, trainer: Trainer, identity: Identity) -> None:
        series.prepare(root)
        self.folder: Path | None = None  # made at the first save
        self.saved = -1  # updates done when the newest checkpoint was made
        self._root = root
        self._trainer = trainer
        self._identity = identity
        self._hold: series.Hold | None = None
        self._damaged: tuple[int, ...] = ()  # passed over by `resume`, until the next save

    def resume(self, name: str = "") -> list[str]:
        """Go on from the newest whole checkpoint of the training that was started last.

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
            state = checkpoint.load_newest(folder)
            if state is None:
                raise GuideError(f"the checkpoints in {folder} were removed just now")
            inexact = self._identity.check(state.about)
            self._trainer.load(state.state)
        except GuideError:
            self.close()
            raise
        self.folder, self.saved, self._damaged = folder, state.step, state.damaged
        others = [] if name else _others(folder, state.step, misfits)
        went_on = f"resumed from step {state.step} of {folder.name}"
        return [went_on, *state.passed_over, *others, *inexact]

    def _misfit(self, folder: Path) -> str:
        about = checkpoint.about(folder)
        if about is None:
            return "no manifest in it can be read"
        try:
            self._identity.check(about)
        except GuideError as error:
            return error.message
        return ""

    def save(self) -> StepLoss | None:
        """Save the state as it is now, unless it is saved already or nothing was learned yet.

        Returns:
            The loss of the newest step where `Trainer.step` has not given it out yet: a NaN that
            is still on its way must not be saved, so it is waited for.

        Raises:
            GuideError: when it cannot be written, or a loss or weight is not finite.
        """
        trainer = self._trainer
        late = trainer.flush()
        if trainer.done not in (0, self.saved):
            state = trainer.state()
            if self.folder is None:
                self.folder = series.new(self._root)
                self._hold = series.Hold(self.folder)
            about = self._identity.as_json()
            checkpoint.save(self.folder, trainer.done, state, about, damaged=self._damaged)
            self.saved, self._damaged = trainer.done, ()
        return late

    def close(self) -> None:
        """Let others go on from here."""
        if self._hold is not None:
            self._hold.release()


def _others(folder: Path, step: int, misfits: Mapping[Path, str]) -> list[str]:
    """What to know of the trainings that were not taken: the newer ones, and who got further."""
    said = []
    for path, why in misfits.items():
        reached = checkpoint.committed(path)[:1]
        if why and int(path.name) > int(folder.name):
            said.append(f"left {path.name} aside: {why}")
        elif not why and reached > [step]:
            go_on = f"--set resume_from={path.name} goes on there"
            said.append(f"{path.name} is at step {reached[0]}: {go_on}")
    return said

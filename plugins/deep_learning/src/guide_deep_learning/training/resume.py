"""Saving a training and going on with it: what ties a trainer to its checkpoints."""

from __future__ import annotations

from pathlib import Path

from guide_deep_learning.training import checkpoint
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
    """

    def __init__(self, root: Path, trainer: Trainer, identity: Identity) -> None:
        self.folder: Path | None = None  # made at the first save
        self.saved = -1  # updates done when the newest checkpoint was made
        self._root = root
        self._trainer = trainer
        self._identity = identity

    def resume(self) -> list[str]:
        """Go on from the newest whole checkpoint.

        Returns:
            Sentences on what happened; the first says where the training goes on. Without any
            checkpoint it begins at step 0, so that a command that restarts until it succeeds
            needs no second form.

        Raises:
            GuideError: when it was another training's, does not fit, or none is whole.
        """
        folder = checkpoint.newest_series(self._root)
        found = checkpoint.load_newest(folder) if folder else None
        if folder is None or found is None:
            return [f"nothing to resume in {self._root.name}: started at step 0"]
        inexact = self._identity.check(found.about)
        self._trainer.load(found.state)
        self.folder, self.saved = folder, found.step
        return [f"resumed from step {found.step}", *found.passed_over, *inexact]

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
            self.folder = self.folder or checkpoint.new_series(self._root)
            checkpoint.save(self.folder, trainer.done, state, self._identity.as_json())
            self.saved = trainer.done
        return late

"""What it learns stays what it is: a change that was to make it faster changes none of this."""

from pathlib import Path

import pytest

from guide.testing import run_task
from guide_project.task import Task

SMALL = {"batch": 4, "context": 16, "width": 32, "layers": 2, "heads": 2, "threads": 1}
SMALL |= {"corpus": "text.txt", "lr": 1e-2, "steps": 40, "eval_every": 0, "checkpoint_every": 0}


def test_the_loss_falls_as_it_did(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("".join(f"{n} squared is {n * n}.\n" for n in range(9999)))
    record = run_task(Task(), project=tmp_path, options=SMALL)
    assert record.error is None, record.error
    losses = [value for _, value in record.series["loss"]]
    assert losses[::13] == pytest.approx([4.82231, 2.00685, 1.32463, 1.07276], rel=1e-3)
    assert record.series["loss.val"][-1][1] == pytest.approx(1.49462, rel=1e-3)

"""What a damaged file, a full disk or SIGTERM costs, and the line that is said.

Beside it is the saver that most tutorials have: `torch.save` over the same file each time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.rows import Row
from guide.errors import GuideError
from guide.scaffold import new_project
from guide.timing import Timeline
from guide_deep_learning.plugin import guide_projects
from guide_deep_learning.training.checkpointing import checkpoint
from guide_deep_learning.training.checkpointing.identity import Identity
from guide_deep_learning.training.checkpointing.resume import Keeper
from guide_deep_learning.training.data.batches import windows
from guide_deep_learning.training.loop.trainer import Trainer
from guide_deep_learning.training.models.model import GPT, GPTConfig
from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.optimizers.schedule import Schedule

if TYPE_CHECKING:
    from benchmarks.deep_learning.scale import Scale

EVERY = 10  # steps between two checkpoints
STEPS = 30
IDENTITY = Identity(same={"seed": 0}, exact={"threads": 1})
Damage = Callable[[Path], None]


def truncated(path: Path) -> None:
    """Cut off the second half."""
    os.truncate(path, path.stat().st_size // 2)


def flipped(path: Path) -> None:
    """Flip one bit in the middle, which is in a weight or a moment."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    """Leave a file without a byte."""
    os.truncate(path, 0)


def make_trainer() -> Trainer:
    """A small training, always the same."""
    text = np.frombuffer(b"the quick brown fox jumps over the lazy dog\n" * 100, np.uint8)
    torch.manual_seed(0)
    model = GPT(GPTConfig(context=16, width=32, layers=2, heads=2))
    return Trainer(
        model,
        adamw(model, 1e-2),
        Schedule(1e-2, STEPS),
        lambda step: windows(text, 0, step, 4, 16),
        device=torch.device("cpu"),
        timeline=Timeline(),
    )


def train(root: Path, steps: int = STEPS) -> Trainer:
    """Train so far, with a checkpoint every `EVERY` steps, and end."""
    trainer = make_trainer()
    keeper = Keeper(root, trainer, IDENTITY)
    while trainer.done < steps:
        trainer.step()
        if trainer.done % EVERY == 0:
            keeper.save()
    keeper.close()
    return trainer


def gone_on(root: Path) -> tuple[int, str]:
    """Steps lost of `STEPS` when the training goes on, and what is said about it."""
    trainer = make_trainer()
    keeper = Keeper(root, trainer, IDENTITY)
    try:
        said = keeper.resume()
    except GuideError as error:
        return STEPS, str(error)
    finally:
        keeper.close()
    return STEPS - trainer.done, "; ".join(said[1:]) or said[0]


def plain(damage: Damage, root: Path) -> str:
    """What `torch.save` over one file has left after that damage."""
    path = root / "checkpoint.pt"
    trainer = make_trainer()
    while trainer.done < STEPS:
        trainer.step()
        if trainer.done % EVERY == 0:
            torch.save(trainer.state(), path)
    damage(path)
    try:
        found = torch.load(path, weights_only=True)
    except Exception as error:
        return f"{STEPS} steps lost: {type(error).__name__}"
    same = all(torch.equal(w, found["model"][n]) for n, w in trainer.model.state_dict().items())
    moments = found["optimizer"]["state"]
    kept = trainer.optimizer.state_dict()["state"]
    same &= all(torch.equal(m, moments[p][n]) for p, part in kept.items() for n, m in part.items())
    return "loaded" if same else "loaded with wrong numbers, nothing said"


def damaged(figure: str, suffix: str, damage: Damage, peer: bool) -> Row:
    """The row of one kind of damage to the newest checkpoint."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        train(root)
        damage(max(root.glob(f"*/step-*.{suffix}")))
        lost, said = gone_on(root)
        beside = plain(damage, root) if peer else "-"
    ok = lost <= EVERY and "is damaged" in said
    return Row(figure, f"{lost} steps lost, “{said}”", beside, None, f"{EVERY}, and a line", ok)


@contextmanager
def full_disk(bytes_left: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: a write stops half-way, as on a full disk."""
    import resource  # POSIX alone has it; the other rows need it not

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def full() -> Row:
    """The row of a disk that fills up before the last save."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        train(root, STEPS - EVERY)
        trainer = make_trainer()
        keeper = Keeper(root, trainer, IDENTITY)
        keeper.resume()
        while trainer.done < STEPS:
            trainer.step()
        said = "nothing"
        try:
            with full_disk(5000):
                keeper.save()
                keeper.wait()
        except GuideError as error:
            said = error.message.replace(f"{root}{os.sep}", "")
        keeper.close()
        lost, _ = gone_on(root)
        left = len(list(root.glob("*/*.tmp")))
        path = root / "checkpoint.pt"
        torch.save(trainer.state(), path)
        beside = ""
        try:
            with full_disk(5000):
                torch.save(trainer.state(), path)
        except Exception as error:
            beside = f"{type(error).__name__}; "
        try:
            torch.load(path, weights_only=True)
            beside += "the file is whole"
        except Exception:
            beside += f"the file is ruined, {STEPS} steps lost"
    ok = lost <= EVERY and "cannot save" in said and not left
    return Row(
        "disk full at the save of step 30", f"{lost} steps lost, “{said}”", beside, None,
        f"{EVERY}, and a line", ok,
    )  # fmt: skip


def terminated() -> Row:
    """The row of SIGTERM to a project as it is scaffolded, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        found = terminate(Path(name) / "my_model")
    return Row(
        "SIGTERM to guide run: exit code, steps lost",
        f"{found['exit']}, {found['lost']} of {found['done']}, then “{found['start']}”",
        "-",
        None,
        "0, 0",
        found["exit"] == 0 and found["lost"] == 0 and found["done"] > 0,
    )


def terminate(target: Path) -> dict[str, Any]:
    """Scaffold a project, run it, send it SIGTERM once it learns, and let it go on.

    Returns:
        "exit" of the run that was ended, the steps it had "done" and that were "lost", and what
        the next one says on its "start".
    """
    scaffold = guide_projects("deep-learning")[0]
    project = new_project(scaffold, target)
    (project / "text.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 200)
    options = {"corpus": "text.txt", "batch": 4, "context": 16, "width": 32, "layers": 1}
    options |= {"heads": 2, "threads": 1, "steps": 100_000, "eval_every": 0}
    options |= {"checkpoint_every": 50}
    command = [sys.executable, "-m", "guide", "run"]
    for option in options.items():
        command += ["--set", "{}={}".format(*option)]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    checkpoints = project / "checkpoints" / "0001"
    while process.poll() is None and not checkpoint.committed(checkpoints):
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    ended = record_of(project)
    again = [*command, "--set", "resume=true", "--ticks", "3"]
    subprocess.run(again, cwd=project, capture_output=True, timeout=120, check=True)
    start = str(record_of(project)["facts"]["start"])
    done = ended["loop"]["ticks"]
    return {
        "exit": process.returncode,
        "done": done,
        "lost": done - int(start.split()[3]),
        "start": start,
    }


def record_of(project: Path) -> dict[str, Any]:
    """The record of its newest run."""
    newest = max((project / "runs").glob("*/run.json"), key=lambda path: path.stat().st_mtime_ns)
    record: dict[str, Any] = json.loads(newest.read_text())
    return record


def rows(scale: Scale) -> Iterator[Row]:
    """Each kind of damage once: nothing here depends on chance."""
    torch.set_num_threads(1)
    yield damaged("newest state cut in half", "pt", truncated, peer=True)
    yield damaged("one bit of it flipped", "pt", flipped, peer=True)
    yield damaged("a file of no bytes", "pt", emptied, peer=True)
    yield damaged("one bit of its manifest flipped", "json", flipped, peer=False)
    yield damaged("its manifest without a byte", "json", emptied, peer=False)
    yield full()
    yield terminated()

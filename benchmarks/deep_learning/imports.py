"""What importing adds to importing torch: ours, and frameworks. Whole processes, in turn.

What a process computes for is measured, not how long it lasted: a neighbour may make it wait.
Bytecode is kept, as pip leaves it; the first start of each compiles, and is not counted.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from benchmarks.deep_learning.overhead import interval
from benchmarks.deep_learning.scale import Scale
from benchmarks.rows import PEERS, Row

GOAL_S = 0.2
TORCH, ENGINE, SCAFFOLD = "torch", "the engine's Trainer and the loop", "all that a project imports"
BEFORE = f"import sys; sys.path.append({str(PEERS)!r}); import torch; "
OURS = {
    ENGINE: "import guide.loop, guide_deep_learning.training.loop.trainer",
    SCAFFOLD: "import guide.run, pkgutil, importlib\n"
    "import guide_deep_learning.project.guide_project as project\n"
    "for found in pkgutil.iter_modules(project.__path__):\n"
    "    importlib.import_module(project.__name__ + '.' + found.name)",
}
FRAMEWORKS = {
    "PyTorch-Ignite": "from ignite.engine import Engine",
    "accelerate, with an Accelerator": "from accelerate import Accelerator; Accelerator(cpu=True)",
    "transformers, Trainer": "from transformers import Trainer, TrainingArguments",
    "Lightning Fabric": "from lightning.fabric import Fabric",
    "Lightning, Trainer": "from lightning import LightningModule, Trainer",
    "Keras on torch": "import keras",
}
STARTS, FEW = 11, 2  # of each program, in turn; where it is only to be seen that it runs


def rows(scale: Scale) -> Iterator[Row]:
    """Ours and each framework, over torch."""
    programs = {TORCH: "", **OURS, **FRAMEWORKS}
    took, failed = measure(programs, FEW if scale.quick else STARTS)
    torch = f"torch {statistics.median(took[TORCH]):.2f} s"
    for name in (*OURS, *FRAMEWORKS):
        ours = name in OURS
        figure = f"{'' if ours else 'peer: '}import of {name}, over torch, CPU"
        if name in failed:
            yield Row(figure, "-", failed[name], None, "-", None)
            continue
        added = [a - b for a, b in zip(took[name], took[TORCH], strict=True)]
        ratios = [a / b for a, b in zip(took[name], took[TORCH], strict=True)]
        (low, high), median = interval(added), statistics.median(added)
        shown = (f"{median:+.2f} s", torch) if ours else ("-", f"{median:+.2f} s over {torch}")
        goal = f"under {GOAL_S} s" if ours else "-"
        met = median < GOAL_S if ours and not scale.quick else None
        spread = f"95 %: {low:+.2f} to {high:+.2f} s"
        yield Row(figure, *shown, statistics.median(ratios), goal, met, spread)


def measure(programs: dict[str, str], starts: int) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Seconds of CPU time of every program in every round; and why some did not run."""
    took: dict[str, list[float]] = {name: [] for name in programs}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPYCACHEPREFIX": folder,
            "KERAS_BACKEND": "torch",
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        order = list(programs)
        for number in range(-1, starts):
            for name in [name for name in order if name not in failed]:
                before_s = _children_s()
                ended = subprocess.run(
                    [sys.executable, "-c", BEFORE + programs[name]],
                    env=environment,
                    capture_output=True,
                    text=True,
                )
                if ended.returncode:
                    failed[name] = (ended.stderr.strip().splitlines() or ["it failed"])[-1]
                elif number >= 0:
                    took[name].append(_children_s() - before_s)
            random.shuffle(order)
    return took, failed


def _children_s() -> float:
    """CPU seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # os.times counts in hundredths
    return used.ru_utime + used.ru_stime

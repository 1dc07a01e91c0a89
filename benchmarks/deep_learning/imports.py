"""What importing adds to importing torch: ours, and frameworks. Whole processes, in turn.

With bytecode that is kept, as pip leaves it; the first start of each compiles, and is not counted.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.deep_learning.overhead import interval
from benchmarks.deep_learning.scale import Scale
from benchmarks.rows import PEERS, Row

GOAL_S = 0.2
TORCH, LOOP, SCAFFOLD = "torch", "the engine: Trainer, in a loop", "all that the scaffold imports"
BEFORE = f"import sys; sys.path.append({str(PEERS)!r}); import torch; "
PROGRAMS = {
    TORCH: "",
    LOOP: "import guide.loop, guide_deep_learning.training.trainer",
    SCAFFOLD: "import guide.run, guide_deep_learning.project.guide_project.task, "
    "guide_deep_learning.project.guide_project.session",
    "PyTorch-Ignite": "from ignite.engine import Engine",
    "accelerate": "from accelerate import Accelerator",
    "transformers Trainer": "from transformers import Trainer, TrainingArguments",
    "Lightning Fabric": "from lightning.fabric import Fabric",
    "Lightning Trainer": "from lightning import LightningModule, Trainer",
    "Keras on torch": "import keras",
}
STARTS = 11  # of each program, in turn; 3 where it is only to be seen that it runs


def rows(scale: Scale) -> Iterator[Row]:
    """Ours and each peer, over torch."""
    took, failed = measure(3 if scale.quick else STARTS)
    torch_s = statistics.median(took[TORCH])
    for name in PROGRAMS:
        mine = name in (LOOP, SCAFFOLD)
        if name in failed:
            yield Row(f"import: {name}", "-", failed[name], None, "-", None)
        elif name != TORCH:
            added = [a - b for a, b in zip(took[name], took[TORCH], strict=True)]
            (low, high), median = interval(added), statistics.median(added)
            ratio = statistics.median(a / b for a, b in zip(took[name], took[TORCH], strict=True))
            text, torch = f"{median:+.2f} s", f"torch {torch_s:.2f} s"
            yield Row(
                f"import: {name}, over torch" if mine else f"peer: import: {name}, over torch",
                *((text, torch) if mine else ("-", f"{text} over {torch}")),
                ratio,
                f"under {GOAL_S} s" if mine else "-",
                median < GOAL_S if mine and not scale.quick else None,
                f"{low:+.2f} to {high:+.2f} s",
            )


def measure(starts: int) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Seconds of every program in every round, from start to end; and why some did not run."""
    took: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPYCACHEPREFIX": folder,
            "KERAS_BACKEND": "torch",
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        order = list(PROGRAMS)
        for number in range(-1, starts):
            for name in order:
                if name in failed:
                    continue
                began = time.perf_counter()
                ended = subprocess.run(
                    [sys.executable, "-c", BEFORE + PROGRAMS[name]],
                    env=environment,
                    capture_output=True,
                    text=True,
                )
                if ended.returncode:
                    failed[name] = (ended.stderr.strip().splitlines() or ["it failed"])[-1]
                elif number >= 0:
                    took[name].append(time.perf_counter() - began)
            random.shuffle(order)
    return took, failed

"""Steps, wall time and CPU time to the same loss: the ladder of projects/time_to_target.

A number of steps hardly depends on the machine, and not at all on what else it does. So each rung
is trained once to its target, and what a step of it costs is measured apart: all rungs in one
process and one thread, taking turns, each turn beside one of the baseline. At the end the baseline
and the rung that is meant as the answer go the whole way, in processes of their own.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.apart import run
from benchmarks.deep_learning.scale import Scale
from benchmarks.rows import Row, paired

PROJECT = Path(__file__).parents[2] / "projects" / "time_to_target"
TARGET, QUICK_TARGET = 1.90, 2.60
BASE, BEST = "baseline", "shift"
NAMES = (BASE, "schedule", "modern", "muon", "rates", BEST, "tables")
MOST_STEPS, LEAST_TIMES = 150, 5.0
GIVE_UP = 2500
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def rows(scale: Scale) -> Iterator[Row]:
    """Each rung over the baseline: steps, one step, both; then two of them end to end."""
    target = QUICK_TARGET if scale.quick else TARGET
    turns = run("deep_learning.target:turns", ONE_THREAD, rounds=scale.rounds)
    whole: dict[str, dict[str, Any]] = {}
    for name in (BASE, BEST, *(n for n in NAMES if n not in (BASE, BEST))):  # these two in turn
        whole[name] = run("deep_learning.target:climb", ONE_THREAD, name=name, target=target)
    base = whole[BASE]
    most = max(found["parameters"] for name, found in whole.items() if name != BASE)
    yield Row("parameters, the most of any rung", f"{most:,}", f"{base['parameters']:,}",
              most / base["parameters"], "at most 1", most <= base["parameters"])  # fmt: skip
    for name in NAMES[1:]:
        ours, peer, ratio, spread = paired(turns[name], turns[BASE])
        steps = whole[name]["steps"]
        yield Row(
            f"{name}: steps to {target}", f"{steps}", f"{base['steps']}", base["steps"] / steps,
            f"at most {MOST_STEPS} steps" if name == BEST else "-",
            steps <= MOST_STEPS if name == BEST and not scale.quick else None,
        )  # fmt: skip
        cpu = f"{1e3 * ours:.0f} ms CPU", f"{1e3 * peer:.0f} ms CPU"
        yield Row(f"{name}: a step", *cpu, ratio, "-", None, spread)
        times = base["steps"] / steps / ratio
        figure = f"{name}: times less, steps x a step"
        yield Row(figure, f"{steps * ours:.1f} s CPU", f"{base['steps'] * peer:.1f} s CPU",
                  times, "-", None)  # fmt: skip
    if not scale.quick:
        for seed in (1, 2):
            found = run("deep_learning.target:climb", ONE_THREAD, name=BEST, seed=seed)
            steps = found["steps"]
            goal = f"at most {MOST_STEPS} steps"
            figure = f"{BEST}: steps with seed {seed}"
            yield Row(figure, f"{steps}", "-", None, goal, steps <= MOST_STEPS)
    yield from _end_to_end(whole[BASE], whole[BEST], scale)


def _end_to_end(base: dict[str, Any], best: dict[str, Any], scale: Scale) -> Iterator[Row]:
    for key, what in (("seconds", "wall"), ("cpu_s", "CPU")):
        times = base[key] / best[key]
        yield Row(
            f"{BEST} end to end, {what}: times less",
            f"{best[key]:.1f} s",
            f"{base[key]:.1f} s",
            times,
            f"at least {LEAST_TIMES:g}",
            None if scale.quick else times >= LEAST_TIMES,
        )


def climb(name: str, seed: int = 0, target: float = TARGET) -> dict[str, Any]:
    """Train a rung until it reaches the target; the time of its looks at held-out text is apart."""
    rung, trainer, held_out = _open(name, seed)
    trainer.warm_up()
    wall = cpu = 0.0
    while trainer.done < GIVE_UP:
        before, before_cpu = time.perf_counter(), time.process_time()
        trainer.step()
        wall += time.perf_counter() - before
        cpu += time.process_time() - before_cpu
        if trainer.done % rung.every == 0 and trainer.evaluate(held_out) <= target:
            break
    else:
        raise RuntimeError(f"{name} did not reach {target} in {GIVE_UP} steps")
    count = sum(p.numel() for p in trainer.model.parameters())
    return {"steps": trainer.done, "seconds": wall, "cpu_s": cpu, "parameters": count}


def turns(rounds: int) -> dict[str, list[float]]:
    """CPU seconds of a step of each rung: the median of a turn of three, `rounds` turns each."""
    trainers = {name: _open(name, 0)[1] for name in NAMES}
    for trainer in trainers.values():
        trainer.step()
    took: dict[str, list[float]] = {name: [] for name in NAMES}
    for number in range(rounds):
        order = NAMES if number % 2 else NAMES[::-1]
        for name in order:
            three = []
            for _ in range(3):
                before = time.process_time()
                trainers[name].step()
                three.append(time.process_time() - before)
            took[name].append(statistics.median(three))
    return took


def _open(name: str, seed: int) -> tuple[Any, Any, Any]:
    """A rung, its trainer, and the held-out windows."""
    if str(PROJECT) not in sys.path:
        sys.path.append(str(PROJECT))
    import torch

    from guide.timing import Timeline
    from guide_deep_learning.training.checkpointing import randomness
    from guide_deep_learning.training.loop.trainer import Trainer
    from guide_deep_learning.training.models.model import GPT
    from time_to_target.data import Data
    from time_to_target.rungs import RUNGS

    torch.set_num_threads(1)
    rung, data = RUNGS[name], Data("stdlib", PROJECT, seed)
    randomness.seed(seed)
    model = GPT(rung.config)
    trainer = Trainer(
        model,
        rung.build_optimizer(model),
        rung.schedule,
        data.batch,
        device=torch.device("cpu"),
        timeline=Timeline(),
    )
    return rung, trainer, data.held_out

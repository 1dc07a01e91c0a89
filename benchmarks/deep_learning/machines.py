"""One process, two, two on two hosts, two on a slow wire; and two of which one is killed.

The hosts are two network namespaces, which takes root. Each process has one thread and eight rows
of its own, as people do who add a machine: tokens a second are those of all together.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.apart import ROOT
from benchmarks.rows import Row, paired
from guide_deep_learning.training.diagnoses import communication_bound
from tests.plugins.deep_learning import torchrun

if TYPE_CHECKING:
    from benchmarks.deep_learning.scale import Scale

BATCH, CONTEXT, WARM_UP = 8, 128, 3  # rows of each process
MODULE = "benchmarks.deep_learning.machines"
WIRE = "100mbit"

Measured = dict[str, Any]


def rows(scale: Scale) -> Iterator[Row]:
    """Throughput of two over one, in turn; what the network costs; and the kills."""
    rounds = max(scale.rounds // 6, 1)
    ways: dict[str, dict[str, Any]] = {"one": {}, "two": {}}
    found = measure(rounds, ways, scale.seconds)
    yield _over("DDP, 2 processes over 1, each of 1 thread", found, "two", "one", 1.3)
    refused = torchrun.why_no_namespaces()
    if refused:
        yield Row("2 hosts", f"did not run: {refused}", "-", None, "-", None)
    else:
        yield from _hosts(rounds, scale.seconds)
    yield kills(scale.kills)


def _hosts(rounds: int, seconds: float) -> Iterator[Row]:
    with torchrun.two_hosts() as hosts:
        ways: dict[str, dict[str, Any]] = {"one": {}, "two": {"hosts": hosts}}
        found = measure(rounds, ways, seconds)
    yield _over("the same on 2 hosts", found, "two", "one", 1.3)
    with torchrun.two_hosts(WIRE) as hosts:
        ways = {"one": {}, "two": {"hosts": hosts}}
        ways |= {"gathered": {"hosts": hosts, "accumulate": 4}}
        ways |= {"halved": {"hosts": hosts, "half": True}}
        found = measure(rounds, ways, seconds)
    yield _over("the same on 2 hosts at 100 Mbit/s", found, "two", "one", None)
    said = communication_bound(found["two"][-1])
    ours = said[0].says.partition(". ")[0] if said else "nothing"
    goal = "communication is the limit"
    yield Row("what the report says of it", ours, "-", None, goal, bool(said))
    yield _over("100 Mbit/s, one exchange for 4 batches", found, "gathered", "two", None)
    yield _over("100 Mbit/s, gradients in 16 bits", found, "halved", "two", None)


def measure(
    rounds: int, ways: Mapping[str, Mapping[str, Any]], seconds: float
) -> dict[str, list[Measured]]:
    """Run each way once a round, in fresh processes; every other round in the other order."""
    found: dict[str, list[Measured]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            found[name].append(_once(name == "one", seconds, **ways[name]))
    return found


def kills(count: int) -> Row:
    """Kill one of two ranks so many times; all losses and the weights must be the undisturbed."""
    steps = 40 + 15 * count  # enough that the last kill finds somebody
    with tempfile.TemporaryDirectory() as name:
        whole, killed = Path(name) / "whole", Path(name) / "killed"
        for root in (whole, killed):
            root.mkdir()
        torchrun.finish(torchrun.two_ranks("train", whole, steps), 600)
        process = torchrun.two_ranks("train", killed, steps, f"--max-restarts={count}")
        done = torchrun.kill_now_and_then(process, killed, count)
        code = torchrun.finish(process, 600)
        compared = differing = 0
        for rank in (0, 1):
            truth = torchrun.losses(whole, rank)
            again = [x.split() for x in torchrun.lines_of(killed, rank) if x.startswith("loss ")]
            compared += len(again)
            differing += sum(truth.get(step) != value for _, step, value in again)
        ends = {torchrun.lines_of(root, rank)[-1] for root in (whole, killed) for rank in (0, 1)}
    same = "the same weights" if len(ends) == 1 else f"{len(ends)} different weights"
    return Row(
        f"{done} kills of one of 2 ranks",
        f"{compared} losses, {differing} differ, {same}",
        "an undisturbed run",
        None,
        "0 differ, the same weights",
        done == count and code == 0 and differing == 0 and len(ends) == 1,
    )


def work(seconds: float, accumulate: int = 1, half: bool = False) -> Measured:
    """Be one of the processes: train for so long; what all of them did together."""
    import torch

    from guide.loop import Loop
    from guide_deep_learning.training.data.batches import windows
    from guide_deep_learning.training.loop.trainer import Trainer
    from guide_deep_learning.training.models.model import GPT, GPTConfig
    from guide_deep_learning.training.optimizers.optimizer import adamw
    from guide_deep_learning.training.optimizers.schedule import Schedule
    from guide_deep_learning.training.processes import per_rank
    from guide_deep_learning.training.processes.communication import Communication
    from guide_deep_learning.training.processes.distributed import join
    from guide_deep_learning.training.processes.share import shared

    torch.set_num_threads(1)
    torch.manual_seed(0)
    text = np.frombuffer((ROOT / "README.md").read_bytes(), np.uint8) % 128
    world = join(torch.device("cpu"))
    batch = BATCH * world.size
    model = GPT(GPTConfig(128, CONTEXT, width=128, layers=4, heads=4))
    loop = Loop()
    communication = Communication(loop.timeline, half=half)
    forward = world.wrap(model, "ddp", communication)
    trainer = Trainer(
        model,
        adamw(model, 1e-3),
        Schedule(1e-3, 10**6, warmup=10),
        shared(lambda n: windows(text, 0, n, batch, CONTEXT), world.rank, world.size),
        device=world.device,
        timeline=loop.timeline,
        accumulate=accumulate,
    )
    trainer.forward = forward
    trainer.warm_up()
    began_s = time.perf_counter()
    for _ in range(WARM_UP):
        trainer.step()
    step_s = (time.perf_counter() - began_s) / WARM_UP
    steps = world.from_first(max(round(seconds / step_s), 10))
    communication.sent_bytes = 0
    began_s = time.perf_counter()
    for tick in loop:
        trainer.step()
        if tick.index == steps - 1:
            loop.stop("steps")
    spent_s = max(world.gather(time.perf_counter() - began_s))
    log = loop.log.columns()
    told = {
        "tokens/s": steps * accumulate * batch * CONTEXT / spent_s,
        "facts": per_rank.facts(world.gather(per_rank.summarise(world, loop, communication))),
        "tick_time": {"count": steps, "p50_ns": int(np.median(log.end_ns - log.start_ns))},
        "rank": world.rank,
    }
    world.leave()
    return told


def _once(
    alone: bool, seconds: float, hosts: tuple[str, str] | None = None, **arguments: Any
) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        result, output = Path(name) / "result.json", Path(name) / "output"
        words = json.dumps({"seconds": seconds, **arguments}), str(result)
        program = ["-m", MODULE, *words]
        if alone:
            processes = [torchrun.start([sys.executable, *program], output, ROOT)]
        elif hosts is not None:
            processes = torchrun.on_two_hosts(hosts, program, output)
        else:
            command = [*torchrun.TORCHRUN, "--standalone", "--nproc-per-node=2", *program]
            processes = [torchrun.start(command, output, ROOT)]
        codes = [torchrun.finish(process, 120 + 20 * seconds) for process in processes]
        if any(codes) or not result.exists():
            sys.exit(f"{MODULE} {words[0]}: {output.read_text(errors='replace')[-2000:]}")
        found: Measured = json.loads(result.read_text())
        return found


def _over(
    figure: str, found: dict[str, list[Measured]], ours: str, peer: str, goal: float | None
) -> Row:
    speeds = [[measured["tokens/s"] for measured in found[name]] for name in (ours, peer)]
    mine, theirs, ratio, spread = paired(*speeds)
    facts, step = found[ours][-1]["facts"], found[ours][-1]["tick_time"]["p50_ns"] / 1e6
    waited = facts.get("exposed communication ms", 0)
    about = f"{mine:,.0f} tokens/s, {waited:.3g} ms of {step:.3g} ms wait for the network"
    asked, ok = ("-", None) if goal is None else (f"at least {goal}", ratio >= goal)
    return Row(figure, about, f"{theirs:,.0f} tokens/s", ratio, asked, ok, spread)


if __name__ == "__main__":
    told = work(**json.loads(sys.argv[1]))
    if told["rank"] == 0:
        Path(sys.argv[2]).write_text(json.dumps(told))
    os._exit(0)

"""Starts the ranks of a training as a person would, on one host or on two that are namespaces."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("ranks_program.py")
ROOT = Path(__file__).parents[3]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
ADDRESSES = ("10.213.7.1", "10.213.7.2")


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def start(
    command: list[str], output: Path, cwd: Path | None = None, **more: str
) -> subprocess.Popen[bytes]:
    """A process whose output goes to a file: torchrun says much."""
    with output.open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, cwd=cwd, env=environment(**more))


def finish(process: subprocess.Popen[bytes], timeout_s: float = 120) -> int:
    """Wait for its end; whatever happens, torchrun and its ranks end too."""
    try:
        return process.wait(timeout_s)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)  # torchrun passes it on
            try:
                process.wait(35)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def two_ranks(part: str, root: Path, number: int = 0, *flags: str) -> subprocess.Popen[bytes]:
    command = [*TORCHRUN, "--standalone", "--nproc-per-node=2", *flags, str(PROGRAM)]
    return start([*command, part, str(root), str(number)], root / "output")


def told(root: Path) -> Any:
    file = root / "told.json"
    assert file.exists(), (root / "output").read_text(errors="replace")[-3000:]
    return json.loads(file.read_text())


def lines_of(root: Path, rank: int) -> list[str]:
    """What a rank of the program wrote so far."""
    file = root / f"losses-{rank}"
    return file.read_text().splitlines() if file.exists() else []


def losses(root: Path, rank: int) -> dict[str, str]:
    """Step -> value of that rank; one that was done again must have had the same bits."""
    found: dict[str, str] = {}
    for line in lines_of(root, rank):
        if line.startswith("loss "):
            _, step, value = line.split()
            assert found.setdefault(step, value) == value, f"step {step} came out otherwise"
    return found


def kill_now_and_then(
    process: subprocess.Popen[bytes], root: Path, kills: int, seed: int = 1, patience_s: float = 100
) -> int:
    """SIGKILL to one rank or the other, some steps after each start; returns how many."""
    chance = random.Random(seed)
    killed = 0
    until_s = time.monotonic() + patience_s
    while killed < kills and process.poll() is None and time.monotonic() < until_s:
        lines = lines_of(root, 1)
        starts = [number for number, line in enumerate(lines) if line.startswith("pid ")]
        if len(starts) == killed + 1 and len(lines) - starts[-1] > 9:
            time.sleep(chance.uniform(0, 0.03))  # somewhere inside a step or a save
            pids = [x.split()[2] for x in lines_of(root, chance.randrange(2)) if x[0] == "p"]
            os.kill(int(pids[-1]), signal.SIGKILL)
            killed += 1
            until_s = time.monotonic() + patience_s
        time.sleep(0.005)
    return killed


def why_no_namespaces() -> str:
    """Empty where two network namespaces can be made."""
    name = f"try{uuid.uuid4().hex[:8]}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
        if made.returncode == 0:
            subprocess.run(["ip", "netns", "del", name], check=True)
    except OSError as error:
        return f"there is no ip command here: {error.strerror}"
    return made.stderr.strip() if made.returncode else ""


@contextmanager
def two_hosts(rate: str = "") -> Iterator[tuple[str, str]]:
    """Two network namespaces with a wire between them, as slow as `rate` says: "100mbit".

    Yields their names; the network card is called "wire" in both.
    """
    tag = uuid.uuid4().hex[:8]
    hosts = (f"a{tag}", f"b{tag}")

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    try:
        for host in hosts:
            ip("netns", "add", host)
            ip("-n", host, "link", "set", "lo", "up")
        ip("link", "add", f"w{tag}", "netns", hosts[0], "type", "veth", "peer", "name", f"v{tag}",
           "netns", hosts[1])  # fmt: skip
        for host, card, address in zip(hosts, (f"w{tag}", f"v{tag}"), ADDRESSES, strict=True):
            ip("-n", host, "link", "set", card, "name", "wire")
            ip("-n", host, "addr", "add", f"{address}/24", "dev", "wire")
            ip("-n", host, "link", "set", "wire", "up")
            if rate:
                shape = ["root", "tbf", "rate", rate, "burst", "64kb", "latency", "200ms"]
                command = ["ip", "netns", "exec", host, "tc", "qdisc", "add", "dev", "wire"]
                subprocess.run([*command, *shape], check=True, capture_output=True)
        yield hosts
    finally:
        for host in hosts:
            subprocess.run(["ip", "netns", "del", host], capture_output=True, check=False)


def on_two_hosts(
    hosts: tuple[str, str], program: list[str], output: Path
) -> list[subprocess.Popen[bytes]]:
    """One rank on each host; rank 0 is on the first."""
    flags = ["--nnodes=2", "--nproc-per-node=1", f"--master-addr={ADDRESSES[0]}"]
    return [
        start(
            ["ip", "netns", "exec", host, *TORCHRUN, *flags, f"--node-rank={number}",
             "--master-port=29517", *program],
            output,
            ROOT,
            GLOO_SOCKET_IFNAME="wire",
        )
        for number, host in enumerate(hosts)
    ]  # fmt: skip

"""What is chosen at the start: threads, precision, compiling; and why."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from guide.errors import GuideError
from guide_deep_learning.training.loop import compiling, flops, hardware, neighbours, precision
from guide_deep_learning.training.loop.precision import Precision, candidates, pick_precision
from guide_deep_learning.training.loop.tuning import (
    Setting,
    Trial,
    chosen,
    said,
    settings,
    thread_counts,
    tried,
    tune,
)
from guide_deep_learning.training.models.model import GPT, GPTConfig

from .tiny import make_trainer

CPU = torch.device("cpu")
ONE, TWO = Setting(1, "f32"), Setting(2, "f32")
MIXED = Setting(2, "bf16")


class Machine:
    """A machine on which a step takes what a table says; its clock moves by that alone."""

    def __init__(self, ms: dict[Setting, float]) -> None:
        self.ms, self.now, self.setting = ms, 0.0, ONE

    def use(self, setting: Setting) -> None:
        self.setting = setting

    def step(self) -> None:
        self.now += self.ms[self.setting] / 1e3

    def trials(self, seconds: float = 2.0) -> list[Trial]:
        return tried(list(self.ms), self.use, self.step, seconds=seconds, now_s=lambda: self.now)


@pytest.mark.parametrize(
    ("ms", "best"),
    [
        ({TWO: 15, ONE: 25}, TWO),
        ({TWO: 400, ONE: 25}, ONE),
        ({TWO: 24.5, ONE: 25}, ONE),  # two gain too little
        ({TWO: 15, MIXED: 14, ONE: 25}, TWO),  # fewer bits gain too little
        ({TWO: 15, MIXED: 8, ONE: 25}, MIXED),
    ],
)
def test_the_fastest_is_taken_unless_it_gains_too_little(ms, best) -> None:
    assert chosen(Machine(ms).trials()) == best


def test_trying_takes_as_long_as_it_may() -> None:
    machine = Machine({TWO: 15, ONE: 25})
    trials = machine.trials(seconds=2.0)
    assert machine.now == pytest.approx(2.0, abs=0.06)
    assert all(trial.tries > 40 for trial in trials)


def test_each_is_tried_once_however_long_a_step_takes() -> None:
    trials = Machine({TWO: 60_000, ONE: 90_000}).trials(seconds=2.0)
    assert [trial.tries for trial in trials] == [1, 1]


def test_all_halves_are_tried() -> None:
    assert thread_counts(16) == [16, 8, 4, 2, 1]
    assert thread_counts(1) == [1]
    assert settings([2, 1], ["f32"]) == [TWO, ONE]


def test_the_trials_are_told_in_a_line() -> None:
    trials = [Trial(TWO, 15.123, 9), Trial(ONE, 25.2, 9)]
    assert said(trials) == "2 threads 15.1 ms, 1 thread 25.2 ms"
    assert "2 threads bf16 8 ms" in said([*trials, Trial(MIXED, 8.0, 9)])


def write_stat(path: Path, busy: int) -> Path:
    path.write_text(
        "cpu  0 0 0 0 0 0 0 0 0 0\n"
        + "".join(f"cpu{i} {busy} 0 0 500 0 0 0 0 0 0\n" for i in range(4096))
        + "intr 1\n"
    )
    return path


def test_a_machine_that_does_nothing_else_has_no_neighbours(tmp_path: Path) -> None:
    stat = write_stat(tmp_path / "stat", 100)
    found = neighbours.look(0.01, stat)
    assert found.cores == pytest.approx(0, abs=1e-6)
    assert not found.crowded
    assert found.sentence == ""


def test_where_nobody_says_nothing_is_claimed(tmp_path: Path) -> None:
    assert neighbours.look(0.0, tmp_path / "none").cores is None
    (tmp_path / "stat").write_text("cpu0 what\n")
    assert not neighbours.look(0.0, tmp_path / "stat").crowded


WATCH = """
import os, sys
from guide_deep_learning.training.loop import neighbours
found = neighbours.look(0.4)
print(found.cores >= 0.3, os.environ.get("OMP_WAIT_POLICY"), "torch" in sys.modules)
print(found.sentence)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/stat")
def test_a_busy_neighbour_makes_threads_wait_asleep() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP", "GOMP", "KMP"))}
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            done = subprocess.run(
                [sys.executable, "-c", WATCH], capture_output=True, text=True, env=environment
            )
        finally:
            busy.kill()
    first, second = done.stdout.splitlines()
    assert first == "True PASSIVE False", done.stderr
    assert "cores busy: threads that wait for each other lose by it, so they sleep" in second


def test_what_the_user_has_set_is_left_alone(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_WAIT_POLICY": "ACTIVE"}
    code = WATCH.replace("neighbours.look(0.4)", "neighbours.Neighbours(1.5, False)")
    code = code.replace("import neighbours", "import neighbours\nneighbours.look(0)")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    first, second = done.stdout.splitlines()
    assert first == "True ACTIVE False"
    assert second.endswith("fewer threads suffer less")


def test_bf16_is_refused_where_it_would_be_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bf16_flags", list)
    with pytest.raises(GuideError, match=r"no instructions for bf16.*--set precision=f32"):
        pick_precision("bf16", CPU)
    assert candidates("auto", CPU) == [Precision("f32")]


def test_bf16_is_tried_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bf16_flags", lambda: ["avx512_bf16"])
    assert pick_precision("bf16", CPU).dtype == torch.bfloat16
    assert [p.name for p in candidates("auto", CPU)] == ["f32", "bf16"]
    assert [p.name for p in candidates("f32", CPU)] == ["f32"]


@pytest.mark.parametrize("name", ["f16", "f64", ""])
def test_what_a_cpu_does_not_compute_is_refused(name: str) -> None:
    with pytest.raises(GuideError) as caught:
        pick_precision(name, CPU)
    assert "f32" in caught.value.remedy


def test_cpu_flags_are_read(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor : 0\nflags\t\t: fpu avx512_bf16 amx_bf16\n")
    assert hardware.bf16_flags(cpuinfo) == ["avx512_bf16", "amx_bf16"]
    assert hardware.cpu_flags(tmp_path / "none") == set()


def test_operations_are_counted_with_attention_forward_and_backward() -> None:
    config = GPTConfig(vocabulary=128, context=16, width=32, layers=2, heads=2)
    model, inputs = GPT(config), torch.zeros(3, 16, dtype=torch.long)
    weights = 2 * 12 * 32**2 + 128 * 32  # numbers in the matrices, each met once a byte
    forward = 2 * weights * 48 + 2 * 4 * 3 * 16 * 16 * 32
    assert flops.counted(lambda: model(inputs)) == forward
    both = flops.counted(lambda: model(inputs).sum().backward())
    assert both == 3 * 2 * weights * 48 + 3.5 * 2 * 4 * 3 * 16 * 16 * 32


def test_compiling_says_when_it_pays_back() -> None:
    pays = compiling.PayBack(0.020, 0.015, 36.0)
    assert pays.steps == pytest.approx(7200)
    assert pays.sentence(10_000).endswith("it pays back after 7,200 steps, of 10,000")
    assert pays.sentence(1000).endswith("this run has 1,000: leave --compile out")
    assert compiling.PayBack(0.02, 0.02, 9.0).steps == math.inf
    assert "gains nothing" in compiling.PayBack(0.02, 0.02, 9.0).sentence(10**9)


def test_without_a_compiler_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GuideError, match=r"needs a C\+\+ compiler.*apt install"):
        compiling.compiled(make_trainer())


def test_a_compiled_step_learns_the_same_and_keeps_the_names_of_the_weights() -> None:
    plain, other = make_trainer(), make_trainer()
    other.forward = torch.compile(other.model, backend="eager")
    for _ in range(3):
        plain.step()
        other.step()
    assert plain.flush() == other.flush()
    assert plain.state()["model"].keys() == other.state()["model"].keys()


def test_tuning_leaves_the_fastest_in_force_and_the_training_as_it_was() -> None:
    plain, trainer = make_trainer(), make_trainer()
    setting, line = tune(trainer, CPU, 0, "f32", seconds=0.05)
    assert setting.threads == torch.get_num_threads()
    assert "1 thread " in line
    torch.set_num_threads(1)
    for each in (plain, trainer):
        each.step()
    assert plain.flush() == trainer.flush()


def test_what_is_set_is_not_tried() -> None:
    assert tune(make_trainer(), CPU, 1, "f32") == (Setting(1, "f32"), "")

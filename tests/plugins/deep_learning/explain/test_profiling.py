"""`guide profile` on programs: those that run, fail, are interrupted, or never make a step."""

import os
import signal
import subprocess
import sys

import pytest

from guide.explain.reading import read_trace

STEPS = """
import sys, time, torch
torch.set_num_threads(1)
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
try:
    for step in range(int(sys.argv[1])):
        time.sleep(float(sys.argv[2]))
        optimizer.zero_grad()
        model(torch.ones(2, 4)).sum().backward()
        optimizer.step()
        print(*sys.argv[3:], flush=True)
    print("made all of them")
finally:
    print("closed in order")
"""
CALLS = """
import torch
model = torch.nn.Sequential(torch.nn.Linear(4, 4))
for step in range(100_000):
    model(torch.ones(2, 4))
"""


def guide(folder, *words, **settings):
    command = [sys.executable, "-m", "guide", "profile", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, **settings)


def test_a_program_is_ended_in_order_once_its_trace_is_there(tmp_path):
    (tmp_path / "train.py").write_text(STEPS)
    done = guide(tmp_path, "python", "train.py", "100000", "0.002")
    assert done.returncode == 0, done.stderr
    assert "closed in order" in done.stdout
    assert "made all" not in done.stdout
    assert done.stderr == ""
    trace = read_trace(tmp_path / "torch.json.gz")
    assert trace.stepped
    assert len(trace.steps) in (4, 5)
    assert "A step takes" in done.stdout
    assert "\nNext: " in done.stdout


def test_to_the_end_lets_it_go_on_and_keeps_the_trace_before(tmp_path):
    (tmp_path / "train.py").write_text(STEPS)
    (tmp_path / "torch.json.gz").write_bytes(b"earlier")
    options = "--to-the-end", "--steps", "1", "--warm", "1"
    done = guide(tmp_path, *options, "train.py", "200", "0.002")
    assert "made all of them" in done.stdout
    assert (tmp_path / "torch-before.json.gz").read_bytes() == b"earlier"


def test_too_few_steps_are_told_in_a_line(tmp_path):
    (tmp_path / "train.py").write_text(STEPS)
    done = guide(tmp_path, "train.py", "2", "0")
    assert done.returncode == 1
    assert "made all of them" in done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert "--warm 1" in done.stderr
    assert not list(tmp_path.glob("*torch*"))


def test_a_failing_program_shows_its_own_traceback_and_a_line_of_ours(tmp_path):
    (tmp_path / "train.py").write_text("def go():\n    raise RuntimeError('mine')\ngo()\n")
    done = guide(tmp_path, "train.py")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Traceback")
    assert "train.py" in lines[1]
    assert "RuntimeError: mine" in done.stderr
    assert lines[-1].startswith("guide: train.py failed")
    assert "runpy" not in done.stderr
    assert "guide_deep_learning" not in done.stderr


def test_calls_of_a_module_are_steps_where_there_is_no_optimizer(tmp_path):
    (tmp_path / "serve.py").write_text(CALLS)
    done = guide(tmp_path, "--patience", "0.3", "serve.py")
    assert done.returncode == 0, done.stderr
    trace = read_trace(tmp_path / "torch.json.gz")
    assert trace.about["guide"]["found"] == "a call of Sequential"


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
def test_interrupted_it_writes_what_there_is(tmp_path):
    (tmp_path / "train.py").write_text(STEPS)
    command = [sys.executable, "-m", "guide", "profile", "--warm", "1", "--steps", "100"]
    running = subprocess.Popen(
        [*command, "train.py", "100000", "0.2", "a step"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert running.stdout is not None
    for _ in range(10):  # by then some were recorded
        while running.stdout.readline().strip() != "a step":
            pass
    os.killpg(running.pid, signal.SIGINT)
    said, wrong = running.communicate(timeout=60)
    assert running.returncode == 0, wrong
    assert "closed in order" in said
    assert read_trace(tmp_path / "torch.json.gz").stepped

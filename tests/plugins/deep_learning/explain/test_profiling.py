"""`guide profile` on programs: those that run, are short, fail, or are interrupted."""

import os
import signal
import subprocess
import sys

import pytest

from guide.explain.reading import read_trace
from guide_deep_learning.explain.profiling import INTERRUPTED, NO_STEPS

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
# A clock of its own, more silence than patience, and a thread that is in torch at the end
TOUCHY = """
import atexit, signal, sys, threading, time, torch
def late(*_): raise TimeoutError("an alarm of the program's own")
signal.signal(signal.SIGALRM, late)
signal.setitimer(signal.ITIMER_REAL, 1000)
atexit.register(print, "atexit was called")
def behind():
    a = torch.ones(100, 100)
    while True: a @ a
threading.Thread(target=behind, daemon=True).start()
time.sleep(1.1)
assert signal.getsignal(signal.SIGALRM) is late
assert signal.getitimer(signal.ITIMER_REAL)[0] > 900
sys.argv[1:] = ["100000", "0.001"]
"""
IN_A_THREAD = """
import atexit, queue, threading, torch
atexit.register(print, "atexit was called")
answers = queue.Queue()
def train():
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(1_000_000):
        model(torch.ones(2, 4)).sum().backward()
        optimizer.step()
    answers.put("done")
threading.Thread(target=train).start()
"""


def guide(folder, *words):
    command = [sys.executable, "-m", "guide", "profile", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def recorded(folder, program, *options, arguments=()):
    """A program that is profiled, and not explained."""
    (folder / "train.py").write_text(program)
    command = [sys.executable, "-m", "guide_deep_learning.explain.profiling", "--out", "t.json.gz"]
    command += [*options, "--", "train.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_a_program_is_ended_in_order_and_keeps_its_clock_and_its_threads(tmp_path):
    (tmp_path / "train.py").write_text(TOUCHY + STEPS)
    (tmp_path / "torch.json.gz").write_bytes(b"earlier")
    done = guide(tmp_path, "--patience", "1", "python", "train.py")
    assert done.returncode == 0, done.stderr
    assert "closed in order" in done.stdout
    assert "atexit was called" in done.stdout
    assert "made all of them" not in done.stdout.splitlines()  # a line that is shown may say it
    assert done.stderr == ""
    trace = read_trace(tmp_path / "torch.json.gz")
    assert trace.about["guide"]["found"] == "an optimizer's step"
    assert len(trace.steps) in (4, 5)
    assert "A step takes" in done.stdout
    assert (tmp_path / "torch-before.json.gz").read_bytes() == b"earlier"


@pytest.mark.parametrize("end", ["answers.get()", ""], ids=["waits for ever", "at its last line"])
def test_a_training_in_a_thread_is_ended_whatever_the_main_thread_does(tmp_path, end):
    done = recorded(tmp_path, IN_A_THREAD + end, "--steps", "2", "--warm", "1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == "atexit was called\n"
    assert read_trace(tmp_path / "t.json.gz").stepped


def test_a_program_that_goes_to_another_folder_leaves_its_trace_where_it_was_asked_to(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    done = recorded(
        tmp_path,
        "import os\nos.chdir('elsewhere')\n" + STEPS,
        *("--steps", "1", "--warm", "1"),
        arguments=("100", "0.001"),
    )
    assert done.returncode == 0, done.stderr
    assert read_trace(tmp_path / "t.json.gz").stepped
    assert not list((tmp_path / "elsewhere").iterdir())


def test_to_the_end_lets_it_go_on(tmp_path):
    options = "--to-the-end", "--steps", "1", "--warm", "1"
    done = recorded(tmp_path, STEPS, *options, arguments=("100", "0.001"))
    assert "made all of them" in done.stdout
    assert read_trace(tmp_path / "t.json.gz").stepped


def test_a_short_program_is_served_and_too_short_a_one_is_counted(tmp_path):
    assert recorded(tmp_path, STEPS, arguments=("30", "0")).returncode == 0
    (tmp_path / "t.json.gz").unlink()
    done = recorded(tmp_path, STEPS, arguments=("3", "0"))
    assert done.returncode == NO_STEPS + 3
    assert "made all of them" in done.stdout
    assert not list(tmp_path.glob("*.json*"))


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


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
@pytest.mark.parametrize(("steps", "code"), [(8, 0), (1, INTERRUPTED)])
def test_interrupted_it_writes_what_there_is_and_no_traceback(tmp_path, steps, code):
    (tmp_path / "train.py").write_text(STEPS)
    command = [sys.executable, "-m", "guide_deep_learning.explain.profiling", "--out", "t.json.gz"]
    running = subprocess.Popen(
        [*command, "--warm", "2", "--steps", "100", "--", "train.py", "9999", "0.05", "a step"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert running.stdout is not None
    for _ in range(steps):
        while running.stdout.readline().strip() != "a step":
            pass
    os.killpg(running.pid, signal.SIGINT)
    said, wrong = running.communicate(timeout=60)
    assert running.returncode == code, wrong
    assert "closed in order" in said
    assert "Traceback" not in wrong
    files = [file.name for file in tmp_path.iterdir() if file.name != "train.py"]
    assert files == (["t.json.gz"] if steps > 1 else [])


NO_TORCH = """
import sys, time
def slow(until):
    total = 0
    while time.monotonic() < until:
        total += sum(range(1000))
    return total
slow(time.monotonic() + float(sys.argv[1]))
print("made all of them")
"""


@pytest.mark.parametrize(("seconds", "to_its_end"), [("0.4", True), ("60", False)])
def test_of_a_program_without_torch_the_lines_are_told(tmp_path, seconds, to_its_end):
    (tmp_path / "train.py").write_text(NO_TORCH)
    done = guide(tmp_path, "--patience", "0.4", "python", "train.py", seconds)
    assert done.returncode == 0, done.stderr
    assert ("made all of them" in done.stdout) is to_its_end
    assert "train.py:6" in done.stdout
    assert "total += sum(range(1000))" in done.stdout
    assert "Next: python -m cProfile" in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["train.py"]

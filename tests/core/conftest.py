"""Projects that tests write for themselves, and the real `guide` to run them with."""

import fcntl
import json
import os
import struct
import subprocess
import sys
import termios
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

TASK = """\
import sys, time
from pathlib import Path
{head}

class Task:
    def start(self, run):
        self.run = run
{start}

    def step(self, tick):
        run = self.run
{step}

    def close(self):
{close}
"""


@dataclass(frozen=True)
class ProjectFolder:
    path: Path
    name: str

    @property
    def runs(self):
        return sorted(file.parent for file in self.path.glob("runs/*/run.json"))

    @property
    def record(self):
        return json.loads((self.runs[-1] / "run.json").read_text())

    def line_of(self, text):
        """ "demo/task.py:12", where the task says `text`."""
        file = self.path / self.name / "task.py"
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if text in line:
                return f"{self.name}/task.py:{number}"
        raise AssertionError(f"{file} does not say {text}")


@pytest.fixture
def make_project(tmp_path):
    """Write a small project and return it; code is given per phase of its task."""

    def make(
        step_code="pass",
        tool_guide="rate_hz = 200",
        *,
        start_code="pass",
        close_code="pass",
        head="",
        name="demo",
        options="",
    ):
        folder = tmp_path / name
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").touch()

        def body(code):
            return textwrap.indent(textwrap.dedent(code).strip(), " " * 8)

        (folder / name / "task.py").write_text(
            TASK.format(
                head=textwrap.dedent(head),
                start=body(start_code),
                step=body(step_code),
                close=body(close_code),
            )
        )
        (folder / "pyproject.toml").write_text(
            f'[tool.guide]\ntrack = "none"\ntask = "{name}.task:Task"\n{tool_guide}\n'
            f"[tool.guide.options]\n{options}\n"
        )
        return ProjectFolder(folder, name)

    return make


@pytest.fixture(autouse=True, scope="session")
def no_machine_card(tmp_path_factory):
    """What a test measures of the machine is not found by another, nor left in somebody's home."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("XDG_CACHE_HOME")
    if before is not None:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(autouse=True)
def nobody_learns_here(tmp_path_factory, monkeypatch):
    """What a test reads, chooses or does as a learner is not found by another, nor in a home."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


def environment(**more):
    """This process's, without what would change the output; no plugin but core's own."""
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
    return {**env, "GUIDE_DISABLE": "vision,graphics,deep-learning", **more}


@pytest.fixture
def guide(tmp_path):
    """Run the real command line in a process of its own, to its end."""

    def run(*arguments, cwd=tmp_path, timeout=60, **env):
        return subprocess.run(
            [sys.executable, "-m", "guide", *map(str, arguments)],
            cwd=cwd,
            env=environment(**env),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def start_guide(tmp_path):
    """Start the real command line and return the process; it is killed when the test ends."""
    started = []

    def start(*arguments, cwd=tmp_path, stdout=subprocess.PIPE, stdin=None, **env):
        process = subprocess.Popen(
            [sys.executable, "-m", "guide", *map(str, arguments)],
            cwd=cwd,
            env=environment(**env),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def main(monkeypatch, capsys, tmp_path):
    """Call the command line in this process; returns exit code, stdout and stderr."""
    from guide.cli import main as command_line

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDE_DISABLE", "vision,graphics,deep-learning")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["guide", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit:
            command_line()
        out, err = capsys.readouterr()
        return exit.value.code or 0, out, err

    return call


@contextmanager
def mounted(folder, options):
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"a tiny disk is needed, and there is no mount here: {error}")
    if done.returncode:
        pytest.skip(f"a tiny disk is needed, and mounting one takes root: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk():
    """Mount a disk of so many bytes at a folder, for the test; skips where that is not granted."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def mount(folder, size="4k"):
            stack.enter_context(mounted(folder, f"size={size}"))
            return folder

        yield mount


@pytest.fixture
def read_only():
    """Make a folder with what it holds read-only for everybody, root too, for the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def protect(folder):
            binding = ["mount", "--bind", str(folder), str(folder)]
            if subprocess.run(binding, capture_output=True, check=False).returncode:
                pytest.skip("a read-only folder is needed, and mounting one takes root")
            stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
            subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
            return folder

        yield protect


class Terminal:
    """A real pseudo-terminal with a `guide` on it."""

    def __init__(self, arguments, cwd, columns, rows, env):
        self.columns = columns
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "guide", *map(str, arguments)],
            cwd=cwd,
            env=environment(**{"TERM": "xterm-256color", **env}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.output = ""

    def type(self, text):
        os.write(self.master, text.encode())

    def read_until(self, text=None):
        """Read until `text` is there, or to the end; returns all there was."""
        while text is None or text not in self.output:
            try:
                data = os.read(self.master, 65536)
            except OSError:  # how Linux says that nobody has the other end open any more
                data = b""
            if not data:
                assert text is None, f"{text!r} never came:\n{self.output}"
                break
            self.output += data.decode("utf-8", "replace")
        return self.output

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(tmp_path):
    """Start the real command line on a real pseudo-terminal."""
    opened = []

    def open_terminal(*arguments, cwd=tmp_path, columns=80, rows=24, **env):
        opened.append(Terminal(arguments, cwd, columns, rows, env))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()

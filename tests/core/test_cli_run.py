"""`guide run`, as a process: what a person sees, what it leaves, what it exits with."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

import guide as package

SCHEMA = json.loads((Path(package.__file__).parent / "run.schema.json").read_text("utf-8"))


def assert_one_line(done, code, *words):
    """It failed as it should: one line on stderr that says it, no traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("guide: ")
    for word in words:
        assert word in lines[0]


def until(condition):
    """Wait for something that another process does."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestGood:
    def test_it_leaves_a_record_a_trace_and_a_report_and_says_what_is_next(
        self, make_project, guide
    ):
        step = """
        with tick.span("work"):
            pass
        run.log("loss", 1.5)
        if tick.index == 3:
            run.stop("end of the clip")
        """
        start = "run.fact('backend', 'none'); run.note('a note'); run.text('sample', 'text')"
        project = make_project(step, start_code=start)
        done = guide("run", cwd=project.path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\x1b" not in done.stdout
        assert "Every one of 4 ticks" in done.stdout or "missed their" in done.stdout
        assert done.stdout.rstrip().endswith("Next: guide report --open")
        (folder,) = project.runs
        names = {file.name for file in folder.iterdir()}
        assert names == {"run.json", "trace.json", "report.html"}
        assert f"report  runs/{folder.name}/report.html" in done.stdout
        record = project.record
        jsonschema.Draft202012Validator(SCHEMA).validate(record)
        assert (record["status"], record["ended"]) == ("finished", "end of the clip")
        assert record["usage"]["totals"][0]["name"] == "cpu"
        assert json.loads((folder / "trace.json").read_text())["traceEvents"]

    def test_the_next_command_works_where_it_is_shown(self, make_project, guide, tmp_path):
        project = make_project()
        done = guide("run", str(project.path), "--ticks", "2", cwd=tmp_path)
        command = done.stdout.rstrip().rpartition("Next: guide ")[2].removesuffix(" --open")
        shown = guide(*command.split(), cwd=tmp_path)
        assert shown.returncode == 0
        assert "report.html" in shown.stdout

    def test_from_a_folder_inside_it_or_by_its_path_or_from_elsewhere(
        self, make_project, guide, tmp_path
    ):
        project = make_project()
        inside = guide("run", "--ticks", "1", cwd=project.path / "demo")
        beside = guide("run", "demo", "--ticks", "1", cwd=tmp_path)
        assert (inside.returncode, beside.returncode) == (0, 0)
        assert len(project.runs) == 2
        assert "Next: guide report" in beside.stdout

    def test_every_way_of_stopping_and_pacing_it(self, make_project, guide):
        project = make_project("run.log('x', tick.index)", "rate_hz = 100\nbudget_ms = 7")
        for arguments, loop, ended in (
            (["--ticks", "3"], {"ticks": 3, "rate_hz": 100, "budget_ns": 7_000_000}, "ticks"),
            (["--seconds", "0.05"], {"ticks": 5}, "seconds"),
            (["--ticks", "2", "--rate", "500"], {"rate_hz": 500, "budget_ns": 2_000_000}, "ticks"),
            (["--ticks", "2", "--free"], {"rate_hz": None, "budget_ns": 7_000_000}, "ticks"),
        ):
            done = guide("run", *arguments, cwd=project.path)
            assert done.returncode == 0, done.stderr
            record = project.record
            assert record["ended"] == ended
            got = {**record["loop"], "ticks": record["loop"]["ticks"] + record["loop"]["skipped"]}
            assert {key: got[key] for key in loop} == loop

    def test_options_and_seed_reach_the_task_and_the_record(self, make_project, guide):
        head = """
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class Options:
            width: int = 1
            source: str = ""
        """
        start = "run.text('got', f'{run.configure(Options)} {run.seed}')"
        project = make_project(start_code=start, head=head, options='width = 2\nsource = "toml"')
        done = guide(
            "run",
            "--ticks=1",
            "--set",
            "source=a=b",
            "--set",
            "source=c d",
            "--seed",
            7,
            cwd=project.path,
        )
        assert done.returncode == 0, done.stderr
        assert project.record["texts"][0]["body"] == "Options(width=2, source='c d') 7"
        assert project.record["options"] == {"width": 2, "source": "c d"}
        assert project.record["seed"] == 7

    def test_options_of_the_task_may_be_typed_as_if_they_were_of_the_command(
        self, make_project, guide
    ):
        head = """
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class Options:
            source: str = ""
            stall_s: float = 2.0
            loop: bool = False
        """
        project = make_project(start_code="run.text('got', str(run.configure(Options)))", head=head)
        typed = ["--source=a=b", "--ticks", "1", "--stall-s", "0.5", "--loop", "--seed", "3"]
        done = guide("run", *typed, cwd=project.path)
        assert done.returncode == 0, done.stderr
        expected = "Options(source='a=b', stall_s=0.5, loop=True)"
        assert project.record["texts"][0]["body"] == expected
        assert project.record["loop"]["ticks"] == 1

    def test_numpy_scalars_are_welcome_everywhere(self, make_project, guide):
        step = """
        run.log("loss", np.float32(0.5))
        start = np.int64(tick.start_ns)
        run.timeline.add("gpu", start, start + 5, flow=np.int64(1))
        run.timeline.counter("queue", np.float32(2))
        """
        project = make_project(
            step, start_code="run.fact('n', np.int64(3))", head="import numpy as np"
        )
        done = guide("run", "--ticks", "3", cwd=project.path)
        assert done.returncode == 0, done.stderr
        assert project.record["facts"] == {"n": 3}

    def test_a_run_within_a_run_that_was_removed_is_still_written(self, make_project, guide):
        project = make_project("import shutil; shutil.rmtree(run.folder, ignore_errors=True)")
        done = guide("run", "--ticks", "2", cwd=project.path)
        assert done.returncode == 0, done.stderr
        assert project.record["status"] == "finished"


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--seconds", "0"], ["--seconds 0 is not above 0"]),
            (["--ticks", "-3"], ["--ticks -3 is not above 0"]),
            (["--rate", "nan"], ["--rate nan is not above 0"]),
            (["--rate", "1e300"], ["rate_hz must be above 0 and below"]),
            (["--free", "--rate", "3"], ["contradict"]),
            (["--set", "width"], ["--set width names no value", "name=value"]),
            (["--set", "=3"], ["names no value"]),
        ],
    )
    def test_options_that_make_no_sense_are_refused_before_anything_runs(
        self, make_project, guide, arguments, words
    ):
        project = make_project()
        assert_one_line(guide("run", *arguments, cwd=project.path), 2, *words)
        assert project.runs == []

    @pytest.mark.parametrize("arguments", [["--seconds", "soon"], ["--sceonds", "3"], ["a", "b"]])
    def test_what_click_refuses_is_usage_too(self, make_project, guide, arguments):
        done = guide("run", *arguments, cwd=make_project().path)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr

    def test_a_slip_in_one_of_our_own_options_is_no_option_of_the_task(self, make_project, guide):
        done = guide("run", "--sceonds", "3", cwd=make_project().path)
        assert done.returncode == 2
        assert "Did you mean '--seconds'?" in done.stderr
        assert "--set sceonds=VALUE" in done.stderr

    def test_an_unknown_option_of_the_task_is_usage_with_the_nearest(self, make_project, guide):
        head = """
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class Options:
            width: int = 1
        """
        project = make_project(start_code="run.configure(Options)", head=head)
        done = guide("run", "--set", "widht=3", cwd=project.path)
        assert_one_line(done, 2, "no option 'widht'", "did you mean width?")
        done = guide("run", "--set", "width=much", cwd=project.path)
        assert_one_line(done, 2, "option width is a whole number, not 'much'")
        assert project.runs == []  # nothing ran, so there is no run to be found later

    def test_a_value_the_options_refuse_is_usage_and_says_what_to_type(self, make_project, guide):
        head = """
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class Options:
            width: int = 1
            def __post_init__(self):
                if self.width < 1:
                    raise ValueError("width must be at least 1")
        """
        project = make_project(start_code="run.configure(Options)", head=head)
        done = guide("run", "--set", "width=0", cwd=project.path)
        assert_one_line(done, 2, "width must be at least 1", "type --set width=...")

    def test_a_seed_below_0_is_usage(self, make_project, guide):
        done = guide("run", "--seed", "-1", cwd=make_project().path)
        assert_one_line(done, 2, "--seed", "-1")

    def test_secrets_of_a_url_stay_out_of_the_record(self, make_project, guide):
        project = make_project()
        url = "http://user:sekret@10.0.0.7:80/video?token=tok123"
        assert (
            guide("run", "--ticks", "1", "--set", f"source={url}", cwd=project.path).returncode == 0
        )
        assert project.record["options"]["source"] == "http://10.0.0.7:80/video"
        (folder,) = project.runs
        page = (folder / "report.html").read_text()
        assert "sekret" not in page
        assert "tok123" not in page

    def test_outside_a_project_it_says_how_to_get_one(self, guide, tmp_path):
        assert_one_line(guide("run"), 1, "no project at", "guide new-project TRACK PATH")
        assert_one_line(guide("run", "missing"), 1, "missing does not exist")

    @pytest.mark.parametrize(
        ("toml", "words"),
        [
            ("[tool.guide\n", ["is not valid TOML", "line 1"]),
            ("[tool.guidelines]\n", ["no project at"]),
            ('[tool.guide]\ntrack = "x"\n', ["task is None", "my_project.task:Task"]),
            ('[tool.guide]\ntrack = "x"\ntask = "a:B"\nrate_hz = 1e300', ["rate_hz must be"]),
            ('[tool.guide]\ntrack = "x"\ntask = "nothing_here:Task"', ["No module named"]),
        ],
    )
    def test_a_pyproject_that_is_not_right_is_one_line(self, guide, tmp_path, toml, words):
        (tmp_path / "pyproject.toml").write_text(toml)
        done = guide("run")
        code = 2 if "1e300" in toml else 1
        assert_one_line(done, code, *words)


class TestFailing:
    """A task that raises: one line with its own file and line; the record up to there is kept."""

    @pytest.mark.parametrize("error", ["1 / 0", "raise SystemExit(3)", "raise KeyError"])
    @pytest.mark.parametrize("phase", ["start", "step", "close"])
    def test_in_each_phase(self, make_project, guide, phase, error):
        code = {"start": "pass", "step": "run.log('x', 1)", "close": "pass"}
        guard = "if tick.index == 2:\n    " if phase == "step" else ""
        code[phase] += f"\n{guard}{error}  # here"
        project = make_project(code["step"], start_code=code["start"], close_code=code["close"])
        done = guide("run", "--ticks", "5", cwd=project.path)
        folder = project.runs[0]
        traceback = f"runs/{folder.name}/error.txt has the traceback"
        assert_one_line(done, 1, f"{project.line_of('# here')} in {phase}: ", traceback)
        assert project.record["loop"]["ticks"] == {"start": 0, "step": 3, "close": 5}[phase]
        assert project.record["status"] == "failed"
        jsonschema.Draft202012Validator(SCHEMA).validate(project.record)
        assert "The run failed" in (folder / "report.html").read_text()
        assert "# here" in (folder / "error.txt").read_text()

    def test_at_import_there_is_nothing_to_record(self, make_project, guide):
        project = make_project(head="x = 1 / 0")
        where = project.line_of("1 / 0")
        assert_one_line(guide("run", cwd=project.path), 1, f"{where} in <module>: ZeroDivision")
        assert project.runs == []

    def test_an_exit_at_import_is_no_success(self, make_project, guide):
        project = make_project(head="sys.exit(0)")
        assert_one_line(guide("run", cwd=project.path), 1, "SystemExit")

    @pytest.mark.parametrize("head", ["", "x = 1 / 0"])
    def test_the_traceback_is_shown_to_who_asks(self, make_project, guide, head):
        done = guide("run", "--traceback", cwd=make_project("1 / 0", head=head).path)
        assert done.returncode == 1
        assert "Traceback (most recent call last)" in done.stderr
        assert "1 / 0" in done.stderr

    def test_an_error_for_people_comes_with_its_remedy(self, make_project, guide):
        project = make_project(
            start_code="raise GuideError('cannot open camera 3', 'plug it in')",
            head="from guide import GuideError",
        )
        done = guide("run", cwd=project.path)
        assert_one_line(done, 1)
        assert done.stderr == "guide: cannot open camera 3; plug it in\n"
        assert project.record["error"]["remedy"] == "plug it in"

    def test_a_picture_of_the_wrong_kind_is_a_note(self, make_project, guide):
        project = make_project(
            start_code="run.picture(lambda: np.zeros((2, 2, 3)))", head="import numpy as np"
        )
        done = guide("run", "--ticks", "1", cwd=project.path)
        assert done.returncode == 0, done.stderr
        assert "no picture: ValueError" in done.stdout


class TestDisk:
    """Where the record cannot be written, it goes elsewhere, and the line says where."""

    def elsewhere(self, done):
        (place,) = re.findall(r"the record is in (\S+)", done.stderr)
        return Path(place)

    def test_a_disk_that_is_full_at_the_end(self, make_project, guide, small_disk, tmp_path):
        project = make_project("run.text('sample', 'x' * 20_000)")
        small_disk(project.path / "runs", "24k")
        (tmp_path / "tmp").mkdir()
        done = guide("run", "--ticks", "3", cwd=project.path, TMPDIR=str(tmp_path / "tmp"))
        assert_one_line(done, 1, "No space left", "the record is in")
        place = self.elsewhere(done)
        assert place.parent == tmp_path / "tmp"
        assert json.loads((place / "run.json").read_text())["loop"]["ticks"] == 3
        assert (place / "report.html").is_file()
        assert f"Next: guide report {place} --open" in done.stdout
        assert not list(project.path.glob("runs/*/.*"))
        shown = guide("report", place)
        assert shown.returncode == 0

    def test_a_disk_that_is_full_from_the_start(self, make_project, guide, small_disk, tmp_path):
        project = make_project("(run.folder / 'mine.txt').write_text('x')")
        disk = small_disk(project.path / "runs", "8k")
        (disk / "filler").write_bytes(b"x" * 8192)
        (tmp_path / "tmp").mkdir()
        done = guide("run", "--ticks", "3", cwd=project.path, TMPDIR=str(tmp_path / "tmp"))
        assert_one_line(done, 1, "No space left", "the record is in")
        assert (self.elsewhere(done) / "mine.txt").is_file()
        assert (self.elsewhere(done) / "report.html").is_file()

    def test_a_project_that_may_only_be_read(self, make_project, guide, read_only, tmp_path):
        project = make_project()
        read_only(project.path)
        (tmp_path / "tmp").mkdir()
        done = guide("run", "--ticks", "3", cwd=project.path, TMPDIR=str(tmp_path / "tmp"))
        assert_one_line(done, 1, "Read-only file system", "the record is in")
        assert (self.elsewhere(done) / "report.html").is_file()

    @pytest.mark.parametrize("kind", ["file", "dangling link"])
    def test_a_runs_that_is_no_folder(self, make_project, guide, tmp_path, kind):
        project = make_project()
        runs = project.path / "runs"
        runs.touch() if kind == "file" else runs.symlink_to(tmp_path / "unplugged")
        (tmp_path / "tmp").mkdir()
        done = guide("run", "--ticks", "1", cwd=project.path, TMPDIR=str(tmp_path / "tmp"))
        assert_one_line(done, 1, "File exists", "the record is in")

    def test_no_place_at_all(self, make_project, guide, small_disk, tmp_path):
        project = make_project("run.text('sample', 'x' * 20_000)")
        small_disk(project.path / "runs", "24k")
        tmp = small_disk(tmp_path / "tmp", "24k")
        done = guide("run", "--ticks", "3", cwd=project.path, TMPDIR=str(tmp))
        assert_one_line(done, 1, "could not be written", "free some space")


class TestSignals:
    """Each test waits for a file that the task makes, then sends a real signal."""

    @pytest.fixture
    def run(self, make_project, start_guide):
        def run(step="pass", start="pass", head=""):
            ready = "Path('ready').touch()"
            project = make_project(
                step.replace("READY", ready), start_code=start.replace("READY", ready), head=head
            )
            process = start_guide("run", cwd=project.path)
            until((project.path / "ready").exists)
            return project, process

        return run

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_once_while_it_runs_ends_it_cleanly(self, run, number):
        project, process = run("READY")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert "report.html" in out
        assert (project.record["status"], project.record["ended"]) == ("finished", "interrupted")
        assert (project.runs[0] / "report.html").is_file()

    def test_once_during_start_ends_it_cleanly_and_closes_the_task(self, run):
        project, process = run(start="READY\ntime.sleep(60)")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert "ended before its first tick" in out
        assert project.record["ended"] == "interrupted"

    @pytest.mark.parametrize(
        "stuck",
        [
            "time.sleep(60)",
            pytest.param(
                "import ctypes; c, m = ctypes.CDLL(None), ctypes.create_string_buffer(64); "
                "c.pthread_mutex_lock(m); c.pthread_mutex_lock(m)",
                marks=pytest.mark.skipif(sys.platform != "linux", reason="a mutex of zeros"),
                id="a C call",
            ),
        ],
    )
    def test_twice_while_a_step_is_stuck_ends_it_at_once(self, run, guide, stuck):
        project, process = run(f"READY; {stuck}")
        process.send_signal(signal.SIGINT)
        status = Path(f"/proc/{process.pid}/status")
        if status.exists():
            until(lambda: "ShdPnd:\t0000000000000000" in status.read_text())
        else:
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert project.record["status"] == "running"
        done = guide("report", cwd=project.path)
        assert done.returncode == 0
        assert "never finished" in done.stdout

    def test_killed_it_leaves_a_record_that_can_be_read(self, run, guide):
        project, process = run("READY")
        process.kill()
        process.communicate()
        assert project.record["status"] == "running"
        jsonschema.Draft202012Validator(SCHEMA).validate(project.record)
        assert "never finished" in guide("report", cwd=project.path).stdout
        assert json.loads(guide("report", "--json", cwd=project.path).stdout) == project.record
        home = guide(cwd=project.path)
        assert "1 run" in home.stdout


class TestOutput:
    def test_a_reader_that_goes_away_does_not_cost_the_run(self, make_project):
        project = make_project("time.sleep(0.005)")
        command = f"{sys.executable} -m guide run --seconds 1.3 2>err | head -1"
        done = subprocess.run(
            ["bash", "-c", command], cwd=project.path, capture_output=True, text=True, check=True
        )
        assert done.stdout == "demo: starting ...\n"
        until(lambda: project.record["status"] != "running")
        assert project.record["status"] == "finished"
        until((project.runs[0] / "report.html").exists)
        assert (project.path / "err").read_text() == ""

    @pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
    def test_closed_streams_do_not_cost_the_run(self, make_project, closed):
        project = make_project()
        command = f"{sys.executable} -m guide run --ticks 3 {closed}"
        done = subprocess.run(["bash", "-c", command], cwd=project.path, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        assert project.record["status"] == "finished"

    def test_in_a_pipe_it_writes_plain_lines(self, make_project, guide):
        done = guide("run", "--seconds", "1.2", cwd=make_project("run.log('loss', 2)").path)
        lines = [line for line in done.stdout.splitlines() if re.match(r"\d\d:\d\d  tick", line)]
        assert lines
        assert "of 200 Hz" in lines[0]
        assert "loss 2" in lines[0]
        assert "\x1b" not in done.stdout

    def test_however_short_it_was_its_last_state_is_shown(self, make_project, guide):
        out = guide("run", "--ticks", "3", cwd=make_project().path).stdout
        assert re.search(r"^00:00  tick 3  ", out, re.MULTILINE)

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
    def test_any_encoding_will_do(self, make_project, encoding):
        project = make_project("run.log('Verlust µ 損失', 1)", start_code="run.note('損失 🧬')")
        env = {"PYTHONIOENCODING": encoding, "PATH": "/usr/bin:/bin", "PYTHONUTF8": "0"}
        done = subprocess.run(
            [sys.executable, "-m", "guide", "run", "--seconds", "1.1"],
            cwd=project.path,
            env=env,
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert project.record["notes"][0] == "損失 🧬"

"""`guide run`: budgets, replay, real time, the journal, keys, each with a real process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

import guide as guide_package

SCHEMA = json.loads((Path(guide_package.__file__).parent / "run.schema.json").read_text())


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def one_line(done, code, *words):
    assert done.returncode == code, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("guide: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in lines[0]


def check(project):
    jsonschema.Draft202012Validator(SCHEMA).validate(project.record)


class TestBudgets:
    def test_time_warns_at_80_percent_and_ends_the_run_at_100(self, make_project, guide):
        project = make_project()
        done = guide("run", "--time-budget", "2s", cwd=project.path)
        assert done.returncode == 0, done.stderr
        assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["time", "time"]
        assert "% of the budget" in done.stderr
        record = project.record
        assert "time" in record["ended"]
        assert record["budgets"][0]["state"] == "spent"
        assert record["budgets"][0]["used"] >= 2
        assert any("budget is spent" in note for note in record["notes"])
        check(project)

    def test_memory_ends_the_run_before_the_machine_does(self, make_project, guide):
        project = make_project(
            "self.held.append(bytearray(b'x') * 4_000_000)", start_code="self.held = []"
        )
        done = guide("run", "--memory-budget", "400MB", cwd=project.path)
        assert done.returncode == 0, done.stderr
        (budget,) = project.record["budgets"]
        assert (budget["name"], budget["state"]) == ("memory", "spent")
        assert 400e6 <= budget["used"] < 4e9
        check(project)

    def test_energy_names_its_source_and_its_bounds(self, make_project, guide):
        project = make_project("sum(range(100_000))")
        done = guide("run", "--energy-budget", "0.5J", "--seconds", "20", cwd=project.path)
        assert done.returncode == 0, done.stderr
        (budget,) = project.record["budgets"]
        assert budget["state"] == "spent"
        assert budget["source"]
        if budget["low"] is not None:  # a model: it ends when the low end is certainly spent
            assert budget["low"] >= 0.5
        check(project)

    def test_one_that_is_kept_is_in_the_record_and_says_nothing(self, make_project, guide):
        project = make_project()
        done = guide("run", "--ticks", "3", "--time-budget", "1h", cwd=project.path)
        assert (done.returncode, done.stderr) == (0, "")
        assert project.record["budgets"][0]["state"] == "kept"

    @pytest.mark.parametrize(
        "typed",
        [
            ["--time-budget", "soon"],
            ["--memory-budget", "-1GB"],
            ["--memory-budget", ""],
            ["--energy-budget", "5 bananas"],
            ["--energy-budget", "nan"],
            ["--budget-ms", "0"],
        ],
    )
    def test_one_that_makes_no_sense_is_one_line(self, make_project, guide, typed):
        project = make_project()
        one_line(guide("run", *typed, cwd=project.path), 2)
        assert not project.runs

    def test_budget_ms_is_the_time_of_a_tick(self, make_project, guide):
        project = make_project("time.sleep(0.002)")
        done = guide("run", "--ticks", "5", "--budget-ms", "1", cwd=project.path)
        assert done.returncode == 0, done.stderr
        assert project.record["loop"]["budget_ns"] == 1_000_000
        assert project.record["loop"]["missed"] == 5
        assert sum(project.record["misses"]["causes"].values()) == 5


class TestReplay:
    STEP = """
    import random
    self.state = getattr(self, "state", 1)
    rng = random.Random(run.seed * 1000 + tick.index)
    self.state = self.state * 31 % 1009 + tick.t_s * rng.random()
    run.check("state", self.state)
    if tick.index % 4 == 0:
        time.sleep(0.008)
    """

    def test_the_same_seed_and_times_give_the_same_bits(self, make_project, guide):
        project = make_project(self.STEP)
        guide("run", "--ticks", "30", "--seed", "7", cwd=project.path)
        recorded = project.record
        name = project.runs[0].name
        done = guide("run", "--replay", name, cwd=project.path)
        assert (done.returncode, done.stderr) == (0, "")
        replayed = project.record
        assert len(project.runs) == 2
        assert replayed["checks"] == recorded["checks"]
        assert replayed["seed"] == 7
        assert replayed["loop"] == recorded["loop"]
        relative = [t - replayed["ticks"]["due_ns"][0] for t in replayed["ticks"]["due_ns"]]
        first = recorded["ticks"]["due_ns"][0]
        assert relative == [t - first for t in recorded["ticks"]["due_ns"]]
        check(project)

    def test_it_stops_at_the_first_tick_that_comes_out_otherwise(self, make_project, guide):
        project = make_project(self.STEP)
        guide("run", "--ticks", "30", cwd=project.path)
        file = project.path / "demo" / "task.py"
        file.write_text(file.read_text().replace("* 31", "* (31 if tick.index < 17 else 30)"))
        name = project.runs[0].name
        done = guide("run", "--replay", name, cwd=project.path)
        one_line(done, 1, "first divergence at tick 17", "'state'", name)
        assert project.record["loop"]["ticks"] == 18
        assert project.record["flights"][-1]["why"] in ("error", "missed")

    def test_a_run_without_checks_says_how_to_make_one_worth_replaying(self, make_project, guide):
        project = make_project()
        guide("run", "--ticks", "3", cwd=project.path)
        done = guide("run", "--replay", project.runs[0].name, cwd=project.path)
        assert done.returncode == 0, done.stderr
        assert any("run.check" in note for note in project.record["notes"])

    @pytest.mark.parametrize("typed", [["--seed", "3"], ["--ticks", "3"], ["--set", "a=1"]])
    def test_what_the_record_says_is_not_typed_again(self, make_project, guide, typed):
        project = make_project()
        one_line(guide("run", "--replay", "x", *typed, cwd=project.path), 2, "recorded run")

    @pytest.mark.parametrize("change", ["missing", "no ticks", "not the first"])
    def test_a_record_that_cannot_be_replayed_is_one_line(self, make_project, guide, change):
        project = make_project()
        guide("run", "--ticks", "3", cwd=project.path)
        file = project.runs[0] / "run.json"
        record = json.loads(file.read_text())
        if change == "missing":
            file.unlink()
        elif change == "no ticks":
            for column in ("due_ns", "start_ns", "end_ns", "skipped"):
                record["ticks"][column] = []
            file.write_text(json.dumps(record))
        else:
            record["ticks"]["first"] = 5
            file.write_text(json.dumps(record))
        one_line(guide("run", "--replay", str(file.parent), cwd=project.path), 1)


class TestJournal:
    def test_killed_it_leaves_all_but_the_last_second(self, make_project, start_guide, guide):
        step = """
        with tick.span("work"):
            pass
        run.log("loss", tick.index)
        if tick.index % 100 == 0:
            Path(f"tick{tick.index}").touch()
        """
        project = make_project(step)  # 200 Hz
        process = start_guide("run", cwd=project.path)
        until((project.path / "tick500").exists)
        process.kill()
        process.communicate()
        record = json.loads(guide("report", "--json", cwd=project.path).stdout)
        assert record["status"] == "running"
        ticks = record["loop"]["ticks"]
        assert ticks > 500 - 200 * 1.5  # a second, and what a busy machine takes to notice
        assert len(record["ticks"]["due_ns"]) == ticks
        assert abs(len(record["series"]["loss"]["values"]) - ticks) <= 1
        assert record["spans"]["work"]["count"] > 0
        shown = guide("report", cwd=project.path)
        assert "never finished" in shown.stdout
        assert "work" in shown.stdout
        assert (project.runs[0] / "report.html").is_file()
        assert (project.runs[0] / "journal.bin").is_file()

    def test_a_run_that_ended_leaves_none(self, make_project, guide):
        project = make_project()
        guide("run", "--seconds", "1.5", cwd=project.path)
        assert not (project.runs[0] / "journal.bin").exists()

    def test_a_disk_that_fills_up_ends_the_journal_and_not_the_run(
        self, make_project, guide, small_disk, tmp_path
    ):
        project = make_project("tick.span(f'{tick.index:0200}').__enter__")
        small_disk(project.path / "runs", "16k")
        (tmp_path / "tmp").mkdir()
        done = guide("run", "--seconds", "2.5", cwd=project.path, TMPDIR=str(tmp_path / "tmp"))
        one_line(done, 1, "No space left", "the record is in")
        place = Path(done.stderr.rpartition("the record is in ")[2].strip())
        record = json.loads((place / "run.json").read_text())
        assert record["ended"] == "seconds"
        assert record["loop"]["ticks"] + record["loop"]["skipped"] == 500


class TestFlights:
    def test_a_signal_keeps_the_ticks_around_it(self, make_project, start_guide):
        step = "Path('ready').touch()\nwith tick.span('work'):\n    time.sleep(0.001)"
        project = make_project(step)
        process = start_guide("run", "--seconds", "3", cwd=project.path)
        until((project.path / "ready").exists)
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert "signal" in [flight["why"] for flight in project.record["flights"]]

    def test_an_error_keeps_the_ticks_before_it(self, make_project, guide):
        project = make_project("with tick.span('work'):\n    assert tick.index < 20")
        guide("run", cwd=project.path)
        flight = next(f for f in project.record["flights"] if f["why"] == "error")
        assert flight["tick"] == 20
        assert [index for index, *_ in flight["ticks"]] == [16, 17, 18, 19, 20]
        assert "work" in flight["names"]


class TestRealtime:
    def test_it_says_in_one_line_what_it_got_and_the_record_keeps_it(self, make_project, guide):
        project = make_project()
        done = guide("run", "--realtime", "--ticks", "20", cwd=project.path)
        assert done.returncode == 0, done.stderr
        (line,) = [x for x in done.stdout.splitlines() if x.startswith("realtime: ")]
        assert "granted" in line
        assert project.record["pacing"] == {"realtime": True, "text": line[len("realtime: ") :]}
        check(project)

    def test_without_privileges_it_runs_all_the_same(self, make_project):
        project = make_project()
        bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
        if bare and shutil.which("setpriv") is None:
            pytest.skip("setpriv, of util-linux, is what takes a root's privileges away")
        done = subprocess.run(
            [*bare, sys.executable, "-m", "guide", "run", "--realtime", "--ticks", "20"],
            cwd=project.path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "refused" in project.record["pacing"]["text"]

    @pytest.mark.parametrize("other", [["--free"], ["--replay", "x"]])
    def test_what_contradicts_it_is_one_line(self, make_project, guide, other):
        project = make_project()
        one_line(guide("run", "--realtime", *other, cwd=project.path), 2, "contradict")


class TestKeys:
    def test_on_a_terminal_p_pauses_and_q_ends(self, make_project, terminal):
        project = make_project()
        run = terminal("run", cwd=project.path)
        run.read_until("q end")
        run.type("p")
        run.read_until("paused")
        run.type("p")
        run.type("q")
        run.read_until()
        assert project.record["ended"] == "interrupted"
        assert project.record["loop"]["skipped"] == 0 or project.record["loop"]["ticks"] > 0


class TestSource:
    def test_the_commit_is_kept_and_whether_files_differ(self, make_project, guide):
        project = make_project()

        def git(*arguments):
            command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
            subprocess.run(command, cwd=project.path, check=True, capture_output=True)

        guide("run", "--ticks", "1", cwd=project.path)
        assert project.record["source"] is None
        git("init", "-q")
        git("add", "pyproject.toml", "demo")
        git("commit", "-q", "-m", "one")
        guide("run", "--ticks", "1", cwd=project.path)
        source = project.record["source"]
        assert len(source["commit"]) == 10
        assert source["dirty"] is False
        (project.path / "demo" / "__init__.py").write_text("x = 1\n")
        guide("run", "--ticks", "1", cwd=project.path)
        assert project.record["source"] == {**source, "dirty": True}

"""Several processes of one run, as torchrun starts them: one screen, one report."""

import json
import subprocess
import sys

import pytest

from guide.clock import VirtualClock
from guide.errors import UsageError
from guide.loop import Loop
from guide.ranks import Ranks, here

from .conftest import environment


def ranked(rank, size=2):
    return {"RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank)}


@pytest.fixture
def run_both(make_project):
    """Run a project as two ranks at once; returns it and what each of them said."""

    def run(step_code="pass", *arguments):
        project = make_project(step_code, "rate_hz = 200", start_code="print('loading')")
        command = [sys.executable, "-m", "guide", "run", "--ticks", "3", *arguments]
        both = [
            subprocess.Popen(
                command,
                cwd=project.path,
                env=environment(**ranked(rank)),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in (0, 1)
        ]
        said = [process.communicate(timeout=60) for process in both]
        return project, [(p.returncode, out, err) for p, (out, err) in zip(both, said, strict=True)]

    return run


def test_rank_0_is_the_report_and_the_others_say_nothing(run_both, guide):
    project, ((code, out, err), other) = run_both()
    assert (code, err) == (0, "")
    assert "loading" in out
    assert "report  runs/" in out
    assert other == (0, "", "")
    (folder,) = project.runs
    (aside,) = project.path.glob("runs/rank-1/*/run.json")
    assert json.loads(aside.read_text())["loop"]["ticks"] == 3
    shown = guide("report", cwd=project.path)
    assert f"runs/{folder.name}/report.html" in shown.stdout
    assert len(guide("log", cwd=project.path).stdout.split("rank-1")) == 1


def test_what_fails_is_said_with_the_rank_it_failed_on(run_both):
    _, ((code, out, err), other) = run_both("import os; 1 / (1 - int(os.environ['RANK']))")
    assert (code, err) == (0, "")
    assert "report  runs/" in out
    code, out, err = other
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("guide: rank 1: demo/task.py:")
    assert "ZeroDivisionError" in err
    assert "runs/rank-1/" in err


def test_a_budget_that_is_spent_is_said_once(run_both):
    _, ((_, _, err), other) = run_both("import time; time.sleep(0.2)", "--time-budget", "0.3s")
    assert "time" in err
    assert other == (0, "", "")


@pytest.mark.parametrize(
    "values",
    [
        {"RANK": "two", "WORLD_SIZE": "2"},
        {"RANK": "-1", "WORLD_SIZE": "2"},
        {"RANK": "2", "WORLD_SIZE": "2"},
        {"RANK": "0", "WORLD_SIZE": "0"},
        {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "2"},
    ],
)
def test_an_environment_that_makes_no_sense_is_one_line(values):
    with pytest.raises(UsageError, match=r"RANK=.* is no rank of a run; let torchrun set them"):
        here(values)


def test_ranks_are_read_from_the_environment():
    assert here(ranked(1, 4)) == Ranks(1, 4, 1)
    assert here({}) == here({"RANK": "3"}) == Ranks(0, 1, 0)  # a stray one says nothing
    assert (here({}).several, here(ranked(0)).several) == (False, True)
    assert (here({}).signed("text"), here(ranked(1)).signed("text")) == ("text", "rank 1: text")


class TestALoopThatRunsTogether:
    def loop(self, **limits):
        loop = Loop(10, clock=VirtualClock(), **limits)
        loop.together = True
        return loop

    def test_goes_on_until_the_others_know(self):
        loop, ticks = self.loop(), []
        for tick in loop:
            ticks.append(tick.index)
            if tick.index == 2:
                loop.stop("interrupted")
            if tick.index == 4:
                assert loop.wanted == "interrupted"
                loop.stop(loop.wanted, agreed=True)
        assert ticks == [0, 1, 2, 3, 4]
        assert loop.ended == "interrupted"

    def test_ends_by_itself_after_a_number_of_ticks_for_all_have_as_many(self):
        loop = self.loop(ticks=3)
        assert len(list(loop)) == 3
        assert loop.ended == "ticks"

    def test_asks_when_its_time_is_up_for_clocks_differ(self):
        loop = self.loop(seconds=0.3)
        for tick in loop:
            if tick.index == 6:
                loop.stop(loop.wanted, agreed=True)
        assert (loop.log.count, loop.ended) == (7, "seconds")

    def test_alone_it_ends_at_once(self):
        loop = Loop(10, clock=VirtualClock(), seconds=0.3)
        for tick in loop:
            if tick.index == 1:
                loop.stop("interrupted")
        assert (loop.log.count, loop.ended, loop.wanted) == (2, "interrupted", "")

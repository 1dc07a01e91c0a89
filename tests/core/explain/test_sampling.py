"""Lines of a project's own code: a planted loop has most of the weight, its clean twin none."""

import importlib.util
import json
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from guide.explain.answer import Answer, Line
from guide.explain.page import page
from guide.explain.sampling import NAME, Sampled, read_samples
from guide.explain.target import explain_target
from guide.explain.telling import Teller
from guide.explain.versus import Versus
from guide.explain.written import read_answer, written
from guide.foundations.rules.deadlines import over_budget
from guide.foundations.rules.lines import done_twice, loop_in_python, one_call
from guide.learn.cells import width
from guide.loop import Loop
from guide.plugin import Place
from guide.plugins import Plugins
from guide.record import write_record
from guide.run import Run, drive
from tests.core.loops import record_of, virtual

SLOW = """
import numpy as np

NUMBERS = np.arange(60_000) % 251


class Task:
    def start(self, run):
        pass

    def step(self, tick):
        self.shown = np.sort(NUMBERS)[:3]
        with tick.span("total"):
            self.total = total(NUMBERS)

    def close(self):
        pass


def total(numbers):
    {body}
"""
IN_PYTHON = """
    found = 0
    for number in numbers:
        found += number * 2
    return found
"""
IN_NUMPY = "for part in (numbers, numbers):\n        found = np.sort(part)\n    return found"
TICKS = 40


def task_of(file, source):
    """The task of a project's file, which is written and imported."""
    file.write_text(textwrap.dedent(source), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Task()


def slow(body):
    return SLOW.replace("{body}", body.strip("\n").removeprefix("    "))


def profiled(task, project, **how):
    """Record and folder of a run of a task in `project`, as `guide profile` makes them."""
    folder = project / "runs" / "1"
    folder.mkdir(parents=True)
    record = record_of(Sampled(task, folder, interval_s=0.001), folder=folder, **how)
    write_record(folder, record)
    return {**record, "sampled": read_samples(folder, project)}, folder


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def share_of(record, *texts):
    rows = record["sampled"]["rows"]
    of = sum(row["ns"] for row in rows if row["text"] in texts)
    return of / sum(row["ns"] for row in rows)


def test_a_loop_in_python_has_most_of_the_weight_and_is_named(project):
    task = task_of(project / "painter.py", slow(IN_PYTHON))
    record, folder = profiled(task, project, ticks=TICKS)
    assert share_of(record, "for number in numbers:", "found += number * 2") > 0.5
    (said,) = loop_in_python(record)
    assert said.title == "a loop in Python: total"
    assert said.where[0].file == "painter.py"
    assert said.where[0].text in ("for number in numbers:", "found += number * 2")
    assert 0 < said.recoverable_ns < 1.01 * record["tick_time"]["mean_ns"]
    assert {row["span"] for row in record["sampled"]["rows"] if row["loop"]} == {"total"}
    first = explain_target(folder, Plugins([], [])).answer.lines[0]
    assert first.place == said.where[0]


def test_its_twin_of_whole_arrays_is_left_alone(project):
    record, _ = profiled(task_of(project / "painter.py", slow(IN_NUMPY)), project, ticks=10 * TICKS)
    assert record["sampled"]["rows"]
    assert loop_in_python(record) == []
    assert done_twice(record) == []


def test_what_is_seen_adds_up_to_what_ticks_took(project):
    _, folder = profiled(task_of(project / "a.py", slow(IN_PYTHON)), project, ticks=TICKS)
    data = json.loads((folder / NAME).read_text())
    assert data["ticks"] == TICKS - 3
    whole = sum(row["ns"] for row in data["rows"])
    assert whole == pytest.approx(data["seconds"] * 1e9, rel=0.01)


def test_waiting_for_the_next_tick_is_no_sample(project):
    source = slow("import time\n    time.sleep(0.002)\n    return 0")
    record, _ = profiled(task_of(project / "a.py", source), project, ticks=30, rate_hz=50)
    took_ns = sum(row["ns"] for row in record["sampled"]["rows"])
    assert took_ns < 0.5 * record["seconds"] * 1e9
    assert share_of(record, "time.sleep(0.002)") > 0.5


def test_only_files_of_the_project_are_its_lines(project):
    (project / "other").mkdir()
    (project / "home").mkdir()
    task = task_of(project / "other" / "library.py", slow(IN_PYTHON))
    folder = project / "home" / "runs"
    folder.mkdir()
    run = Run(Loop(ticks=TICKS), project=project / "home", folder=folder)
    drive(Sampled(task, folder, interval_s=0.001), run)
    sampled = read_samples(folder, project / "home")
    assert {row["file"] for row in sampled["rows"]} == {""}
    assert loop_in_python({**virtual(a=1), "sampled": sampled}) == []


def test_the_sampler_ends_with_the_run_also_when_the_task_raises(project):
    before = sys.getswitchinterval()
    source = slow(IN_PYTHON) + "\n    return found\n"
    source = source.replace(
        "def total(numbers):", "def total(numbers, calls=[]):\n    calls += [1]"
    )
    source = source.replace("found = 0", "found = 0 if len(calls) < 30 else 1 / 0")
    task = task_of(project / "a.py", source)
    run = Run(Loop(ticks=TICKS), project=project, folder=project)
    drive(Sampled(task, project, interval_s=0.001), run)
    assert "ZeroDivisionError" in run.failure.message
    assert sys.getswitchinterval() == before
    assert "guide-samples" not in {thread.name for thread in threading.enumerate()}
    assert read_samples(project, project)["ticks"] == 27


def test_a_folder_that_is_gone_costs_the_samples_and_not_the_run(project):
    task = task_of(project / "a.py", slow(IN_PYTHON))
    run = Run(Loop(ticks=TICKS), project=project, folder=project / "gone")
    drive(Sampled(task, project / "gone", interval_s=0.001), run)
    assert run.failure is None
    assert run.loop.log.count == TICKS


def test_a_run_that_is_killed_leaves_no_half_file(project):
    program = """
        import sys
        from pathlib import Path
        from guide.explain.sampling import Sampled
        from guide.loop import Loop
        from guide.run import Run, drive

        class Task:
            def start(self, run): pass
            def step(self, tick):
                sum(i * i for i in range(20_000))
                if tick.index == 20: print("there", flush=True)
            def close(self): pass

        here = Path.cwd()
        drive(Sampled(Task(), here), Run(Loop(), project=here, folder=here))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE) as running:
        running.stdout.readline()
        running.send_signal(signal.SIGKILL)
    assert list(project.iterdir()) == []


def test_garbage_is_not_collected_while_the_frames_are_taken(project):
    # The interpreter holds a lock of its own then, which a threading.local that goes needs as well
    program = """
        import gc, threading, time
        from pathlib import Path
        from guide.explain.sampling import Sampled
        from guide.loop import Loop
        from guide.run import Run, drive

        def knots(left):
            for _ in range(0 if left else 20):
                knot = threading.local()
                knot.itself = knot
                del knot
            if left:
                knots(left - 1)
            else:
                time.sleep(0.0005)

        class Task:
            def start(self, run): gc.set_threshold(1)
            def step(self, tick):
                for _ in range(20): knots(5)
            def close(self): pass

        here = Path.cwd()
        run = Run(Loop(ticks=50), project=here, folder=here)
        drive(Sampled(Task(), here, interval_s=0.0002), run)
        assert gc.isenabled()
        print("over")
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=30)
    assert done.stdout == "over\n", done.stderr


def test_threads_beside_the_loop_are_counted_apart(project):
    source = slow(IN_PYTHON).replace(
        "        pass\n\n    def step",
        "        import threading\n        self.over = False\n"
        "        threading.Thread(target=self.beside, name='helper', daemon=True).start()\n\n"
        "    def beside(self):\n        while not self.over:\n            total(NUMBERS[:99])\n\n"
        "    def step",
    )
    source = source.replace(
        "    def close(self):\n        pass", "    def close(self):\n        self.over = True"
    )
    record, _ = profiled(task_of(project / "a.py", source), project, ticks=TICKS)
    (helper,) = [t for t in record["sampled"]["threads"] if t["name"] == "helper"]
    assert {row["function"] for row in helper["rows"]} <= {"total", "Task.beside"}
    assert "Task.beside" not in {row["function"] for row in record["sampled"]["rows"]}


def test_names_in_other_scripts_are_told_in_a_narrow_terminal(project):
    home = project / "プロジェクト"
    home.mkdir()
    source = slow(IN_PYTHON).replace("found", "見つかった合計")
    record, folder = profiled_in(home, task_of(home / "描画する長い名前のファイル.py", source))
    answer = explain_target(folder, Plugins([], [])).answer
    assert "描画" in answer.lines[0].place.file
    lines = [*Teller(60, False).answer(answer)]
    assert max(map(width, lines)) <= 60
    assert "描画" in page(answer)
    assert "描画" in loop_in_python(record)[0].says


def profiled_in(home, task):
    folder = home / "runs" / "1"
    folder.mkdir(parents=True)
    run = Run(Loop(ticks=TICKS), project=home, folder=folder)
    drive(Sampled(task, folder, interval_s=0.001), run)
    record = virtual(a=1)
    write_record(folder, record)
    return {**record, "sampled": read_samples(folder, home)}, folder


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null"),
        '{"schema": 2}',
        '{"schema": 1, "ticks": 0, "rows": []}',
        '{"schema": 1, "ticks": 5, "rows": [{"file": 1}]}',
        '{"schema": 1, "ticks": 1, "rows": 7}',
    ],
)
def test_without_samples_that_can_be_read_the_answer_is_what_it_was(project, text):
    folder = project / "runs" / "1"
    folder.mkdir(parents=True)
    record = virtual(a=1)
    write_record(folder, record)
    plain = written(explain_target(folder, Plugins([], [])).answer)
    (folder / NAME).write_text(text)
    assert written(explain_target(folder, Plugins([], [])).answer) == plain
    assert plain["lines"] == []
    assert [*loop_in_python(record), *done_twice(record), *one_call(record)] == []


def test_lines_survive_being_kept():
    line = Line(Place("a.py", 3, "x = f(y)"), 5_000, "f(y)")
    answer = Answer("a run", "tick", 10_000, lines=(line,))
    assert read_answer(json.loads(json.dumps(written(answer)))) == answer


def test_two_sampled_runs_name_the_lines_that_changed():
    def answer(*lines):
        found = (Line(Place("a.py", n, text), ns) for n, text, ns in lines)
        return Answer("a run", "tick", 100_000, lines=tuple(found))

    before = answer((3, "x = f(y)", 50_000), (4, "z = g(x)", 20_000), (9, "h(z)", 10_000))
    after = answer((7, "x = f(y)", 20_000), (8, "z = g(x)", 21_000))
    assert [(was.place.line, ns) for was, ns in Versus(before, after).lines] == [
        (3, -30_000),
        (9, -10_000),
    ]
    told = "\n".join(Teller(60, False).versus(Versus(before, after)))
    assert "a.py:3 takes 20 µs, 50 µs before" in told
    assert "a.py:9 takes hardly anything, 10 µs before" in told
    assert Versus(before, answer()).lines == (), "nobody looked"


# What rules make of rows; a tick of `virtual(a=8)` takes 8 ms


def row(line, ms, *, kind="library", calls="", loop=0, into="", function="step", by=None):
    return {
        "file": "task.py", "line": line, "function": function, "text": f"line {line}",
        "kind": kind, "calls": calls, "loop": loop, "into": into,
        "inner": into, "span": "a", "by": by,
        "ns": round(ms * 1e6 * 300), "count": 300,
    }  # fmt: skip


def sampled(*rows, rate_hz=100.0):
    return {**virtual(rate_hz=rate_hz, a=8), "sampled": {"ticks": 300, "rows": [*rows]}}


def test_a_loop_over_a_few_long_calls_is_no_loop_in_python():
    long = row(3, 5, kind="call", calls="cv2.blur(image, size)", loop=2)
    assert loop_in_python(sampled(long, row(2, 0.1, kind="python", loop=2))) == []
    (said,) = loop_in_python(sampled(long, row(2, 2, kind="python", loop=2)))
    assert said.recoverable_ns == pytest.approx(7e6)


def test_a_small_function_called_in_a_loop_is_part_of_it():
    by = {"file": "task.py", "line": 9, "function": "draw", "text": "points = [turn(p) for p in c]",
          "calls": "turn(p)", "loop": 9}  # fmt: skip
    (said,) = loop_in_python(sampled(row(3, 2, kind="python", function="turn", by=by)))
    assert said.title == "a loop in Python: draw"
    assert {place.line for place in said.where} == {3, 9}


def test_the_same_call_on_two_lines_is_said_once_with_the_shorter_one():
    call = "render(scene, camera)"
    (said,) = done_twice(sampled(row(3, 3, calls=call), row(4, 2, calls=call)))
    assert said.recoverable_ns == pytest.approx(2e6)
    assert said.sure == "perhaps"
    assert done_twice(sampled(row(3, 3, calls=call), row(3, 2, calls=call))) == []
    assert done_twice(sampled(row(3, 3, calls="f()"), row(4, 2, calls="f()"))) == []


def test_one_line_that_takes_long_is_a_fault_only_where_deadlines_are_missed():
    line = row(3, 4, calls="np.median(last)", into="numpy.median")
    assert one_call(sampled(line)) == []
    (said,) = one_call(sampled(line, rate_hz=200))
    assert said.sure == "perhaps"
    assert "np.median(last)" in said.says
    assert said.recoverable_ns == pytest.approx(3e6), "a tick of 8 ms has 5"
    engine = row(3, 4, calls="renderer.render(scene)", into="guide_graphics.raster.render")
    assert one_call(sampled(engine, rate_hz=200)) == []


def test_guide_profile_takes_samples_where_no_track_brings_a_profiler(project, monkeypatch):
    from guide.cli import profile as command

    (project / "my_loop.py").write_text(textwrap.dedent(slow(IN_PYTHON)), encoding="utf-8")
    (project / "pyproject.toml").write_text(
        '[project]\nname = "my_loop"\n[tool.guide]\ntrack = "none"\ntask = "my_loop:Task"\n'
    )
    monkeypatch.setattr(command, "_SECONDS", 0.6)
    monkeypatch.setattr(command, "Plugins", lambda: Plugins([], []))
    monkeypatch.syspath_prepend(project)
    done = CliRunner().invoke(command.profile, ["."], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "Its lines:" in done.output
    assert "my_loop.py:" in done.output
    assert len([*Path().glob("runs/*/samples.json")]) == 1


# What a line, a call and a span of a sampled run are said to take


def called(line, calls, function="step"):
    return {"file": "task.py", "line": line, "function": function, "text": f"line {line}",
            "calls": calls, "loop": 0}  # fmt: skip


def test_each_line_that_takes_some_share_has_its_verdict_in_the_same_round():
    lines = [
        row(3, 1.1, kind="operator", calls="sky * share", function="clear"),
        row(5, 0.9, calls="encode_png(small)", into="guide.png.encode_png", function="keep"),
        row(7, 0.3, calls="cv2.blur(small, size)", function="show"),
    ]
    said = one_call(sampled(*lines, rate_hz=200))
    assert [each.where[0].line for each in said] == [3, 5], "the third takes 4 %"
    assert [each.title for each in said] == [
        "a line that costs: clear",
        "a line that costs: keep, encode_png",
    ]


def test_two_lines_of_a_function_have_titles_of_their_own_or_one_verdict():
    calls = ["cv2.blur(small, size)", "cv2.imencode('.png', small)"]
    two = [row(3, 1, calls=calls[0]), row(4, 2, calls=calls[1])]
    said = one_call(sampled(*two, rate_hz=200))
    assert len({each.title for each in said}) == 2
    sums = [row(3, 1, kind="operator", calls="a + b"), row(4, 2, kind="operator", calls="a * b")]
    (said,) = one_call(sampled(*sums, rate_hz=200))
    assert [place.line for place in said.where] == [4, 3]
    assert "task.py:4, task.py:3 take 3 ms" in said.says


def test_a_line_in_a_loop_over_long_calls_is_named_as_a_line():
    long = row(3, 5, kind="call", calls="cv2.blur(image, size)", loop=2)
    (said,) = one_call(sampled(long, rate_hz=200))
    assert said.where[0].line == 3


def test_what_is_called_far_below_is_counted_for_a_call_that_is_made_twice():
    def below(line, ms):
        deep = row(20, ms, calls="np.sort(part)", function="part_of")
        outer = [called(line, "levels(image)")]
        return {**deep, "by": called(15, "part_of(image)", "levels"), "outer": outer}

    (said,) = done_twice(sampled(below(3, 3), below(4, 2)))
    assert said.recoverable_ns == pytest.approx(2e6)
    assert [place.line for place in said.where[:2]] == [3, 4]


def test_a_function_that_calls_itself_is_not_called_twice():
    deep = {**row(9, 3, calls="walk(node)"), "by": called(8, "walk(node)"),
            "outer": [called(5, "walk(node)")]}  # fmt: skip
    assert done_twice(sampled(deep)) == []


def test_a_helper_is_named_beside_the_call_that_is_made_twice():
    rows = [
        {**row(20, ms, calls="np.ascontiguousarray(image)", function="rgb"), "by": called(n, call)}
        for n, ms, call in ((3, 1, "rgb(image)"), (4, 0.9, "rgb(image)"), (5, 1.2, "rgb(other)"))
    ]
    record = sampled(*rows, rate_hz=200)
    (twice,), (line,) = done_twice(record), one_call(record)
    assert twice.recoverable_ns == pytest.approx(0.9e6)
    assert line.where[0].line == 20
    assert "takes 3.10 ms" in line.says
    assert line.recoverable_ns == pytest.approx(2.2e6)


def test_a_title_is_short_and_the_call_stands_in_the_sentence():
    call = "viewer.renderer.render(scene, camera, viewer.t_s)"
    (said,) = done_twice(sampled(row(3, 3, calls=call), row(4, 2, calls=call)))
    assert said.title == "the same call twice: render"
    assert call in said.says
    others = "other.render(scene, 7)"
    rows = [row(n, 2, calls=words) for n, words in ((3, call), (4, call), (5, others), (6, others))]
    assert len({each.title for each in done_twice(sampled(*rows))}) == 2


def test_callers_further_out_are_in_the_samples(project):
    source = slow(IN_NUMPY).replace("total(NUMBERS)\n", "through(NUMBERS)\n", 1)
    source += "\n\ndef through(numbers):\n    return total(numbers)\n"
    record, _ = profiled(task_of(project / "a.py", source), project, ticks=3 * TICKS)
    rows = [row for row in record["sampled"]["rows"] if row["function"] == "total"]
    assert {at["calls"] for row in rows for at in row["outer"]} == {"through(NUMBERS)"}
    assert {row["by"]["calls"] for row in rows} == {"total(numbers)"}


def test_the_lines_that_take_a_spans_time_are_named_for_it():
    rows = [row(3, 5, calls="np.sort(a)"), row(9, 2, calls="np.sum(a)"), row(11, 0.1)]
    (said,) = over_budget(sampled(*rows, rate_hz=200))
    assert [place.line for place in said.where] == [3, 9]
    assert "task.py:3 takes 5 ms, task.py:9 takes 2 ms" in said.remedy


def test_of_a_span_of_an_engine_it_is_the_projects_line_that_calls_it(project):
    (project / "task.py").write_text("import guide_graphics.raster\n")
    call = row(3, 6, calls="render(scene)", into="guide_graphics.raster.render")
    record = {**virtual(rate_hz=100, **{"render/shade": 14}), "project": {"folder": str(project)}}
    (said,) = over_budget(record)
    assert said.where == (), "a line of a library is nothing to mend"
    assert "tick.every" not in said.remedy
    rows = [{**call, "span": "render/shade"}]
    (said,) = over_budget({**record, "sampled": {"ticks": 300, "rows": rows}})
    assert [str(place) for place in said.where] == ["task.py:3"]

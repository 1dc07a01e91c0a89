"""`guide explain` as it is typed: traces, runs, two of them; and what stands in the way."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import jsonschema
import pytest

import guide as package
from guide.learn.cells import width
from tests.core.explain.some_trace import events, write_plugin, write_trace

SCHEMA = json.loads(
    (Path(package.__file__).parent / "explain" / "explain.schema.json").read_text(encoding="utf-8")
)
PAGE = Path(__file__).parents[3] / "docs" / "explain.md"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def explain(main, tmp_path, monkeypatch):
    """Type `guide explain` where of all plugins only one with rules is installed."""
    monkeypatch.syspath_prepend(write_plugin(tmp_path / "plugin"))

    def run(*arguments, cwd=tmp_path):
        monkeypatch.chdir(cwd)
        return Done(*main("explain", *arguments))

    yield run
    sys.modules.pop("rules_of_a_test", None)


def valid(text):
    found = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


class TestTrace:
    @pytest.mark.parametrize("name", ["t.json", "t.json.gz"])
    def test_it_is_explained(self, explain, tmp_path, name):
        done = explain(write_trace(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("A step takes 10 ms. Most of what could be won back: waiting")
        assert "6 ms of a step, 60 %" in done.stdout
        assert "guide start m0::e1" in done.stdout
        assert "m6/s99" not in done.stdout
        assert "NEW" in done.stdout.splitlines()[-1]

    def test_a_decoy_is_named_as_one_and_a_rule_that_fails_is_a_note(self, explain, tmp_path):
        text = explain(write_trace(tmp_path / "t.json")).stdout
        assert "left as it is:\n- .item() stall: It looks bad" in text
        assert "rule broken failed: RuntimeError: no luck" in text

    def test_a_healthy_one_is_called_healthy_with_what_limits(self, explain, tmp_path):
        text = explain(write_trace(tmp_path / "t.json", busy=0.99)).stdout
        assert "Nothing is wrong" in text
        assert "The GPU is\nbusy 99 %" in text

    def test_the_same_trace_gives_the_same_words(self, explain, tmp_path):
        file = write_trace(tmp_path / "t.json")
        assert explain(file).stdout == explain(file).stdout

    def test_a_folder_with_a_profile_in_it_will_do(self, explain, tmp_path):
        (tmp_path / "made").mkdir()
        write_trace(tmp_path / "made" / "torch.json.gz")
        assert explain("made").stdout.startswith("A step takes 10 ms")

    def test_an_archive_of_guide_trace_is_read(self, explain, tmp_path):
        file = write_trace(tmp_path / "t.json")
        with zipfile.ZipFile(tmp_path / "both.zip", "w") as pack:
            pack.write(file, "torch.json")
        assert explain("both.zip").stdout.startswith("A step takes 10 ms")

    def test_a_page_is_written_where_it_was_asked_for_and_else_not(self, explain, tmp_path):
        file = write_trace(tmp_path / "t.json")
        explain(file)
        assert not list(tmp_path.glob("*.html"))
        assert "page    out.html" in explain(file, "--html", "out.html").stdout
        assert "<svg" in (tmp_path / "out.html").read_text()

    def test_figures_are_those_without_the_profiler_where_they_are_known(self, explain, tmp_path):
        file = write_trace(tmp_path / "t.json")
        made = json.loads(file.read_text()) | {"guide": {"step_ns": 8_000_000}}
        file.write_text(json.dumps({"guide": made.pop("guide"), **made}))
        text = explain(file).stdout
        assert text.startswith("A step takes 8 ms.")
        assert "Under the profiler it took 10 ms." in text

    def test_names_in_any_script_do_not_break_it(self, explain, tmp_path):
        file = write_trace(tmp_path / "t.json", name="核函数\ud800" * 60)
        done = explain(file, "--html", "out.html")
        assert done.returncode == 0, done.stderr
        assert all(width(line) <= 80 for line in done.stdout.splitlines())

    @pytest.mark.parametrize(
        ("kept", "says"),
        [
            (lambda e: e["name"].startswith("ProfilerStep"), "no operator, no kernel"),
            (lambda e: e["name"] == "gemm" and e["ts"] == 0, "one event is all"),
            (lambda e: e.get("cat") in ("user_annotation", "cpu_op"), "60 % of the time lies"),
        ],
    )
    def test_where_there_is_little_to_go_by_nothing_is_called_well(
        self, explain, tmp_path, kept, says
    ):
        made = {"schemaVersion": 1, "traceEvents": [e for e in events() if kept(e)]}
        (tmp_path / "t.json").write_text(json.dumps(made))
        text = " ".join(explain("t.json").stdout.split())
        assert says in text
        assert "Nothing is wrong" not in text
        assert valid(explain("t.json", "--json").stdout)["healthy"] is False

    def test_python_that_runs_no_operator_is_not_called_well(self, explain, tmp_path):
        sleeps = {"ph": "X", "cat": "python_function", "pid": 1, "tid": 1, "dur": 9000}
        steps = [e for e in events() if e["name"].startswith("ProfilerStep")]
        made = steps + [sleeps | {"name": "sleep", "ts": 10 + e["ts"]} for e in steps]
        (tmp_path / "t.json").write_text(json.dumps({"schemaVersion": 1, "traceEvents": made}))
        text = " ".join(explain("t.json").stdout.split())
        assert "no operator is in it" in text
        assert "Nothing is wrong" not in text

    def test_operators_that_fill_most_of_a_step_are_called_well(self, explain, tmp_path):
        made = [e for e in events(busy=0.9) if e.get("cat") in ("user_annotation", "cpu_op")]
        (tmp_path / "t.json").write_text(json.dumps({"schemaVersion": 1, "traceEvents": made}))
        assert "Nothing is wrong" in explain("t.json").stdout

    @pytest.mark.parametrize(("busy", "healthy"), [(0.4, False), (0.99, True)])
    def test_what_limits_does_not_speak_against_the_verdicts(
        self, explain, tmp_path, busy, healthy
    ):
        done = explain(write_trace(tmp_path / "t.json", busy=busy), "--json")
        found = valid(done.stdout)
        assert found["healthy"] is healthy
        assert found["limits"].startswith("The GPU is busy")
        assert ("it is the limit" in found["limits"]) is healthy
        assert "No rule" not in found["limits"]

    @pytest.mark.parametrize("said", [10**300, 1e308, float("inf"), True, -3, "7"])
    def test_a_time_that_no_step_takes_is_not_believed(self, explain, tmp_path, said):
        file = write_trace(tmp_path / "t.json")
        made = {"guide": {"step_ns": said}, **json.loads(file.read_text())}
        file.write_text(json.dumps(made))
        done = explain(file)
        assert done.stdout.startswith("A step takes 10 ms"), done.stderr

    def test_the_json_fits_its_schema(self, explain, tmp_path):
        found = valid(explain(write_trace(tmp_path / "t.json"), "--json").stdout)
        assert found["verdicts"][0]["recoverable_ns"] == 6_000_000
        assert found["mended_ns"] == 4_000_000

    def test_without_rules_for_it_the_track_to_install_is_named(self, guide, tmp_path):
        done = guide("explain", write_trace(tmp_path / "t.json"))
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "deep-learning" in done.stderr


class TestTwo:
    def test_what_is_gone_is_held_against_its_promise(self, explain, tmp_path):
        before = write_trace(tmp_path / "before.json")
        after = write_trace(tmp_path / "after.json", busy=0.99, step_us=4500)
        text = explain(before, after).stdout
        assert text.startswith("A step takes 4.50 ms, 10 ms before: 55 % less.\nGone")
        assert "60 % less was predicted for waiting for data; measured: 55 % less." in text
        assert "Nothing is wrong" in text

    def test_what_is_still_there_comes_next(self, explain, tmp_path):
        before = write_trace(tmp_path / "before.json")
        text = explain(before, write_trace(tmp_path / "after.json", step_us=9000)).stdout
        assert "Still   waiting for data: 5.40 ms of a step, 60 %, 6 ms before" in text
        assert "Next: waiting for data" in text

    def test_the_json_fits_its_schema(self, explain, tmp_path):
        before, after = (write_trace(tmp_path / f"{i}.json") for i in range(2))
        found = valid(explain(before, after, "--json").stdout)
        assert (found["gone"], found["still"]) == ([], ["waiting for data"])

    def test_a_part_that_grew_is_named_where_no_rule_has_a_word_for_it(self, explain, tmp_path):
        files = [write_trace(tmp_path / f"{us}.json", busy=0.99, step_us=us) for us in (1000, 3000)]
        text = explain(*files, "--html", "out.html").stdout
        assert "200 % more" in text
        assert "Moved   gemm: 1.98 ms more: 2.97 ms, 990 µs before" in text
        assert "Nothing is wrong" not in text
        assert "Nothing is wrong" not in (tmp_path / "out.html").read_text()
        found = valid(explain(*files, "--json").stdout)
        assert found["moved"][0]["name"] == "gemm"

    def test_a_span_of_a_run_that_grew_is_named(self, explain, guide, make_project):
        project = make_project("with tick.span('read'):\n    time.sleep(0.001)", "rate_hz = 50")
        guide("run", "--ticks", "20", cwd=project.path)
        task = project.path / "demo" / "task.py"
        task.write_text(task.read_text().replace("0.001", "0.003"))
        guide("run", "--ticks", "20", cwd=project.path)
        text = explain(*project.runs, cwd=project.path).stdout
        assert re.search(r"^Moved   read: [\d.]+ ms more: [\d.]+ ms, [\d.]+ ms before", text, re.M)

    def test_a_trace_and_a_run_cannot_be_compared(self, explain, make_project, guide, tmp_path):
        project = make_project("time.sleep(0.001)")
        guide("run", "--ticks", "5", cwd=project.path)
        done = explain(write_trace(tmp_path / "t.json"), project.path)
        assert done.returncode == 2
        assert "two of a kind" in done.stderr


SLOW = "with tick.span('read'):\n    time.sleep(0.006)"


@pytest.fixture
def ran(make_project, guide):
    """A project of which one run is there, with a span that sleeps."""
    project = make_project(SLOW, "rate_hz = 50")
    assert guide("run", "--ticks", "20", cwd=project.path).returncode == 0
    return project


def last(done):
    return " ".join(done.stdout[done.stdout.rindex("\nNext: ") :].split())


class TestRun:
    def test_the_last_one_is_explained_with_its_page_beside_it(self, explain, ran):
        done = explain(cwd=ran.path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("A tick takes")
        assert "low read" in done.stdout
        assert "A sentence, as rules of old said it." in done.stdout
        page = (ran.runs[0] / "explain.html").read_text(encoding="utf-8")
        assert "read, 6." in page  # the span is drawn
        valid((ran.runs[0] / "explain.json").read_text())

    def test_a_profile_beside_the_record_speaks_and_the_ticks_that_it_slowed_do_not(
        self, explain, ran
    ):
        write_trace(ran.runs[0] / "torch.json.gz")
        text = explain(cwd=ran.path).stdout
        assert text.startswith("A step takes 10 ms")
        assert "waiting for data" in text
        assert "low read" not in text

    def test_a_later_run_is_told_what_was_promised_and_what_came_of_it(self, explain, guide, ran):
        explain(cwd=ran.path)
        task = ran.path / "demo" / "task.py"
        task.write_text(task.read_text().replace("0.006", "0.001"))
        guide("run", "--ticks", "20", cwd=ran.path)
        text = " ".join(explain(cwd=ran.path).stdout.split())
        assert re.search(
            r"Last time: .* predicted for .*slow read.*; measured.*: [\d.]+ % less", text
        )

    def test_a_later_run_with_the_same_fault_is_told_so(self, explain, guide, ran):
        explain(cwd=ran.path)
        guide("run", "--ticks", "20", cwd=ran.path)
        assert "Last time too: " in explain(cwd=ran.path).stdout

    def test_what_is_kept_and_spoilt_is_passed_over(self, explain, guide, ran):
        (ran.runs[0] / "explain.json").write_text('{"schema": 1, "unit"')
        guide("run", "--ticks", "20", cwd=ran.path)
        done = explain(cwd=ran.path)
        assert done.returncode == 0, done.stderr
        assert "Last time" not in done.stdout

    def test_where_nothing_can_be_written_the_answer_comes_with_a_note(self, explain, ran):
        # A folder in the file's place stops even root, whom no permission does
        for name in ("explain.json", "explain.html"):
            (ran.runs[0] / name / "in the way").mkdir(parents=True)
        done = explain(cwd=ran.path)
        assert done.returncode == 0, done.stderr
        text = " ".join(done.stdout.split())
        assert "low read" in text
        assert "the prediction is not kept" in text
        assert "no page is written" in text

    def test_a_run_that_may_only_be_read_is_explained(self, explain, ran, read_only):
        read_only(ran.path)
        done = explain(cwd=ran.path)
        assert done.returncode == 0, done.stderr
        assert "low read" in done.stdout
        assert done.stdout.count("Note: ") == 2

    def test_a_run_and_a_profile_each_name_the_other_way_to_look(self, explain, ran):
        folder = ran.runs[0]
        assert "; guide profile looks inside of a tick" in last(explain(cwd=ran.path))
        write_trace(folder / "torch.json.gz", busy=0.99)
        text = last(explain(cwd=ran.path))
        assert text.startswith(
            "Next: guide run --ticks 100, then guide explain: what happens in one"
        )
        (folder / "torch.json.gz").unlink()
        (folder / "samples.json").write_text("{}")  # it was looked inside of already
        assert "guide profile" not in last(explain(cwd=ran.path))

    def test_its_timeline_may_be_gone(self, explain, ran):
        (ran.runs[0] / "trace.json").unlink()
        done = explain(cwd=ran.path)
        assert done.returncode == 0, done.stderr
        assert "no step can be drawn" in done.stdout


class TestWrong:
    @pytest.mark.parametrize(
        ("arguments", "code", "says"),
        [
            (["nothing.json"], 1, "there is no nothing.json"),
            (["nothing"], 1, "no trace, no run and no module:function"),
            ([], 1, "not in a project"),
            (["a", "b", "c"], 2, "BEFORE AFTER"),
            (["x", "--html", "y", "--no-html"], 2, "opposites"),
        ],
    )
    def test_it_is_one_line_that_says_what_to_type(self, explain, arguments, code, says):
        done = explain(*arguments)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.count("\n") == 1
        assert says in done.stderr

    @pytest.mark.parametrize("held", ["", "no JSON", '{"traceEvents": []}', '{"$schema": 1}'])
    def test_an_archive_with_a_bad_trace_in_it_is_named_by_its_own_name(
        self, explain, tmp_path, held
    ):
        with zipfile.ZipFile(tmp_path / "bad.zip", "w") as pack:
            pack.writestr("torch.json", held)
        done = explain("bad.zip")
        assert done.returncode == 1
        assert "bad.zip " in done.stderr
        assert "torch.json" not in done.stderr

    def test_an_archive_without_a_trace_or_cut_short(self, explain, tmp_path):
        with zipfile.ZipFile(tmp_path / "empty.zip", "w") as pack:
            pack.writestr("readme", "nothing here")
        (tmp_path / "cut.zip").write_bytes((tmp_path / "empty.zip").read_bytes()[:20])
        for name in ("empty.zip", "cut.zip"):
            done = explain(name)
            assert done.returncode == 1
            assert done.stderr.count("\n") == 1

    def test_a_page_that_cannot_be_written_where_it_was_asked_for(self, explain, tmp_path):
        done = explain(write_trace(tmp_path / "t.json"), "--html", "no/such/folder.html")
        assert done.returncode == 1
        assert "--html FILE" in done.stderr

    @pytest.mark.parametrize("place", ["pipe", "link", "folder", "", "t.json", "same.json"])
    def test_a_page_takes_the_place_of_no_pipe_no_folder_and_not_of_the_trace(
        self, explain, tmp_path, place
    ):
        file = write_trace(tmp_path / "t.json")
        trace = file.read_bytes()
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to("pipe")
        (tmp_path / "folder").mkdir()
        (tmp_path / "same.json").symlink_to("t.json")
        done = explain(file, "--html", place)
        assert (done.returncode in (1, 2), done.stdout) == (True, "")
        assert done.stderr.count("Error") <= 1
        assert "Traceback" not in done.stderr
        assert (tmp_path / "pipe").is_fifo()
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "same.json").is_symlink()
        assert file.read_bytes() == trace

    def test_a_page_takes_the_place_of_nothing_that_a_run_is_made_of(self, explain, ran):
        folder = ran.runs[0]
        for name in ("run.json", "trace.json"):
            before = (folder / name).read_bytes()
            done = explain(folder, "--html", folder / name)
            assert done.returncode == 1
            assert "--html FILE" in done.stderr
            assert (folder / name).read_bytes() == before


def test_it_starts_without_anything_heavy(tmp_path):
    file = write_trace(tmp_path / "t.json")
    code = (
        "import sys\nfrom guide.cli import main\n"
        f"sys.argv = ['guide', 'explain', {str(file)!r}]\n"
        "try: main()\nexcept SystemExit: pass\nprint('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = set(done.stdout.partition("MODULES")[2].split())
    assert not found & {"torch", "numba", "cv2", "moderngl"}


def properties(schema):
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items() if schema.get("type") == "object" else ()
        for value in schema.values():
            yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


def test_every_field_of_the_schema_is_described_and_stands_in_the_page():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    page = PAGE.read_text(encoding="utf-8")
    found = list(properties(SCHEMA))
    assert len(found) > 30
    for name, value in found:
        assert f"| `{name}` | " in page, name
        assert f" | {value['description']} |" in page, name


def test_the_page_names_no_field_that_does_not_exist():
    page = PAGE.read_text(encoding="utf-8").partition("## JSON")[2]
    names = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert names == {name for name, _ in properties(SCHEMA)}

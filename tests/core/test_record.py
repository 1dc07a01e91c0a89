import copy
import datetime
import functools
import json
import math
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import guide
from guide.clock import VirtualClock
from guide.damage import damage
from guide.errors import GuideError
from guide.folders import begin, new_run_folder, write_all
from guide.loop import Loop
from guide.readback import read_record
from guide.record import (
    closing_record,
    latest_run,
    opening_record,
    write_atomically,
    write_record,
)
from guide.resources import Reading, Sampler, Usage
from guide.run import Run, drive
from tests.core.sample_record import NASTY, killed, older, sample

SCHEMA = json.loads((Path(guide.__file__).parent / "run.schema.json").read_text(encoding="utf-8"))
PAGE = Path(__file__).parents[2] / "docs" / "run-record.md"


class Task:
    """Does whatever it is given, on a virtual clock."""

    def __init__(self, start=None, step=None):
        self.do_start, self.do_step = start, step

    def start(self, run):
        self.run = run
        if self.do_start:
            self.do_start(run)

    def step(self, tick):
        with tick.span("work"):
            self.run.clock.advance(3_000_000)
        if self.do_step:
            self.do_step(self.run, tick)

    def close(self):
        pass


class Odd:
    """A meter of a stranger: its figures are no numbers, or none of Python's."""

    def __init__(self, *values):
        self.values = values

    def start(self):
        pass

    def read(self):
        return Usage(
            tuple(
                Reading(f"energy.{i}", v, "J", "total", "odd", low=v, high=v)
                for i, v in enumerate(self.values)
            )
        )


def make(tmp_path, start=None, step=None, meters=None, **loop_arguments):
    """Run a task and return (opening, record, run)."""
    clock = VirtualClock(start_ns=123)
    loop = Loop(**{"rate_hz": 100, "ticks": 5, "clock": clock, **loop_arguments})
    opening = opening_record("demo", "none", loop, {"width": 3, "clip": None}, 7)
    sampler = None
    if meters is not None:
        sampler = Sampler(meters, clock.now_ns, every_s=60)
        sampler.start()
    run = Run(loop, project=tmp_path, folder=tmp_path)
    drive(Task(start, step), run)
    if sampler:
        sampler.stop()
    return opening, closing_record(opening, run, sampler), run


def validate(record):
    jsonschema.Draft202012Validator(SCHEMA).validate(record)


class TestSchema:
    def test_it_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_the_opening_record_fits(self, tmp_path):
        opening, _, _ = make(tmp_path)
        validate(json.loads(json.dumps(opening, allow_nan=False)))

    def test_a_whole_record_with_everything_in_it_fits(self, tmp_path):
        def start(run):
            run.fact("backend", "EGL")
            run.note("a note")
            run.text("sample", "once upon")
            run.picture(lambda: np.zeros((2, 2, 3), np.uint8), "a picture")

        def step(run, tick):
            run.log("loss", math.nan if tick.index == 1 else 1.5)

        _, record, _ = make(tmp_path, start, step, meters=[Odd(1.0)])
        validate(record)
        assert record["picture"] == {"file": "picture.png", "caption": "a picture"}

    @pytest.mark.parametrize("rate", [None, 59.94])
    @pytest.mark.parametrize("ticks", [1, 5])
    def test_records_of_every_kind_of_loop_fit(self, tmp_path, rate, ticks):
        validate(make(tmp_path, rate_hz=rate, ticks=ticks)[1])

    def test_a_failed_record_fits(self, tmp_path):
        _, record, _ = make(tmp_path, step=lambda run, tick: 1 // 0)
        validate(record)
        assert (record["status"], record["ended"]) == ("failed", "error")
        assert record["error"]["message"].startswith("ZeroDivisionError")
        assert record["loop"]["ticks"] == 1

    def test_a_record_that_lacks_or_adds_a_field_does_not_fit(self, tmp_path):
        _, record, _ = make(tmp_path)
        for change in (
            lambda r: r.pop("spans"),
            lambda r: r.update(colour="blue"),
            lambda r: r["loop"].pop("missed"),
            lambda r: r.update(status="running"),
        ):
            changed = copy.deepcopy(record)
            change(changed)
            with pytest.raises(jsonschema.ValidationError):
                validate(changed)


def properties(schema):
    """Every property of the schema, with its own description."""
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            if isinstance(value, dict) and schema.get("type") == "object":
                yield name, value
        for value in schema.values():
            yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


def test_every_field_of_the_schema_has_a_description_and_stands_in_the_page():
    page = PAGE.read_text(encoding="utf-8")
    found = list(properties(SCHEMA))
    assert len(found) > 60
    for name, value in found:
        assert value.get("description"), name
        cell = value["description"].replace("|", "\\|")
        assert f"| `{name}` | " in page, name
        assert f" | {cell} |" in page, f"{name}: the page says something else"


def test_the_page_names_no_field_that_does_not_exist():
    page = PAGE.read_text(encoding="utf-8").partition("## run.json")[2].partition("## trace")[0]
    names = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert names == {name for name, _ in properties(SCHEMA)}


class TestContent:
    def test_times_count_from_the_start_of_the_loop(self, tmp_path):
        _, record, _ = make(tmp_path, start=lambda run: run.clock.advance(10**9))
        assert record["ticks"]["due_ns"] == [i * 10_000_000 for i in range(5)]
        assert record["ticks"]["end_ns"][0] == 3_000_000
        assert record["seconds"] == 0.043

    def test_what_is_no_number_becomes_null(self, tmp_path):
        def step(run, tick):
            run.log("loss", [1.0, math.nan, math.inf, -math.inf, 2.0][tick.index])

        _, record, _ = make(tmp_path, lambda run: run.fact("best", math.nan), step)
        assert record["series"]["loss"]["values"] == [1.0, None, None, None, 2.0]
        assert record["facts"]["best"] is None
        json.dumps(record, allow_nan=False)

    def test_scalars_of_numpy_are_numbers(self, tmp_path):
        def start(run):
            run.fact("loss", np.float32(0.5))
            run.fact("exact", np.float64(0.25))
            run.fact("parameters", np.int64(12))
            run.fact("fast", np.bool_(True))
            run.fact("half", np.float16("nan"))
            run.fact("zero-dimensional", np.array(3))
            run.fact("shape", np.array([1, 2]))

        def step(run, tick):
            run.log("loss", np.float32(0.5))
            run.log("count", np.int64(3))
            run.log("array", np.array(2.0))

        _, record, _ = make(tmp_path, start, step)
        validate(json.loads(json.dumps(record, allow_nan=False)))
        assert record["facts"] == {
            "loss": 0.5,
            "exact": 0.25,
            "parameters": 12,
            "fast": True,
            "half": None,
            "zero-dimensional": 3,
            "shape": "[1 2]",
        }
        assert record["series"]["loss"]["values"] == [0.5] * 5

    def test_a_scalar_of_torch_is_a_number(self, tmp_path):
        import torch  # here: it takes seconds to load

        _, record, _ = make(tmp_path, lambda run: run.fact("loss", torch.tensor(0.5)))
        assert record["facts"] == {"loss": 0.5}

    def test_a_strangers_meter_cannot_spoil_the_record(self, tmp_path):
        meter = Odd(math.nan, np.float32(2.5), math.inf, 1)
        _, record, _ = make(tmp_path, meters=[meter])
        validate(json.loads(json.dumps(record, allow_nan=False)))
        assert [r["value"] for r in record["usage"]["totals"]] == [2.5, 1]
        assert record["usage"]["samples"]["columns"]["energy.0"]["values"] == [None, None]

    def test_a_meter_that_misses_samples_leaves_gaps_where_they_were(self, tmp_path):
        class Late:
            """Misses the first sample and the third."""

            count = -1

            def read(self):
                self.count += 1
                reading = Reading("late", 5.0, "J", "total", "late")
                return Usage((reading,) if self.count in (1, 3) else ())

        opening, _, run = make(tmp_path)
        sampler = Sampler([Odd(1.0), Late()], run.clock.now_ns)
        for _ in range(5):
            sampler.sample()
        columns = closing_record(opening, run, sampler)["usage"]["samples"]["columns"]
        assert columns["energy.0"]["values"] == [1.0] * 5
        assert columns["late"]["values"] == [None, 5.0, None, 5.0]

    def test_the_worst_ticks_say_where_their_time_went(self, tmp_path):
        def step(run, tick):
            if tick.index == 3:
                with tick.span("hiccup"):
                    run.clock.advance(40_000_000)

        _, record, _ = make(tmp_path, step=step)
        worst = record["worst"][0]
        assert (worst["index"], worst["missed"]) == (3, True)
        assert worst["spans"] == {"work": 3_000_000, "hiccup": 40_000_000}

    def test_a_series_may_count_steps_that_began_in_an_earlier_run(self, tmp_path):
        run = Run(Loop(ticks=1), project=tmp_path, folder=tmp_path)
        run.log("loss", 2.0, "nats", step=700)
        run.log("loss", 1.9, "nats", step=701)
        opening = opening_record("p", "t", run.loop, {}, 0)
        series = closing_record(opening, run, None)["series"]["loss"]
        assert (series["axis"], series["ticks"], series["values"]) == (
            "step",
            [700, 701],
            [2.0, 1.9],
        )

    def test_a_long_series_is_thinned_and_says_by_how_much(self, tmp_path):
        def step(run, tick):
            for i in range(30_000):
                run.log("x", i)

        _, record, _ = make(tmp_path, step=step)
        series = record["series"]["x"]
        assert (len(series["values"]), series["stride"]) == (37_500, 4)
        assert series["values"][:3] == [0, 4, 8]
        assert len(series["ticks"]) == len(series["values"])


class TestFolder:
    NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)

    def test_its_name_is_the_time_and_sorts_by_it(self, tmp_path):
        folders = [new_run_folder(tmp_path / "runs", self.NOW) for _ in range(12)]
        assert folders[0].name == "2026-01-02T03-04-05"
        assert folders == sorted(folders)
        assert len(set(folders)) == 12

    def test_the_latest_is_the_one_that_sorts_last_finished_or_not(self, tmp_path):
        assert latest_run(tmp_path) is None
        for name in ("2026-01-02T03-04-05", "2026-01-02T03-04-05-02", "2025-12-31T00-00-00"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "run.json").write_text("{}")
        (tmp_path / "2027-no-record").mkdir()
        assert latest_run(tmp_path).name == "2026-01-02T03-04-05-02"

    @pytest.mark.parametrize("kind", ["file", "dangling link"])
    def test_a_runs_that_is_no_folder_is_an_error_and_not_a_search_without_end(
        self, tmp_path, kind
    ):
        runs = tmp_path / "runs"
        runs.touch() if kind == "file" else runs.symlink_to(tmp_path / "unplugged")
        with pytest.raises(OSError, match="runs"):
            new_run_folder(runs, self.NOW)

    def test_a_link_to_a_folder_elsewhere_is_fine(self, tmp_path):
        (tmp_path / "big disk").mkdir()
        (tmp_path / "runs").symlink_to(tmp_path / "big disk")
        assert new_run_folder(tmp_path / "runs", self.NOW).is_dir()


class TestWriting:
    def test_the_opening_is_on_disk_before_the_run(self, tmp_path):
        opening, _, _ = make(tmp_path)
        begun = begin(tmp_path / "runs", opening)
        assert begun.trouble == ""
        assert read_record(begun.folder)["status"] == "running"

    def test_where_runs_cannot_be_made_another_place_is_taken_and_said(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        opening, record, run = make(tmp_path)
        (tmp_path / "runs").touch()
        begun = begin(tmp_path / "runs", opening)
        assert str(begun.folder) in begun.trouble
        assert read_record(begun.folder)["status"] == "running"
        assert write_all(begun.folder, record, run).trouble == ""
        assert (begun.folder / "report.html").is_file()

    def test_all_files_are_written_and_none_besides(self, tmp_path):
        def start(run):
            run.picture(lambda: np.zeros((2, 2, 3), np.uint8))

        _, record, run = make(tmp_path, start)
        write_all(tmp_path / "run", record, run)
        names = {file.name for file in (tmp_path / "run").iterdir()}
        assert names == {"run.json", "trace.json", "report.html", "picture.png"}

    def test_a_failed_run_leaves_its_traceback(self, tmp_path):
        _, record, run = make(tmp_path, step=lambda run, tick: 1 // 0)
        write_all(tmp_path / "run", record, run)
        assert "ZeroDivisionError" in (tmp_path / "run" / "error.txt").read_text()

    def test_half_a_surrogate_pair_from_a_model_does_not_cost_the_report(self, tmp_path):
        def start(run):
            run.text("sample \ud800", "once \udfff upon")
            run.note("\ud800")

        _, record, run = make(tmp_path, start)
        write_all(tmp_path / "run", record, run)
        assert "once \\udfff upon" in (tmp_path / "run" / "report.html").read_text("utf-8")

    def test_when_the_folder_has_gone_it_is_made_again(self, tmp_path):
        _, record, run = make(tmp_path)
        written = write_all(tmp_path / "removed" / "meanwhile", record, run)
        assert written.trouble == ""
        assert (written.folder / "run.json").is_file()

    def test_a_writer_that_fails_leaves_the_old_file_and_nothing_beside_it(self, tmp_path):
        file = tmp_path / "run.json"
        file.write_text("old")

        def fail(out):
            out.write("half of the n")
            raise RuntimeError

        with pytest.raises(RuntimeError):
            write_atomically(file, fail)
        assert file.read_text() == "old"
        assert list(tmp_path.iterdir()) == [file]

    @pytest.mark.parametrize("by", ["name", "link"])
    @pytest.mark.parametrize("kind", ["pipe", "folder", "socket"])
    def test_what_is_no_ordinary_file_is_left_as_it_is(self, tmp_path, monkeypatch, kind, by):
        monkeypatch.chdir(tmp_path)  # a socket's name must be short
        there = Path("there")
        if kind == "pipe":
            os.mkfifo(there)
        elif kind == "folder":
            there.mkdir()
        else:
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind("there")
        before = there.stat()
        file = there
        if by == "link":
            file = Path("link")
            file.symlink_to("there")
        with pytest.raises(OSError, match=r"ordinary|folder"):
            write_atomically(file, lambda out: out.write("new"))
        assert there.stat() == before
        assert {left.name for left in Path().iterdir()} == {"there", str(file)}

    def test_no_name_is_the_folder_one_is_in(self):
        with pytest.raises(IsADirectoryError):
            write_atomically(Path(), lambda out: out.write("new"))

    def test_killed_at_any_moment_there_is_the_old_record_or_the_new(self, tmp_path):
        opening = killed(sample(5))
        write_record(tmp_path, {**opening, "n": -1, "pad": ""})
        code = (
            "import json, sys, itertools; from pathlib import Path\n"
            "from guide.record import write_record\n"
            "folder = Path(sys.argv[1])\n"
            "record = json.loads((folder / 'run.json').read_text())\n"
            "for n in itertools.count():\n"
            "    write_record(folder, {**record, 'n': n, 'pad': 'x' * 3_000_000})\n"
            "    print(n, flush=True)\n"
        )
        for _ in range(3):
            command = [sys.executable, "-c", code, str(tmp_path)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
                said = int(writer.stdout.readline())
                writer.kill()
            assert read_record(tmp_path)["n"] >= said

    def test_who_reads_while_it_is_written_gets_the_old_record_or_the_new(self, tmp_path):
        opening = killed(sample(5))
        write_record(tmp_path, {**opening, "n": -1})
        done = threading.Event()

        def write():
            for n in range(40):
                write_record(tmp_path, {**opening, "n": n, "pad": "x" * 1_000_000})
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        seen = [-1]
        while not done.is_set():
            seen.append(read_record(tmp_path)["n"])
        writer.join()
        assert seen == sorted(seen)


class TestReading:
    def test_what_was_written_is_read(self, tmp_path):
        _, record, _ = make(tmp_path)
        write_record(tmp_path, record)
        assert read_record(tmp_path) == json.loads(json.dumps(record))

    def test_a_folder_without_one_holds_no_run(self, tmp_path):
        with pytest.raises(GuideError, match="holds no run"):
            read_record(tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"a": 1}', '{"schema": 1', "\x00"])
    def test_one_that_is_broken_is_one_line(self, tmp_path, text):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(GuideError, match="cannot be read"):
            read_record(tmp_path)

    def test_one_that_is_no_text_is_one_line(self, tmp_path):
        (tmp_path / "run.json").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(GuideError, match="cannot be read"):
            read_record(tmp_path)

    @pytest.mark.parametrize("of", [dict, older, killed])
    @pytest.mark.parametrize("name", NASTY)
    def test_one_of_any_age_that_is_whole_has_no_damage(self, of, name):
        assert damage(json.loads(json.dumps(of(NASTY[name]())))) == ""

    @pytest.mark.parametrize(
        ("of", "value", "says"),
        [
            ("lateness", {}, "lateness lacks count"),
            ("lateness.mean_ns", None, "lateness.mean_ns is null, not number"),
            ("tick_time.mean_ns", math.nan, "tick_time.mean_ns is nan"),
            ("tick_time.p50_ns", 10**300, "tick_time.p50_ns has 301 digits"),
            ("tick_time.mean_ns", 1e308, "tick_time.mean_ns has 309 digits"),
            ("spans.detect", [], "spans.detect is of type array, not object"),
            ("loop", 3, "loop is a number, not object"),
            ("loop.rate_hz", 0, "loop.rate_hz is 0"),
            ("misses.list", [{}], r"misses.list\[0\] lacks index"),
            ("ticks.due_ns", [1, "2"], r"ticks.due_ns\[1\] is of type string, not integer"),
            ("ticks.end_ns", [], "different lengths"),
            ("card", {"measured": 3}, "card lacks figures"),
            ("usage.totals", {"a": 1}, "usage.totals is of type object, not array"),
        ],
    )
    def test_one_with_a_field_missing_or_of_another_kind_is_one_line_that_names_it(
        self, tmp_path, of, value, says
    ):
        record = sample(50)
        *path, last = of.split(".")
        functools.reduce(dict.__getitem__, path, record)[last] = value
        (tmp_path / "run.json").write_text(json.dumps(record))
        with pytest.raises(GuideError, match=f"run.json is damaged: .*{says}") as error:
            read_record(tmp_path)
        assert "guide run" in error.value.remedy

    @pytest.mark.parametrize("name", ["project", "machine", "loop", "status"])
    def test_one_without_what_every_record_has_is_one_line(self, tmp_path, name):
        record = sample(5)
        del record[name]
        write_record(tmp_path, record)
        with pytest.raises(GuideError, match=f"it lacks {name}"):
            read_record(tmp_path)

    def test_what_a_newer_guide_added_is_no_damage(self, tmp_path):
        record = sample(5)
        record["ended"] = "a new reason"
        record["loop"]["new"] = record["new"] = {"a": 1}
        write_record(tmp_path, record)
        assert read_record(tmp_path)["new"] == {"a": 1}

    def test_one_of_a_later_guide_says_what_to_do(self, tmp_path):
        (tmp_path / "run.json").write_text('{"schema": 2}')
        with pytest.raises(GuideError, match="upgrade guide-core"):
            read_record(tmp_path)

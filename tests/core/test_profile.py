"""What `guide profile` understands of what was typed, refuses, and says of a program."""

import json
import os
import sys
import types

import click
import pytest

from guide.cli.profile import profile
from guide.errors import GuideError, UsageError
from guide.explain.profiling import parse_program, record_program
from guide.explain.whole import WholeProgram
from guide.plugin import Profiler


@pytest.fixture(autouse=True)
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("")


def test_a_script_with_and_without_python_before_it():
    for words in (["python", "train.py", "--epochs", "1"], ["train.py", "--epochs", "1"]):
        program = parse_program(words)
        assert program.python == (sys.executable,)
        assert (program.name, program.arguments) == ("train.py", ("--epochs", "1"))
        assert not program.module


def test_a_module_and_options_of_the_interpreter():
    program = parse_program(["python3", "-u", "-X", "dev", "-m", "pack.train", "-m", "x"])
    assert program.python == (sys.executable, "-u", "-X", "dev")
    assert program.module
    assert program.name == "pack.train"
    assert program.arguments == ("-m", "x")
    assert parse_program(["-m", "pack"]).module


def test_another_python_is_taken_at_its_word():
    assert parse_program(["/opt/python3.11", "train.py"]).python == ("/opt/python3.11",)


@pytest.mark.parametrize(
    "words", [["gone.py"], ["python"], ["python", "-m"], ["python", "-c", "1"]]
)
def test_what_is_no_program_is_told(words):
    with pytest.raises(UsageError):
        parse_program(words)


def test_a_console_script_of_pythons_is_one_and_another_is_not(tmp_path):
    (tmp_path / "tool").write_text("#!/usr/bin/env python3\n")
    (tmp_path / "other").write_text("#!/bin/sh\n")
    assert parse_program(["tool", "-v"]).name == "tool"
    with pytest.raises(UsageError, match="no Python program"):
        parse_program(["other"])


# Before and after it


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A profiler whose program leaves ready.samples, and exits with the number in its script."""
    (tmp_path / "fake.py").write_text(
        "import os, sys\n"
        "if os.path.exists('ready.samples'):\n"
        "    os.replace('ready.samples', sys.argv[sys.argv.index('--out') + 1] + '.samples')\n"
        "sys.exit(int(open(sys.argv[sys.argv.index('--') + 1]).read()))\n"
    )
    return Profiler("fake", "deep-learning", "fake:Task", "fake")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (64, "before a step of torch's was seen; .*--patience 0.1"),
        (65, "after one step, .*second"),
        (67, "after 3 steps, .*--warm 0 --steps 2"),
        (64 + 40, "after 40 steps, .*--warm 1 --steps 5"),
        (4, "torch.json.gz could not be written; the disk may be full"),
        (130, "interrupted before a step was recorded"),
        (1, "train.py failed before there was a trace"),
        (0, "ended itself at once"),
    ],
)
def test_a_program_without_a_trace_is_told_in_a_line(fake, tmp_path, code, said):
    (tmp_path / "train.py").write_text(str(code))
    with pytest.raises(GuideError, match=said):
        record_program(
            parse_program(["train.py"]), fake, tmp_path / "torch.json.gz", warm=None, steps=5
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "."], "is a folder"),
        (["-o", "a.txt"], "no name for a trace"),
        (["-o", "gone/t.json.gz"], "is no folder"),
        (["-o", "pipe.json"], "is no file"),
        (["-o", "run/run.json"], "part of a run"),
        (["--patience", "nan"], "--patience"),
        (["--patience", "-1"], "--patience"),
        (["--patience", "inf"], "--patience"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(
    tmp_path, fake, monkeypatch, options, said
):
    (tmp_path / "train.py").write_text("0")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    os.mkfifo(tmp_path / "pipe.json")
    monkeypatch.setattr("guide.cli.profile._profiler", lambda track: fake)
    monkeypatch.setattr("guide.cli.profile.record_program", lambda *_, **__: pytest.fail("it ran"))
    with pytest.raises(UsageError, match=said):
        profile.main([*options, "train.py"], standalone_mode=False)


def test_an_interrupt_puts_the_trace_that_was_there_back(tmp_path, fake, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    (tmp_path / "torch.json.gz").write_bytes(b"earlier")
    monkeypatch.setattr("guide.cli.profile._profiler", lambda track: fake)
    monkeypatch.setattr("guide.cli.profile.record_program", interrupted)
    with pytest.raises((KeyboardInterrupt, click.Abort)):
        profile.main(["train.py"], standalone_mode=False)
    assert (tmp_path / "torch.json.gz").read_bytes() == b"earlier"


def sampled(file, **more):
    row = {"file": "train.py", "line": 1, "function": "f", "text": "slow(a)", "kind": "python"}
    row |= {"calls": "", "into": "", "inner": "", "span": "", "loop": 0, "count": 300, "by": None}
    data = {"schema": 1, "uses": False, "seconds": 2.0, "rows": [row | {"ns": 1_500_000_000}]}
    file.write_text(json.dumps(data | more))


@pytest.mark.parametrize(("uses", "code"), [(False, 64), (False, 130), (True, 64)])
def test_a_program_that_makes_no_steps_is_answered_with_its_lines_unless_it_uses_torch(
    tmp_path, fake, monkeypatch, capsys, uses, code
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(str(code))
    monkeypatch.setattr("guide.cli.profile._profiler", lambda track: fake)
    sampled(tmp_path / "ready.samples", uses=uses)
    if uses:
        with pytest.raises(GuideError, match="before a step"):
            profile.main(["train.py"], standalone_mode=False)
    else:
        profile.main(["train.py", "a b"], standalone_mode=False)
        said = capsys.readouterr().out
        assert "(75 %) train.py:1" in said
        assert "slow(a)" in said
        assert "Next: python -m cProfile -s cumtime train.py 'a b'" in said
    assert not list(tmp_path.glob("torch*"))


def test_what_another_program_left_is_not_taken_for_this_ones(tmp_path, fake, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("64")
    monkeypatch.setattr("guide.cli.profile._profiler", lambda track: fake)
    sampled(tmp_path / "torch.json.gz.samples")
    with pytest.raises(GuideError, match="before a step"):
        profile.main(["train.py"], standalone_mode=False)


@pytest.mark.parametrize(
    ("text", "uses"),
    [("import numpy\n# import torch\n", False), ("def f():\n    from torch import nn\n", True)],
)
def test_whether_a_program_uses_a_library_is_seen_in_its_text(tmp_path, text, uses):
    (tmp_path / "a.py").write_text(text)
    assert WholeProgram(str(tmp_path / "a.py"), "torch").uses() is uses


def test_a_module_of_another_library_that_uses_it_counts(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("import trainer\n")
    whole = WholeProgram(str(tmp_path / "a.py"), "some_torch")
    monkeypatch.setitem(sys.modules, "some_torch", types.ModuleType("some_torch"))
    assert not whole.uses()
    trainer = types.ModuleType("trainer")
    trainer.torch = sys.modules["some_torch"]
    monkeypatch.setitem(sys.modules, "trainer", trainer)
    assert whole.uses()

"""What `guide profile` understands of what was typed."""

import sys

import pytest

from guide.errors import UsageError
from guide.explain.profiling import parse_program


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

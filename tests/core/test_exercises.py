from pathlib import Path

import pytest

from guide.errors import GuideError, UsageError
from guide.learn.contents import all_exercises, find_exercise
from guide.learn.exercises import attempt_file, check
from guide.plugin import Exercise
from guide.plugins import Plugins
from guide.testing import PluginConformance

CHECK = """
def check(attempt):
    assert attempt.double(3) == 6, "twice 3 is 6"
    assert len(attempt.names()) == 2
"""


@pytest.fixture
def judge(tmp_path):
    """Check an attempt with this code against CHECK."""
    (tmp_path / "check.py").write_text(CHECK)
    exercise = Exercise("m1::e0", "Twice", tmp_path, expected=("all",))

    def judge(code):
        attempt = tmp_path / "m1_e0.py"
        attempt.write_text(code)
        return check(exercise, attempt)

    return judge


GOOD = "def double(x): return 2 * x\ndef names(): return 'ab'\n"


def test_what_is_right_passes(judge):
    assert judge(GOOD) == (type(judge(GOOD)))(True, "")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def double(x): return x\n", "twice 3 is 6"),
        ("", "m1_e0.py does not define double"),
        ("def double(x): return 2 * x\n", "m1_e0.py does not define names"),
        ("def double(x):\n    return y\n", "m1_e0.py:2: NameError: name 'y' is not defined"),
        ("x = 1 / 0\n", "m1_e0.py:1: ZeroDivisionError: division by zero"),
        ("import nothing_like_it\n", "m1_e0.py:1: ModuleNotFoundError: No module named"),
        ("def f(:\n", "m1_e0.py: SyntaxError: "),
        ("import sys\nsys.exit(0)\n", "m1_e0.py:2: SystemExit: 0"),
        ("def double(x):\n    raise SystemExit\n", "m1_e0.py:2: SystemExit: no message"),
        (GOOD.replace("return 'ab'", "pass"), "m1_e0.py: TypeError: object of type 'NoneType'"),
        (GOOD.replace("'ab'", "'abc'"), "the check failed without a word"),
    ],
)
def test_what_is_not_right_yet_is_one_line_for_the_learner(judge, code, message):
    outcome = judge(code)
    assert not outcome.passed
    assert outcome.message.startswith(message)
    assert "\n" not in outcome.message


def test_an_attempt_is_read_anew_each_time(judge):
    assert not judge("def double(x): return x\n").passed
    assert judge(GOOD).passed


def test_an_attempt_may_have_dataclasses(judge):
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    assert judge(head + "@dataclass\nclass P:\n    x: int\n" + GOOD).passed


def test_without_an_attempt_the_next_command_is_named(tmp_path):
    exercise = Exercise("m1::e0", "Twice", tmp_path, expected=("all",))
    with pytest.raises(GuideError, match="guide start m1::e0"):
        check(exercise, tmp_path / "m1_e0.py")


@pytest.fixture
def plugins():
    return Plugins(disabled=["vision", "graphics", "deep-learning"])


class TestFoundations(PluginConformance):
    plugin = "guide.foundations.plugin"
    heavy = ("torch", "cv2", "numba")


def test_they_are_listed_in_order(plugins):
    ids = [e.id for e in all_exercises(plugins)]
    assert ids == sorted(ids)
    assert "m0::e0" in ids


def test_one_that_does_not_exist_names_the_nearest(plugins):
    assert find_exercise(plugins, "m0::e0").id == "m0::e0"
    with pytest.raises(UsageError, match="did you mean m0::e"):
        find_exercise(plugins, "m0:e0")
    with pytest.raises(UsageError, match="guide exercises lists them"):
        find_exercise(plugins, "zzz")


def test_an_attempts_file_is_named_after_its_exercise(tmp_path):
    exercise = Exercise("m1::e12", "x", tmp_path, expected=("all",))
    assert attempt_file(exercise, Path("here")) == Path("here/m1_e12.py")

import re
from pathlib import Path

import pytest

from guide.errors import GuideError, UsageError
from guide.judge.manifest import read_manifest
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
    assert ids == sorted(ids, key=lambda id: [int(n) for n in re.findall(r"\d+", id)])
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


def folder_of(tmp_path, toml, **files):
    """An exercise's folder with this exercise.toml and these files."""
    (tmp_path / "exercise.toml").write_text(
        'id = "m1::e0"\ntitle = "It"\nexpected = ["all"]\n' + toml
    )
    for name, text in files.items():
        (tmp_path / name.replace("_", ".")).write_text(text)
    return Exercise.of(tmp_path)


PEN = """kind = "pen"
[[questions]]
key = "floor_ms"
ask = "?"
answer = 0.622
within = 1.05
[[questions]]
key = "bound"
ask = "?"
answer = ["memory", "the memory"]
"""


class TestPen:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("floor_ms = 0.62\nbound = 'Memory'", ""),
            ("floor_ms = '6.2e-1 ms'\nbound = '`memory`'", ""),
            ("floor_ms = 0.31\nbound = 'memory'", "1 of 2 right; floor_ms: too low"),
            ("floor_ms = 622\nbound = 'memory'", "1 of 2 right; floor_ms: much too high"),
            ("floor_ms = 'soon'\nbound = 'memory'", "1 of 2 right; floor_ms: a number is wanted"),
            ("floor_ms = 0.622\nbound = 'cpu'", "1 of 2 right; bound: no"),
            ("floor_ms = ''", "0 of 2 right; floor_ms: not answered yet"),
            ("floor_ms = ", "m1_e0.toml: Invalid value"),
        ],
    )
    def test_a_rule_marks_each_answer_without_giving_it_away(self, tmp_path, text, message):
        exercise = folder_of(tmp_path, PEN)
        file = attempt_file(exercise, tmp_path)
        file.write_text(text)
        outcome = check(exercise, file)
        assert outcome.message.startswith(message)
        assert outcome.passed == (not message)
        assert "0.622" not in outcome.message

    def test_an_answer_may_depend_on_the_machine(self, tmp_path):
        exercise = folder_of(tmp_path, PEN, check_py="def answers(): return {'floor_ms': 7}")
        file = attempt_file(exercise, tmp_path)
        file.write_text("floor_ms = 7\nbound = 'memory'")
        assert check(exercise, file).passed


WRITING = """kind = "writing"
[[points]]
heading = "Question"
least = 3
most = 6
mentions = ["\\\\?"]
"""


class TestWriting:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("# Question\nIs it fast enough?\n", ""),
            ("## question\nIs it fast enough?\n\n## More\nwords\n", ""),
            ("Is it fast enough?\n", 'the heading "Question" is missing'),
            ("# Question\nIs it?\n", '"Question": 2 words, 3 to 6 are asked'),
            ("# Question\n<!-- Is it fast enough? -->\n", '"Question": 0 words'),
            ("# Question\nIt is fast now.\n", '"Question" does not say anything about'),
        ],
    )
    def test_points_and_lengths_are_asked(self, tmp_path, text, message):
        exercise = folder_of(tmp_path, WRITING)
        file = attempt_file(exercise, tmp_path)
        file.write_text(text)
        outcome = check(exercise, file)
        assert message in outcome.message
        assert outcome.passed == (not message)


def test_figures_of_a_simple_check_are_held_against_its_bars(tmp_path):
    toml = 'kind = "realtime"\n[most]\n"p99, ms" = 36\n'
    exercise = folder_of(
        tmp_path, toml, check_py="def check(attempt): return {'p99, ms': attempt.age}"
    )
    file = attempt_file(exercise, tmp_path)
    for age, message in (
        (20, ""),
        (50, "p99, ms: 50, at most 36 is asked"),
        ("float('nan')", "p99"),
    ):
        file.write_text(f"age = {age}\n")
        outcome = check(exercise, file)
        assert outcome.message.startswith(message)
        assert outcome.passed == (not message)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('kind = "magic"', "kind is one of"),
        ("[perf]\nover_naive = 2", "perf"),
        ("[run]\nspeed = 3", "speed"),
        ("kind = ", "Invalid value"),
    ],
)
def test_a_mistake_in_exercise_toml_is_one_line_for_its_author(tmp_path, toml, said):
    (tmp_path / "exercise.toml").write_text(toml)
    with pytest.raises(GuideError, match=r"exercise\.toml: ") as error:
        read_manifest(tmp_path)
    assert said in str(error.value)


PICTURE = """
import numpy as np
def make_input(rng, case): return (rng.integers(0, 200, (8, 8), np.uint8),)
def expected(x): return x + np.uint8(1)
"""


def test_where_the_value_is_a_picture_the_difference_is_one(tmp_path, main):
    toml = 'kind = "code"\n[run]\nentry = "solve"\npicture = true\n[cases]\ncheck = [0]\n'
    exercise = folder_of(tmp_path, toml, check_py=PICTURE)
    file = attempt_file(exercise, tmp_path)
    file.write_text("def solve(x):\n    x = x + 1\n    x[0, 0] = 0\n    return x\n")
    outcome = check(exercise, file)
    assert outcome.result.failure.picture.shape == (8, 24)
    code, out, _ = main("dev", "check", str(tmp_path), "--runs", "1")
    assert code == 1, out


class TestDevCheck:
    CHECK = "def check(attempt): assert attempt.x == 1, 'x is 1'"

    def test_an_exercise_that_keeps_its_promises(self, tmp_path, main):
        (tmp_path / "cheats").mkdir()
        (tmp_path / "cheats" / "none.py").write_text("x = 3")
        folder_of(tmp_path, "", check_py=self.CHECK, starter_py="x = 0", solution_py="x = 1")
        code, out, _ = main("dev", "check", str(tmp_path), "--runs", "1")
        assert code == 0, out
        assert "✓ solution" in out

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            ({"starter_py": "x = 1"}, "✗ starter                    it passes"),
            ({"solution_py": "x = 2"}, "✗ solution                   x is 1"),
        ],
    )
    def test_one_that_does_not(self, tmp_path, main, files, said):
        files = {"check_py": self.CHECK, "starter_py": "x = 0", "solution_py": "x = 1", **files}
        folder_of(tmp_path, "", **files)
        code, out, _ = main("dev", "check", str(tmp_path), "--runs", "1")
        assert code == 1
        assert said in out


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (GOOD, {"figures": {}}),
        ("def double(x): return x", {"wrong": "twice 3 is 6"}),
        ("x = 1 / 0", {"wrong": "mine.py:1: ZeroDivisionError: division by zero"}),
        ("import os\nos._exit(0)", {"wrong": "mine.py: it ended the process instead of returning"}),
        ("", {"wrong": "mine.py does not define double"}),
    ],
)
def test_without_any_walls_a_simple_check_is_still_a_process_of_its_own(tmp_path, code, said):
    from guide.judge.simple import _apart

    (tmp_path / "check.py").write_text(CHECK)
    (tmp_path / "mine.py").write_text(code)
    assert _apart(read_manifest(tmp_path), tmp_path / "mine.py") == said

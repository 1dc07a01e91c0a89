"""The log of attempts, and what is computed from it."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guide.errors import GuideError
from guide.learn.attempts import entries, log_file, note
from guide.learn.progress import Guess, standings, typical_off

PASSED = {"state": "fast", "passed": True, "asked": "abc", "ratio": 8.0}


def of(*done, digests=None):
    """The standing after so many things were done to one exercise."""
    lines = [{"id": "m1::e0", "at": str(i), **what} for i, what in enumerate(done)]
    return standings(lines, digests)["m1::e0"]


class TestLog:
    def test_what_is_noted_can_be_read(self):
        note("start", "m1::e0", file="/x/é.py")
        note("check", "m1::e0", state="wrong")
        assert [e["did"] for e in entries()] == ["start", "check"]
        assert next(entries())["file"] == "/x/é.py"

    def test_a_line_that_was_torn_costs_nothing_but_itself(self):
        note("start", "m1::e0")
        with log_file().open("ab") as log:
            log.write(b'{"v": 1, "at": "x", "did": "check", "id": "m1')
        note("check", "m1::e0", state="correct")
        assert [e["did"] for e in entries()] == ["start", "check"]

    @pytest.mark.parametrize("line", ["[]", "3", "{}", '{"did": 1, "id": "a", "at": "b"}', "\xff"])
    def test_lines_that_make_no_sense_are_left_out(self, line):
        note("start", "m1::e0")
        with log_file().open("a", encoding="latin-1") as log:
            log.write(line + "\n")
        note("skip", "m1::e0")
        assert [e["did"] for e in entries()] == ["start", "skip"]

    @given(st.binary(max_size=200))
    @settings(max_examples=50, deadline=None)
    def test_no_bytes_make_it_unreadable(self, data):
        log_file().parent.mkdir(parents=True, exist_ok=True)
        log_file().write_bytes(data)
        note("start", "m1::e9")
        assert list(entries())[-1]["id"] == "m1::e9"
        standings(entries())

    def test_two_processes_at_once_lose_no_line(self):
        code = (
            "from guide.learn.attempts import note\nfor i in range(40): note('hint', 'm1::e0', n=i)"
        )
        both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
        assert [one.wait() for one in both] == [0, 0]
        assert len(list(entries())) == 80

    def test_a_newer_version_may_have_written_more(self):
        note("check", "m1::e0", **PASSED, mood="good")
        note("sang", "m1::e0", song=[1])
        assert standings(entries())["m1::e0"].passed

    def test_a_folder_that_cannot_be_written_is_one_line(self, monkeypatch, tmp_path):
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
        with pytest.raises(GuideError, match="set XDG_DATA_HOME"):
            note("start", "m1::e0")
        assert list(entries()) == []

    def test_nobody_else_may_read_it(self):
        note("start", "m1::e0")
        assert log_file().stat().st_mode & 0o077 == 0


class TestStates:
    def test_they_rise_with_what_is_done(self):
        done, states = [], []
        for what in (
            {"did": "start"},
            {"did": "check", "state": "wrong"},
            {"did": "check", "state": "correct"},
            {"did": "check", **PASSED},
            {"did": "check", **PASSED, "state": "better"},
        ):
            done.append(what)
            states.append(of(*done).state)
        assert states == ["started", "wrong", "correct", "fast", "better"]

    def test_a_later_mistake_takes_nothing_away(self):
        one = of({"did": "check", **PASSED}, {"did": "check", "state": "wrong"})
        assert (one.state, one.passed, one.last, one.tries) == ("fast", True, "wrong", 2)

    def test_a_busy_machine_is_no_failure(self):
        one = of({"did": "check", "state": "inconclusive", "passed": False})
        assert (one.state, one.flags) == ("correct", ["inconclusive"])

    def test_a_waived_bar_is_passed_and_said(self):
        one = of({"did": "check", "state": "waived", "passed": True})
        assert (one.passed, one.flags) == (True, ["waived"])

    def test_a_pass_is_stale_once_something_else_is_asked(self):
        done = {"did": "check", **PASSED}
        assert not of(done, digests={"m1::e0": "abc"}).stale
        assert of(done, digests={"m1::e0": "xyz"}).flags == ["stale"]
        again = {**done, "asked": "xyz"}
        assert not of(done, again, digests={"m1::e0": "xyz"}).stale

    def test_a_solution_seen_before_the_pass_is_revealed(self):
        assert of({"did": "solution"}, {"did": "check", **PASSED}).revealed
        assert not of({"did": "check", **PASSED}, {"did": "solution"}).revealed

    def test_one_that_is_set_aside_comes_back_when_it_is_begun(self):
        assert of({"did": "skip", "on": True}).skipped
        assert not of({"did": "skip", "on": True}, {"did": "start"}).skipped
        assert not of({"did": "skip", "on": True}, {"did": "skip", "on": False}).skipped


class TestPredictions:
    def test_a_guess_meets_the_first_measurement_after_it(self):
        one = of(
            {"did": "predict", "key": "ratio", "guess": 2},
            {"did": "check", **PASSED, "measured": {"ratio": 8.0}},
            {"did": "check", **PASSED, "measured": {"ratio": 9.0}},
        )
        assert one.guesses == [Guess("ratio", 2.0, 8.0)]
        assert one.guesses[0].off == 4.0

    def test_how_far_off_is_a_factor_either_way(self):
        assert typical_off([Guess("a", 2, 8), Guess("b", 8, 2)]) == pytest.approx(4)
        assert typical_off([Guess("a", 2)]) is None


class TestCommands:
    def test_progress_counts_and_names_the_log(self, main):
        note("check", "m0::e0", state="correct", passed=True)
        code, out, _ = main("progress")
        assert code == 0
        assert "1 of" in out
        assert str(log_file()) in out
        assert out.rstrip().endswith("Next: guide exercises")

    def test_progress_as_json(self, main):
        note("predict", "m1::e0", key="ratio", guess=2)
        note("check", "m1::e0", **PASSED, measured={"ratio": 8.0})
        rows = {row["id"]: row for row in json.loads(main("progress", "--json")[1])["exercises"]}
        assert rows["m1::e0"]["predictions"] == [{"key": "ratio", "guess": 2.0, "measured": 8.0}]

    def test_guesses_that_get_better_are_told(self, main):
        for i, (guess, measured) in enumerate([(2, 20), (3, 30), (10, 12), (11, 12)]):
            id = f"m{i}::e0"
            note("predict", id, key="ratio", guess=guess)
            note("check", id, **PASSED, measured={"ratio": measured})
        _, out, _ = main("progress")
        assert "predictions" in out

    def test_hints_come_one_by_one_and_stay_at_the_last(self, main):
        said = [main("hint", "m1::e0")[1].splitlines()[0] for _ in range(4)]
        titles = ["nudge", "concept", "nearly code", "nearly code"]
        assert said == [f"Hint {min(n + 1, 3)} of 3: {t}" for n, t in enumerate(titles)]

    def test_a_solution_is_not_shown_by_accident(self, main):
        code, out, err = main("solution", "m1::e0")
        assert (code, out) == (2, "")
        assert "--yes" in err
        code, out, _ = main("solution", "m1::e0", "--yes")
        assert code == 0
        assert "for row in matrix" in out
        assert standings(entries())["m1::e0"].revealed

    def test_reset_keeps_a_dated_copy(self, main, tmp_path):
        main("start", "m0::e0")
        file = tmp_path / "m0_e0.py"
        starter = file.read_text()
        for text in ("first", "second"):
            file.write_text(text)
            assert main("reset", "m0::e0")[0] == 0
            assert file.read_text() == starter
        kept = sorted(path.read_text() for path in tmp_path.glob("m0_e0.*-*.py"))
        assert kept == ["first", "second"]

    def test_a_file_is_found_from_another_folder(self, main, tmp_path, monkeypatch):
        main("start", "m0::e0")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        code, out, _ = main("check", "m0::e0")
        assert code == 1
        assert f"your file: {tmp_path / 'm0_e0.py'}" in out

    def test_skip_names_the_next_one(self, main):
        _, out, _ = main("skip", "m0::e0")
        assert "Next: guide start m" in out
        assert "m0::e0" not in out.partition("Next")[2]

    def test_check_all_checks_what_was_started(self, main):
        assert main("check", "--all")[0] == 2
        main("start", "m0::e0")
        code, out, _ = main("check", "--all")
        assert code == 1
        assert "0 of 1 pass" in out

    def test_predictions_are_asked_on_a_terminal_and_kept(self, terminal):
        asked = terminal("start", "m1::e0")
        asked.read_until("how many times as fast? [x]:")
        asked.type("2.5\n")
        asked.read_until("Next:")
        asked.process.wait(20)
        (guess,) = standings(entries())["m1::e0"].guesses
        assert guess.guessed == 2.5

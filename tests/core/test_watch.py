"""`guide watch` on a real terminal, with a real file that is saved."""

import re
import time
from pathlib import Path

import guide as package

FOLDER = Path(package.__file__).parent / "foundations" / "exercises"
SOLVED = (FOLDER / "no_drift" / "solution.py").read_text()
GRAIN = (FOLDER / "walk_with_the_grain" / "solution.py").read_text()


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def seen(watching, text):
    """Wait for what comes next on the screen and forget what was there before."""
    watching.read_until(text)
    before, _, watching.output = watching.output.rpartition(text)
    return plain(before + text)


def test_the_starter_is_copied_and_checked(terminal, tmp_path):
    watching = terminal("watch", "m0::e0", columns=60)
    assert "m0_e0.py" in seen(watching, "q quit")
    assert (tmp_path / "m0_e0.py").is_file()


def test_each_save_is_answered(terminal, tmp_path):
    file = tmp_path / "m0_e0.py"
    file.write_text("def due_times(rate_hz, count):\n    return None\n")
    watching = terminal("watch", "m0::e0", columns=60)
    assert "a list is wanted" in seen(watching, "q quit")
    file.write_text("def due_times(rate_hz, count:\n")
    assert "m0_e0.py:1: " in seen(watching, "q quit")
    file.write_text(SOLVED)
    assert "✓ m0::e0" in seen(watching, "q quit")
    watching.type("q")
    assert "Next: guide check m0::e0" in plain(watching.read_until())
    assert watching.process.wait(10) == 0


def test_no_line_is_wider_than_the_terminal(terminal, tmp_path):
    (tmp_path / "m0_e0.py").write_text("def due_times(rate_hz, count):\n    return None\n")
    watching = terminal("watch", "m0::e0", columns=60)
    text = seen(watching, "q quit")
    for key in "lh":
        watching.type(key)
        text += seen(watching, "q quit")
    assert max(len(line) for line in text.splitlines()) <= 60


def test_keys_move_list_and_hint(terminal):
    watching = terminal("watch", "m0::e0", columns=60)
    seen(watching, "q quit")
    watching.type("l")
    assert "→" in seen(watching, "q quit")
    watching.type("p")
    assert "m0::e0" not in seen(watching, "q quit")
    watching.type("n")
    assert "m0::e0  A loop" in seen(watching, "q quit")
    watching.type("s")
    assert "Press s once more" in seen(watching, "q quit")
    watching.type("s")
    assert "Fraction" in seen(watching, "q quit")


def test_a_hint_comes_level_by_level(terminal):
    watching = terminal("watch", "m1::e0")
    for level in ("Hint 1 of 3", "Hint 2 of 3"):
        seen(watching, "q quit")
        watching.type("h")
        assert level in plain(watching.read_until("q quit"))


def test_speed_is_asked_only_after_two_quiet_seconds(terminal, tmp_path):
    file = tmp_path / "m1_e0.py"
    file.write_text(GRAIN)
    watching = terminal("watch", "m1::e0", columns=60)
    watching.read_until("is it fast? In 2 s")
    before = time.monotonic()
    watching.read_until("is it fast? …")
    assert time.monotonic() - before > 1
    file.write_text(GRAIN.replace("0.0", "1.0"))  # in the middle of the rounds
    assert "the sum is" in seen(watching, "the sum is")


def test_in_a_pipe_it_prints_lines(start_guide, tmp_path):
    (tmp_path / "m0_e0.py").write_text(SOLVED)
    process = start_guide("watch", "m0::e0")
    for line in process.stdout:
        if line.startswith("✓ m0::e0"):
            break
    else:
        raise AssertionError("no verdict came")
    assert "\x1b" not in line

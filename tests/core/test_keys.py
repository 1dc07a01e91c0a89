import os
import pty
import sys
import termios
import time
from pathlib import Path

import pytest

from guide.clock import VirtualClock
from guide.keys import keys, press
from guide.loop import Loop


@pytest.fixture
def loop():
    return Loop(10, clock=VirtualClock())


class TestPress:
    def test_p_pauses_and_goes_on(self, loop):
        press("p", loop)
        assert loop.paused
        press("p", loop)
        assert not loop.paused

    def test_n_pauses_first_and_then_steps(self, loop):
        press("n", loop)
        assert loop.paused
        press("n", loop)
        assert loop._steps == 1

    def test_plus_and_minus_go_through_the_speeds_and_stay_at_the_ends(self, loop):
        press("-", loop)
        assert loop.speed == 0.5
        for _ in range(20):
            press("+", loop)
        assert loop.speed == 8
        for _ in range(20):
            press("-", loop)
        assert loop.speed == 0.1

    def test_q_ends_and_any_other_key_does_nothing(self, loop):
        for key in ("x", "\x1b", " ", "�"):
            press(key, loop)
        assert (loop.ended, loop.paused, loop.speed) == ("", False, 1.0)
        press("q", loop)
        assert loop.ended == "interrupted"


class TestKeys:
    def test_without_a_terminal_there_are_none(self, loop, monkeypatch):
        with Path(os.devnull).open() as nothing:
            monkeypatch.setattr(sys, "stdin", nothing)
            with keys(loop) as give_back:
                assert give_back is None

    def test_what_the_block_raises_comes_out(self, loop, monkeypatch):
        with Path(os.devnull).open() as nothing:
            monkeypatch.setattr(sys, "stdin", nothing)
            with pytest.raises(OSError, match="mine"), keys(loop):
                raise OSError("mine")

    def test_on_a_terminal_a_key_is_read_at_once_and_the_terminal_given_back(
        self, loop, monkeypatch
    ):
        ours, theirs = pty.openpty()
        with open(theirs, closefd=False) as terminal, os.fdopen(theirs, "w") as out:
            monkeypatch.setattr(sys, "stdin", terminal)
            monkeypatch.setattr(sys, "stdout", out)
            monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp())
            before = termios.tcgetattr(theirs)
            with keys(loop):
                assert termios.tcgetattr(theirs) != before
                os.write(ours, b"q")
                for _ in range(500):
                    if loop.ended:
                        break
                    time.sleep(0.01)
            assert loop.ended == "interrupted"
            assert termios.tcgetattr(theirs) == before
        os.close(ours)

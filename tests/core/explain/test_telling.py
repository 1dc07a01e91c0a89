"""An answer in a terminal: what it says, and that it fits."""

import re

import pytest

from guide.explain.answer import Answer, Part, ranked
from guide.explain.telling import Teller, headline, promise, wrapped
from guide.learn.cells import width
from guide.plugin import Pin, Place, Verdict, Word

MS = 1_000_000


def full(title="waiting for data", ns=31 * MS, **more):
    return Verdict(
        title,
        "The GPU idles while the next batch is read and decoded, 31 ms of every step.",
        ns,
        why="One process reads the files, one after another.",
        remedy="Give the loader workers: num_workers=4.",
        check="Feed the same batch again and again: the gap is gone.",
        sure="sure",
        where=(Place("/a/very/long/path/of/a/project/that/goes/on/and/on/train.py", 41, "x = y"),),
        evidence=(("idle", "31 ms"), ("gaps", "14")),
        word=Word("DataLoader", "what makes batches of samples"),
        teaches=("m1/s0", "m9/s9"),
        **more,
    )


def answer(*found, step_ns=52 * MS, **more):
    return ranked(Answer("t.json", "step", step_ns, 5, **more), found)


def told(found, columns=80, **how):
    return "\n".join(Teller(columns, False, {"m1/s0"}).answer(found, **how))


def test_the_first_line_says_what_a_step_takes_and_what_can_be_won_back():
    line = headline(answer(full()))
    assert line.startswith("A step takes 52 ms. Most of what could be won back: waiting for data")
    assert "31 ms (60 %)" in line


def test_nothing_wrong_is_an_answer_and_says_what_limits():
    line = headline(answer(full(ns=0), limits="The GPU is busy 97 % of the time."))
    assert "Nothing is wrong" in line
    assert line.endswith("The GPU is busy 97 % of the time.")


def test_a_trace_without_steps_is_said_to_be_looked_at_as_a_whole():
    found = ranked(Answer("t", "trace", 5 * MS), [])
    assert "names no steps" in headline(found)


def test_every_part_of_a_verdict_is_there():
    text = told(answer(full(), spent=(Part("computing on the GPU", 20 * MS),)))
    for part in ("31 ms of a step", "computing on the GPU", "One process", "train.py:41", "x = y"):
        assert part in text
    for part in ("num_workers=4", "Feed the same", "sure", "DataLoader: what", "gaps 14"):
        assert part in text


def test_only_what_is_installed_here_is_named_to_be_read():
    text = told(answer(full()))
    assert "guide read m1/s0" in text
    assert "m9/s9" not in text


def test_three_are_told_in_full_and_the_rest_in_a_line_unless_all_are_asked_for():
    found = answer(*(full(f"verdict {i}", ns=(9 - i) * MS) for i in range(6)))
    assert told(found).count("Why ") == 3
    assert told(found, everything=True).count("Why ") == 6
    assert all(f"erdict {i}" in told(found) for i in range(6))


def test_what_the_machine_did_stands_below_the_first_line_and_has_no_number():
    theirs = Verdict("others", "Others had 31 ms.", 31 * MS, remedy="Wait.", machine=True)
    text = told(answer(theirs))
    assert text.startswith("A step takes 52 ms. Nothing is wrong")
    assert text.splitlines()[1:] == ["Others had 31 ms."]
    assert "Others had 31 ms. Wait." in told(answer(theirs), everything=True)


def test_what_is_left_what_lacks_and_what_failed_come_last_and_in_this_order():
    found = answer(full("decoy", 0), full(), missing=("no stacks",), failed=("rule x failed",))
    text = told(found)
    places = [text.index(part) for part in ("decoy:", "no stacks", "rule x failed")]
    assert places == sorted(places)
    assert places[0] > text.index("Seen")


@pytest.mark.parametrize("columns", [24, 40, 60, 80, 200])
@pytest.mark.parametrize(
    "name", ["plain", "等待数据加载器的下一批", "ждём данные", "a" * 300, "👨‍💻 🧬"]
)
def test_no_line_is_wider_than_the_terminal_whatever_names_there_are(columns, name):
    pins = (Pin(0, 31 * MS),)
    found = answer(
        full(f"{name} {name}", pins=pins), full(name, 9 * MS), missing=(name,), facts=(name,)
    )
    for line in Teller(columns, False, {"m1/s0"}).answer(found):
        assert width(line) <= columns, line


def test_colour_changes_nothing_but_colour():
    found = answer(full())
    colored = "\n".join(Teller(80, True, {"m1/s0"}).answer(found))
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[\d*m", "", colored) == told(found)


def test_a_figure_and_its_unit_stay_on_one_line():
    text = "It takes 31 ms of them all, 59 % of it, at 12 GB/s or 9 kB."
    for room in range(8, 40):
        assert not any(re.match(r"(ms|%|GB|kB)", line) for line in wrapped(text, room)), room


def test_a_gain_that_nobody_measured_is_promised_at_best():
    found = answer(full("a", 20 * MS), full("b", 10 * MS, at_most=True))
    assert "would take about 32 ms" in promise(found)
    assert "; with all 2, at best 2" in promise(found)
    assert "would take at best about 32 ms" in promise(answer(full("a", 20 * MS, at_most=True)))


def test_what_promises_more_than_there_is_promises_no_step_that_takes_nothing():
    both = answer(
        full("a", 30 * MS, pins=(Pin(0, 30 * MS),)),
        full("b", 50 * MS, pins=(Pin(60 * MS, 90 * MS),)),
    )
    assert "2 together promise more than there is" in promise(both)
    assert " 0 ns" not in promise(both)


def test_the_promise_says_that_shared_time_is_counted_once_only_where_some_is_shared():
    pins = (Pin(0, 20 * MS),)
    shared = answer(full("a", 20 * MS, pins=pins), full("b", 20 * MS, pins=pins))
    apart = answer(full("a", 20 * MS, pins=pins), full("b", 20 * MS, pins=(Pin(20 * MS, 40 * MS),)))
    assert "counted once" in promise(shared)
    assert "counted once" not in promise(apart)
    assert "12 ms" in promise(apart)

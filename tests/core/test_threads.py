"""How long threads stand in line, and which spans compute."""

import sys
import threading
import time
import zlib

import pytest

from guide.asleep import ASK_EVERY
from guide.loop import Loop
from guide.machine import usable_threads
from guide.meter import Unavailable
from guide.threads import ThreadsMeter

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts it")


@linux
def test_more_threads_than_processors_stand_in_line():
    meter = ThreadsMeter()
    count, done, said = 3 * usable_threads(), time.monotonic() + 0.5, {}
    data = bytes(1 << 22)

    def work():
        while time.monotonic() < done:
            zlib.compress(data, 1)

    threads = [threading.Thread(target=work) for _ in range(count)]
    meter.start()
    for thread in threads:
        thread.start()
    while time.monotonic() < done - 0.1:
        time.sleep(0.05)
        said = {r.name: r.value for r in meter.read().readings}
    for thread in threads:
        thread.join()
    assert said["threads"] > count
    assert said["threads.delay"] > 0.05


@linux
def test_what_ended_threads_have_waited_is_not_forgotten(tmp_path):
    tasks = tmp_path / "proc/self/task"
    for name, waited in (("1", 5), ("2", 7)):
        (tasks / name).mkdir(parents=True)
        (tasks / name / "schedstat").write_text(f"0 {waited * 10**9} 1\n")
    meter = ThreadsMeter(tmp_path)
    (tasks / "2" / "schedstat").write_text(f"0 {9 * 10**9} 1\n")
    meter.read()
    (tasks / "2" / "schedstat").unlink()
    said = {r.name: r.value for r in meter.read().readings}
    assert said == {"threads": 1, "threads.delay": 2}


def test_a_system_that_does_not_count_it_says_so(tmp_path):
    with pytest.raises(Unavailable):
        ThreadsMeter(tmp_path)


def test_spans_are_asked_in_a_few_ticks_whichever_way_they_are_opened():
    loop = Loop(ticks=3 * ASK_EVERY)
    for tick in loop:
        with tick.span("sleeps"):
            time.sleep(0.002)
        with loop.timeline.span("computes"):
            sum(range(100_000))
    sleeps, computes = loop.asked["sleeps"], loop.asked["computes"]
    assert sleeps["count"] == computes["count"] == 3
    assert sleeps["cpu_ns"] < sleeps["total_ns"] / 2
    assert computes["cpu_ns"] > sleeps["cpu_ns"]
    stats = loop.timeline.stats()
    assert stats["sleeps"].count == stats["computes"].count == 3 * ASK_EVERY


def test_laps_and_spans_that_are_added_are_asked_as_well():
    loop = Loop(ticks=2 * ASK_EVERY)
    for _ in loop:
        begin, sleeps, computes = (loop.timeline.lap(name) for name in ("", "sleeps", "computes"))
        begin()
        time.sleep(0.002)
        sleeps()
        sum(range(100_000))
        computes()
        with loop.timeline.within("added"):
            time.sleep(0.002)
    assert {name: asked["count"] for name, asked in loop.asked.items()} == {
        "sleeps": 2,
        "computes": 2,
        "added": 2,
    }
    for name in ("sleeps", "added"):
        assert loop.asked[name]["cpu_ns"] < loop.asked[name]["total_ns"] / 2
    assert loop.asked["computes"]["cpu_ns"] > loop.asked["sleeps"]["cpu_ns"]
    stats = loop.timeline.stats()
    assert stats["sleeps"].count == 2 * ASK_EVERY
    assert "added" not in stats


def test_spans_of_other_threads_are_left_alone_while_a_tick_is_asked():
    loop = Loop(ticks=ASK_EVERY)

    def elsewhere():
        with loop.timeline.span("beside"):
            pass

    for _ in loop:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert "beside" not in loop.asked
    assert loop.timeline.stats()["beside"].count == ASK_EVERY

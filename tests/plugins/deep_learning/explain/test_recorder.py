"""What a recorder makes of the steps it is told of, in this very process."""

import os
import re
import signal
import sys
import threading
import time
import types
from pathlib import Path

import pytest
import torch

from guide.explain.profiling import _too_few
from guide.explain.reading import read_trace
from guide_deep_learning.explain import beats, calibrating, mending
from guide_deep_learning.explain.beats import Beats
from guide_deep_learning.explain.ending import Ending, Enough
from guide_deep_learning.explain.interrupts import held
from guide_deep_learning.explain.recorder import Recorder, write_trace
from guide_deep_learning.explain.uneven import uneven

ONE = torch.ones(4)


@pytest.fixture(autouse=True)
def no_costs(monkeypatch):
    monkeypatch.setattr(calibrating, "costs", lambda stacks: {})


def told(recorder: Recorder, steps: int) -> Recorder:
    for _ in range(steps):
        _ = ONE + 1
        recorder.beat()
    recorder.finish()
    return recorder


def for_ever(work):
    while True:
        work(ONE)
        time.sleep(0.001)


def test_as_many_steps_as_a_short_program_has_are_enough(tmp_path):
    recorder = told(Recorder(tmp_path / "t.json.gz"), 45)
    assert recorder.written
    assert recorder.recorded == 5


@pytest.mark.parametrize("steps", [2, 3, 4, 5, 6, 20])
def test_what_is_advised_for_so_few_steps_is_enough(tmp_path, steps):
    assert not told(Recorder(tmp_path / "t.json.gz"), steps).written
    advised = re.findall(r"--warm (\d+) --steps (\d+)", _too_few("train.py", steps).remedy)
    warm, wanted = map(int, *advised)
    recorder = told(Recorder(tmp_path / "t.json.gz", warm=warm, steps=wanted), steps)
    assert recorder.recorded == wanted
    assert read_trace(recorder.file).unwatched_ns > 0


def test_steps_of_another_kind_do_not_count_until_some_are_recorded(tmp_path):
    recorder = Recorder(tmp_path / "t.json.gz", warm=1)
    recorder.beat()
    assert recorder.again()
    assert recorder.seen == 0
    recorder.beat()
    recorder.beat()
    assert recorder.state == "recording"
    assert not recorder.again()
    recorder.finish()


def test_ctrl_c_while_the_profiler_stops_leaves_a_whole_trace(tmp_path):
    recorder = Recorder(tmp_path / "t.json.gz", warm=1, steps=2)
    for _ in range(4):
        recorder.beat()
    stop = recorder._profiler.stop

    def interrupted():
        os.kill(os.getpid(), signal.SIGINT)
        stop()

    recorder._profiler.stop = interrupted
    with pytest.raises(KeyboardInterrupt):
        recorder.beat()
    assert recorder.finish()
    assert read_trace(recorder.file).stepped


def test_interrupts_wait_and_are_handled_by_whoever_handles_them():
    came = []
    theirs = signal.signal(signal.SIGINT, lambda *_: came.append("theirs"))
    try:
        with held():
            os.kill(os.getpid(), signal.SIGINT)
            came.append("the end of what was held")
        assert came == ["the end of what was held", "theirs"]
    finally:
        signal.signal(signal.SIGINT, theirs)


def test_another_thread_ends_what_it_records_when_the_main_one_is_done(tmp_path):
    recorder = Recorder(tmp_path / "t.json.gz", warm=1, steps=100_000)
    some, over = threading.Event(), []

    def train():
        while not over:
            if recorder.beat():
                over.append(True)
            if recorder.recorded > 3:
                some.set()

    thread = threading.Thread(target=train)
    thread.start()
    some.wait(20)
    recorder.finish()
    thread.join(20)
    assert over
    assert recorder.written
    assert read_trace(recorder.file).stepped


@pytest.mark.parametrize(
    ("work", "found"),
    [
        (torch.nn.Sequential(torch.nn.Linear(4, 4)), "a call of Sequential"),
        (torch.abs, "a stretch of"),
    ],
)
def test_without_an_optimizer_other_steps_are_found(tmp_path, monkeypatch, work, found):
    monkeypatch.setattr(beats, "_WINDOW_S", 0.03)
    recorder = Recorder(tmp_path / "t.json.gz", warm=1, steps=2)
    ending = Ending(pytest.fail)
    with pytest.raises(Enough), Beats(recorder, ending.now, 0.05).listening():
        for_ever(work)
    ending.over()
    assert read_trace(recorder.file).about["guide"]["found"].startswith(found)


@pytest.mark.parametrize("wrote", [None, b'{"traceEvents": [{"ph": "X"'])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, wrote):
    class Torch:  # which does not say that it could not write
        def export_chrome_trace(self, file):
            if wrote is not None:
                Path(file).write_bytes(wrote)

    recorder = Recorder(tmp_path / "t.json.gz", warm=1, steps=1)
    with pytest.raises(OSError, match="could not write"):
        write_trace(Torch(), recorder.file, {})
    recorder.state, recorder.recorded, recorder._profiler = "after", 1, Torch()
    assert not recorder.finish()
    assert "could not write" in recorder.wrong
    assert not list(tmp_path.iterdir())


def test_an_end_in_a_thread_is_no_error_of_the_programs(monkeypatch):
    told_of = []
    monkeypatch.setattr(threading, "excepthook", told_of.append)
    ending = Ending(lambda: told_of.append("stuck"))
    ended = threading.Thread(target=ending.now)

    def main():
        ended.start()
        while True:
            time.sleep(0.01)

    with pytest.raises(Enough):
        main()
    ending.over()
    assert not told_of
    assert not ended.is_alive()


def test_half_an_import_is_no_reason_to_fail(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch._dynamo.utils", types.ModuleType("half"))
    assert calibrating.compiled_graphs() == 0


@pytest.mark.parametrize(("others", "tried"), [(0.0, 4), (1.1, 3), (9.0, 1)])
def test_fewer_threads_are_tried_where_other_programs_have_some_of_the_cores(
    monkeypatch, others, tried
):
    monkeypatch.setattr(mending, "cores", lambda: 4)
    assert mending.mend_for(16, others).threads == tried
    assert mending.mend_for(4, others) is None


def test_a_remedy_is_tried_in_turn_so_that_a_machine_that_gets_busy_meets_both_sides():
    on = []
    mend = mending.Mend("anomaly", lambda: on.append(True), on.clear)
    trial = mending.Trial(mend, lambda taken: len(taken) >= 8, long=False)
    for step in range(1000):
        taken = (60 if on else 80) * (3 if step >= 12 else 1) * (10 if step % 5 == 4 else 1)
        if trial.step(taken):
            break
    said = trial.said()
    assert (said["with"], said["without"], said["steps"]) == (80, 60, 8)
    assert not on


def test_a_program_that_ends_while_something_is_tried_is_left_as_it_was(tmp_path):
    recorder = Recorder(tmp_path / "t.json.gz", warm=1, steps=1)
    torch.set_anomaly_enabled(True)
    try:
        for _ in range(6):
            recorder.beat()
        while torch.is_anomaly_enabled():
            recorder.beat()
        recorder.finish()
        assert torch.is_anomaly_enabled()
    finally:
        torch.set_anomaly_enabled(False)


def test_of_two_ways_in_turn_the_least_counts_however_busy_most_rounds_are(monkeypatch):
    now = [0]
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now[0])
    tried = []

    def way(ns):
        # For the first four rounds somebody else takes the core, whatever is tried
        took = ns if len(tried) >= 8 else 150_000_000
        tried.append(ns)
        now[0] += took
        return took

    assert calibrating.quickest([lambda: way(20), lambda: way(10)]) == (20, 10)
    assert now[0] < 3_000_000_000


def evaluated(every, steps=45, long=3.1, recorded=range(21, 27)):
    return [
        (n, round(1e7 * (long if n % every == 0 else 1 + n % 3 / 10)))
        for n in range(2, steps)
        if n not in recorded
    ]


def test_steps_that_are_longer_again_and_again_are_counted_with_how_often_they_come():
    said = uneven(evaluated(every=10))
    assert (said["every"], said["long"]) == (10, 4)
    assert said["long_ns"] == said["longest_ns"] == 31_000_000
    assert said["usual_ns"] == pytest.approx(11_000_000)


def test_a_disturbance_has_no_period_and_even_steps_are_not_mentioned():
    steps = [(n, 10_000_000) for n in range(2, 30)]
    assert not uneven(steps)
    for number, ns in ((5, 30_000_000), (9, 70_000_000)):
        steps[number] = (number, ns)
    assert uneven(steps)["every"] == 0
    assert uneven(evaluated(every=10, steps=20))["every"] == 0  # one alone
    assert not uneven(evaluated(every=2))  # then they are the usual ones


def test_what_every_fourth_step_does_is_noted_beside_the_trace(tmp_path):
    recorder = Recorder(tmp_path / "t.json.gz", warm=13, steps=2)
    for step in range(40):
        _ = ONE + 1
        time.sleep(0.02 if step % 4 == 0 else 0.001)
        if recorder.beat():
            break
    recorder.finish()
    said = read_trace(recorder.file).about["guide"]["uneven"]
    assert said["long"] >= 4
    assert said["longest_ns"] > 20_000_000

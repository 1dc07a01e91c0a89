import re
import threading
from dataclasses import dataclass

import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.errors import GuideError, UsageError
from guide.loop import Loop
from guide.run import Run, describe, drive
from guide.testing import run_task


class Task:
    """Notes the order of calls; does in each phase what it is given."""

    def __init__(self, start=None, step=None, close=None):
        self.do = {"start": start, "step": step, "close": close}
        self.calls = []

    def phase(self, name, argument=None):
        self.calls.append(name)
        if self.do[name]:
            self.do[name](*((self.run,) if argument is None else (self.run, argument)))

    def start(self, run):
        self.run = run
        self.phase("start")

    def step(self, tick):
        self.phase("step", tick)

    def close(self):
        self.phase("close")


def raises(error):
    def code(*_):
        raise error

    return code


def run(task, **more):
    return run_task(task, **{"clock": VirtualClock(), "ticks": 3, "rate_hz": 100, **more})


class TestDriving:
    def test_a_task_is_started_stepped_and_closed(self):
        task = Task()
        record = run(task)
        assert task.calls == ["start", "step", "step", "step", "close"]
        assert (record.status, record.ticks, record.ended) == ("finished", 3, "ticks")

    def test_starting_costs_the_loop_nothing(self):
        record = run(Task(start=lambda run: run.clock.advance(10**10)), seconds=0.02, ticks=None)
        assert record.ticks == 2
        assert record.run.loop.log.missed == 0

    @pytest.mark.parametrize(
        ("phase", "calls"),
        [
            ("start", ["start", "close"]),
            ("step", ["start", "step", "close"]),
            ("close", ["start", "step", "step", "step", "close"]),
        ],
    )
    @pytest.mark.parametrize("error", [RuntimeError("boom"), SystemExit(3), GuideError("boom")])
    def test_an_error_of_any_phase_is_kept_and_the_task_is_closed_once(self, phase, calls, error):
        task = Task(**{phase: raises(error)})
        record = run(task)
        assert task.calls == calls
        assert record.status == "failed"
        assert type(error).__name__ in record.error.traceback

    def test_the_first_error_is_the_one_that_counts(self):
        record = run(Task(step=raises(ValueError("first")), close=raises(KeyError("second"))))
        assert record.error.message == "ValueError: first"

    def test_a_task_without_attributes_from_start_fails_with_the_error_of_start(self):
        class Half:
            def start(self, run):
                raise GuideError("cannot open camera 3", "plug it in")

            def step(self, tick):
                pass

            def close(self):
                self.camera.release()

        error = run(Half()).error
        assert (error.message, error.remedy, error.where) == (
            "cannot open camera 3",
            "plug it in",
            "",
        )

    def test_an_interrupt_during_start_ends_the_run_cleanly(self):
        task = Task(start=raises(KeyboardInterrupt()))
        record = run(task)
        assert (record.status, record.ended, record.ticks) == ("finished", "interrupted", 0)
        assert task.calls == ["start", "close"]

    def test_what_an_interrupt_breaks_off_in_start_is_no_failure(self):
        def start(run):
            run.loop.stop("interrupted")
            raise RuntimeError("the compiler was in the middle of something")

        record = run(Task(start=start))
        assert (record.status, record.ended, record.ticks) == ("finished", "interrupted", 0)

    def test_the_tick_that_raised_is_in_the_log(self):
        def step(run, tick):
            run.clock.advance(4_000_000)
            if tick.index == 1:
                raise RuntimeError

        record = run(Task(step=step))
        assert record.ticks == 2
        assert record.run.ended_ns == 14_000_000
        assert record.error.message == "RuntimeError: no message"

    def test_stop_ends_it_after_the_tick(self):
        record = run(Task(step=lambda run, tick: run.stop("end of the clip")))
        assert (record.ticks, record.ended) == (1, "end of the clip")

    def test_nothing_follows_a_start_that_failed(self, tmp_path):
        loop = Loop(100, ticks=3, clock=VirtualClock())
        seen = []
        drive(
            Task(start=raises(RuntimeError("boom"))),
            Run(loop, project=tmp_path, folder=tmp_path),
            on_start=lambda: seen.append("started"),
        )
        assert seen == []

    def test_an_interrupt_between_start_and_the_first_tick_is_kept_too(self, tmp_path):
        task = Task()
        work = Run(Loop(clock=VirtualClock()), project=tmp_path, folder=tmp_path)
        drive(task, work, on_start=raises(KeyboardInterrupt()))
        assert (work.failure, work.loop.ended) == (None, "interrupted")
        assert task.calls == ["start", "close"]


class TestLogging:
    def test_values_stand_at_the_tick_they_were_logged_in(self):
        def step(run, tick):
            if tick.index % 2 == 0:
                run.log("loss", tick.index * 10)

        assert run(Task(step=step), ticks=5).series == {"loss": [(0, 0.0), (2, 20.0), (4, 40.0)]}

    def test_a_value_logged_in_start_stands_before_the_first_tick(self):
        assert run(Task(start=lambda run: run.log("loss", 1))).series == {"loss": [(-1, 1.0)]}

    @pytest.mark.parametrize("value", [np.float32(0.5), np.int64(2), np.array(0.5), True])
    def test_any_scalar_becomes_a_float(self, value):
        record = run(Task(step=lambda run, tick: run.log("x", value)), ticks=1)
        ((_, kept),) = record.series["x"]
        assert type(kept) is float
        assert kept == float(value)

    def test_what_is_no_number_fails_where_it_was_logged(self):
        record = run(Task(step=lambda run, tick: run.log("x", "much")))
        assert record.error.message.startswith("ValueError")

    def test_facts_notes_and_texts_are_kept(self):
        def start(run):
            run.fact("backend", "EGL")
            run.fact("backend", "GLX")
            run.note("accuracy: 0.12 px")
            run.text("sample", "to be or")

        record = run(Task(start=start))
        assert record.facts == {"backend": "GLX"}
        assert record.notes == ["accuracy: 0.12 px"]
        assert record.texts == [("sample", "to be or")]

    def test_notes_of_any_type_are_text(self):
        record = run(Task(start=lambda run: (run.note(3), run.text(1, None))))
        assert (record.notes, record.texts) == (["3"], [("1", "None")])

    def test_spans_of_another_thread_are_there(self):
        def work(run):
            with run.timeline.span("decode"):
                pass

        def step(run, tick):
            thread = threading.Thread(target=work, args=(run,))
            thread.start()
            thread.join()

        assert run(Task(step=step)).spans["decode"].count == 3

    def test_spans_beside_the_loop_are_told_from_those_in_it(self):
        def work(run):
            with run.timeline.span("decode"):
                pass

        def start(run):
            with run.timeline.span("detect"):  # a warm-up of what the ticks do as well
                pass
            run.timeline.fold()

        def step(run, tick):
            with tick.span("detect"):
                pass
            run.timeline.add("draw", 0, 1, lane="gpu")
            thread = threading.Thread(target=work, args=(run,))
            thread.start()
            thread.join()

        timeline = run(Task(start=start, step=step)).run.timeline
        timeline.fold()
        assert timeline.beside == {"decode", "draw"}


class TestPicture:
    def take(self, take):
        return run(Task(start=lambda run: run.picture(take, "caption")))

    def test_it_is_taken_once_before_close(self):
        order = []
        image = np.full((2, 3, 3), 7, np.uint8)

        def take():
            order.append("take")
            return image

        task = Task(start=lambda run: run.picture(take), close=lambda run: order.append("close"))
        record = run(task)
        assert order == ["take", "close"]
        assert (record.image == image).all()

    def test_memory_that_the_task_uses_again_does_not_change_it(self):
        buffer = np.full((2, 2, 3), 200, np.uint8)
        task = Task(start=lambda run: run.picture(lambda: buffer), close=lambda run: buffer.fill(0))
        assert (run(task).image == 200).all()

    def test_of_a_failed_run_it_is_taken_too(self):
        task = Task(
            start=lambda run: run.picture(lambda: np.zeros((1, 1, 3), np.uint8)),
            step=raises(RuntimeError("boom")),
        )
        assert run(task).image is not None

    @pytest.mark.parametrize(
        "image", [np.zeros((2, 2, 3)), np.zeros((2, 2), bool), "picture", [[1, 2]]]
    )
    def test_what_is_no_picture_is_a_note_and_not_a_failed_run(self, image):
        record = self.take(lambda: image)
        assert (record.status, record.image) == ("finished", None)
        assert record.notes[0].startswith("no picture: ValueError: a picture is H x W x 3 uint8")

    def test_one_that_raises_is_a_note(self):
        record = self.take(raises(RuntimeError("context lost")))
        assert record.notes == ["no picture: RuntimeError: context lost"]
        assert record.status == "finished"

    def test_nothing_to_show_yet_is_no_picture(self):
        record = self.take(lambda: None)
        assert (record.image, record.notes) == (None, [])


class TestOptions:
    @dataclass(frozen=True)
    class Options:
        width: int = 640

    def test_they_come_as_the_tasks_own_dataclass(self):
        seen = []
        task = Task(start=lambda run: seen.append(run.configure(self.Options)))
        run(task, options={"width": "320"})
        assert seen == [self.Options(320)]

    def test_one_that_does_not_exist_is_a_usage_error_of_the_run(self):
        task = Task(start=lambda run: run.configure(self.Options))
        error = run(task, options={"widht": "320"}).error
        assert (error.message, error.remedy) == ("no option 'widht'", "did you mean width?")
        assert error.exit_code == UsageError.exit_code == 2


class TestDescribe:
    def error_from(self, code, file):
        try:
            exec(compile(code, str(file), "exec"), {"np": np})
        except Exception as error:
            return error

    def test_it_names_the_deepest_line_of_the_projects_own_code(self, tmp_path):
        file = tmp_path / "demo" / "task.py"
        error = self.error_from("def f():\n    np.zeros(3).reshape(2, 2)\n\nf()\n", file)
        failure = describe(error, tmp_path, "step")
        assert failure.where == "demo/task.py:2 in f"
        assert failure.message.startswith("ValueError: cannot reshape")

    def test_an_error_from_elsewhere_has_no_place_in_the_project(self, tmp_path):
        assert describe(ValueError("x"), tmp_path, "step").where == ""

    def test_many_lines_become_the_first(self, tmp_path):
        failure = describe(ValueError("first\nsecond"), tmp_path, "step")
        assert failure.message == "ValueError: first"
        assert re.search("second", failure.traceback)

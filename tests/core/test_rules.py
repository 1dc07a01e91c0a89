"""What core's rules say of a loop: the planted fault is named, its clean twin is left alone."""

import copy
import time

import pytest

from guide.clock import VirtualClock
from guide.foundations.plugin import guide_diagnoses
from guide.foundations.rules.ceilings import far_below_ceiling, uneven
from guide.foundations.rules.deadlines import late_wake, over_budget
from guide.foundations.rules.growth import memory_growth
from guide.foundations.rules.outside import outside_spans
from guide.foundations.rules.pauses import garbage, late_garbage, new_pages, pages_from_disk
from guide.foundations.rules.processors import crowded, waiting
from guide.learn.contents import all_sections
from guide.plugin import load
from guide.plugins import Plugins, explain
from tests.core.loops import MS, Stages, record_of, virtual


def within(ns, expected_ns, share=0.1):
    return abs(ns - expected_ns) <= share * expected_ns


def used(record, **ms):
    """The same record, with what the loop's thread used in a tick, in ms."""
    ticks = record["loop"]["ticks"]
    names = ("cpu", "others", "run_delay", "gc")
    of = {f"{name}_ns": round(ms.get(name, 0) * MS * ticks) for name in names}
    of |= {"forced": 0, "major": ms.get("major", 0), "spans": {}}
    for name, (took, cpu) in ms.get("spans", {}).items():
        of["spans"][name] = {"count": 9, "total_ns": 9 * took * MS, "cpu_ns": 9 * cpu * MS}
    return {**record, "usage": {**record["usage"], "loop": of}}


def totals(record, **values):
    """The same record, with the last readings of some meters."""
    rows = [{"name": name.replace("_", "."), "value": v} for name, v in values.items()]
    return {**record, "usage": {**record["usage"], "totals": rows}}


def sampled(record, every_s=0.1, **columns):
    """The same record, with samples."""
    (count,) = {len(values) for values in columns.values()}
    samples = {
        "t_ns": [round(i * every_s * 1e9) for i in range(count)],
        "columns": {n.replace("_", "."): {"values": values} for n, values in columns.items()},
    }
    return {**record, "usage": {**record["usage"], "samples": samples}}


class TestOverBudget:
    def test_a_loop_with_time_to_spare_is_left_alone(self):
        assert over_budget(virtual(read=2, detect=4, draw=1)) == []

    @pytest.mark.parametrize("slow", ["read", "detect", "draw"])
    def test_a_sleep_put_into_a_stage_moves_the_verdict_to_that_stage(self, slow):
        (said,) = over_budget(virtual(**({"read": 2, "detect": 4, "draw": 1} | {slow: 8})))
        assert said.title == "over budget"
        assert said.says.startswith(f"{slow} takes 8 ms (p99 8 ms)")
        assert f"Make {slow}" in said.remedy

    def test_what_is_given_back_is_what_the_mean_tick_has_too_much(self):
        (said,) = over_budget(virtual(read=2, detect=9, draw=2))
        assert within(said.recoverable_ns, 3 * MS)

    def test_a_stage_that_is_slow_now_and_then_gives_back_what_it_takes_beyond_its_median(self):
        (said,) = over_budget(virtual(read=2, detect=lambda i: 4 if i % 20 else 24, draw=1))
        assert said.title == "over budget now and then"
        assert "detect mostly takes 4" in said.says
        assert within(said.recoverable_ns, 20 * MS / 20)

    def test_a_span_that_few_ticks_have_is_named_with_what_the_mean_pays_for_it(self):
        class Evaluating(Stages):
            def step(self, tick):
                super().step(tick)
                if tick.index % 10 == 9:
                    with tick.span("evaluate"):
                        self.clock.advance(26 * MS)

        clock = VirtualClock()
        record = record_of(Evaluating(clock, train=5), clock=clock, ticks=200, rate_hz=100)
        (said,) = over_budget(record)
        assert said.title == "over budget now and then"
        assert "evaluate is in 20 of 200 ticks and takes 26 ms there" in said.says
        assert within(said.recoverable_ns, 2.6 * MS)
        assert said.at_most

    def test_two_slow_ticks_and_a_loop_without_a_deadline_are_left_alone(self):
        assert over_budget(virtual(detect=lambda i: 14 if i in (50, 99) else 4)) == []
        assert over_budget(virtual(rate_hz=None, detect=30)) == []

    def test_a_loop_without_spans_is_told_to_have_some(self):
        (said,) = over_budget({**virtual(detect=14), "spans": {}})
        assert "spans" in said.remedy

    def test_it_points_at_the_line_where_the_project_is_known(self, tmp_path):
        (tmp_path / "task.py").write_text("def step(tick):\n    with tick.span('detect'): pass\n")
        record = virtual(detect=14)
        assert over_budget(record)[0].where == ()
        record["project"]["folder"] = str(tmp_path)
        (place,) = over_budget(record)[0].where
        assert place.file.endswith("task.py")
        assert place.line == 2

    def test_only_what_the_project_opens_itself_may_be_done_more_rarely(self, tmp_path):
        stage = (
            "class Detect:\n    name = 'detect'\n\n    def process(self, frame):\n        pass\n"
        )
        opens = "def step(tick):\n    with tick.span('detect'): pass\n"
        record = virtual(detect=14)
        record["project"]["folder"] = str(tmp_path)
        for source, line, may in ((opens, 2, True), (stage, 4, False)):
            (tmp_path / "task.py").write_text(source)
            (said,) = over_budget(record)
            assert ("tick.every" in said.remedy) is may
            assert [place.line for place in said.where] == [line]

    @pytest.mark.parametrize("phase", ["data", "forward", "backward", "optimizer", "loss"])
    def test_a_phase_of_a_training_is_never_to_be_left_out(self, phase):
        (said,) = over_budget(virtual(**{"log": 1, phase: 14}))
        assert said.says.startswith(phase)
        assert "tick.every" not in said.remedy
        assert "beside" not in said.remedy
        (rarely,) = over_budget(virtual(**{phase: lambda i: 4 if i % 20 else 24}))
        assert "beside" not in rarely.remedy


class Prepared(Stages):
    """Does something between two of its stages, as a library before its first span."""

    def step(self, tick):
        with tick.span("clear"):
            self.clock.advance(2 * MS)
        self.clock.advance(self.ms["prepared"] * MS)
        with tick.span("draw"):
            self.clock.advance(3 * MS)


class TestOutsideOfSpans:
    def record(self, prepared=7, rate_hz=100):
        clock = VirtualClock()
        task = Prepared(clock, prepared=prepared)
        return record_of(task, clock=clock, ticks=100, rate_hz=rate_hz)

    def test_it_is_said_how_much_and_between_which_spans(self):
        (said,) = outside_spans(self.record())
        assert "7 ms of a tick, 58 %, lie in no span" in said.says
        assert "after clear and before draw" in said.says
        assert within(said.recoverable_ns, 2 * MS), "of what a tick is over its budget"
        assert said.at_most

    def test_the_projects_line_and_the_librarys_function_are_named(self):
        at = {"file": "task.py", "line": 5, "text": "draw(mesh)", "function": "step", "loop": 0}
        calls = {"kind": "library", "calls": "draw(mesh)", "into": "guide_x.draw", "by": None}
        row = {**at, **calls, "inner": "guide_x.lay_out", "span": "", "ns": 700 * MS, "count": 99}
        inside = {**row, "line": 6, "span": "draw"}
        record = {**self.record(), "sampled": {"ticks": 100, "rows": [inside, row]}}
        (said,) = outside_spans(record)
        assert [place.line for place in said.where] == [5]
        assert "task.py:5 takes 7 ms outside of spans, mostly in guide_x.lay_out" in said.remedy
        (over,) = over_budget(record)
        assert "what lies outside of spans 2 ms cheaper: task.py:5 takes 7 ms" in over.remedy

    def test_no_more_is_promised_than_the_lines_that_are_named_take(self):
        at = {"file": "task.py", "line": 5, "text": "draw(mesh)", "function": "step", "loop": 0}
        calls = {"kind": "library", "calls": "draw(mesh)", "into": "guide_x.draw", "by": None}
        row = {**at, **calls, "inner": "", "span": "", "ns": 100 * MS, "count": 99}
        record = {**self.record(), "sampled": {"ticks": 100, "rows": [row]}}
        (said,) = over_budget(record)
        assert within(said.recoverable_ns, 1 * MS), "of the 2 that a tick is over its budget"
        assert said.at_most

    def test_where_deadlines_are_met_or_spans_cover_a_tick_it_is_no_fault(self):
        assert outside_spans(self.record(rate_hz=50)) == []
        assert outside_spans(self.record(rate_hz=None)) == []
        assert outside_spans(virtual(draw=14)) == []
        assert outside_spans({**self.record(), "spans": {}}) == []


class TestLateWake:
    def late(self, cause, count=60, ms=9):
        """A hundred ticks a second of 2 ms, of which every fifth began late, and why."""
        record = virtual(work=2)
        for i in range(0, 5 * count, 5):
            for key in ("start_ns", "end_ns"):
                record["ticks"][key][i] += ms * MS
        record["misses"]["causes"] = {cause: count}
        return record

    @pytest.mark.parametrize(
        ("cause", "remedy", "word"),
        [
            ("woke late: gil", "process", "GIL"),
            ("woke late: no free processor", "fewer threads", "run delay"),
            ("woke late", "guide run --realtime", "lateness"),
        ],
    )
    def test_each_cause_has_its_remedy_and_its_word(self, cause, remedy, word):
        (said,) = late_wake(self.late(cause))
        assert remedy in said.remedy
        assert said.word.name == word

    def test_what_is_given_back_is_the_mean_lateness(self):
        (said,) = late_wake(self.late("woke late: gil"))
        assert within(said.recoverable_ns, 9 * MS / 5, 0.2)

    def test_a_punctual_loop_and_one_that_was_late_twice_are_left_alone(self):
        assert late_wake(virtual(work=2)) == []
        assert late_wake(self.late("woke late", count=2)) == []


class TestWaiting:
    def free(self, **ms):
        return virtual(rate_hz=None, read=6, work=4, **ms)

    @pytest.mark.parametrize("sleeper", ["read", "work"])
    def test_the_stage_that_sleeps_is_named_be_it_the_longest_or_not(self, sleeper):
        spans = {"read": (6, 6), "work": (4, 4)}
        took, _ = spans[sleeper]
        spans[sleeper] = (took, took - 3)
        (said,) = waiting(used(self.free(), cpu=7, spans=spans))
        assert said.title == "waiting, not computing"
        assert f"in {sleeper} it waits 3 ms" in said.says
        assert within(said.recoverable_ns, 3 * MS)

    def test_a_loop_that_computes_is_bound_by_its_work_and_left_alone(self):
        spans = {"read": (6, 6), "work": (4, 4)}
        record = used(self.free(), cpu=9.9, spans=spans)
        assert [waiting(record), uneven(record), crowded(record), garbage(record)] == [[]] * 4

    def test_a_thread_that_computes_in_python_takes_turns_with_the_loop(self):
        spans = {"read": (6, 3), "work": (4, 2)}
        record = totals(self.free(), cpu=3)
        (said,) = waiting(used(record, cpu=5, others=5, spans=spans))
        assert said.title == "waiting for the interpreter's lock"
        assert within(said.recoverable_ns, 5 * MS)

    def test_waiting_for_what_other_threads_compute_for_it_is_no_fault(self):
        spans = {"read": (6, 1), "work": (4, 4)}
        record = totals(self.free(), cpu=3)
        assert waiting(used(record, cpu=5, others=5, spans=spans)) == []

    def test_a_pipeline_with_stages_on_other_threads_is_left_to_its_track(self):
        record = used(self.free(), cpu=5, others=5)
        record["spans"]["decode"] = {**record["spans"]["work"], "beside": True}
        record["spans"]["decode"]["total_ns"] = record["spans"]["read"]["total_ns"]
        assert waiting(record) == []

    def test_a_real_loop_that_sleeps_in_a_stage_is_named_by_it(self):
        class Sleeps(Stages):
            def step(self, tick):
                with tick.span("read"):
                    time.sleep(0.004)
                with tick.span("work"):
                    sum(range(60_000))

        (said,) = waiting(record_of(Sleeps(None), ticks=60, rate_hz=None))
        assert "in read it waits" in said.says


class TestWaitingAtARate:
    """Deadlines are met, or missed; what waits is told in either case."""

    def of(self, draw=13, **ms):
        return virtual(rate_hz=30.0, capture=1, track=5, draw=draw, **ms)

    def spans(self, capture=1, track=5, draw=1, took=13):
        return {"capture": (1, capture), "track": (5, track), "draw": (took, draw)}

    def test_a_span_that_sleeps_is_named_though_every_deadline_is_met(self):
        (said,) = waiting(used(self.of(), cpu=7, spans=self.spans()))
        assert "in draw it waits 12 ms of its 13 ms" in said.says
        assert said.sure == "sure"
        assert within(said.recoverable_ns, 12 * MS)

    def test_where_no_span_was_asked_the_rest_of_the_tick_says_what_must_have_waited(self):
        (said,) = waiting(used(self.of(), cpu=7))
        assert "in draw it waits at least 6" in said.says  # 12 ms wait; the others have 6
        assert said.sure == "likely"

    def test_standing_in_line_while_it_computes_is_no_wait_of_a_span(self):
        spans = {"capture": (1, 1), "track": (13, 5), "draw": (13, 1)}
        record = virtual(rate_hz=30.0, capture=1, track=13, draw=13)
        (said,) = waiting(used(record, cpu=7, run_delay=8, spans=spans))
        assert "in draw it waits" in said.says

    def test_a_loop_that_computes_is_left_alone(self):
        assert waiting(used(self.of(), cpu=18.9, spans=self.spans(draw=13))) == []

    @pytest.mark.parametrize("pacing", ["capture", "wait", "present", "render/readback"])
    def test_what_keeps_the_pace_may_wait(self, pacing):
        record = used(virtual(rate_hz=30.0, track=5, **{pacing: 20}), cpu=6)
        assert waiting(record) == []
        spans = {"track": (5, 5), pacing: (20, 1)}
        assert waiting(used(record, cpu=6, spans=spans)) == []

    def test_waiting_now_and_then_is_told_as_slow_now_and_then(self):
        record = self.of(draw=lambda i: 1 if i % 17 != 1 else 103)
        assert waiting(used(record, cpu=7, spans=self.spans(took=7))) == []

    def test_waiting_for_what_a_worker_computes_is_no_fault(self):
        record = totals(self.of(), cpu=3)
        assert waiting(used(record, cpu=7, others=12, spans=self.spans())) == []


class TestLockAtARate:
    """Another thread computes in Python all the time: whatever the ticks do takes its time."""

    def record(self, late=5, cpu=10.0):
        """Every sixth tick is late over draw; seven ms of it compute. Ten seconds."""
        draw = [1, 1, 4, 12, 20, 60]
        record = virtual(rate_hz=30.0, track=15, draw=lambda i: draw[i % 6])
        for key in ("start_ns", "end_ns"):
            record["ticks"][key] = [t + late * MS for t in record["ticks"][key]]
        cpu *= record["seconds"] / 10
        spans = {"track": (15, 5), "draw": (16, 1)}
        return used(totals(record, cpu=cpu), cpu=7, others=28, spans=spans)

    def test_the_thread_is_named_and_not_the_span_that_it_made_late(self):
        (said,) = waiting(self.record())
        assert said.title == "waiting for the interpreter's lock"
        assert said.sure != "sure"
        assert within(said.recoverable_ns, (15 + 16.3 + 5 - 7) * MS)
        assert over_budget(self.record()) == []

    def test_it_is_found_where_no_span_was_asked(self):
        record = self.record()
        record["usage"]["loop"]["spans"] = {}
        (said,) = waiting(record)
        assert said.title == "waiting for the interpreter's lock"

    def test_threads_that_compute_for_the_loop_are_no_fault(self):
        # Between two ticks there is nothing for them to do, so nobody is woken late
        assert waiting(self.record(late=0, cpu=4)) == []

    def test_it_points_at_the_lines_that_make_threads(self, tmp_path):
        lines = "import threading\ndef hog(): pass\nthreading.Thread(target=hog).start()\n"
        (tmp_path / "stages.py").write_text(lines)
        record = self.record()
        record["project"]["folder"] = str(tmp_path)
        (place,) = waiting(record)[0].where
        assert place.line == 3

    def test_a_span_that_is_slow_by_itself_is_likely_no_more(self):
        (said,) = over_budget(virtual(read=2, detect=lambda i: 4 if i % 20 else 24, draw=1))
        assert said.sure == "likely"

    def test_what_others_took_of_a_slow_span_is_not_its_own(self):
        record = virtual(read=2, detect=lambda i: 4 if i % 20 else 24, draw=1)
        assert over_budget(used(record, cpu=7, run_delay=1)) == []

    def test_a_span_that_sleeps_now_and_then_is_its_own_whatever_others_took(self):
        record = virtual(read=2, detect=lambda i: 4 if i % 20 else 24, draw=1)
        (said,) = over_budget(used(record, cpu=6, run_delay=1))
        assert within(said.recoverable_ns, MS)

    def test_a_loop_that_misses_deadlines_in_line_is_told_who_stands_before_it(self):
        record = virtual(read=2, detect=lambda i: 4 if i % 20 else 24, draw=1)
        (said,) = crowded(used(totals(record, cpu=6, threads_delay=9), cpu=5, run_delay=3))
        assert said.title == "more threads than processors"


class TestCrowded:
    def record(self, threads_delay, cpu, run_delay=4):
        record = virtual(rate_hz=None, work=10)  # 3 s, on two processors
        return used(
            totals(record, cpu=cpu, threads_delay=threads_delay), cpu=6, run_delay=run_delay
        )

    def test_own_threads_that_stand_in_line_are_too_many(self):
        (said,) = crowded(self.record(threads_delay=6, cpu=5.7))
        assert said.title == "more threads than processors"
        assert said.says.startswith("3.9 threads want to run on 2 processors")
        assert within(said.recoverable_ns, 4 * MS)

    def test_who_stands_in_line_alone_is_told_of_other_programs(self):
        (said,) = crowded(self.record(threads_delay=1.2, cpu=1.8))
        assert said.title == "other programs have the processors"
        assert said.machine
        assert "threads" not in said.remedy

    def test_a_loop_that_has_its_processor_is_left_alone(self):
        assert crowded(self.record(threads_delay=6, cpu=5.7, run_delay=0.5)) == []
        paced = virtual(work=2)
        assert crowded(used(totals(paced, cpu=6, threads_delay=6), cpu=2, run_delay=1)) == []

    def test_where_the_loop_waits_for_those_threads_nothing_is_to_be_gained(self):
        record = totals(virtual(rate_hz=None, work=10), cpu=5.9, threads_delay=6)
        (said,) = crowded(used(record, cpu=4, run_delay=2))
        assert said.recoverable_ns == 0


class TestPauses:
    def test_garbage_in_a_free_loop_gives_back_what_it_takes(self):
        (said,) = garbage(used(virtual(rate_hz=None, work=10), gc=2))
        assert within(said.recoverable_ns, 2 * MS)
        assert garbage(used(virtual(rate_hz=None, work=10), gc=0.2)) == []

    def test_at_a_rate_it_is_told_when_deadlines_are_missed_over_it(self):
        record = used(virtual(work=4), gc=2)
        assert garbage(record) == late_garbage(record) == []
        record["misses"]["causes"] = {"gc": 9}
        (said,) = late_garbage(record)
        assert said.says.startswith("9 deadlines")

    def test_pages_from_disk_take_the_blame_for_the_wait(self):
        record = used(virtual(rate_hz=None, work=10), cpu=6, major=3000)
        (said,) = pages_from_disk(record)
        assert within(said.recoverable_ns, 4 * MS)
        assert waiting(record) == []
        assert pages_from_disk(used(virtual(rate_hz=None, work=10), cpu=6)) == []

    @pytest.mark.parametrize(
        ("faults", "kernel_s", "found"), [(50, 0.9, 1), (50, 0.1, 0), (1, 0.9, 0)]
    )
    def test_new_pages_are_told_by_faults_in_every_tick_and_time_in_the_kernel(
        self, faults, kernel_s, found
    ):
        record = virtual(rate_hz=None, work=10)  # 300 ticks in 3 s
        steps = range(31)
        record = sampled(
            record,
            faults_minor=[10 * faults * i for i in steps],
            cpu_system=[kernel_s / 30 * i for i in steps],
        )
        said = new_pages(record)
        assert len(said) == found
        for verdict in said:
            # Not all of it: what was zeroed is in the cache
            assert within(verdict.recoverable_ns, 0.7 * kernel_s / 300 * 1e9)


class TestMemoryGrowth:
    def of(self, level, seconds=20):
        record = virtual(rate_hz=None, work=20, ticks=1000)
        return memory_growth(sampled(record, memory=[level(i / 10) for i in range(10 * seconds)]))

    def test_what_grows_and_goes_on_growing_is_told_with_its_slope(self):
        (said,) = self.of(lambda s: 1e8 + 3e6 * s)
        assert "3 MB a second" in said.says
        assert said.pressing

    @pytest.mark.parametrize(
        "level",
        [
            lambda s: 1e8,
            lambda s: 1e8 + 4e8 * (1 - 0.5**s),  # warming up
            lambda s: 1e8 + 2e8 * (1 - 0.8**s),  # a pool that fills slowly
            lambda s: 1e8 + 5e7 * (10 * s % 7),  # a saw: garbage
            lambda s: 1e8 + 1e7 * (hash(s) % 9),  # noise
            lambda s: 1e8 + 2e5 * s,  # the record of the run itself
            lambda s: 1e8 + (1e8 if s > 8 else 0),  # one step
        ],
    )
    def test_what_comes_to_rest_is_left_alone(self, level):
        assert self.of(level) == []

    def test_a_leak_is_found_under_the_teeth_of_a_saw(self):
        (said,) = self.of(lambda s: 1e8 + 3e6 * s + 2e7 * (10 * s % 7))
        assert said.title == "memory grows"

    def test_a_run_of_a_few_seconds_is_too_short_to_tell(self):
        assert self.of(lambda s: 1e8 + 3e7 * s, seconds=3) == []


class TestCeilings:
    def record(self, gigabytes):
        record = virtual(rate_hz=None, work=10)
        record["card"] = {"figures": {"triad.all": {"value": 20.0}}}
        record["work"] = {"work": {"bytes": gigabytes * 1e9, "flops": None, "dtype": "f32"}}
        return far_below_ceiling(record)

    def test_a_span_far_below_is_told_with_what_it_could_give(self):
        (said,) = self.record(0.01)  # 1 GB/s of 20
        assert "5 % of this machine's bandwidth" in said.says
        assert within(said.recoverable_ns, 9 * MS)

    def test_one_that_reaches_it_is_bound_by_its_work_and_gives_nothing_back(self):
        (said,) = self.record(0.15)
        assert said.title == "bound by its work"
        assert said.recoverable_ns == 0

    def test_slow_now_and_then_in_a_free_loop(self):
        slow = virtual(rate_hz=None, read=2, work=lambda i: 4 if i % 25 else 54)
        (said,) = uneven(slow)
        assert said.says.startswith("work mostly takes 4")
        assert within(said.recoverable_ns, 2 * MS)
        assert uneven(virtual(rate_hz=None, read=2, work=4)) == []
        # What the machine took away from it is not its own doing
        assert uneven(used(slow, cpu=5, run_delay=2)) == []


class TestAll:
    def rules(self):
        return [load(d.rule) for d in guide_diagnoses()]

    def test_of_a_record_that_holds_nothing_they_say_nothing(self):
        begun = {"loop": {"rate_hz": 60, "budget_ns": 16}, "status": "running"}
        for rule in self.rules():
            assert rule({}) == rule(begun) == []

    def test_they_say_the_same_again_and_leave_the_record_as_it_is(self):
        record = used(virtual(read=2, detect=12), cpu=5, run_delay=4, gc=2)
        kept = copy.deepcopy(record)
        first = [rule(record) for rule in self.rules()]
        assert first == [rule(record) for rule in self.rules()]
        assert record == kept

    def test_what_they_teach_is_there_to_be_read(self):
        records = [
            virtual(detect=14),
            used(totals(virtual(rate_hz=None, work=10), cpu=1.8), cpu=5, run_delay=4, gc=2),
        ]
        plugins = Plugins()
        known = {s.id for s in all_sections(plugins)} | {e.id for e in plugins.exercises("")}
        found = [v for record in records for rule in self.rules() for v in rule(record)]
        assert len(found) > 2
        for verdict in found:
            assert verdict.teaches
            assert set(verdict.teaches) <= known
            assert verdict.word
            assert any("given back" in name for name, _ in verdict.evidence)

    def test_the_report_of_a_healthy_loop_has_no_notes_of_theirs(self):
        assert explain(Plugins(), virtual(read=2, detect=4)) == []

    def test_what_the_report_shows_anyway_is_not_noted_again(self):
        assert explain(Plugins(), virtual(detect=14)) == []

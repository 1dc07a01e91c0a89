"""What becomes of verdicts: their order, their sum, and what is held against them later."""

import json
from dataclasses import replace

import pytest

from guide.compare import Change
from guide.explain.answer import WORTH, Answer, Part, ranked
from guide.explain.crowd import Crowd, of_run
from guide.explain.telling import Teller, changed
from guide.explain.versus import Versus, held, measured, shift, slower
from guide.explain.written import read_answer, written
from guide.plugin import Pin, Verdict
from guide.plugins import Sentence

MS = 1_000_000


def answer(*found, step_ms=100):
    return ranked(Answer("it", "step", step_ms * MS, 5), found)


def verdict(title, ms, *pins, **more):
    spans = tuple(Pin(a * MS, b * MS) for a, b in pins)
    return Verdict(title, f"{title} costs", round(ms * MS), pins=spans, **more)


def titles(verdicts):
    return [each.title for each in verdicts]


class TestOrder:
    def test_the_one_that_gives_back_most_comes_first_whatever_order_the_rules_had(self):
        found = answer(verdict("small", 5), verdict("large", 40), verdict("middle", 20))
        assert titles(found.worth) == ["large", "middle", "small"]

    def test_among_equals_the_rules_order_stays(self):
        assert titles(answer(*(verdict(n, 10) for n in "bac")).worth) == ["b", "a", "c"]

    def test_what_gives_back_too_little_was_looked_at_and_left(self):
        found = answer(
            verdict("much", 100 * WORTH), verdict("little", 99 * WORTH), verdict("no", 0)
        )
        assert titles(found.worth) == ["much"]
        assert titles(found.left) == ["little", "no"]

    def test_without_anything_worth_mending_it_is_healthy(self):
        assert answer(verdict("decoy", 0)).healthy
        assert not answer(verdict("real", 50)).healthy

    def test_a_plain_sentence_and_a_rule_that_failed_are_neither(self):
        said = Sentence("old", "It is slow."), Sentence("odd", "rule odd failed", failed=True)
        found = answer(*said)
        assert (found.worth, found.left) == ((), ())
        assert (found.remarks, found.failed) == (("It is slow.",), ("rule odd failed",))

    def test_of_a_function_that_nobody_timed_what_has_a_remedy_counts(self):
        found = answer(verdict("a", 0, remedy="do it"), verdict("b", 0), step_ms=0)
        assert (titles(found.worth), titles(found.left)) == (["a"], ["b"])

    def test_what_speaks_of_the_machine_is_no_fault_and_has_no_rank(self):
        others = verdict("others", 60, machine=True)
        found = answer(others, verdict("small", 5))
        assert (titles(found.worth), titles(found.meanwhile)) == (["small"], ["others"])
        assert found.mended_ns() == 95 * MS
        assert answer(others).healthy
        assert held(Versus(answer(others), answer(step_ms=50))) == ""
        assert read_answer(json.loads(json.dumps(written(found)))) == found


class TestPromise:
    def test_a_rule_cannot_promise_more_than_the_step_or_less_than_nothing(self):
        found = answer(verdict("boast", 250), verdict("odd", -3))
        assert found.worth[0].recoverable_ns == 100 * MS
        assert found.left[0].recoverable_ns == 0

    def test_idle_time_that_two_are_about_is_won_once(self):
        found = answer(verdict("a", 40, (0, 40)), verdict("b", 40, (0, 40)))
        assert found.mended_ns() == 60 * MS

    def test_time_that_lies_elsewhere_adds_up(self):
        found = answer(verdict("a", 40, (0, 40)), verdict("b", 30, (50, 80)))
        assert found.mended_ns() == 30 * MS

    def test_of_one_that_lies_half_within_another_half_counts(self):
        found = answer(verdict("a", 40, (0, 40)), verdict("b", 30, (25, 55)))
        assert found.mended_ns() == 45 * MS

    def test_of_one_without_a_place_its_share_of_what_is_left_counts(self):
        assert answer(verdict("a", 50), verdict("b", 40)).mended_ns() == 30 * MS

    @pytest.mark.parametrize("pinned", [True, False])
    def test_however_many_there_are_a_step_never_takes_less_than_no_time(self, pinned):
        many = [verdict(str(i), 60, *([(i * 60, i * 60 + 60)] * pinned)) for i in range(9)]
        assert 0 <= answer(*many).mended_ns() <= 40 * MS

    def test_the_first_alone_is_promised_in_full(self):
        found = answer(verdict("a", 40, (0, 40)), verdict("b", 40, (0, 40)))
        assert found.mended_ns(found.worth[:1]) == 60 * MS


class TestText:
    def test_what_would_steer_a_terminal_does_not_get_through(self):
        found = answer(Verdict("a\x1b[31m\nb", "says\x07 \u202eit", 50 * MS))
        assert found.worth[0].title == "a[31m b"
        assert found.worth[0].says == "says it"


class TestWritten:
    def test_what_was_written_is_read_again_whole(self):
        found = answer(verdict("a", 40, (0, 40), evidence=(("gaps", "3"),)), verdict("no", 0))
        assert read_answer(json.loads(json.dumps(written(found)))) == found

    def test_what_is_pressing_stays_so_and_an_older_guide_knew_of_none(self):
        found = answer(verdict("leak", 0, pressing=True, at_most=True))
        data = json.loads(json.dumps(written(found)))
        assert data["verdicts"][0]["pressing"] is True
        assert read_answer(data) == found
        del data["verdicts"][0]["pressing"], data["verdicts"][0]["at_most"]
        assert read_answer(data).worth[0].pressing is False

    def test_another_schema_is_refused(self):
        with pytest.raises(ValueError, match="schema"):
            read_answer(written(answer()) | {"schema": 99})


class TestVersus:
    before = answer(verdict("gone", 40, (0, 40)), verdict("still", 20, (50, 70)))

    def test_what_is_gone_what_is_still_there_and_what_is_new(self):
        versus = Versus(self.before, answer(verdict("still", 20), verdict("new", 9), step_ms=65))
        assert titles(versus.gone) == ["gone"]
        assert [(a.title, b.title) for a, b in versus.still] == [("still", "still")]
        assert titles(versus.new) == ["new"]

    def test_the_promise_is_of_what_is_gone_and_held_against_what_was_measured(self):
        versus = Versus(self.before, answer(verdict("still", 20), step_ms=65))
        assert versus.predicted == pytest.approx(0.4)
        assert versus.measured == pytest.approx(0.35)
        assert held(versus) == "40 % less was predicted for gone; measured: 35 % less"

    def test_nothing_gone_promises_nothing(self):
        assert held(Versus(self.before, self.before)) == ""

    def test_the_parts_that_moved_most_are_named_with_their_times(self):
        was, now = (
            replace(answer(step_ms=100), parts=tuple(Part(name, ns) for name, ns in parts.items()))
            for parts in (
                {"read": 10 * MS, "draw": 40 * MS, "show": 20 * MS, "gone": 8 * MS, "same": MS},
                {"draw": 39 * MS, "read": 40 * MS, "show": 25 * MS, "new": 9 * MS, "same": MS},
            )
        )
        moved = Versus(was, now).moved
        assert [(part.name, part.more_ns // MS) for part in moved] == [
            ("read", 30), ("new", 9), ("gone", -8)
        ]  # fmt: skip
        assert shift(moved[0]) == "30 ms more: 40 ms, 10 ms before"
        assert Versus(was, was).moved == ()

    def test_a_step_that_became_longer_is_said_to_be(self):
        assert measured(Versus(self.before, answer(step_ms=150))) == "50 % more"


class TestOthers:
    """What other programs took must not speak for the change."""

    def tick(self, work_ms, in_line_ms, *found, **parts):
        made = ranked(Answer("run", "tick", round((work_ms + in_line_ms) * MS), 300), found)
        named = tuple(Part(name, ns) for name, ns in parts.items())
        return replace(made, crowd=Crowd(round(in_line_ms * MS), cores=2), parts=named)

    def step(self, ms, others, *found, felt=True, **parts):
        named = tuple(Part(name, ns) for name, ns in parts.items())
        return replace(answer(*found, step_ms=ms), crowd=Crowd(None, others, 2, felt), parts=named)

    def test_time_in_line_is_taken_off_both_and_that_is_said(self):
        versus = Versus(self.tick(10, 5, verdict("loop", 5)), self.tick(6, 10))
        assert versus.measured == pytest.approx(0.4)
        assert "takes 16 ms, 15 ms before; without its time in line" in changed(versus)
        assert "6 ms, 10 ms before: 40 % less." in changed(versus)
        assert held(versus) == (
            "33 % less was predicted for loop; measured, without its time in line for processors: "
            "40 % less"
        )
        assert not slower(Versus(self.tick(10, 1), self.tick(10, 30)))

    def test_what_too_little_stood_in_line_for_is_left_in(self):
        versus = Versus(self.tick(100, 1), self.tick(49, 1))
        assert versus.alone_ns is None
        assert versus.measured == pytest.approx(1 - 50 / 101)

    def test_the_interval_moves_with_the_figure_and_is_as_wide_as_it_was(self):
        before, after = self.tick(10, 10), self.tick(5, 15)
        versus = Versus(before, after, Change("tick mean", 20, 20, "s", -0.1, 0.1))
        low, high = versus.interval
        assert (low, versus.measured, high) == pytest.approx((0.45, 0.5, 0.55))
        assert not versus.chance

    def test_of_traces_it_cannot_be_told_and_the_part_that_shrank_is_named(self):
        before = self.step(50, 0.1, verdict("loop", 9), felt=False, copy=20 * MS, other=30 * MS)
        versus = Versus(before, self.step(100, 1.7, copy=8 * MS, other=92 * MS))
        assert "more" not in changed(versus)
        assert "cannot be told: other programs had 1.7 of 2 processors in the later" in changed(
            versus
        )
        assert "18 % less was predicted for loop; what came of it cannot be told" in held(versus)
        assert held(versus).endswith("shorter most: copy, 12 ms less: 8 ms, 20 ms before")
        assert not slower(versus)
        told = list(Teller(80, False, set()).versus(versus))
        assert any(line.startswith("Gone?") for line in told)

    def test_who_had_the_processors_in_both_is_said_of_both(self):
        versus = Versus(self.step(50, 1.4), self.step(60, 1.7))
        assert "had 1.4 of 2 processors before, and 1.7 after" in changed(versus)
        assert Versus(self.step(50, 0, felt=False), self.step(9, 0, felt=False)).doubt == ""

    def test_a_small_change_without_an_interval_is_no_fact(self):
        few = Versus(answer(step_ms=100), answer(step_ms=105))
        assert measured(few) == "5 % more, which may be chance"
        assert not slower(few)
        assert "chance" not in measured(Versus(answer(step_ms=100), answer(step_ms=80)))
        assert "chance" in measured(Versus(self.tick(100, 0), self.tick(80, 0)))

    def test_it_is_kept_with_the_parts(self):
        found = self.step(50, 1.4, verdict("loop", 9), copy=20 * MS)
        again = read_answer(json.loads(json.dumps(written(found))))
        assert (again.crowd, again.parts) == (found.crowd, found.parts)
        old = {k: v for k, v in written(found).items() if k not in ("crowd", "parts", "meanwhile")}
        assert read_answer(old).crowd is None

    def test_who_stands_in_line_behind_threads_of_its_own_is_not_disturbed_by_others(self):
        def record(cpu_s, delay_s):
            totals = [{"name": "cpu", "value": cpu_s}, {"name": "threads.delay", "value": delay_s}]
            usage = {"loop": {"run_delay_ns": 100 * MS}, "totals": totals}
            machine = {"threads": 2}
            return {"usage": usage, "loop": {"ticks": 50}, "machine": machine, "seconds": 10}

        assert of_run(record(5, 4)) == Crowd(2 * MS, cores=2)
        assert of_run(record(18, 20)).in_line_ns is None

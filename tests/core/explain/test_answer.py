"""What becomes of verdicts: their order, their sum, and what is held against them later."""

import json
from dataclasses import replace

import pytest

from guide.explain.answer import WORTH, Answer, Part, ranked
from guide.explain.versus import Versus, held, measured, shift
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

"""Runs of every kind and age become an answer, or one line that says why not."""

import json

import pytest

from guide.clock import VirtualClock
from guide.errors import GuideError
from guide.explain.page import page
from guide.explain.spent.ticks import of_run
from guide.explain.target import explain_target
from guide.explain.telling import Teller
from guide.plugins import Plugins
from tests.core.loops import MS, Stages, record_of
from tests.core.sample_record import killed, older, sample

EVIL = "<script>alert(1)</script>"


def explained(folder, record):
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return explain_target(folder, Plugins([], []))


@pytest.mark.parametrize("of", [dict, older, killed])
def test_a_record_of_any_age_is_explained(tmp_path, of):
    found = explained(tmp_path / "run", of(sample()))
    assert found.answer.unit == "tick"
    assert found.answer.step_ns > 0
    assert sum(part.ns for part in found.answer.spent) <= 1.01 * found.answer.step_ns
    assert list(Teller(60, False).answer(found.answer))


def test_a_run_that_never_ticked_is_one_line(tmp_path):
    with pytest.raises(GuideError, match="before its first tick"):
        explained(tmp_path / "run", sample(ticks=0))


def test_names_that_are_markup_stay_text(tmp_path):
    record = sample()
    span = next(iter(record["spans"].values()))
    record["spans"] = {EVIL: span}
    found = explained(tmp_path / "run", record)
    assert EVIL not in page(found.answer)


def test_a_step_of_a_run_is_counted_from_when_it_was_due(tmp_path):
    record = sample()
    record["loop"]["rate_hz"] = 60
    late, work = record["lateness"]["mean_ns"], record["tick_time"]["mean_ns"]
    found = explained(tmp_path / "run", record)
    assert found.answer.step_ns == pytest.approx(late + work, abs=2)


class Nested(Stages):
    """Has garbage collected inside of a span, and a span inside of another."""

    def step(self, tick):
        with tick.span("draw"):
            began_ns = self.clock.now_ns()
            self.clock.advance(8 * MS)
            tick.timeline.add("gc", began_ns, began_ns + 7 * MS)
            with tick.span("text"):
                self.clock.advance(MS)
        with tick.span("track"):
            self.clock.advance(2 * MS)


@pytest.mark.parametrize("rate_hz", [100, 50])  # missed, so there are flight records; or met
def test_what_lies_inside_of_a_span_is_no_part_of_a_tick_beside_it(rate_hz):
    clock = VirtualClock()
    record = record_of(Nested(clock), clock=clock, ticks=40, rate_hz=rate_hz)
    tick_ns, parts, limits = of_run(record)
    assert sum(part.ns for part in parts) == pytest.approx(tick_ns, rel=0.01)
    assert [part.name for part in parts][:2] == ["draw", "track"]
    assert "draw" in limits


class Between(Stages):
    """Does most of its work in no span."""

    def step(self, tick):
        for number in range(5):
            with tick.span(f"part {number}"):
                self.clock.advance(MS)
        self.clock.advance(6 * MS)


def test_what_lies_in_no_span_is_a_part_of_a_tick_by_that_name():
    clock = VirtualClock()
    record = record_of(Between(clock), clock=clock, ticks=40, rate_hz=50)
    tick_ns, parts, limits = of_run(record)
    assert {part.name: part.ns for part in parts[3:]} == {
        "other spans": 2 * MS,
        "outside of spans": 6 * MS,
    }
    assert sum(part.ns for part in parts) == tick_ns
    assert limits == "55 % of a tick lies outside of spans."

import io
import json
import random
from collections import defaultdict

import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.loop import Loop, TickRecord
from guide.timing import Timeline
from guide.trace import dump_trace, write_trace


def events(timeline, ticks=(), name="demo"):
    out = io.StringIO()
    dump_trace(out, name, timeline, ticks)
    return json.loads(out.getvalue())["traceEvents"]


def spans(found):
    return [e for e in found if e["ph"] == "X" and e["name"] != "tick"]


def ns(us):
    return round(us * 1000)


def rows(found):
    by_row = defaultdict(list)
    for event in spans(found):
        by_row[event["tid"]].append((ns(event["ts"]), ns(event["ts"]) + ns(event["dur"]), event))
    return by_row


def assert_rows_nest(found):
    for row in rows(found).values():
        for i, (start, end, _) in enumerate(row):
            for other_start, other_end, _ in row[i + 1 :]:
                apart = other_start >= end or other_end <= start
                inside = start <= other_start and other_end <= end
                around = other_start <= start and end <= other_end
                assert apart or inside or around


@pytest.fixture
def timeline():
    return Timeline(VirtualClock(start_ns=10**18))  # days since boot, in ns: no decimals to waste


def test_an_empty_timeline_is_valid_json(timeline):
    assert [e["ph"] for e in events(timeline)] == ["M", "M"]


def test_times_are_microseconds_from_the_earliest_event_exact_to_the_nanosecond(timeline):
    timeline.add("a", 10**18 + 1_001, 10**18 + 2_004)
    timeline.add("b", 10**18, 10**18 + 1)
    assert [(e["name"], ns(e["ts"]), ns(e["dur"])) for e in spans(events(timeline))] == [
        ("b", 0, 1),
        ("a", 1_001, 1_003),
    ]


def test_nested_spans_share_a_row_outer_first(timeline):
    clock = timeline.clock
    with timeline.span("outer"):
        clock.advance(5)
        with timeline.span("inner"):
            clock.advance(5)
        with timeline.span("second"):
            clock.advance(5)
    found = spans(events(timeline))
    assert [e["name"] for e in found] == ["outer", "inner", "second"]
    assert len({e["tid"] for e in found}) == 1


def test_a_span_that_begins_with_the_one_around_it_still_lies_inside(timeline):
    timeline.add("inner", 0, 5)
    timeline.add("outer", 0, 10)
    found = spans(events(timeline))
    assert [e["name"] for e in found] == ["outer", "inner"]
    assert len({e["tid"] for e in found}) == 1


@pytest.mark.parametrize("seed", range(10))
def test_spans_of_one_lane_that_overlap_never_do_within_a_row(timeline, seed):
    rng = random.Random(seed)
    for i in range(200):
        start = rng.randrange(1000)
        timeline.add(f"s{i}", start, start + rng.choice([0, 1, 5, 50, 300]), lane="gpu")
    found = events(timeline)
    assert len(spans(found)) == 200
    assert_rows_nest(found)
    names = {e["args"]["name"] for e in found if e["name"] == "thread_name"}
    assert names == {"ticks", "gpu"}


def test_each_lane_has_a_row_of_its_own_with_its_name(timeline):
    timeline.name_thread("capture")
    timeline.add("grab", 0, 10)
    timeline.add("draw", 0, 10, lane="gpu")
    timeline.add("copy", 0, 10, lane=4711)
    found = events(timeline)
    labels = {e["tid"]: e["args"]["name"] for e in found if e["name"] == "thread_name"}
    assert {e["name"]: labels[e["tid"]] for e in spans(found)} == {
        "grab": "capture",
        "draw": "gpu",
        "copy": "thread 4711",
    }


@pytest.mark.parametrize(
    "name", ['say "hi"', "back\\slash", "new\nline", "größer 🧬", "\ud800", ""]
)
def test_any_name_survives(timeline, name):
    timeline.add(name, 0, 1)
    timeline.mark(name)
    timeline.counter(name, 1)
    assert [e["name"] for e in events(timeline, name=name) if e["ph"] in "XiC"] == [name] * 3


def test_a_name_with_half_a_surrogate_can_be_written_to_a_file(timeline, tmp_path):
    timeline.add("\ud800", 0, 1)
    write_trace(tmp_path / "trace.json", "demo", timeline, [])
    assert json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))


def test_ticks_and_missed_deadlines_are_there_and_no_time_is_negative():
    clock = VirtualClock(start_ns=5_000_000)
    loop = Loop(100, clock=clock, budget_s=1e-6, ticks=3)
    for _ in loop:
        clock.advance(2_000_000)
    found = events(loop.timeline, loop.log.recent())
    assert [e["args"]["index"] for e in found if e["name"] == "tick"] == [0, 1, 2]
    assert sum(e["name"] == "deadline missed" for e in found) == 3
    assert all(e["ts"] >= 0 for e in found if "ts" in e)


def test_a_first_tick_that_began_after_its_deadline_has_no_negative_time(timeline):
    late = TickRecord(0, 10**18, 10**18 + 500, 10**18 + 900, 10**18 + 100, 0)
    found = events(timeline, [late])
    assert min(e["ts"] for e in found if "ts" in e) >= 0


def test_a_frame_is_followed_from_span_to_span_by_its_number(timeline):
    timeline.add("grab", 0, 10, lane="a", flow=7)
    timeline.add("detect", 10, 20, lane="b", flow=7)
    timeline.add("show", 20, 30, lane="a", flow=7)
    timeline.add("grab", 10, 20, lane="a", flow=8)
    found = events(timeline)
    assert [(e["ph"], e["id"]) for e in found if e["ph"] in "stf"] == [("s", 7), ("t", 7), ("f", 7)]
    assert [e["args"].get("flow") for e in spans(found)] == [7, 8, 7, 7]


def test_counters_and_marks_are_there_and_what_is_no_number_is_left_out(timeline):
    timeline.mark("loop closed")
    for value in (1.5, float("nan"), float("inf"), 2):
        timeline.counter("queue", value)
    found = events(timeline)
    assert [e["args"]["value"] for e in found if e["ph"] == "C"] == [1.5, 2]
    assert [e["name"] for e in found if e["ph"] == "i"] == ["loop closed"]


def test_figures_of_numpy_can_be_written(timeline):
    for lane in ("a", "b"):
        timeline.add("x", np.int64(1), np.int64(2), lane=lane, tick=np.int32(3), flow=np.int64(4))
    with timeline.span("y", flow=np.int64(5)):
        pass
    timeline.counter("c", np.float32(0.5), np.int64(7))
    assert len(spans(events(timeline))) == 3

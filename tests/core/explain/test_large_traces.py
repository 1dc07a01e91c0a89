"""Files with more events than are kept: read twice, so that memory stays bounded."""

import json

import pytest

from benchmarks.explain import bulk
from guide.explain.reading import read_trace


@pytest.fixture
def read(tmp_path):
    def read_events(events, most):
        file = tmp_path / "trace.json"
        file.write_text(json.dumps({"traceEvents": events}))
        return read_trace(file, most=most)

    return read_events


def x(name, ts, dur, cat="cpu_op"):
    return {"ph": "X", "cat": cat, "name": name, "pid": 1, "tid": 1, "ts": ts, "dur": dur}


def test_of_a_file_with_too_many_events_a_few_typical_steps_are_kept(tmp_path):
    file = tmp_path / "trace.json"
    file.write_text(bulk.text(steps=40, operators=50))
    whole, part = read_trace(file), read_trace(file, most=2000)
    assert len(whole.events) > 6000
    assert len(part.events) <= 3000
    assert part.stepped
    assert 3 <= len(part.steps) < 40
    assert part.missing[0].startswith("the file has 6,080 events: more than are kept")
    assert part.steps[0].name in part.missing[0]
    # In each step that is looked at there is all that was in it
    for step in part.steps:
        same = next(s for s in whole.steps if s.name == step.name)
        assert step.ns == same.ns
        counts = [
            int(((t.events.start_ns >= w.start_ns) & (t.events.start_ns < w.end_ns)).sum())
            for t, w in ((whole, same), (part, step))
        ]
        assert counts[0] == counts[1]
    assert part.step_ns == whole.step_ns


def test_without_steps_a_stretch_in_the_middle_is_kept(read):
    events = [x(f"aten::op{i % 7}", 10 * i, 8) for i in range(10_000)]
    trace = read(events, most=1000)
    assert 500 < len(trace.events) <= 1500
    assert not trace.stepped
    assert 4_000 < trace.events.start_ns[-1] / 1000 < 11_000
    assert "a part from its middle" in trace.missing[0]


def test_one_step_that_is_too_large_is_looked_at_in_part(read):
    events = [x(f"ProfilerStep#{i}", i * 100_000, 100_000, "user_annotation") for i in range(3)]
    events += [x("aten::op", 10 * i, 8) for i in range(30_000)]
    trace = read(events, most=1000)
    assert not trace.stepped
    assert trace.missing[0].startswith("one step alone holds more events than are kept")
    assert len(trace.events) <= 1500

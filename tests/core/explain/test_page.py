"""The page: whole without a network, and one step drawn with as few shapes as a browser likes."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from guide.explain.answer import Answer, Line, Part, ranked
from guide.explain.lanes import drawn_step, lanes_of, span_colours
from guide.explain.page import page
from guide.explain.reading import read_trace
from guide.explain.spent.doubts import conclusion
from guide.explain.spent.traced import of_trace
from guide.plugin import Pin, Place, Verdict
from tests.core.explain.some_trace import events, write_trace

MS = 1_000_000


@pytest.fixture
def trace(tmp_path):
    return read_trace(write_trace(tmp_path / "t.json"))


def answer(trace, *found):
    return ranked(Answer("t.json", "step", trace.step_ns, len(trace.steps)), found)


def pinned(trace, title="waiting", lane=""):
    pins = tuple(Pin(step.end_ns - 5 * MS, step.end_ns, lane) for step in trace.steps)
    return Verdict(title, "It waits.", 5 * MS, pins=pins)


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_needs_nothing_from_anywhere(trace):
    text = page(answer(trace, pinned(trace)), trace)
    assert not re.search(r"(src|href)=.?(https?:|//)|@import|url\(", text)


def test_its_tags_close(trace):
    parser = Balanced()
    parser.feed(page(answer(trace, pinned(trace)), trace))
    assert parser.open == []


def test_a_verdict_is_numbered_pinned_and_told(trace):
    text = page(answer(trace, pinned(trace)), trace)
    assert 'id="verdict-1"' in text
    assert 'href="#verdict-1"' in text
    assert "It waits." in text


def test_commands_are_set_apart_from_the_sentence_they_stand_in(trace):
    said = "Type guide run --realtime, then guide report says more. Or guide read m1/s0."
    text = page(answer(trace, Verdict("x", "x", 5 * MS, remedy=said)), trace)
    for command in ("guide run --realtime", "guide report", "guide read m1/s0"):
        assert f"<code>{command}</code>" in text


def test_names_are_text_and_never_markup(tmp_path):
    evil = "<script>alert(1)</script>"
    trace = read_trace(write_trace(tmp_path / "t.json", name=evil))
    text = page(answer(trace, pinned(trace, evil), Verdict(evil, evil)), trace)
    assert evil not in text
    assert "&lt;script&gt;" in text


def test_without_a_trace_the_verdicts_are_there_all_the_same(trace):
    text = page(answer(trace, pinned(trace)))
    assert "<svg" not in text
    assert "It waits." in text


def test_the_gpus_lane_shows_what_is_idle_as_long_as_it_is(trace):
    step = trace.typical
    gpu = next(lane for lane in lanes_of(trace, step) if lane.name == "GPU")
    busy = sum((s.end_ns - s.start_ns) * s.dense for s in gpu.shapes if s.css == "busy")
    assert busy == pytest.approx(0.4 * step.ns, rel=0.05)


def test_every_thread_and_stream_has_its_lane_with_operators_below_the_step(trace):
    lanes = {lane.name: lane for lane in lanes_of(trace, trace.typical)}
    assert {"GPU", "stream 7"} <= lanes.keys()
    host = next(lane for lane in lanes.values() if lane.track == "1/1")
    assert [s.words for s in host.shapes if s.row < 2] == [trace.typical.name, "aten::mm"]


def test_a_hundred_thousand_events_are_few_shapes_that_cover_as_much(tmp_path):
    trace = read_trace(write_trace(tmp_path / "t.json", kernels=25_000, busy=0.5))
    lanes = lanes_of(trace, trace.typical)
    assert sum(len(lane.shapes) for lane in lanes) < 3000
    stream = next(lane for lane in lanes if lane.name == "stream 7")
    assert sum(s.end_ns - s.start_ns for s in stream.shapes) == pytest.approx(5 * MS, rel=0.1)
    assert "25,000 events" in stream.shapes[0].title


def test_nothing_is_drawn_outside_of_the_step(tmp_path):
    trace = read_trace(write_trace(tmp_path / "t.json"))
    for step in trace.steps:
        for lane in lanes_of(trace, step):
            assert all(step.start_ns <= s.start_ns <= s.end_ns <= step.end_ns for s in lane.shapes)


def test_of_steps_of_the_usual_length_one_with_pins_is_drawn(trace):
    only = trace.steps[3]
    found = Verdict("x", "x", 5 * MS, pins=(Pin(only.start_ns, only.start_ns + 10),))
    assert drawn_step(trace, [found]) == only


def test_the_same_trace_gives_the_same_page(trace):
    found = answer(trace, pinned(trace))
    assert page(found, trace) == page(found, trace)


def test_events_in_great_disorder_are_drawn_too(trace):
    rng = np.random.default_rng(3)
    starts = trace.events.start_ns + rng.integers(-MS, MS, len(trace.events))
    ends = trace.events.end_ns + rng.integers(-MS, MS, len(trace.events))
    odd = replace(trace.events, start_ns=starts, end_ns=np.maximum(starts, ends))
    trace = replace(trace, events=odd)
    assert "<svg" in page(answer(trace, pinned(trace)), trace)


def test_a_step_is_as_long_as_the_device_takes_for_it_however_far_the_host_runs_ahead(tmp_path):
    """Launched within 1 ms, each step's kernel takes 10: the host's steps would say 1 ms."""
    made = []
    for i in range(5):
        step = {
            "ph": "X",
            "cat": "user_annotation",
            "name": f"ProfilerStep#{i}",
            "pid": 1,
            "tid": 1,
        }
        made.append(step | {"ts": i * 1000, "dur": 1000})
        call = {"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 1}
        made.append(call | {"ts": i * 1000 + 10, "dur": 5, "args": {"correlation": i}})
        kernel = {"ph": "X", "cat": "kernel", "name": "gemm", "pid": 0, "tid": 7}
        made.append(kernel | {"ts": 100 + i * 10_000, "dur": 10_000, "args": {"correlation": i}})
    (tmp_path / "t.json").write_text(json.dumps({"traceEvents": made}))
    step_ns, parts, limits = of_trace(read_trace(tmp_path / "t.json"))
    assert step_ns == pytest.approx(10 * MS, rel=0.01)
    assert parts[0].ns == pytest.approx(10 * MS, rel=0.01)
    assert "busy 100 %" in limits
    assert "it is the limit" in conclusion(parts)


def test_threads_that_sit_in_python_take_no_lane_from_those_that_work(tmp_path):
    made = events()
    for tid in range(20, 30):
        waits = {"ph": "X", "cat": "python_function", "name": "wait", "pid": 1, "tid": tid}
        made.append(waits | {"ts": 0, "dur": 40_000})
    (tmp_path / "t.json").write_text(json.dumps({"traceEvents": made}))
    trace = read_trace(tmp_path / "t.json")
    assert [lane.track for lane in lanes_of(trace, trace.typical)] == ["", "0/7", "1/1"]


def test_a_drawing_that_is_longer_than_what_is_said_says_that_the_profiler_made_it_so(tmp_path):
    file = write_trace(tmp_path / "t.json")
    made = json.loads(file.read_text())
    file.write_text(json.dumps({"guide": {"step_ns": 3 * MS}, **made}))
    trace = read_trace(file)
    slowed = replace(answer(trace), step_ns=3 * MS)
    assert "under it this step took 10 ms, without it a step takes 3 ms" in page(slowed, trace)
    assert "profiler" not in page(answer(trace), replace(trace, about={}))


def test_a_span_has_one_colour_in_the_bar_and_in_the_drawing_and_six_have_six(tmp_path):
    names = [f"span {i}" for i in range(6)]
    event = {"ph": "X", "pid": 1, "tid": 2, "args": {}}
    made = [event | {"name": "tick", "tid": 1, "ts": 0, "dur": 6000, "args": {"late_us": 1}}]
    made += [event | {"name": n, "ts": i * 1000, "dur": 900} for i, n in enumerate(names)]
    (tmp_path / "t.json").write_text(json.dumps({"traceEvents": made}))
    trace = read_trace(tmp_path / "t.json")
    colours = span_colours(trace)
    assert len(set(colours.values())) == 6
    parts = tuple(Part(name, MS) for name in names)
    text = page(replace(answer(trace), spent=parts), trace)
    for name in names:
        assert re.search(rf'<path class="fill {colours[name]}"[^>]*><title>{name},', text)
        assert f'<i class="{colours[name]}"></i>{name} ' in text


def test_figures_of_lines_stand_below_their_heads(trace):
    line = Line(Place("a.py", 3, "x = 1"), 2 * MS)
    text = page(replace(answer(trace), lines=(line,)), trace)
    assert re.search(r'<th class="n *">time</th><th class="n *">share</th>', text)

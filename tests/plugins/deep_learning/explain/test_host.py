"""Rules for the CPU, on traces that are written down event by event."""

import json
from contextlib import contextmanager

import numpy as np
import pytest

from guide.explain.reading import read_trace
from guide_deep_learning.explain.host.facts import host

STEP_US = 10_000.0


class Clock:
    """Writes events as torch does; `now` is in µs."""

    def __init__(self):
        self.now, self.events = 0.0, []

    @contextmanager
    def open(self, name, category="python_function"):
        begin = self.now
        yield
        self.add(name, begin, self.now - begin, category)

    def add(self, name, begin, us, category="python_function", **args):
        event = {"ph": "X", "cat": category, "name": name, "ts": begin, "dur": us}
        self.events.append(event | {"pid": 1, "tid": 1, "args": args})

    def spend(self, us, *names):
        """Time that passes in functions, outer ones first; in none without names."""
        for name in names:
            self.add(name, self.now, us)
        self.now += us

    def op(self, us, name="aten::mm", **args):
        self.add(name, self.now, us, "cpu_op", **args)
        self.now += us


@pytest.fixture
def traced(tmp_path):
    """A trace of equal steps, each of which a function fills; the rest of it is one operator."""

    def write(step, about=None, steps=4, step_us=STEP_US, main="train.py(1): <module>"):
        clock = Clock()
        for number in range(steps):
            begin = clock.now
            step(clock)
            left = begin + step_us - clock.now
            assert left > 0
            clock.op(left)
            clock.add(f"ProfilerStep#{number}", begin, step_us, "user_annotation")
        if main:
            clock.add(main, 0, clock.now)
        said = {"roots": [str(tmp_path)], "step_ns": step_us * 1000} | (about or {})
        file = tmp_path / "torch.json"
        file.write_text(json.dumps({"guide": said, "traceEvents": clock.events}))
        return read_trace(file)

    return write


def test_what_the_program_names_leaves_a_function_that_is_open_around_what_it_calls(tmp_path):
    clock = Clock()
    with clock.open("train.py(4): closure"):
        clock.spend(1_000)
        clock.add("ProfilerStep#0", clock.now, 9_000, "user_annotation")
        clock.op(5_000, "aten::sum")
        clock.spend(500)
    clock.op(3_500)
    file = tmp_path / "torch.json"
    file.write_text(json.dumps({"traceEvents": clock.events}))
    trace = read_trace(file)
    seen = host(trace)
    (sum_at,), (mm_at,) = (trace.events.named(name) for name in ("aten::sum", "aten::mm"))
    assert seen.frames(int(sum_at)) == ["train.py(4): closure"]
    (closure,) = trace.events.named("closure")
    assert seen.self_ns()[closure] < 2e6
    named = trace.events.named("ProfilerStep")
    assert np.flatnonzero(seen.inside(named)).tolist() == sorted([*named.tolist(), int(mm_at)])

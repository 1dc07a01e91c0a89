"""Rules for the CPU, on traces that are written down event by event."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guide.explain.reading import read_trace
from guide.explain.target import explain_target
from guide.plugins import Plugins, verdicts
from guide_deep_learning.explain.host.debugging import anomaly_mode
from guide_deep_learning.explain.host.facts import host
from guide_deep_learning.explain.host.feeding import waiting_for_data
from guide_deep_learning.explain.host.largest import largest_operators
from guide_deep_learning.explain.host.looking import looked_at
from guide_deep_learning.explain.host.looping import looping
from guide_deep_learning.explain.host.memory import copies, elementwise, one_operator
from guide_deep_learning.explain.host.optimizer import optimizer_loop
from guide_deep_learning.explain.host.pace import python_bound
from guide_deep_learning.explain.host.seldom import seldom

STEP_US = 10_000.0


class Clock:
    """Writes events as torch does; `now` is in µs."""

    def __init__(self):
        self.now, self.events = 0.0, []

    @contextmanager
    def open(self, name, category="python_function"):
        begin = self.now
        self.now += 1
        yield
        self.now += 1
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
    assert seen.own_frame(int(sum_at)) == "train.py(4): closure"
    (closure,) = trace.events.named("closure")
    assert seen.self_ns()[closure] < 2e6
    named = trace.events.named("ProfilerStep")
    assert np.flatnonzero(seen.inside(named)).tolist() == sorted([*named.tolist(), int(mm_at)])


SAVE = """\
import torch
def checkpoint(model):
    name = "a"
    torch.save(model, name)
    torch.convolve(model)
"""
RUNS = "<built-in method run_backward of torch._C._EngineBase object at 0x1>"


def titles(trace):
    return {v.title: v for v in python_bound(trace)}


def test_time_in_a_function_of_torchs_own_is_that_of_the_line_that_calls_it(traced, tmp_path):
    (tmp_path / "train.py").write_text(SAVE)

    def step(clock):
        with clock.open("train.py(2): checkpoint"), clock.open("torch/serialization.py(9): save"):
            clock.spend(2_000, "<built-in method write_record of pybind11_object at 0x1>")

    said = titles(traced(step))["Python between operators"]
    assert [place.text for place in said.where] == ["torch.save(model, name)"]
    assert "torch.save" in said.says
    assert "train.py:4" in said.says
    assert said.recoverable_ns == pytest.approx(2e6, rel=0.1)


def test_the_way_to_torchs_operators_is_nobodys_fault_even_when_one_call_was_disturbed(traced):
    calls = iter(range(4))

    def step(clock):
        with clock.open("train.py(2): forward"):
            for _ in range(5):
                with clock.open("torch/_tensor.py(9): backward"), clock.open(RUNS):
                    clock.spend(40)
                    clock.op(400)
            if not next(calls):
                with clock.open("torch/_tensor.py(9): backward"), clock.open(RUNS):
                    clock.spend(6_000)
                    clock.op(20)

    assert not titles(traced(step))


def test_what_a_function_spends_in_many_places_is_added_up(traced, tmp_path):
    (tmp_path / "train.py").write_text("def smooth(a):\n    return [convolve(r) for r in a]\n")

    def step(clock):
        with clock.open("train.py(1): smooth"), clock.open("train.py(2): <listcomp>"):
            for row in range(20):
                name = f"<built-in method {'ab'[row % 2]} of numpy object at 0x{row}>"
                clock.spend(20, "numpy/numeric.py(3): convolve", name)
            clock.spend(100)

    said = titles(traced(step))["bound by Python"]
    assert said.recoverable_ns == pytest.approx(0.5e6, rel=0.1)
    assert said.says.startswith("smooth spends")
    assert said.where[0].line == 2


@pytest.mark.parametrize(
    ("line", "calls"),
    [
        ("time.sleep(0.03)", ("<built-in function sleep>",)),
        (
            "event.wait()",
            (
                "threading.py(611): wait",
                "threading.py(295): wait",
                "<built-in method acquire of _thread.lock object at 0x7>",
            ),
        ),
        ("sock.recv(9)", ("<built-in method recv of _socket.socket object at 0x7>",)),
    ],
    ids=["sleep", "wait", "recv"],
)
def test_a_wait_is_no_computing_and_is_named_with_its_line(traced, tmp_path, line, calls):
    (tmp_path / "train.py").write_text(f"def turn():\n    for a in b:\n        {line}\n")
    said = titles(traced(lambda clock: clock.spend(3_000, "train.py(1): turn", *calls)))
    assert list(said) == ["waiting, not computing"]
    (waits,) = said.values()
    assert [place.text for place in waits.where] == [line]
    assert waits.recoverable_ns == pytest.approx(3e6, rel=0.1)


def test_a_busy_machine_makes_operators_longer_and_not_the_interpreters_thread(traced):
    def step(clock):
        clock.spend(2_000, "train.py(1): track")
        clock.op(90_000)

    trace = traced(step, {"step_ns": 10_000_000, "threads": 2}, step_us=100_000.0)
    said = titles(trace)["bound by Python"]
    assert said.recoverable_ns == pytest.approx(2e6, rel=0.1)


LOOP = "def forward(q, k):\n    for row in range(128):\n        made.append(q[row] @ k[row])\n"
PRODUCTS = "<built-in function matmul>"


def test_a_loop_that_calls_one_small_operator_many_times_is_named_with_its_count(traced, tmp_path):
    (tmp_path / "train.py").write_text(LOOP)

    def step(clock):
        with clock.open("train.py(1): forward"):
            for _ in range(128):
                with clock.open(PRODUCTS):
                    clock.op(10, "aten::bmm")
                clock.spend(5)

    (said,) = looping(traced(step))
    assert "aten::bmm 128 times" in said.says
    assert said.where[0].line == 2
    # Python between them goes, and of each the way to it; what it computes stays
    assert 0.7e6 < said.recoverable_ns < 1.3e6
    assert not titles(traced(step))


def test_layers_that_follow_each_other_are_no_loop(traced):
    def step(clock):
        with clock.open("train.py(1): forward"):
            for _ in range(128):
                with clock.open("nn.Module: Linear_0"), clock.open(PRODUCTS):
                    clock.op(10, "aten::bmm")
                    clock.spend(5)

    assert not looping(traced(step))


def test_a_few_operators_in_each_of_many_calls_are_no_loop(traced):
    def step(clock):
        for _ in range(128):
            with clock.open("train.py(1): forward"), clock.open(PRODUCTS):
                clock.op(10, "aten::bmm")
                clock.spend(5)

    assert not looping(traced(step))


def test_an_optimizer_that_was_tried_gives_back_no_more_than_the_trial_did(traced):
    """The trace was taken on a busy machine, the trial in a quiet moment."""

    def step(clock):
        begin = clock.now
        for _ in range(4):
            for name in ("aten::mul_", "aten::lerp_", "aten::sqrt", "aten::div", "aten::addcdiv_"):
                clock.op(300, name)
        clock.add("Optimizer.step#AdamW.step", begin, clock.now - begin, "user_annotation")

    tried = {"kind": "AdamW", "tensors": 4, "loop_ns": 500_000, "fused_ns": 200_000}
    (said,) = optimizer_loop(traced(step, {"optimizer": tried}))
    assert said.recoverable_ns == 300_000
    assert said.sure == "sure"
    tried |= {"loop_ns": 60_000_000}  # or the other way round
    (said,) = optimizer_loop(traced(step, {"optimizer": tried}))
    assert said.recoverable_ns < 6e6


@pytest.mark.parametrize(
    ("fused_ns", "others", "told"),
    [
        (500_000, 0.0, "Tried fused: no faster here."),
        (520_000, 1.5, "no faster here, while other programs"),
        (480_000, 0.0, "Tried fused, it was 0.02 ms less."),
        (100_000, 0.0, "of it."),
    ],
)
def test_an_optimizer_that_loops_and_is_left_as_it_is_says_why(traced, fused_ns, others, told):
    def step(clock):
        begin = clock.now
        for _ in range(4):
            for name in ("aten::mul_", "aten::lerp_", "aten::sqrt", "aten::div", "aten::addcdiv_"):
                clock.op(25, name)
        clock.add("Optimizer.step#AdamW.step", begin, clock.now - begin, "user_annotation")

    tried = {"kind": "AdamW", "tensors": 4, "loop_ns": 500_000, "fused_ns": fused_ns}
    (said,) = optimizer_loop(traced(step, {"optimizer": tried, "others": others}))
    assert told in said.says
    assert ("Tried" in said.says) == (said.recoverable_ns < 300_000)


def test_elementwise_operators_take_no_more_of_a_step_than_there_is(traced):
    """The steps were timed in a quiet moment and recorded in another."""

    def step(clock):
        for _ in range(9):
            clock.op(1_100, "aten::add", **{"Input Dims": [[1024, 1024]]})

    trace = traced(step, {"step_ns": 2_000_000})
    (said,) = elementwise(replace(trace, about={"guide": {"step_ns": 1_000}}))
    assert 0 < said.recoverable_ns <= 500


@pytest.mark.parametrize(
    ("others", "threads", "told"), [(1.8, 2, True), (0.1, 2, False), (1.0, 1, False)]
)
def test_a_trace_that_was_taken_on_a_busy_machine_says_so(traced, others, threads, told):
    about = {"others": others, "threads": threads, "cores": 2}
    trace = traced(lambda clock: clock.spend(100, "train.py(2): step"), about)
    said = explain_target(Path(trace.source), Plugins()).answer.meanwhile
    assert [f"had {others} of 2 processors" in each.says for each in said] == [True] * told


SAMPLES = """\
def decoded(raw):
    return [byte / 255 for byte in raw]


def __getitem__(self, index):
    return decoded(files[index])
"""


def test_a_sample_that_was_disturbed_makes_no_other_function_the_slow_one(traced, tmp_path):
    (tmp_path / "train.py").write_text(SAMPLES)
    numbers = iter(range(40))

    def step(clock):
        begin = clock.now
        for _ in range(8):
            with clock.open("train.py(5): __getitem__"), clock.open("train.py(1): decoded"):
                with clock.open("train.py(2): <listcomp>"):
                    clock.spend(200)
                clock.spend(50)
            if next(numbers) in (5, 13):
                clock.spend(7_000, "train.py(5): __getitem__")
        name = "enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"
        clock.add(name, begin, clock.now - begin, "user_annotation")

    (said,) = waiting_for_data(traced(step))
    assert said.where[0].text == "return [byte / 255 for byte in raw]"
    assert said.remedy.startswith("Say the loop of the whole array")


@pytest.mark.parametrize("around", ["aten::threshold_backward", "Torch-Compiled Region: 0/0"])
def test_python_inside_of_an_operator_is_not_between_operators(traced, around):
    def step(clock):
        with clock.open("train.py(2): step"), clock.open(around, "cpu_op"):
            clock.spend(3_000, "train.py(9): slowed", "<built-in function sleep>")
            clock.spend(3_000, "torch/functorch.py(9): runtime_wrapper")

    assert not titles(traced(step))


WATCH = """\
def look(optimizer):
    for p in parameters:
        squares += p.grad.double().norm().item()
"""


def looks(clock, reads, between_us):
    with clock.open("train.py(1): look"):
        for _ in range(reads):
            with clock.open("<built-in method double of Tensor object at 0x1>"):
                clock.op(between_us, "aten::copy_")
            with clock.open("<built-in method item of Tensor object at 0x1>"):
                clock.op(1, "aten::item")


@pytest.mark.parametrize("hook", [True, False], ids=["in a hook of the optimizer's", "before it"])
def test_numbers_for_a_log_are_told_with_their_line_and_so_are_no_copies(traced, tmp_path, hook):
    (tmp_path / "train.py").write_text(WATCH)

    def step(clock):
        begin = clock.now
        looks(clock, 20, 200)
        begin = begin if hook else clock.now
        clock.op(300, "aten::_fused_adamw_")
        clock.add("Optimizer.step#AdamW.step", begin, clock.now - begin, "user_annotation")

    trace = traced(step)
    (said,) = looked_at(trace)
    assert said.recoverable_ns == pytest.approx(0.98 * 20 * 201e3, rel=0.05)
    assert "20 numbers a step" in said.says
    assert "p.grad.double().norm().item()" in said.where[0].text
    assert not copies(trace)
    assert not optimizer_loop(trace)


def test_a_look_that_is_short_or_a_value_of_the_training_is_no_fault(traced):
    def seldom(clock):
        looks(clock, 2, 200)  # the loss, and whether it was right

    def trained(clock):
        for _ in range(20):  # each step of an inner loop reads its loss
            clock.op(100, "autograd::engine::evaluate_function: MmBackward0")
            looks(clock, 1, 200)

    def quick(clock):
        looks(clock, 20, 5)

    assert not any(looked_at(traced(step)) for step in (seldom, trained, quick))


def test_what_an_optimizer_calls_of_a_persons_own_is_not_its_own_update(traced):
    def step(clock):
        begin = clock.now
        for _ in range(4):
            for name in ("aten::mul_", "aten::lerp_", "aten::sqrt", "aten::div", "aten::addcdiv_"):
                clock.op(100, name)
        looks(clock, 20, 200)
        clock.add("Optimizer.step#AdamW.step", begin, clock.now - begin, "user_annotation")

    (said,) = optimizer_loop(traced(step))
    assert "2 ms" in said.says
    assert "20 small operators" in said.says


def anomalous(clock):
    for _ in range(4):
        with clock.open("torch/fx/traceback.py(497): format_stack"):
            for _ in range(100):
                clock.spend(5, "traceback.py(1): line")
    for _ in range(10):
        with clock.open("autograd::engine::evaluate_function: MmBackward0", "cpu_op"):
            clock.op(100, "aten::isnan")


@pytest.mark.parametrize(
    ("others", "without", "gain", "sure"),
    [
        (0.1, 6.0e6, 4e6, "sure"),
        (1.5, 6.0e6, 4e6, "likely"),
        (1.5, 11e6, 2.9e6, "likely"),  # as long as with it: then the trace counts
        (0.1, 9.9e6, 2.9e6, "likely"),
    ],
)
def test_anomaly_mode_costs_at_least_what_the_trace_shows_whatever_a_trial_said(
    traced, others, without, gain, sure
):
    tried = {"what": "anomaly", "with": 10e6, "without": without}
    (said,) = anomaly_mode(traced(anomalous, {"tried": tried, "others": others}))
    assert said.recoverable_ns == pytest.approx(gain, rel=0.15)
    assert said.sure == sure


def test_stacks_that_are_noted_are_not_all_put_down_to_the_profiler(traced):
    # It made the step longer by more than it costs to note so many calls
    about = {"step_ns": 8_000_000, "call_cost_ns": 100}
    (said,) = anomaly_mode(traced(anomalous, about))
    noted = dict(said.evidence)["stacks noted"]
    assert 1 < float(noted.split()[0]) < 2


MODEL = """\
class Model:
    def forward(self, x):
        x = relu(self.up(x))
        for layer in self.layers:
            x = layer(x)
        return x.repeat(4)
def train(model):
    model.loss().backward()
"""


def of_a_model(clock):
    """Three operators forward, one of them through a module; and one of these backward."""
    with clock.open("model.py(7): train"):
        with clock.open("model.py(2): forward"):
            with clock.open("<built-in method relu of type object at 0x1>"):
                clock.op(1_500, "aten::relu")
            with clock.open("nn.Module: Linear_1"):
                clock.op(500, "aten::addmm")
            with (
                clock.open("<built-in method repeat of Tensor object at 0x2>"),
                clock.open("aten::repeat", "cpu_op"),
            ):
                clock.op(3_500, "aten::copy_", **{"Input Dims": [[1000]]})
        with clock.open("torch/_tensor.py(9): backward"):
            node = "autograd::engine::evaluate_function: AddmmBackward0"
            with clock.open(node, "cpu_op"):
                clock.op(2_500, "aten::bmm")


def test_largest_operators_are_named_with_the_lines_that_call_them(traced, tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    (said,) = largest_operators(traced(of_a_model))
    model = tmp_path / "model.py"
    # What is one line's is told by that line; of what may be several, the function is sure
    assert f"aten::copy_ from {model}:6" in said
    assert f"aten::bmm in backward of {model}:2" in said
    (told,) = [v.says for v in verdicts(Plugins(), "trace", traced(of_a_model)) if said == v.says]
    assert f"{model}:8" not in told


def test_a_trace_without_stacks_names_no_lines(traced):
    assert not largest_operators(traced(lambda clock: clock.op(100, "aten::relu"), main=""))


def test_an_operator_that_only_copies_and_takes_a_third_of_a_step_is_not_called_well(
    traced, tmp_path
):
    (tmp_path / "model.py").write_text(MODEL)
    (said,) = one_operator(traced(of_a_model))
    assert said.says.startswith("aten::repeat takes 3.5 ms")
    assert said.where[0].line == 6
    assert said.recoverable_ns > 3e6


@pytest.mark.parametrize("inner", ["aten::addmm", "aten::contiguous"])
def test_what_a_product_or_a_layout_copies_is_told_by_no_rule_or_another(traced, inner):
    def step(clock):
        with clock.open(inner, "cpu_op"):
            clock.op(5_000, "aten::copy_")

    assert not one_operator(traced(step))


@pytest.mark.parametrize(
    "name", ["autograd::engine::evaluate_function: NllLossBackward0", "Torch-Compiled Region: 0/0"]
)
def test_the_way_to_operators_and_one_disturbed_step_are_no_slow_operator(traced, name):
    steps = iter(range(4))

    def step(clock):
        clock.op(4_000, name)
        clock.op(100 if next(steps) else 5_900, "aten::sort")

    trace = traced(step)
    assert not one_operator(trace)
    assert "aten::sort" not in str(largest_operators(trace))
    assert name not in str(largest_operators(trace))


UNEVEN = {"steps": 40, "usual_ns": 10_000_000, "long": 4, "long_ns": 31_000_000} | {
    "longest_ns": 33_000_000,
    "every": 10,
}


@pytest.mark.parametrize(
    ("uneven", "more", "told"),
    [
        ({}, {"found": "a tick of the run"}, "One step in 10 takes 3.1 times as long"),
        ({}, {"found": "a tick of the run"}, "not in this trace; guide run, then guide explain"),
        ({}, {"others": 1.5}, "not in this trace; guide profile --steps 10"),
        ({"every": 0}, {}, "4 of the 40 steps that were timed took 3.1 times as long"),
        ({"every": 0}, {"others": 1.5}, ""),  # others may be the reason
        ({"every": 1000}, {}, ""),
        ({"every": "ten"}, {}, ""),
    ],
)
def test_what_only_one_step_in_many_does_is_said_to_be_missing(traced, uneven, more, told):
    said = seldom(traced(lambda clock: None, {"uneven": UNEVEN | uneven} | more))
    assert told in "".join(said)
    assert len(said) == bool(told)
    assert not seldom(traced(lambda clock: None))


def test_a_long_step_that_is_recorded_is_not_said_to_be_missing(tmp_path):
    clock = Clock()
    for number, us in enumerate((10_000, 10_000, 31_000, 10_000)):
        clock.add(f"ProfilerStep#{number}", clock.now, us, "user_annotation")
        clock.op(us)
    file = tmp_path / "torch.json"
    file.write_text(json.dumps({"guide": {"uneven": UNEVEN}, "traceEvents": clock.events}))
    (said,) = seldom(read_trace(file))
    assert said.endswith("one like it is in this trace.")

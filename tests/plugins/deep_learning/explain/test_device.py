"""What a trace with a GPU's work is said to suffer from, on programs whose faults are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guide.explain.reading import read_trace
from guide.explain.spent.doubts import unsettled
from guide.explain.spent.traced import of_trace
from guide.explain.trace import Trace
from guide.plugin import Verdict, load
from guide.plugins import Plugins
from guide_deep_learning.explain.device.facts import facts_of
from guide_deep_learning.explain.device.rules import DEVICE

from .programs import HEALTHY, LIGHT, PLANTED, SMALL, SOUND, Case, Program
from .simulated import Machine


def found(trace: Trace) -> list[Verdict]:
    """All that the rules say, what gives back most first."""
    said = [verdict for rule in DEVICE for verdict in load(rule.rule)(trace)]
    return sorted(said, key=lambda verdict: -verdict.recoverable_ns)


def worth(trace: Trace) -> list[Verdict]:
    return [verdict for verdict in found(trace) if verdict.recoverable_ns]


def read(machine: Machine, folder: Path, **written: Any) -> Trace:
    return read_trace(machine.write(folder / "trace.json", **written))


def top(program: Program, folder: Path, **written: Any) -> str:
    said = worth(read(program.run(), folder, **written))
    return said[0].title if said else ""


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: case.name)
def test_a_planted_fault_is_named_first_with_what_mending_it_gives_back(
    case: Case, tmp_path: Path
) -> None:
    first = worth(read_trace(case.write(tmp_path)))[0]
    assert first.title in case.causes
    if case.predicted:
        assert first.recoverable_ns / 1e3 == pytest.approx(case.gain_us, rel=0.25)


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: case.name)
def test_its_sound_twin_is_not_accused_of_it(case: Case, tmp_path: Path) -> None:
    said = worth(read(case.twin.run(), tmp_path, **case.written))
    assert not {verdict.title for verdict in said} & set(case.causes) - {"launch-bound"}


@pytest.mark.parametrize("case", HEALTHY, ids=lambda case: case.name)
def test_what_only_looks_bad_is_healthy(case: Case, tmp_path: Path) -> None:
    assert worth(read_trace(case.write(tmp_path))) == []


def test_a_wait_that_costs_nothing_is_named_as_not_worth_mending(tmp_path: Path) -> None:
    said = found(read(replace(SOUND, last_item=True).run(), tmp_path))
    (stall,) = [verdict for verdict in said if verdict.title == ".item() stall"]
    assert stall.recoverable_ns == 0
    assert "the GPU works meanwhile" in stall.says
    assert "not worth mending" in stall.says


CHANGES = {
    "a sleep in the loader": (SOUND, {"loader": 20_000.0}, "waiting for data"),
    "a sync after every op": (LIGHT, {"synchronize": 1}, "explicit synchronize"),
    "one kernel tenfold slower": (
        replace(SOUND, scan=200.0),
        {"slower": {}, "scan": 3_000.0},
        "one kernel dominates",
    ),
    "communication slower": (
        replace(SOUND, exchange=300.0),
        {"exchange": 6_000.0},
        "exposed communication",
    ),
    "logging in the step": (SOUND, {"python": 30_000.0}, "Python-bound"),
    "the host half as fast": (LIGHT, {"host": 40.0}, "launch-bound"),
}


@pytest.mark.parametrize(("base", "change", "title"), CHANGES.values(), ids=CHANGES)
def test_one_change_turns_the_verdict_to_the_right_one(
    base: Program, change: dict[str, Any], title: str, tmp_path: Path
) -> None:
    assert top(base, tmp_path) != title
    assert top(replace(base, **change), tmp_path) == title


@pytest.mark.parametrize(
    ("much", "title"), [(1.0, "waiting for data"), (8.0, "Python-bound")], ids=["data", "python"]
)
def test_of_two_faults_the_one_that_gives_back_more_comes_first(
    much: float, title: str, tmp_path: Path
) -> None:
    both = replace(SOUND, loader=16_000.0, python=3_000.0 * much)
    assert top(both, tmp_path) == title


@pytest.mark.parametrize("case", [*PLANTED, *HEALTHY], ids=lambda case: case.name)
def test_idle_time_is_shared_out_once(case: Case, tmp_path: Path) -> None:
    facts = facts_of(read_trace(case.write(tmp_path)))
    assert facts is not None
    shared = sum(facts.shares.shared.values())
    assert 0 <= shared <= facts.idle_ns + 1000
    assert shared + facts.shares.left_ns == pytest.approx(facts.idle_ns, abs=1000)


def test_the_replay_of_an_unchanged_trace_takes_as_long_as_it_took(tmp_path: Path) -> None:
    for program in (SOUND, SMALL, replace(LIGHT, item=1), replace(SOUND, input_us=3_000.0)):
        facts = facts_of(read(program.run(), tmp_path))
        assert facts is not None
        assert facts.queue.replay() == pytest.approx(facts.window_ns, rel=0.01)


def test_the_same_trace_gives_the_same_words(tmp_path: Path) -> None:
    file = replace(LIGHT, item=1, loader=2_000.0).run().write(tmp_path / "trace.json")
    assert found(read_trace(file)) == found(read_trace(file))


@pytest.mark.parametrize(
    ("program", "title"),
    [
        (replace(SOUND, loader=20_000.0), "waiting for data"),
        (SMALL, "launch-bound"),
        (SOUND, ""),
    ],
    ids=["loader", "launches", "sound"],
)
def test_without_correlations_the_cause_is_still_named(
    program: Program, title: str, tmp_path: Path
) -> None:
    machine = program.run()
    for event in machine.events:
        event["args"].pop("correlation", None)
    assert top_of(read(machine, tmp_path)) == title


FAULTS_OF_KERNELS = {
    "fp32": "no tensor cores",
    "layout": "layout transforms",
    "one kernel": "one kernel dominates",
    "elementwise": "memory-bound elementwise work",
}


def without(machine: Machine, absent: str) -> Machine:
    """What a profiler that was asked for less would have written."""
    if absent == "correlations":
        for event in machine.events:
            event["args"].pop("correlation", None)
    host = {"launches": ("cuda_runtime",), "host": ("cuda_runtime", "cpu_op", "user_annotation")}
    machine.events = [e for e in machine.events if e["cat"] not in host.get(absent, ())]
    return machine


@pytest.mark.parametrize("absent", ["correlations", "launches", "host"])
@pytest.mark.parametrize(("name", "title"), FAULTS_OF_KERNELS.items(), ids=FAULTS_OF_KERNELS)
def test_what_kernels_are_is_said_without_their_launches(
    name: str, title: str, absent: str, tmp_path: Path
) -> None:
    (case,) = [case for case in PLANTED if case.name == name]
    # Reads its loss: without launches nobody knows which step work is of that comes steps later
    program = replace(case.program, last_item=True)
    whole = worth(read(program.run(), tmp_path))
    part = read(without(program.run(), absent), tmp_path)
    (there,), (here,) = (
        [verdict for verdict in said if verdict.title == title] for said in (whole, worth(part))
    )
    steps = 1 if part.stepped else case.program.steps
    assert here.recoverable_ns == pytest.approx(there.recoverable_ns * steps, rel=0.2)
    assert any("launch" in said or "profile the CPU" in said for said in part.missing)


@pytest.mark.parametrize("absent", ["correlations", "launches", "host"])
def test_an_idle_device_is_not_healthy_where_launches_are_not_known(
    absent: str, tmp_path: Path
) -> None:
    trace = read(without(SMALL.run(), absent), tmp_path)
    assert absent != "host" or worth(trace) == []  # of which nothing can be said
    assert "launches are not known" in unsettled(trace, *2 * of_trace(trace)[1:2])


def test_operators_are_not_said_to_compute_on_the_cpu_where_launches_are_absent(
    tmp_path: Path,
) -> None:
    program = replace(SMALL, host=400.0)
    assert "work on the CPU" not in {
        verdict.title for verdict in worth(read(without(program.run(), "launches"), tmp_path))
    }


def test_a_kernel_far_slower_than_all_others_is_named_with_its_operator(tmp_path: Path) -> None:
    said = found(read(replace(SOUND, scan=1_200.0).run(), tmp_path))
    first, *_ = said
    assert first.title == "one kernel dominates"
    assert "scan_kernel<float>, 4 times, launched by my::scan." in first.says
    (busy,) = [verdict for verdict in said if verdict.title == "GPU-bound"]
    assert "my_library::scan_kernel<float>" in busy.says


def test_a_copy_from_pageable_memory_is_waited_for_until_its_last_piece(tmp_path: Path) -> None:
    """The host is back when that is in the driver's buffer, and the device still copies it."""

    def back_early(share: float) -> Trace:
        machine = replace(SOUND, input_us=6_000.0).run()
        copies = [e for e in machine.events if e["cat"] == "gpu_memcpy"]
        calls = [e for e in machine.events if e["name"] == "cudaMemcpyAsync"]
        for copy, call in zip(copies, calls, strict=True):
            end = copy["ts"] + (1 - share) * copy["dur"]
            call["dur"] = round(end - call["ts"], 3)
        return read(machine, tmp_path)

    def waits(trace: Trace) -> int:
        facts = facts_of(trace)
        assert facts is not None
        return len(facts.queue.waits.of("in"))

    assert waits(back_early(0.02)) == SOUND.steps
    assert "unpinned copies" in {verdict.title for verdict in worth(back_early(0.02))}
    # One that is back in the midst of it has only left it to the device
    assert waits(back_early(0.5)) == 0


@pytest.mark.parametrize("late_us", [-400.0, 2.0])
def test_a_device_with_another_clock_changes_no_verdict(late_us: float, tmp_path: Path) -> None:
    for program, title in ((SMALL, "launch-bound"), (SOUND, "")):
        machine = program.run()
        for event in machine.events:
            if "stream" in event["args"]:
                event["ts"] += late_us
        assert top_of(read(machine, tmp_path)) == title


def top_of(trace: Trace) -> str:
    said = worth(trace)
    return said[0].title if said else ""


def test_kernels_of_cuda_graphs_are_not_taken_for_slow_launches(tmp_path: Path) -> None:
    """One launch for two hundred kernels: the host does next to nothing."""
    machine = Machine()
    for number in range(4):
        with machine.open("user_annotation", f"ProfilerStep#{number}"):
            for _ in range(3):
                machine.work("triton_poi_fused_add_0", 20.0, call="cudaGraphLaunch")
                launch = machine.events[-1]["args"]["correlation"]
                for _ in range(200):
                    machine.work("triton_poi_fused_add_0", 20.0)
                    machine.events.pop(-2)
                    machine.events[-1]["args"]["correlation"] = launch
                    machine.now -= 4.0
            machine.spend(30.0)
    assert worth(read(machine, tmp_path)) == []


def test_a_line_of_source_is_named_where_the_trace_has_stacks(tmp_path: Path) -> None:
    source = tmp_path / "learn.py"
    source.write_text("def step(model):\n    loss = model()\n    return loss.item()\n")
    machine = Machine()
    for number in range(4):
        with machine.open("user_annotation", f"ProfilerStep#{number}"):
            for _ in range(20):
                with machine.open("python_function", f"{source}(1): step"):
                    machine.op("aten::mm", "ampere_bf16_s16816gemm", 20.0)
                    machine.item()
                    machine.spend(30.0)
    first = worth(read(machine, tmp_path))[0]
    assert first.title == ".item() stall"
    assert (Path(first.where[0].file).name, first.where[0].line) == ("learn.py", 3)


def test_the_largest_gaps_of_the_typical_step_are_pinned(tmp_path: Path) -> None:
    trace = read(replace(SOUND, loader=20_000.0).run(), tmp_path)
    first = worth(trace)[0]
    assert first.pins
    for pin in first.pins:
        assert trace.typical.start_ns <= pin.start_ns < pin.end_ns
    assert max(pin.end_ns - pin.start_ns for pin in first.pins) > 8_000_000


def test_what_is_worth_mending_says_all_that_a_reader_needs(tmp_path: Path) -> None:
    plugins = Plugins()
    known = {
        each.id
        for track in ("", "deep-learning")
        for each in (*plugins.sections(track), *plugins.exercises(track))
    }
    for case in PLANTED:
        for verdict in worth(read_trace(case.write(tmp_path))):
            assert all((verdict.says, verdict.why, verdict.remedy, verdict.check, verdict.word))
            assert verdict.evidence
            assert set(verdict.teaches) <= known
            assert len(verdict.says) < 300


def test_a_trace_without_a_device_is_not_ours(tmp_path: Path) -> None:
    machine = Machine()
    for _ in range(20):
        machine.op("aten::mm")
    assert found(read(machine, tmp_path)) == []


@pytest.mark.parametrize(
    "events",
    [
        [("kernel", 0, 5)],
        [("kernel", 0, 0)],
        [("kernel", 5, 0), ("gpu_memcpy", 0, 9)],
        [("cuda_runtime", 0, 3), ("kernel", -50, 5)],
        [("kernel", i % 7, 1) for i in range(40)],
    ],
    ids=["one", "nothing long", "zero", "before its launch", "all at once"],
)
def test_a_poor_trace_breaks_no_rule(events: list[tuple[str, int, int]], tmp_path: Path) -> None:
    written = [
        {
            **{"ph": "X", "cat": category, "name": "x", "pid": 0, "tid": 7, "ts": ts, "dur": dur},
            "args": {"correlation": 3, "device": 0},
        }
        for category, ts, dur in events
    ]
    file = tmp_path / "poor.json"
    file.write_text(json.dumps({"traceEvents": written}))
    found(read_trace(file))

"""Times are rounded and devices lag: steps and what lies inside of what stay true."""

import json
from pathlib import Path
from typing import Any

from guide.explain.reading import read_trace
from guide.explain.trace import Trace


def event(category: str, name: str, ts: float, dur: float, **args: Any) -> dict[str, Any]:
    thread = "stream 7" if category == "kernel" else 1
    return {
        **{"ph": "X", "cat": category, "name": name, "pid": 0, "tid": thread},
        **{"ts": ts, "dur": dur, "args": args},
    }


def read(folder: Path, *events: dict[str, Any]) -> Trace:
    file = folder / "trace.json"
    file.write_text(json.dumps({"traceEvents": list(events)}))
    return read_trace(file)


def test_operators_that_share_a_rounded_microsecond_are_neighbours(tmp_path: Path) -> None:
    trace = read(tmp_path, event("cpu_op", "a", 0, 11), event("cpu_op", "b", 10, 9))
    assert trace.parent.tolist() == [-1, -1]


def test_what_lies_inside_to_the_end_stays_inside(tmp_path: Path) -> None:
    trace = read(tmp_path, event("cpu_op", "a", 0, 11), event("cuda_runtime", "b", 10, 1))
    assert trace.parent.tolist() == [-1, 0]


def test_steps_that_share_a_rounded_microsecond_are_all_kept(tmp_path: Path) -> None:
    steps = [event("user_annotation", f"ProfilerStep#{i}", 100 * i, 100.4) for i in range(5)]
    assert len(read(tmp_path, *steps).steps) == 5


def test_a_step_takes_until_the_device_has_done_what_it_asked_for(tmp_path: Path) -> None:
    """The host is through with two steps of 50 µs; the device needs 100 for each."""
    events = []
    for i in range(2):
        events += [
            event("user_annotation", f"ProfilerStep#{i}", 50 * i, 50),
            event("cuda_runtime", "cudaLaunchKernel", 50 * i, 5, correlation=i + 1),
            event("kernel", "k", 10 + 100 * i, 100, correlation=i + 1),
        ]
    assert read(tmp_path, *events).step_ns == 105_000

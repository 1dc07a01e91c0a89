import gzip
import io
import json
import random
from collections import defaultdict

import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.errors import GuideError
from guide.loop import Loop, TickLog
from guide.timing import Timeline
from guide.trace import write_trace
from guide.trace.chrome import dump_chrome
from guide.trace.merge import merge
from guide.trace.recording import Recording


def recording(timeline, log=None, name="demo", offset_ns=0):
    ticks = (log or TickLog()).columns()
    marks, counters = timeline.marks(), timeline.counters()
    spans, lanes = timeline.columns(), timeline.lanes
    return Recording(name, spans, ticks, marks, counters, lanes, offset_ns)


def events(timeline, log=None, **more):
    out = io.StringIO()
    dump_chrome(out, recording(timeline, log, **more))
    return json.loads(out.getvalue())["traceEvents"]


def spans(found):
    return [e for e in found if e["ph"] == "X" and e["name"] != "tick"]


def ns(us):
    return round(us * 1000)


def assert_rows_nest(found):
    rows = defaultdict(list)
    for event in spans(found):
        rows[event["tid"]].append((ns(event["ts"]), ns(event["ts"]) + ns(event["dur"])))
    for row in rows.values():
        for i, (start, end) in enumerate(row):
            for other_start, other_end in row[i + 1 :]:
                apart = other_start >= end or other_end <= start
                inside = start <= other_start and other_end <= end
                around = other_start <= start and end <= other_end
                assert apart or inside or around


@pytest.fixture
def timeline():
    return Timeline(VirtualClock(start_ns=10**18))  # days since boot, in ns: no decimals to waste


def test_an_empty_timeline_is_valid_json(timeline):
    assert {e["ph"] for e in events(timeline)} == {"M"}


def test_times_are_microseconds_from_the_earliest_event_exact_to_the_nanosecond(timeline):
    timeline.add("a", 10**18 + 1_001, 10**18 + 2_004)
    timeline.add("b", 10**18, 10**18 + 1)
    assert [(e["name"], ns(e["ts"]), ns(e["dur"])) for e in spans(events(timeline))] == [
        ("b", 0, 1),
        ("a", 1_001, 1_003),
    ]


def test_json_says_when_its_times_began(timeline, tmp_path):
    timeline.add("a", 10**18 + 5, 10**18 + 6)
    file = write_trace(tmp_path, "demo", timeline, TickLog(), 7 * 10**17)
    assert json.loads(file.read_text())["baseTimeNanoseconds"] == 17 * 10**17 + 5


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


@pytest.mark.parametrize("turned", [False, True])
def test_a_span_that_begins_or_ends_with_the_one_around_it_still_lies_inside(timeline, turned):
    for name, start, end in [("begins", 0, 5), ("ends", 5, 10), ("outer", 0, 10)][
        :: 1 - 2 * turned
    ]:
        timeline.add(name, start, end)
    found = spans(events(timeline))
    assert [e["name"] for e in found] == ["outer", "begins", "ends"]
    assert len({e["tid"] for e in found}) == 1


def test_of_two_spans_of_equal_times_the_one_that_ended_first_is_the_inner(timeline):
    with timeline.span("outer"), timeline.span("inner"):
        timeline.clock.advance(5)
    assert [e["name"] for e in spans(events(timeline))] == ["outer", "inner"]


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


@pytest.mark.parametrize("seed", range(10))
def test_events_of_a_row_are_in_order_and_end_what_began_last(timeline, seed):
    rng = random.Random(seed)
    for i in range(300):
        start = rng.randrange(100)
        end = start + rng.choice([0, 1, 10, 30])
        timeline.add(f"s{i}", start, end, lane=rng.choice(["gpu", "dsp"]))
    drawn = []
    for row in recording(timeline).rows():
        assert (np.diff(row.t_ns) >= 0).all()
        stack = []
        for span, begins in zip(row.span.tolist(), row.begins.tolist(), strict=True):
            if begins:
                stack.append(span)
            else:
                assert stack.pop() == span
        assert not stack
        drawn += row.span[row.begins].tolist()
    assert sorted(drawn) == list(range(300))


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


def test_ticks_and_missed_deadlines_are_there_and_no_time_is_negative():
    clock = VirtualClock(start_ns=5_000_000)
    loop = Loop(100, clock=clock, budget_s=1e-6, ticks=3)
    for _ in loop:
        clock.advance(2_000_000)
    found = events(loop.timeline, loop.log)
    assert [e["args"]["index"] for e in found if e["name"] == "tick"] == [0, 1, 2]
    assert sum(e["name"] == "deadline missed" for e in found) == 3
    assert all(e["ts"] >= 0 for e in found if "ts" in e)


def test_a_first_tick_that_began_after_its_deadline_has_no_negative_time(timeline):
    log = TickLog(budget_ns=100)
    log.add(10**18, 10**18 + 500, 10**18 + 900, 0)
    found = events(timeline, log)
    assert {e["name"]: ns(e["ts"]) for e in found if "ts" in e} == {
        "tick": 500,
        "deadline missed": 100,
    }


def test_a_frame_is_followed_from_span_to_span_by_its_number(timeline):
    timeline.add("grab", 0, 10, lane="a", flow=7)
    timeline.add("detect", 10, 20, lane="b", flow=7)
    timeline.add("show", 20, 30, lane="a", flow=7)
    timeline.add("grab", 10, 20, lane="a", flow=8)
    found = spans(events(timeline))
    assert [e["args"].get("flow") for e in found] == [7, 8, 7, 7]
    bound = {e["name"]: (e["flow_in"], e["flow_out"]) for e in found if "bind_id" in e}
    assert bound == {"grab": (False, True), "detect": (True, True), "show": (True, False)}
    assert len({e["bind_id"] for e in found if "bind_id" in e}) == 1


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


# Which form, and the file


def test_the_form_follows_the_size_and_the_other_one_goes(tmp_path, monkeypatch, timeline):
    timeline.add("a", 0, 1)
    timeline.add("b", 1, 2)
    for most, name in ((2, "trace.json"), (1, "trace.pftrace"), (2, "trace.json")):
        monkeypatch.setattr("guide.trace.LARGE", most)
        assert write_trace(tmp_path, "demo", timeline, TickLog(), 0) == tmp_path / name
        assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_name_with_half_a_surrogate_can_be_written_to_a_file(timeline, tmp_path):
    timeline.add("\ud800", 0, 1)
    assert json.loads(write_trace(tmp_path, "demo", timeline, TickLog(), 0).read_text("utf-8"))


@pytest.mark.parametrize("most", [0, 10**6])
def test_a_full_disk_leaves_the_old_trace_whole(timeline, tmp_path, small_disk, monkeypatch, most):
    monkeypatch.setattr("guide.trace.LARGE", most)
    disk = small_disk(tmp_path / "disk", "64k")
    before = write_trace(disk, "demo", timeline, TickLog(), 0).read_bytes()
    for i in range(2_000):
        timeline.add("a", i, i + 1)
    with pytest.raises(OSError, match="No space left"):
        write_trace(disk, "demo", timeline, TickLog(), 0)
    assert [file.read_bytes() for file in disk.iterdir()] == [before]


# With a torch profile: that both are on one timeline is tested in test_perfetto.py

PROFILE = {"schemaVersion": 1, "baseTimeNanoseconds": 10**18, "traceEvents": [{"ts": 1.5}]}


@pytest.fixture
def ours(timeline, tmp_path):
    timeline.add("a", 10**18, 10**18 + 1)
    return write_trace(tmp_path, "demo", timeline, TickLog(), 0)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is not JSON"),
        (b"hello", "is not JSON"),
        (bytes(100), "is not JSON"),
        (b"[{}]", "is no torch profile"),
        (b'{"traceEvents": []}', "is no torch profile"),
        (json.dumps(PROFILE).encode()[:-20], "is cut short"),
        (json.dumps(PROFILE, indent=1).encode()[:-3], "is cut short"),
        (gzip.compress(json.dumps(PROFILE).encode())[:-20], "is cut short"),
        (gzip.compress(b"hello"), "is not JSON"),
        (b"\x1f\x8bhello", "is cut short"),
        (b'{"schemaVersion": 1, "traceEvents": [{"ts": 5.1}]}', "has no baseTimeNanoseconds"),
    ],
)
def test_what_is_no_torch_profile_is_said_in_one_line(ours, tmp_path, content, complaint):
    profile, archive = tmp_path / "torch.json", tmp_path / "both.zip"
    profile.write_bytes(content)
    with pytest.raises(GuideError) as error:
        merge(ours, profile, archive)
    assert error.value.message.startswith(f"{profile} {complaint}")
    assert error.value.remedy
    assert "\n" not in str(error.value)
    assert not archive.exists()


def test_braces_in_names_do_not_make_a_profile_look_cut_short(ours, tmp_path):
    profile = tmp_path / "torch.json"
    named = {**PROFILE, "traceEvents": [{"name": 'a{{ \\" { \\', "ts": 0}]}
    profile.write_text(json.dumps(named, indent=1))
    merge(ours, profile, tmp_path / "both.zip")
    assert (tmp_path / "both.zip").exists()


def test_a_trace_of_an_older_guide_has_no_date(ours, tmp_path):
    profile = tmp_path / "torch.json"
    profile.write_text(json.dumps(PROFILE))
    ours.write_text('{"traceEvents": []}')
    with pytest.raises(GuideError, match="older guide"):
        merge(ours, profile, tmp_path / "both.zip")


def test_a_full_disk_is_one_line_and_no_half_archive(ours, tmp_path, small_disk):
    profile = tmp_path / "torch.json"
    noise = random.Random(0).randbytes(100_000).hex()
    profile.write_text(json.dumps({**PROFILE, "noise": noise}))
    disk = small_disk(tmp_path / "disk", "16k")
    with pytest.raises(GuideError, match="No space left"):
        merge(ours, profile, disk / "both.zip")
    assert not list(disk.iterdir())


# The command


@pytest.fixture
def run_folder(ours):
    (ours.parent / "run.json").write_text("{}")
    return ours.parent


def call(*arguments):
    from click.testing import CliRunner

    from guide.cli.trace import trace

    result = CliRunner().invoke(trace, [str(a) for a in arguments])
    if isinstance(result.exception, GuideError):
        return result.exit_code, str(result.exception)
    return result.exit_code, result.output


@pytest.mark.parametrize(("most", "name"), [(0, "trace.pftrace"), (9, "trace.json")])
def test_it_says_where_the_trace_is_how_large_and_how_to_open_it(
    run_folder, timeline, monkeypatch, most, name
):
    monkeypatch.setattr("guide.trace.LARGE", most)
    file = write_trace(run_folder, "demo", timeline, TickLog(), 0)
    code, output = call(run_folder)
    assert code == 0
    assert f"{run_folder / name} (1 slice, {file.stat().st_size} B)" in output
    assert "https://ui.perfetto.dev" in output


def test_with_a_profile_it_writes_an_archive_once(run_folder, tmp_path):
    profile = tmp_path / "torch.json"
    profile.write_text(json.dumps(PROFILE))
    archive = run_folder / "trace-with-torch.zip"
    code, output = call(run_folder, "--with", profile)
    assert (code, archive.exists()) == (0, True)
    assert str(archive) in output
    code, output = call(run_folder, "--with", profile)
    assert code == 1
    assert output == f"{archive} is there already; choose another: -o FILE.zip"
    assert call(run_folder, "--with", profile, "-o", tmp_path / "b.zip")[0] == 0


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_profile_that_cannot_be_read_is_one_line(run_folder, tmp_path, name):
    code, output = call(run_folder, "--with", tmp_path / name)
    assert code == 1
    assert output.startswith(f"{tmp_path / name}: ")
    assert "\n" not in output
    assert not (run_folder / "trace-with-torch.zip").exists()


def test_a_run_without_a_trace_says_so(run_folder):
    (run_folder / "trace.json").unlink()
    assert call(run_folder) == (
        1,
        f"{run_folder} holds no trace; a run that ends writes one: guide run",
    )


def test_an_archive_is_only_made_with_a_profile(run_folder, tmp_path):
    code, output = call(run_folder, "-o", tmp_path / "b.zip")
    assert code == 1
    assert "--with" in output

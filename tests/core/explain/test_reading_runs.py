"""A run of ours, read back from its trace in either form."""

from guide.clock import VirtualClock
from guide.explain.reading import read_trace
from guide.explain.trace import CATEGORIES
from guide.loop import Loop
from guide.trace.chrome import dump_chrome
from guide.trace.pftrace import dump_pftrace
from guide.trace.recording import Recording


def a_run(ticks=4):
    """A recording with ticks, spans on two lanes, and one that overlaps."""
    clock = VirtualClock()
    loop = Loop(100, clock=clock, ticks=ticks)
    timeline = loop.timeline
    for tick in loop:
        with tick.span("detect"):
            clock.advance(2_000_123)
            with tick.span("détail/inner"):
                clock.advance(1_000_001)
        now = clock.now_ns()
        timeline.add("decode", now - 2_000_000, now, lane="decoder", flow=tick.index)
        timeline.add("decode", now - 1_000_000, now + 1_000, lane="decoder", flow=tick.index)
        timeline.counter("depth", 3)
    timeline.mark("done")
    return Recording(
        "a run",
        timeline.columns(),
        loop.log.columns(),
        timeline.marks(),
        timeline.counters(),
        timeline.lanes,
        1_700_000_000_000_000_000,
    )


def as_told(trace):
    events = trace.events
    lanes = [trace.threads.get(track, "?") for track in events.tracks]
    return [
        (
            int(events.start_ns[i]),
            int(events.end_ns[i]),
            events.name_of(i),
            CATEGORIES[events.category[i]],
            lanes[events.track[i]],
        )
        for i in range(len(events))
    ]


def test_a_run_is_read_back_from_either_form(tmp_path):
    recording = a_run()
    small, large = tmp_path / "trace.json", tmp_path / "trace.pftrace"
    with small.open("w") as out:
        dump_chrome(out, recording)
    with large.open("wb") as out:
        dump_pftrace(out, recording)
    one, other = read_trace(small), read_trace(large)
    assert sorted(as_told(one)) == sorted(as_told(other))
    assert one.about["first_unix_ns"] == other.about["first_unix_ns"]
    spans = recording.spans
    told = as_told(one)
    assert len(told) == recording.slices == len(spans.start_ns) + 4
    assert {row[3] for row in told} == {"tick", "span"}
    assert {row[4] for row in told if row[2] == "decode"} == {"decoder"}
    assert [step.name for step in one.steps] == ["tick 0", "tick 1", "tick 2", "tick 3"]
    assert one.steps == other.steps
    assert one.missing == other.missing == ()
    inner = next(i for i, row in enumerate(told) if row[2] == "détail/inner")
    assert told[one.parent[inner]][2] == "detect"


def test_a_pftrace_that_is_cut_short_gives_what_came_before(tmp_path):
    file = tmp_path / "trace.pftrace"
    with file.open("wb") as out:
        dump_pftrace(out, a_run())
    whole = read_trace(file)
    file.write_bytes(file.read_bytes()[:-13])
    part = read_trace(file)
    assert 0 < len(part.events) <= len(whole.events)
    assert "the file is cut short; this is what could be read" in part.missing


def test_a_long_run_as_protobuf_keeps_a_few_ticks_too(tmp_path):
    file = tmp_path / "trace.pftrace"
    with file.open("wb") as out:
        dump_pftrace(out, a_run(ticks=300))
    trace = read_trace(file, most=300)
    assert 0 < len(trace.events) <= 450
    assert trace.stepped
    assert "more than are kept" in trace.missing[0]

"""Whatever is named as a trace: a line that says what it is, or a trace that says what it lacks."""

import gzip
import json
import marshal
import sqlite3
import time

import pytest

from benchmarks.explain import bulk
from guide.errors import GuideError
from guide.explain.reading import read_trace


def x(name, ts, dur=1, cat="cpu_op", **more):
    return {"ph": "X", "cat": cat, "name": name, "pid": 1, "tid": 1, "ts": ts, "dur": dur} | more


def said(file):
    """What a person reads: one line, and what to type next."""
    with pytest.raises(GuideError) as caught:
        read_trace(file)
    assert "\n" not in str(caught.value)
    assert str(file) in caught.value.message
    assert caught.value.remedy
    return caught.value.message.removeprefix(str(file)).strip(": ")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b" \r\n\0", "is empty"),
        (b"hello, world\n", "is no trace: neither JSON nor a run's"),
        (b"\xff\xfe\x00", "is no trace: neither JSON nor a run's"),
        (b"{}", "holds no events of a trace"),
        (b"[]", "holds no events of a trace"),
        (b"{", "holds no events of a trace"),
        (b'{"traceEvents": {}}', "holds no events of a trace"),
        (b'{"traceEvents": [1, null, "a", [], {}]}', "holds no events of a trace"),
        (gzip.compress(b"{}"), "holds no events of a trace"),
        (gzip.compress(b"{}")[:9], "is damaged: nothing of it can be unpacked"),
        (b"\x1f\x8bnothing", "is damaged: nothing of it can be unpacked"),
        (b"PK\x03\x04....", "is a ZIP archive"),
        (b"\x28\xb5\x2f\xfd....", "is packed by zstd"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is a page or a picture, not a trace"),
        (b"\x0a\x02\x08\x01" * 3, "is a trace of Perfetto's by another tool"),
        (marshal.dumps({("a.py", 1, "f"): (1, 1)}), "is a profile of cProfile, not a trace"),
        (b'{"$schema": "https://www.speedscope.app/"}', "is a profile of speedscope"),
        (b'{"nodes": [], "samples": [], "timeDeltas": []}', "is a profile of V8"),
        (b'{"schema": 1, "guide": "0.1", "loop": {}}', "is the record of a run"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_trace_is_named_in_one_line(tmp_path, content, expected):
    file = tmp_path / "trace.json"
    file.write_bytes(content)
    assert said(file) == expected


def test_a_folder_an_absent_file_and_a_device_are_told_apart(tmp_path):
    assert said(tmp_path) == "is a folder"
    assert said(tmp_path / "absent.json") == "No such file or directory"
    with pytest.raises(GuideError, match="no ordinary file"):
        read_trace("/dev/null")
    with pytest.raises(GuideError, match="no name of a file"):
        read_trace("a\0b")


def test_reports_of_nsight_are_known_by_what_they_are(tmp_path):
    database = tmp_path / "report.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("create table CUPTI_ACTIVITY_KIND_KERNEL (start, end)")
    connection.close()
    assert said(database) == "is an SQLite database, as Nsight Systems exports"
    report = tmp_path / "report.nsys-rep"
    report.write_bytes(bytes(range(256)))
    assert said(report) == "is a report of Nsight Systems, not a trace"


@pytest.mark.parametrize("zipped", [False, True])
def test_a_trace_that_is_cut_short_gives_what_came_before(tmp_path, zipped):
    whole, part = tmp_path / "whole.json", tmp_path / "part.json"
    text = bulk.text(steps=5, operators=400).encode()
    whole.write_bytes(text)
    packed = gzip.compress(text) if zipped else text
    part.write_bytes(packed[: len(packed) * 6 // 10])
    trace = read_trace(part)
    assert trace.missing == ("the file is cut short; this is what could be read",)
    n = len(trace.events)
    assert n > 0.5 * len(read_trace(whole).events)
    assert len(trace.steps) >= 3


def test_of_a_gzip_with_a_damaged_middle_the_first_part_is_read(tmp_path):
    file = tmp_path / "trace.json.gz"
    packed = bytearray(gzip.compress(bulk.text(steps=5, operators=400).encode()))
    middle = len(packed) // 2
    packed[middle : middle + 40] = bytes(40)
    file.write_bytes(packed)
    trace = read_trace(file)
    assert len(trace.events) > 1000
    assert trace.missing


def with_events(file, *texts, before=40, after=40):
    """A file with sound events, and some texts in the midst of them."""
    sound = [json.dumps(x(f"sound {i}", i)) for i in range(before + after)]
    events = [*sound[:before], *texts, *sound[before:]]
    file.write_text('{"traceEvents": [' + ",\n".join(events) + "]}", errors="surrogatepass")
    return read_trace(file)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"ph": "X", "name": "a", "ts": 1, "dur": }', "a damaged entry was left out"),
        ('{"ph": "X", "name": "a, "ts": 1, "dur": 1}', "a damaged entry was left out"),
        ('{"ph": "X", "name": "a\\", "ts": 1, "dur": 1}', "a damaged entry was left out"),
        ('{"ph": "X", "name": "a", "ts": nan, "dur": 1}', "a damaged entry was left out"),
        ('{"ph": "X", "name": ["a"], "ts": 1, "dur": 1}', "a damaged entry was left out"),
        ('{"ph": "X", "pid": {}, "ts": 1, "dur": 1}', "a damaged entry was left out"),
        ("17", "a damaged entry was left out"),
        ("\x00\x00\x00", "a damaged entry was left out"),
        ("[" * 900 + "]" * 900, "a damaged entry was left out"),
        ("9" * 5000, "a damaged entry was left out"),
        ('{"ph": "X", "name": "' + "a" * 3_000_000 + '", "ts": 1, "dur": 1}', "larger than any"),
        ('{"ph": "X", "name": "a", "ts": NaN, "dur": 1}', "without a usable time"),
        ('{"ph": "X", "name": "a", "ts": Infinity, "dur": 1}', "without a usable time"),
        ('{"ph": "X", "name": "a", "ts": 1, "dur": -1}', "without a usable time"),
        ('{"ph": "X", "name": "a", "ts": 1e300, "dur": 1}', "without a usable time"),
        ('{"ph": "X", "name": "a", "ts": 1e999999999999, "dur": 1}', "without a usable time"),
        ('{"ph": "X", "name": "a", "ts": ' + "9" * 4000 + ', "dur": 1}', "without a usable time"),
        ('{"ph": "X", "name": "a", "ts": 9e15, "dur": 9000000000000000000}', "usable time"),
        ('{"ph": "X", "name": "a", "ts": "soon", "dur": 1}', "without a usable time"),
        ('{"ph": "X", "name": "a", "ts": null, "dur": 1}', "without a usable time"),
        ('{"ph": "X", "name": "a", "dur": 1}', "without a usable time"),
    ],
    ids=lambda value: value[:48],
)  # fmt: skip
def test_one_bad_event_costs_one_event_and_is_counted(tmp_path, text, reason):
    trace = with_events(tmp_path / "trace.json", text)
    assert sum(name.startswith("sound") for name in trace.events.names) == 80
    assert any(reason in sentence for sentence in trace.missing), trace.missing


def test_a_path_of_windows_that_nobody_escaped_is_read_all_the_same(tmp_path):
    event = r'{"ph": "X", "cat": "cpu_op", "name": "C:\Users\me\new.py", "ts": 1, "dur": 1}'
    trace = with_events(tmp_path / "trace.json", event)
    assert len(trace.events) == 81
    assert any(name.startswith("C:") for name in trace.events.names)


def test_many_damaged_events_cost_neither_the_others_nor_much_time(tmp_path):
    bad = ['{"ph": "X", "name": "a", "ts": 1, "dur": }'] * 2000
    before = time.process_time()
    trace = with_events(tmp_path / "trace.json", *bad, before=2000, after=2000)
    both = time.process_time() - before
    before = time.process_time()
    with_events(tmp_path / "trace.json", before=4000, after=2000)
    sound = time.process_time() - before
    assert len(trace.events) == 4000
    assert trace.missing[-1] == "2,000 damaged entries were left out"
    assert both < 100 * sound


def test_what_a_file_says_of_itself_may_be_damaged_and_the_events_are_read(tmp_path):
    file = tmp_path / "trace.json"
    text = bulk.text(steps=3, operators=10)
    file.write_text(text.replace('"name": "a GPU"', '"name": a GPU"'))
    trace = read_trace(file)
    assert len(trace.steps) == 3
    assert trace.missing[-1] == "a damaged entry was left out"


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 2_000_000,
        '{"a":' * 200_000,
        '{"traceEvents": [' + '{"args":' * 500_000,
        '{"a": "' + "b" * 20_000_000,
        '{"a": "' + "b" * 20_000_000 + '", "traceEvents": []}',
        '{"traceEvents": [{"name": "' + "\\\\" * 6_000_000,
        "[" + " " * 20_000_000,
        "[" + "[]," * 1_000_000,
        '{"a": [' + "{}," * 4_000_000,
        "{" + '"a":1,' * 1_000_000,
        "[" + "9" * 20_000_000,
        "[" + "," * 2_000_000,
    ],
    ids=lambda text: text[:24],
)
def test_a_bomb_is_refused_in_one_line(tmp_path, bomb):
    file = tmp_path / "trace.json.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.write(bomb.encode())
    said(file)


def test_a_gzip_bomb_is_not_unpacked(tmp_path):
    file = tmp_path / "trace.json.gz"
    import zlib

    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    with file.open("wb") as out:
        out.write(deflate.compress(b'{"traceEvents": ['))
        out.write(deflate.compress(json.dumps(x("a", 1)).encode()))
        for _ in range(256):
            out.write(deflate.compress(b" " * (1 << 20)))
        out.write(deflate.flush())
    trace = read_trace(file)
    assert len(trace.events) == 1
    assert any("unpacks to far more" in sentence for sentence in trace.missing)


def steps_and_work(shift=0):
    events = [x(f"ProfilerStep#{i}", 100 * i + shift, 100, "user_annotation") for i in range(8)]
    return events + [x("aten::mm", 10 * i + shift, 9) for i in range(80)]


def read_events(tmp_path, events):
    file = tmp_path / "trace.json"
    file.write_text(json.dumps({"traceEvents": events}))
    return read_trace(file)


def test_events_out_of_order_are_put_in_order(tmp_path):
    events = steps_and_work()
    one, other = read_events(tmp_path, events), read_events(tmp_path, events[::-1])
    assert one.events.start_ns.tolist() == other.events.start_ns.tolist()
    assert one.steps == other.steps
    assert one.parent.tolist() == other.parent.tolist()


@pytest.mark.parametrize("far", [-(10**15), -(10**9), 10**9, 1_700_000_000_000_000])
@pytest.mark.parametrize("stepped", [True, False])
def test_a_few_events_far_away_in_time_do_not_stretch_the_window(tmp_path, far, stepped):
    events = [event for event in steps_and_work() if stepped or event["cat"] == "cpu_op"]
    clean = read_events(tmp_path, events)
    trace = read_events(tmp_path, [*events, x("far", far, 3)])
    assert trace.steps == clean.steps
    assert trace.events.start_ns.tolist() == clean.events.start_ns.tolist()
    assert any("far away in time" in sentence for sentence in trace.missing)


@pytest.mark.parametrize("stretched", [("far", -(10**9), 10**9 + 5), ("far", 50, 10**12)])
def test_an_event_that_a_jump_of_the_clock_stretched_does_not_either(tmp_path, stretched):
    work = [event for event in steps_and_work() if event["cat"] == "cpu_op"]
    clean, trace = read_events(tmp_path, work), read_events(tmp_path, [*work, x(*stretched)])
    assert trace.steps == clean.steps
    assert any("far away in time" in sentence for sentence in trace.missing)


def test_a_step_in_which_the_clock_jumped_is_no_step(tmp_path):
    events = steps_and_work() + steps_and_work(shift=3_600_000_000)
    jumped = x("ProfilerStep#99", 800, 3_600_000_000 - 900, "user_annotation")
    trace = read_events(tmp_path, [*events, jumped])
    assert "ProfilerStep#99" not in {step.name for step in trace.steps}
    assert trace.step_ns == 100_000


def test_a_long_wait_before_the_work_is_no_jump(tmp_path):
    wait = x("enumerate(DataLoader)#_SingleProcess.__next__", -5_000_000, 5_000_000)
    trace = read_events(tmp_path, [*steps_and_work(), wait])
    assert len(trace.events) == 89


def test_errors_of_the_reader_leave_garbage_collection_as_it_was(tmp_path):
    import gc

    file = tmp_path / "trace.json"
    file.write_text("no")
    assert gc.isenabled()
    said(file)
    assert gc.isenabled()

"""What a trace says, whichever tool and version wrote it."""

import gzip
import json
from decimal import Decimal

import pytest

from benchmarks.explain import bulk
from guide.errors import GuideError
from guide.explain import reading
from guide.explain.columns import nanoseconds
from guide.explain.reading import read_trace
from guide.explain.trace import CATEGORIES


@pytest.fixture
def read(tmp_path):
    def read_events(events, *, most=reading.MOST, **beside):
        file = tmp_path / "trace.json"
        file.write_text(json.dumps({"schemaVersion": 1, **beside, "traceEvents": events}))
        return read_trace(file, most=most)

    return read_events


def x(name, ts, dur, cat="cpu_op", **more):
    return {"ph": "X", "cat": cat, "name": name, "pid": 1, "tid": 1, "ts": ts, "dur": dur} | more


def kinds(trace):
    events = trace.events
    return {
        name: CATEGORIES[events.category[i]]
        for i, name in enumerate(events.names[n] for n in events.name)
    }


def steps_at(*starts, ns=100, name="ProfilerStep#"):
    return [x(f"{name}{i}", t, ns, "user_annotation") for i, t in enumerate(starts)]


@pytest.mark.parametrize("since_1970", [False, True])
def test_times_are_whole_nanoseconds_from_the_first_event(tmp_path, since_1970):
    file = tmp_path / "trace.json"
    file.write_text(bulk.text(steps=4, operators=5, since_1970=since_1970))
    trace = read_trace(file)
    first = trace.events.of("kernel")[0]
    started = 1_000 + 14_000
    assert trace.events.start_ns[first] == started
    assert trace.events.ns[first] == (9_000 if since_1970 else 9_876)
    assert trace.about["first_unix_ns"] == 1_700_000_000_005_000_000
    assert [step.name for step in trace.steps] == [f"ProfilerStep#{i}" for i in range(4)]
    assert not trace.missing


@pytest.mark.parametrize("start", [1_712_195_495_519_689, 5_016_529_250_113, 0, -3])
def test_no_nanosecond_is_lost_to_a_float(tmp_path, start):
    file = tmp_path / "trace.json"
    decimals = (0, 1, 47, 499, 500, 999)
    listed = ",".join(
        f'{{"ph":"X","cat":"cpu_op","name":"{ns}","pid":1,"tid":1,'
        f'"ts":{start}.{ns:03},"dur":1.{ns:03}}}'
        for ns in decimals
    )
    if start >= 0:
        file.write_text(f'{{"traceEvents":[{listed}]}}')
        assert read_trace(file).events.start_ns.tolist() == list(decimals)
        assert read_trace(file).events.ns.tolist() == [1000 + ns for ns in decimals]
    else:  # further from zero the more decimals there are
        file.write_text(f'{{"traceEvents":[{listed}]}}')
        assert read_trace(file).events.start_ns.tolist() == [999 - n for n in reversed(decimals)]


def test_more_decimals_than_nanoseconds_are_rounded(read):
    events = [x("a", 0, 1), x("b", 1.00049999, 1), x("c", 1.0006, 1e-3), x("d", 2e3, 1.5e1)]
    trace = read(events)
    assert trace.events.start_ns.tolist() == [0, 1000, 1001, 2_000_000]
    assert trace.events.ns.tolist() == [1000, 1000, 1, 15_000]


def test_torch_1_9_calls_things_otherwise(read):
    args = {"device": 0, "stream": 7, "correlation": 5, "bytes": 4}
    trace = read(
        [
            x("ProfilerStep#1", 0, 100, "Operator"),
            x("ProfilerStep#2", 100, 100, "Operator"),
            x("aten::add", 10, 20, "Operator", args={"Input dims": [[2, 3]]}),
            x("cudaLaunchKernel", 12, 4, "Runtime", args={"correlation": 5}),
            x("gemm", 20, 20, "Kernel", args=args),
            x("Memcpy DtoH", 50, 20, "Memcpy", args=args),
            x("Memset", 80, 1, "Memset", args=args),
        ]
    )
    assert kinds(trace) == {
        "ProfilerStep#1": "op",
        "ProfilerStep#2": "op",
        "aten::add": "op",
        "cudaLaunchKernel": "runtime",
        "gemm": "kernel",
        "Memcpy DtoH": "memcpy",
        "Memset": "memset",
    }
    assert [step.name for step in trace.steps] == ["ProfilerStep#1", "ProfilerStep#2"]
    assert trace.events.shapes == ["[[2, 3]]"]
    copy = trace.events.of("memcpy")[0]
    assert (trace.events.bytes[copy], trace.events.correlation[copy]) == (4, 5)


def test_amd_has_its_own_names_for_what_a_gpu_does(read):
    work = {"device": 2, "stream": 0, "correlation": 9}
    trace = read(
        [
            x("hipLaunchKernel", 0, 5, "hip_runtime"),
            x("hipMemcpyWithStream", 6, 5, "some_runtime_of_the_future"),
            x("Cijk_Ailk_Bljk_SB_MT64x64", 10, 50, "kernel", args=work),
            x("CopyDeviceToHost", 60, 5, "kernel", args=work),
            x("FillBuffer", 70, 5, "kernel", args=work),
            x("a_kernel", 80, 5, "gpu_op", args=work),
        ]
    )
    assert kinds(trace) == {
        "hipLaunchKernel": "runtime",
        "hipMemcpyWithStream": "runtime",
        "Cijk_Ailk_Bljk_SB_MT64x64": "kernel",
        "CopyDeviceToHost": "memcpy",
        "FillBuffer": "memset",
        "a_kernel": "kernel",
    }
    assert trace.steps[0][:2] == (10_000, 85_000)
    assert not trace.stepped


def test_a_wait_drawn_on_a_stream_is_no_work(read):
    trace = read(
        [x("a", 0, 1), x("Stream Sync", 0, 9, "cuda_sync", args={"device": 0, "stream": 7})]
    )
    assert kinds(trace)["Stream Sync"] == "other"


def test_begin_and_end_become_one_event(read):
    def half(ph, ts, **more):
        return {"ph": ph, "pid": 1, "tid": 1, "ts": ts} | more

    trace = read(
        [
            half("B", 0, name="outer", cat="cpu_op", args={"correlation": 3}),
            half("B", 10, name="inner", cat="cpu_op"),
            x("beside", 5, 100, tid=2),
            half("E", 20),
            half("E", 40.5),
            half("E", 50),
            half("B", 60, name="never ends", cat="cpu_op"),
        ]
    )
    events = trace.events
    found = {events.name_of(i): (int(events.start_ns[i]), int(events.end_ns[i])) for i in range(3)}
    assert found == {"outer": (0, 40_500), "inner": (10_000, 20_000), "beside": (5_000, 105_000)}
    assert events.correlation[0] == 3
    assert trace.missing[-1] == "2 events that begin or end only were left out"


def test_steps_that_nobody_named_lie_between_the_ends_of_an_optimizer(read):
    name = "Optimizer.step#SGD.step"
    events = [x(name, t, 10, "user_annotation") for t in (90, 190, 290, 390)]
    events += [x("aten::mm", t, 5) for t in range(0, 400, 10)]
    trace = read(events)
    assert trace.stepped
    assert [(w.start_ns, w.end_ns) for w in trace.steps] == [
        (100_000, 200_000),
        (200_000, 300_000),
        (300_000, 400_000),
    ]


def test_a_warm_up_is_no_step_to_look_at(read):
    slow = x("ProfilerStep#0", 0, 140, "user_annotation")
    rest = [x(f"ProfilerStep#{i}", 100 * i + 100, 100, "user_annotation") for i in (1, 2, 3)]
    assert [step.name for step in read([slow, *rest]).steps] == [
        "ProfilerStep#1",
        "ProfilerStep#2",
        "ProfilerStep#3",
    ]


def test_of_two_steps_a_warm_up_goes_too_and_that_is_said(read):
    trace = read([*steps_at(0, ns=900), x("ProfilerStep#1", 900, 100, "user_annotation")])
    assert [step.name for step in trace.steps] == ["ProfilerStep#1"]
    assert trace.missing[0].startswith("only one step to look at")
    assert read(steps_at(0, 100)).missing[0].startswith("only two steps to look at")


def test_of_several_processes_the_steps_are_those_of_one(read):
    other = [event | {"pid": 2} for event in steps_at(50, 150)]
    trace = read([*other, *steps_at(0, 100, 200)])
    assert [step.start_ns for step in trace.steps] == [0, 100_000, 200_000]
    assert trace.missing[0] == "2 processes name steps; the steps are those of 1"


def test_of_two_events_that_overlap_each_keeps_its_own_time(read):
    trace = read([x("a", 0, 100), x("b", 50, 100), x("in b", 120, 10)])
    assert trace.parent.tolist() == [-1, 0, 1]
    assert trace.self_ns.tolist() == [50_000, 90_000, 10_000]


def test_numbers_may_be_text_and_keys_may_come_twice(tmp_path):
    file = tmp_path / "trace.json"
    file.write_text(
        '{"traceEvents":[{"ph":"X","cat":"cpu_op","name":"a","name":"b","pid":"1","tid":"1",'
        '"ts":"10.5","dur":"2","args":{"correlation":"7","device":"x"}}],"traceEvents":['
        '{"ph":"X","cat":"cpu_op","name":"c","pid":"1","tid":"1","ts":11,"dur":1e400}]}'
    )
    trace = read_trace(file)
    assert trace.events.names == ["b"]
    assert (trace.events.ns[0], trace.events.correlation[0], trace.events.device[0]) == (
        2000,
        7,
        -1,
    )
    assert (
        trace.missing[0]
        == "taken without stacks, so lines of source cannot be told: with_stack=True"
    )
    assert "an event without a usable time was left out" in trace.missing


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: gzip.compress(text.encode()),
        lambda text: gzip.compress(text[:2000].encode()) + gzip.compress(text[2000:].encode()),
        lambda text: gzip.compress(text.encode()) + b"\0" * 512,
    ],
    ids=["bom", "utf-16", "utf-16-be", "crlf", "gzip", "two members", "padded"],
)
def test_the_same_trace_in_another_wrapping_is_the_same(tmp_path, encode):
    text = bulk.text(steps=3, operators=30).replace("a GPU", "une carte à 显卡 🐢")
    plain, wrapped = tmp_path / "plain.json", tmp_path / "wrapped.json"
    plain.write_bytes(text.encode())
    wrapped.write_bytes(encode(text))
    one, other = read_trace(plain), read_trace(wrapped)
    assert one.missing == other.missing == ()
    assert one.events.start_ns.tolist() == other.events.start_ns.tolist()
    assert (one.events.names, one.about, one.steps) == (
        other.events.names,
        other.about,
        other.steps,
    )


def test_names_of_any_script_stay_and_control_characters_go(read):
    names = [
        "мой шаг",
        "ステップ",
        "خطوة",
        "🏃🏽\u200d♀️",
        "a\x1b[31mb\nc",
        "half \ud800",
        "\u202egnp.exe",
    ]
    trace = read([x(name, i, 1) for i, name in enumerate(names)])
    assert trace.events.names[:4] == names[:4]
    assert trace.events.names[4:] == ["a\ufffd[31mb c", "half \ufffd", "\ufffdgnp.exe"]
    "".join(trace.events.names).encode()


def test_columns_cannot_be_spoilt_by_a_rule(read):
    trace = read([x("a", 0, 1)])
    with pytest.raises(ValueError, match="read-only"):
        trace.events.start_ns[0] = 1


def test_what_is_absent_is_said(read):
    launch = x("cudaLaunchKernel", 5, 1, "cuda_runtime", args={"correlation": 1})
    assert read([launch]).missing[0].startswith("a device was called, but no work of it")
    kernel = x("k", 5, 1, "kernel", args={"device": 0, "correlation": 1})
    assert read([kernel]).missing[0].startswith("only a device's work is in the trace")
    assert read([x("aten::mm", 0, 1)]).missing == (
        "taken without stacks, so lines of source cannot be told: with_stack=True",
    )


def test_an_uncategorised_trace_of_a_stranger_is_taken_for_spans_and_that_is_said(read):
    event = {"ph": "X", "name": "work", "pid": 1, "tid": 1, "ts": 1, "dur": 2}
    trace = read([event])
    assert kinds(trace) == {"work": "span"}
    assert trace.missing[0].startswith("no event says of what kind it is")


def test_other_tools_are_told_apart(read):
    event = x("f (a.py:1)", 0, 1, "FEE")
    with pytest.raises(GuideError, match="is a trace of VizTracer; take one: guide profile"):
        read([event], viztracer_metadata={"version": "1"})
    with pytest.raises(GuideError, match="holds events of another tool"):
        read([event])
    named = {"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "/device:GPU:0"}}
    plain = {"ph": "X", "name": "work", "pid": 1, "tid": 1, "ts": 1, "dur": 2}
    with pytest.raises(GuideError, match="JAX or TensorFlow"):
        read([named, plain])


@pytest.mark.parametrize(
    "us",
    [
        *("1785423014511870.123", "7.0", "0.3", "29999.969999999998", "0.0004", "0.0005"),
        *("0.0015", "12.34567", "-3.25", "1.5e3", "2.0006e-2", "99999999999999999.9999", "3"),
    ],
)
def test_times_in_text_are_as_exact_as_decimals_are(us):
    assert nanoseconds(us) == round(Decimal(us) * 1000)


@pytest.mark.parametrize("us", ["", ".", "1.", ".5.5", "nan", "Infinity", "one", "1.2x", "9" * 30])
def test_what_is_no_time_is_none_or_the_time_it_says(us):
    assert nanoseconds(us) == (1000 if us == "1." else None)

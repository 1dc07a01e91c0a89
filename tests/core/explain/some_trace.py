"""A small trace as torch writes them, and a plugin with rules for it."""

import gzip
import json

PLUGIN = """\
from guide.plugin import Diagnosis, Pin, Place, Verdict, Word, hookimpl

GUIDE_API = 1


@hookimpl
def guide_diagnoses():
    of_traces = [(name, "trace") for name in ("idle", "item", "broken")]
    of_runs = [(name, "run") for name in ("largest", "plain")]
    return [Diagnosis(n, f"rules_of_a_test:{n}", reads) for n, reads in [*of_traces, *of_runs]]


def idle(trace):
    from guide.explain.trace import complement, union

    events, pins = trace.events, []
    kernels = events.of("kernel")
    if not len(kernels):
        return []
    busy = union(events.start_ns[kernels], events.end_ns[kernels])
    for step in trace.steps:
        pins += [Pin(int(a), int(b)) for a, b in zip(*complement(busy, step), strict=True)]
    idle_ns = sum(pin.end_ns - pin.start_ns for pin in pins) // len(trace.steps)
    return [
        Verdict(
            "waiting for data", f"The GPU waits {idle_ns} ns a step.", idle_ns,
            "One process decodes.", "More workers: num_workers=4.", "Feed the same batch.", "sure",
            (Place("train.py", 12, "    batch = next(batches)"),), (("gaps", "3"),),
            Word("DataLoader", "what makes batches of samples"),
            ("m0/s1", "m0::e1", "m6/s99"), tuple(pins),
        )
    ]  # fmt: skip


def item(trace):
    return [Verdict(".item() stall", "It looks bad, and costs nothing.")]


def broken(trace):
    raise RuntimeError("no luck")


def largest(record):
    spans = {n: s for n, s in record["spans"].items() if not s["beside"]}
    ticks = record["tick_time"]["count"]
    return [
        Verdict(f"slow {n}", f"{n} sleeps.", int(s["total_ns"] * 0.9 / ticks), remedy="Wake it.")
        for n, s in spans.items() if s["total_ns"] / ticks > 4e6
    ]


def plain(record):
    return ["A sentence, as rules of old said it."]
"""


def write_plugin(folder):
    """Write the plugin as an installed distribution; returns what PYTHONPATH takes."""
    about = folder / "rules_of_a_test-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "rules_of_a_test.py").write_text(PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: rules-of-a-test\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[guide]\nrules-of-a-test = rules_of_a_test\n")
    return folder


def events(steps=4, busy=0.4, step_us=10_000, kernels=10, name="gemm"):
    """Events of steps whose second part the GPU idles, `busy` of each is kernels."""
    made = []

    def add(cat, name, ts, dur, pid, tid, **args):
        event = {"ph": "X", "cat": cat, "name": name, "ts": ts, "dur": dur, "pid": pid, "tid": tid}
        made.append(event | {"args": args})

    made.append(
        {"ph": "M", "name": "thread_name", "pid": 0, "tid": 7, "args": {"name": "stream 7"}}
    )
    for i in range(steps):
        at, each = i * step_us, step_us * busy / kernels
        add("user_annotation", f"ProfilerStep#{i}", at, step_us, 1, 1)
        add("cpu_op", "aten::mm", at, step_us * busy, 1, 1)
        for k in range(kernels):
            add("cuda_runtime", "cudaLaunchKernel", at + k * each, 1, 1, 1, correlation=k)
            add("kernel", name, at + k * each, each, 0, 7, correlation=k, device=0)
    return made


def write_trace(file, **how):
    """Write them as torch's profiler does, gzipped where the name says so."""
    text = json.dumps({"schemaVersion": 1, "traceEvents": events(**how)})
    data = text.encode("utf-8", "surrogatepass")
    file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)
    return file

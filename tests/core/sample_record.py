"""Records such as runs leave behind, made up from a seed: ordinary ones and nasty ones."""

import copy
import math

import numpy as np

PHASES = (("capture", 0.12), ("detect", 0.5), ("track", 0.2), ("draw", 0.18))
CAUSES = (
    ("over budget: detect", "detect took 15.2 ms, mostly 4.1 ms"),
    ("woke late: gil", "woke 9.1 ms late: another Python thread held the interpreter"),
    ("gc", "garbage was collected for 6.1 ms"),
    ("preempted", "the kernel took the processor away for 5.5 ms"),
    ("page fault", "3 pages came from disk"),
)
CARD = {
    "measured": "2026-07-01",
    "figures": {
        "triad.all": {"value": 28.5, "unit": "GB/s", "spread": 0.02},
        "fma.f32.all": {"value": 210.0, "unit": "GFLOP/s", "spread": 0.03},
        "wake.240.p99": {"value": 62_000.0, "unit": "ns", "spread": 0.2},
    },
}


def summary(values):
    values = np.sort(np.asarray(values, np.int64))
    if not values.size:
        return dict.fromkeys(("count", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns"), 0)
    rank = [int(values[max(math.ceil(values.size * q) - 1, 0)]) for q in (0.5, 0.9, 0.99, 1)]
    names = ("p50_ns", "p90_ns", "p99_ns", "max_ns")
    found = dict(zip(names, rank, strict=True))
    return {"count": values.size, "mean_ns": float(values.mean()), **found}


def sample(
    ticks=600,
    rate_hz=60.0,
    *,
    typical_ms=6.0,
    misses=6,
    causes=5,
    alike=30,
    outlier_ms=0.0,
    energy=("model",),
    series=(),
    card=CARD,
    seed=0,
    keep=100_000,
    **more,
):
    """A finished record, whose ticks resemble `alike` neighbours; `more` replaces its fields."""
    rng = np.random.default_rng(seed)
    # Neighbouring ticks resemble each other: a slow wave and short-lived noise.
    wave = np.convolve(rng.normal(0, 1, ticks + 200), np.exp(-np.arange(200) / alike), "same")[
        :ticks
    ]
    work = typical_ms * 1e6 * (1 + 0.04 * wave + np.abs(rng.normal(0, 0.03, ticks)))
    late = np.abs(rng.normal(60e3, 15e3, ticks)) + rng.exponential(12e3, ticks)
    budget = None if rate_hz is None else round(1e9 / rate_hz)
    at = rng.choice(ticks, min(misses, ticks), replace=False) if ticks else np.empty(0, int)
    kinds = {int(i): CAUSES[k % causes] for k, i in enumerate(np.sort(at))}
    for i, (cause, _) in kinds.items():
        extra = (budget or 0) * (1.05 + rng.exponential(0.25))
        (late if cause.startswith("woke") else work)[i] = extra
    if outlier_ms and ticks:
        work[ticks // 2] = outlier_ms * 1e6
    work, late = work.astype(np.int64), late.astype(np.int64)
    if budget is None:
        start = np.concatenate([[0], np.cumsum(work[:-1])]).astype(np.int64)[:ticks]
        due = start
    else:
        due, start = np.empty((2, ticks), np.int64)
        slot, free = 0, 0
        for i in range(ticks):  # what is still running as the next falls due costs it its slot
            slot = max(slot, -(-free // budget))
            due[i] = slot * budget
            start[i] = due[i] + late[i]
            free = int(start[i] + work[i])
            slot += 1
    end = start + work
    missed = np.zeros(ticks, bool) if budget is None else end - due > budget
    where = np.flatnonzero(missed)
    listed = [
        {
            "index": int(i),
            "start_ns": int(start[i]),
            "over_ns": int(end[i] - due[i] - budget),
            "cause": (kinds.get(int(i)) or CAUSES[0])[0],
            "text": f"{(kinds.get(int(i)) or CAUSES[0])[1]}; {(end[i] - due[i] - budget) / 1e6:.2f}"
            " ms over",
        }
        for i in where
    ]
    counts = {}
    for miss in listed:
        counts[miss["cause"]] = counts.get(miss["cause"], 0) + 1
    seconds = float(end[-1]) / 1e9 if ticks else 0.0
    shown = slice(max(ticks - keep, 0), ticks)
    record = {
        "schema": 1,
        "guide": "0.1.0",
        "status": "finished",
        "ended": "ticks",
        "error": None,
        "project": {"name": "my_cam", "track": "vision"},
        "started": "2026-07-01T10:12:33+00:00",
        "machine": {
            "processor": "AMD EPYC 7763 64-Core Processor",
            "threads": 2,
            "system": "Linux 6.18.5",
            "python": "CPython 3.11.2",
            "memory_bytes": 23 << 30,
        },
        "options": {"width": 640, "height": 360, "source": "virtual"},
        "seed": 0,
        "seconds": seconds,
        "loop": {
            "rate_hz": rate_hz,
            "budget_ns": budget,
            "overrun": "skip",
            "ticks": ticks,
            "missed": int(missed.sum()),
            "skipped": int(due[-1] // budget + 1 - ticks) if budget and ticks else 0,
            "suspended": 0,
        },
        "tick_time": summary(work),
        "lateness": summary(start - due),
        "spans": {
            name: {
                **summary(work * share),
                "total_ns": int((work * share).sum()),
                "beside": False,
            }
            for name, share in PHASES
        }
        | {
            "decode": {
                **summary(work * 0.4),
                "total_ns": int((work * 0.4).sum()),
                "beside": True,
            }
        },
        "ticks": {
            "first": shown.start,
            "due_ns": due[shown].tolist(),
            "start_ns": start[shown].tolist(),
            "end_ns": end[shown].tolist(),
            "skipped": [0] * (ticks - shown.start),
        },
        "worst": [
            {
                "index": int(i),
                "start_ns": int(start[i]),
                "work_ns": int(work[i]),
                "late_ns": int(start[i] - due[i]),
                "missed": bool(missed[i]),
                "spans": {name: int(work[i] * share) for name, share in PHASES},
            }
            for i in np.argsort(-work, kind="stable")[:10]
        ],
        "series": {name: curve(name, ticks, rng) for name in series},
        "usage": usage(seconds, energy, rng),
        "facts": {"backend": "numba", "camera": "virtual, 640 x 360"},
        "notes": ["The detector found no corner in 3 frames: they were black."],
        "texts": [],
        "picture": None,
        "misses": {"causes": counts, "list": listed[-1000:]},
        "flights": [
            flight(int(i), due, start, end)
            for i in sorted(where, key=lambda i: due[i] - end[i])[:10]
        ],
        "budgets": [
            budget_of("memory", 500e6, "B", 212e6, source="statm"),
            budget_of("energy", 100.0, "J", 82.0, 33.0, 131.0, source="model", state="warned"),
        ],
        "pacing": {
            "realtime": True,
            "text": "realtime: SCHED_FIFO, timer slack 1 ns, memory locked; refused: "
            "cpu_dma_latency (no such device): wakes about 70 µs later",
        },
        "work": {
            "detect": {"bytes": 24e6, "flops": 5e7, "dtype": "f32"},
            "draw": {"bytes": None, "flops": 4e6, "dtype": "f64"},
        },
        "card": copy.deepcopy(card),
        "source": {"commit": "1b6b575", "dirty": True},
        "clock": {"unix_ns": 1_782_900_753_000_000_000},
        "trace": "trace.json",
    }
    return record | more


def budget_of(name, limit, unit, used, low=None, high=None, *, source, state="kept"):
    keys = ("name", "limit", "unit", "used", "low", "high", "source", "state")
    return dict(zip(keys, (name, limit, unit, used, low, high, source, state), strict=True))


def curve(name, ticks, rng):
    xs = np.arange(ticks)
    ys = 5.5 * np.exp(-xs / max(ticks / 5, 1)) + 1.6 + rng.normal(0, 0.05, ticks)
    if name.endswith(".val"):
        xs, ys = xs[::50], ys[::50] + 0.1
    return {"unit": "", "stride": 1, "ticks": xs.tolist(), "values": ys.tolist()}


def usage(seconds, energy, rng):
    n = max(int(seconds * 10), 1)
    t = np.linspace(0, seconds, n)
    cpu = np.cumsum(np.abs(rng.normal(0.05, 0.01, n))) * (seconds / n * 10)
    memory = 200e6 + 10e6 * np.sqrt(np.arange(n)) % 3e7
    about = {
        "cpu": ("s", "total", "process clock", cpu),
        "memory": ("B", "level", "statm", memory),
    }
    if "model" in energy:
        about["energy.cpu"] = ("J", "total", "model", cpu * 5)
    if "rapl" in energy:
        about["energy.package-0"] = ("J", "total", "rapl", cpu * 11 + t * 3)
    return {
        "totals": [
            {
                "name": name,
                "value": float(values[-1]),
                "unit": unit,
                "kind": kind,
                "source": source,
                "low": float(values[-1]) * 0.4 if source == "model" else None,
                "high": float(values[-1]) * 1.6 if source == "model" else None,
            }
            for name, (unit, kind, source, values) in about.items()
        ],
        "samples": {
            "t_ns": (t * 1e9).astype(np.int64).tolist(),
            "columns": {
                name: {"unit": unit, "kind": kind, "source": source, "values": values.tolist()}
                for name, (unit, kind, source, values) in about.items()
            },
        },
        "failed": ["no RAPL: this machine shows no RAPL energy counter"],
    }


def flight(tick, due, start, end):
    """The ticks around `tick` with the spans of each, and a thread beside them."""
    around = range(max(tick - 4, 0), min(tick + 3, len(due)))
    names = ["detect/corners", *(name for name, _ in PHASES), "decode"]
    spans = []
    for i in around:
        t = int(start[i])
        for name, share in PHASES:
            took = int((end[i] - start[i]) * share)
            if name == "detect":
                spans.append([0, 0, t + took // 10, took // 2])
            spans.append([names.index(name), 0, t, took])
            t += took
        spans.append([5, 1, int(start[i]) + 2_000_000, int((end[i] - start[i]) * 0.4)])
    return {
        "tick": tick,
        "why": "missed",
        "names": names,
        "lanes": ["loop", "decoder"],
        "spans": spans,
        "ticks": [[i, int(due[i]), int(start[i]), int(end[i])] for i in around],
    }


def older(record):
    """The same run as it was recorded before causes, flights, budgets and cards."""
    new = ["misses", "flights", "budgets", "pacing", "work", "card", "source", "clock", "trace"]
    kept = {key: value for key, value in record.items() if key not in new}
    return kept | {"loop": {k: v for k, v in record["loop"].items() if k != "suspended"}}


def killed(record):
    """The same run, killed: what a journal held of it."""
    return record | {"status": "running", "ended": ""}


NASTY = {
    "no ticks": lambda: sample(0),
    "one tick": lambda: sample(1, misses=0),
    "one tick, missed": lambda: sample(1, misses=1),
    "all missed": lambda: sample(300, typical_ms=40, misses=0),
    "ten minutes": lambda: sample(36_000, misses=40, energy=("model", "rapl")),
    "ten minutes at 1 kHz": lambda: sample(
        600_000, 1000.0, typical_ms=0.3, misses=800, keep=100_000
    ),
    "an outlier": lambda: sample(outlier_ms=9_000),
    "training": lambda: sample(
        2_000, None, typical_ms=30, misses=0, series=("loss", "loss.val"), energy=("model",)
    ),
    "measured energy": lambda: sample(energy=("model", "rapl")),
    "no card": lambda: sample(card=None),
    "older": lambda: older(sample()),
    "killed": lambda: killed(sample()),
}

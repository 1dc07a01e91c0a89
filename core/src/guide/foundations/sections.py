"""The common sections in order, and the living figures that they bring: a table, nothing heavy."""

from __future__ import annotations

from pathlib import Path

from guide.plugin import Figure, Section

_HERE = Path(__file__).parent
_CODE = "guide.foundations.figures"
_OVER_SIZE, _BARS = "stopwatch:over_size", "stopwatch:time_bars"

# name -> (title, what measures it, what draws it)
_FIGURES = {
    "five-ways": ("One kernel, five ways", "roof:five_ways", "roof:draw_five_ways"),
    "python-lines": ("What a line of Python costs", "python:calls", _BARS),
    "span-cost": ("What measuring costs", "python:span", _BARS),
    "same-again": ("The same call, three hundred times", "waiting:trials", "waiting:draw_trials"),
    "latency-curve": ("How far away data is", "memory:latency", _OVER_SIZE),
    "bandwidth": ("How fast a copy is", "memory:bandwidth", _OVER_SIZE),
    "allocation": ("Fresh memory, and memory you had already", "memory:first_touch", _OVER_SIZE),
    "strides": ("Walking with and against the grain", "memory:strides", "memory:draw_strides"),
    "lookups": ("Is it in there?", "memory:lookups", "memory:draw_lookups"),
    "gc-pauses": ("The collector's pause", "memory:collections", "memory:draw_collections"),
    "fusion": ("Six operations, one to six passes", "passes:fusion", _BARS),
    "device": ("A device that works for itself", "waiting:device", _BARS),
    "amdahl": ("What more cores can bring", "threads:amdahl", "threads:draw_amdahl"),
    "lanes": ("Narrow numbers, more at once", "numbers:integers", "numbers:draw_integers"),
    "roofline": ("The roof over every loop", "roof:roofline", "roof:draw_roofline"),
    "thread-scaling": ("More threads", "threads:scaling", "threads:draw_scaling"),
    "lock-per-item": ("How often to go to the lock", "threads:lock_per_item", _BARS),
    "neighbours": ("Two counters, one line", "threads:neighbours", _BARS),
    "exchanges": ("One item there and back", "threads:exchanges", _BARS),
    "switches": ("Passing control on", "threads:switches", _BARS),
    "float-spacing": (
        "The gaps between floats",
        "numbers:float_spacing",
        "numbers:draw_float_spacing",
    ),
    "sums": ("A million tenths", "numbers:sums", "numbers:draw_sums"),
    "counting-bits": ("Counting bits", "numbers:counting_bits", _BARS),
    "compression": ("Packing text", "numbers:compression", "numbers:draw_compression"),
    "joules": ("The same answer in joules", "roof:energy", "roof:draw_energy"),
    "noticing": ("How late one notices", "waiting:noticing", _BARS),
    "wake-lateness": ("How late a sleep ends", "waiting:lateness", "waiting:draw_lateness"),
    "branches": ("A guess for every value", "passes:branches", "passes:draw_branches"),
    "log-lines": ("One line, said from a loop", "python:logs", _BARS),
    "borders": ("One call across the border", "python:borders", _BARS),
    "omission": ("One stall, two load tests", "waiting:omission", "waiting:draw_omission"),
    "profilers": ("Being watched", "python:profilers", _BARS),
    "compiling": ("What a compiler takes and gives", "passes:compiling", _BARS),
    "late-ticks": ("One in a thousand", "project:late_ticks", "project:draw_late_ticks"),
}

# id -> (title, ids it stands on, figures it brings). In m1 the numbers 1 to 3 are tracks', and 9
# to 19 are left to anyone's.
_SECTIONS: dict[str, tuple[str, str, str]] = {
    "m0/s0": ("How fast is this machine?", "", "span-cost"),
    "m0/s1": ("One kernel, five ways", "m0/s0", "five-ways python-lines"),
    "m0/s2": ("Doctor, machine, run, report", "m0/s0", ""),
    "m0/s3": ("How to read a number", "m0/s0", "same-again"),
    "m1/s0": ("How far away is memory?", "m0/s3", "latency-curve bandwidth"),
    "m1/s4": ("Asking for memory", "m1/s0", "allocation"),
    "m1/s5": ("Strides and views", "m1/s0", "strides"),
    "m1/s6": ("Where to keep things", "m1/s0", "lookups"),
    "m1/s7": ("The collector's pause", "m1/s4", "gc-pauses"),
    "m1/s8": ("Memory that is not there yet", "m1/s4", ""),
    "m1/s20": ("From eager to fused", "m1/s4", "fusion"),
    "m1/s21": ("The device at the other end", "m1/s0", "device"),
    "m2/s0": ("What more cores can bring", "m0/s1", "amdahl"),
    "m2/s1": ("The same for all of them", "m2/s0", "lanes roofline"),
    "m2/s2": ("Threads and the lock in the middle", "m2/s0", "thread-scaling"),
    "m2/s3": ("Locks, atomics, neighbours", "m2/s2", "lock-per-item neighbours"),
    "m2/s4": ("Channels and rings", "m2/s3", "exchanges"),
    "m2/s5": ("Waiting for many", "m2/s2", "switches"),
    "m3/s0": ("Integers go round", "m2/s1", ""),
    "m3/s1": ("Floats have gaps", "m3/s0", "float-spacing sums"),
    "m3/s2": ("Sixty-four answers in one word", "m3/s0", "counting-bits"),
    "m3/s3": ("Smaller is a kind of faster", "m1/s0", "compression"),
    "m3/s4": ("Who pays for it", "m0/s1", "joules"),
    "m4/s0": ("Something happened", "m2/s5", "noticing"),
    "m4/s1": ("A window that answers", "m4/s0", ""),
    "m4/s2": ("A loop on time", "m4/s0", "wake-lateness"),
    "m4/s3": ("The guess before the answer", "m1/s0", "branches"),
    "m4/s4": ("Saying what happened", "m4/s2", "log-lines"),
    "m4/s5": ("Across the border", "m0/s1", "borders"),
    "m5/s0": ("Timing honestly", "m0/s3", ""),
    "m5/s1": ("The stall that nobody saw", "m5/s0", "omission"),
    "m5/s2": ("Being watched", "m5/s0", "profilers"),
    "m5/s3": ("What the compiler did to your function", "m4/s3", "compiling"),
    "m6/s0": ("What makes a good project", "m4/s2", "late-ticks"),
    "m6/s1": ("From prototype to report", "m6/s0", ""),
    "m6/s2": ("What to build", "m6/s0", ""),
}


def sections() -> list[Section]:
    """All of them."""
    return [
        Section(
            id,
            title,
            _HERE / "modules" / f"{id}.md",
            stands_on=tuple(stands_on.split()),
            figures=tuple(_figure(name) for name in names.split()),
        )
        for id, (title, stands_on, names) in _SECTIONS.items()
    ]


def _figure(name: str) -> Figure:
    title, measure, draw = _FIGURES[name]
    example = _HERE / "figures" / "examples" / f"{name}.json"
    return Figure(name, title, f"{_CODE}.{measure}", f"{_CODE}.{draw}", example)

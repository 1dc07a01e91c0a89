"""From a file to a `Trace`: of torch's profiler, of any since 1.9, or of a run of ours.

However large or damaged the file is, memory stays under 300 MB, and what comes of it is a trace
whose `missing` says what was left out, or one line that says what the file is instead.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from guide.errors import GuideError
from guide.explain import dialects
from guide.explain.columns import FIELDS, Columns, clean
from guide.explain.losses import Losses
from guide.explain.opening import TAKE_ONE, decoded, is_text, unpacked
from guide.explain.pftrace import is_ours, is_perfetto, read_pftrace
from guide.explain.steps import find_steps, plan
from guide.explain.stream import NotJSONError, entries
from guide.explain.trace import CATEGORIES, DEVICE, Events, Ints, Trace, Window

MOST = 400_000
"""Events that are kept; of a file with more, those of a few typical steps."""

_FAR = (10, 1_000_000_000)  # times the time in which nearly all lies, and ns
_STRETCHED = (100, 60_000_000_000)
_SINCE_1970 = 1_400_000_000_000_000_000  # ns; torch is younger
_ENTRIES = 64  # of what a file says of itself


def read_trace(file: Path, *, most: int = MOST) -> Trace:
    """Read a trace that torch's profiler or a run of ours wrote, plain or gzipped.

    Args:
        file: trace.json, trace.json.gz, trace.pftrace.
        most: events to keep. A file with more is read twice: to find the steps, and then to keep
            what lies within a few typical ones.

    Returns:
        A trace with at least one event. `about` has besides small entries of the file's own
        "first_unix_ns": when its first event began, where the file says so.

    Raises:
        GuideError: when it is none; says what it is instead where that can be told.
    """
    file = Path(file)
    with _without_garbage_collection():
        losses = Losses()
        columns, about = _read(file, Columns(losses, most), losses)
        if not columns.overflowed:
            return _trace(file, columns, about, losses)
        starts, stride = columns.starts()
        steps, stepped = plan(_events(columns, losses, 0), starts, stride, most, losses)
        losses.say(
            f"the file has {columns.seen:,} events: more than are kept, so this looks at "
            + (f"{steps[0].name} to {steps[-1].name}" if stepped else "a part from its middle")
        )
        around = steps[-1].ns // 4
        window = Window(steps[0].start_ns - around, steps[-1].end_ns + around)
        again = Losses()
        columns, about = _read(file, Columns(again, most + most // 2, window), again)
        again.said_before(losses)
        return _trace(file, columns, about, again, (steps, stepped))


def _read(file: Path, columns: Columns, losses: Losses) -> tuple[Columns, dict[str, Any]]:
    """Go over a file once."""
    blocks = unpacked(file, losses)
    head = next(blocks)
    about: dict[str, Any] = {}
    if is_ours(head):
        read_pftrace(chain([head], blocks), columns, losses)
        about["first_unix_ns"] = 0  # its times are Unix time
        return columns, about
    if is_perfetto(head):
        raise GuideError(f"{file} is a trace of Perfetto's by another tool", TAKE_ONE)
    if not is_text(head):
        raise GuideError(f"{file} is no trace: neither JSON nor a run's", TAKE_ONE)
    keys: dict[str, Any] = {}
    try:
        for key, value in entries(decoded(blocks, head), losses):
            if key is None:
                columns.add(value)
            elif len(keys) < _ENTRIES:
                keys[clean(key[:100])] = value if len(repr(value)) < 4096 else None
    except NotJSONError:
        raise GuideError(f"{file} is not JSON", TAKE_ONE) from None
    columns.finish()
    if not columns.known:
        _refuse(file, keys, columns)
    if columns.uncategorised and "baseTimeNanoseconds" not in keys:
        losses.say("no event says of what kind it is; all are taken for spans of a program's own")
    about = {key: value for key, value in keys.items() if value is not None}
    base = about.get("baseTimeNanoseconds")
    if type(base) is int:
        about["first_unix_ns"] = base
    return columns, about


def _refuse(file: Path, keys: dict[str, Any], columns: Columns) -> None:
    """Raise unless it is a run's trace after all."""
    if {"schema", "guide", "loop"} <= keys.keys():
        raise GuideError(f"{file} is the record of a run", f"guide explain {file.parent}")
    other = dialects.tool(keys, columns.processes)
    if other:
        raise GuideError(f"{file} is {other}", TAKE_ONE)
    if columns.seen and not columns.uncategorised:
        raise GuideError(
            f"{file} holds events of another tool: none is torch's or a run's", TAKE_ONE
        )
    if not columns.seen and not columns.rows:
        raise GuideError(f"{file} holds no events of a trace", TAKE_ONE)


def _trace(
    file: Path,
    columns: Columns,
    about: dict[str, Any],
    losses: Losses,
    planned: tuple[tuple[Window, ...], bool] | None = None,
) -> Trace:
    """What was collected, sorted, in steps."""
    if not columns.rows:
        raise GuideError(f"{file} holds no events of a trace", TAKE_ONE)
    first_ns = int(columns.matrix()[:, 0].min())
    events = _events(columns, losses, first_ns)
    if planned is None:
        events, first_ns = _without_far(events, first_ns, losses)
        steps, stepped = find_steps(events, losses)
    else:
        windows, stepped = planned
        steps = tuple(Window(w.start_ns - first_ns, w.end_ns - first_ns, w.name) for w in windows)
    if "first_unix_ns" in about:
        about["first_unix_ns"] += first_ns
    elif first_ns > _SINCE_1970:  # torch before 2.4 counts from there
        about["first_unix_ns"] = first_ns
    _say_what_is_absent(events, losses)
    for field in FIELDS:
        getattr(events, field).setflags(write=False)
    missing = losses.sentences()
    return Trace(str(file), events, steps, stepped, about, columns.threads, missing)


def _say_what_is_absent(events: Events, losses: Losses) -> None:
    has = set(np.unique(events.category).tolist())
    here = {name for number, name in enumerate(CATEGORIES) if number in has}
    if "runtime" in here and not here & set(DEVICE):
        losses.say("a device was called, but no work of it is in the trace: profile CUDA as well")
    if here & set(DEVICE) and not here & {"op", "runtime", "python", "annotation"}:
        losses.say("only a device's work is in the trace: profile the CPU as well, to see why")
    elif here & set(DEVICE) and "runtime" not in here:
        losses.say("no launches in the trace, so why a device was idle can only be guessed")
    elif here & set(DEVICE) and not _linked(events):
        losses.say("which launch asked for which kernel is not in the trace (correlation)")
    if "op" in here and "python" not in here:
        losses.say("taken without stacks, so lines of source cannot be told: with_stack=True")


def _linked(events: Events) -> bool:
    """Whether any of the devices' work has the number of a launch."""
    work, calls = (events.correlation[events.of(*of)] for of in (DEVICE, ("runtime",)))
    return bool(np.isin(work[work > 0], calls).any())


def _events(columns: Columns, losses: Losses, first_ns: int) -> Events:
    """The rows as sorted columns, times from `first_ns` on."""
    matrix = columns.matrix()
    order = np.lexsort((-matrix[:, 1], matrix[:, 0]))
    of = {field: matrix[order, number] for number, field in enumerate(FIELDS)}
    del matrix
    names = list(columns.names)
    of["start_ns"] -= first_ns
    of["end_ns"] -= first_ns
    of["category"] = dialects.refined(of["category"], of["name"], names)
    return Events(**of, names=names, tracks=list(columns.tracks), shapes=list(columns.shapes))


def _without_far(events: Events, first_ns: int, losses: Losses) -> tuple[Events, int]:
    """Without the few events that lie far from all others in time: a clock jumped."""
    kept = _near(events.start_ns, events.end_ns)
    gone = len(events) - int(kept.sum())
    if not gone:
        return events, first_ns
    losses.count("far", gone)
    of = {field: getattr(events, field)[kept] for field in FIELDS}
    shift = int(of["start_ns"][0])
    of["start_ns"] -= shift
    of["end_ns"] -= shift
    return (
        Events(**of, names=events.names, tracks=events.tracks, shapes=events.shapes),
        first_ns + shift,
    )


def _near(start_ns: Ints, end_ns: Ints) -> Any:
    """Of each event, whether nothing but empty time parts it from nearly all others."""
    n = len(start_ns)
    kept = np.ones(n, bool)
    trimmed = max(n // 100, 1)
    if n < 8:
        return kept
    low, high = trimmed, n - 1 - trimmed
    ends = np.partition(end_ns, high)
    extent = max(int(ends[high]), int(start_ns[high])) - int(start_ns[low])
    far, too_long = (max(times * extent, at_least) for times, at_least in (_FAR, _STRETCHED))
    # What reaches in among nearly all others from that far was stretched by the jump itself
    kept[(end_ns - start_ns) > extent + too_long] = False
    reached = np.maximum.accumulate(np.where(kept, end_ns, start_ns[0]))
    gaps = np.flatnonzero(start_ns[1:] - reached[:-1] > far)
    before, behind = gaps[gaps < low], gaps[gaps >= high]
    if len(before):
        kept[: before[-1] + 1] = False
    if len(behind):
        kept[behind[0] + 1 :] = False
    return kept


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Events are made and dropped by the thousand, and none refers to another."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

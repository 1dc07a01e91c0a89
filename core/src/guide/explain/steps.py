"""Which stretches of a trace are its steps: what torch names so, our ticks, or optimizers' ends."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from guide.explain.losses import Losses
from guide.explain.trace import DEVICE, Events, Ints, Window

_WARM_UP = 1.3  # a first step that takes this many times the median is a warm-up
_ROUNDED = 1000  # ns
_ENOUGH = 25  # steps of a file too large to be kept
_JUMP = (1000, 60_000_000_000)  # times the median, and ns: not a slow step, but a clock that jumped


def find_steps(events: Events, losses: Losses) -> tuple[tuple[Window, ...], bool]:
    """The steps to look at, never none; and whether the trace names them.

    Of several processes or threads that name steps, those of the one that names most. The first
    step is left out when it was a warm-up. Without any, the time in which a device worked is one.
    """
    windows = _named(events, losses) or _between_optimizers(events, losses)
    kept = _without_jumps(windows)
    losses.count("far", len(windows) - len(kept))
    if len(kept) > 1 and kept[0].ns > _WARM_UP * _median(kept[1:]):
        del kept[0]
    if not kept:
        return (_whole(events),), False
    if len(kept) < 3:
        few = "one step" if len(kept) == 1 else "two steps"
        losses.say(f"only {few} to look at: what is odd in one weighs much; five are better")
    return tuple(kept), True


def _named(events: Events, losses: Losses) -> list[Window]:
    found = events.named("ProfilerStep#", among=events.of("annotation", "op"))
    found = found if len(found) else events.of("tick")
    found = _of_one_track(events, found, losses)
    names = [events.name_of(i) for i in found]
    names = [f"tick {at}" if name == "tick" else name for at, name in enumerate(names)]
    times = zip(events.start_ns[found].tolist(), events.end_ns[found].tolist(), names, strict=True)
    return _apart([Window(*each) for each in times])


def _between_optimizers(events: Events, losses: Losses) -> list[Window]:
    """From the end of one optimizer's step to that of the next."""
    found = events.named("Optimizer.step#", among=events.of("annotation", "op"))
    found = _of_one_track(events, found, losses)
    if len(found) < 2:
        return []
    names, counts = np.unique(events.name[found], return_counts=True)
    found = found[events.name[found] == names[counts.argmax()]]
    ends = np.sort(events.end_ns[found]).tolist()
    return [
        Window(start, end, f"step {number}")
        for number, (start, end) in enumerate(itertools.pairwise(ends), 1)
        if end > start
    ]


def _of_one_track(events: Events, found: Ints, losses: Losses) -> Ints:
    """Of events those on the track that has most of them."""
    tracks, counts = np.unique(events.track[found], return_counts=True)
    if len(tracks) < 2:
        return found
    processes = {events.tracks[track].partition("/")[0] for track in tracks}
    best = tracks[counts.argmax()]
    if len(processes) > 1:
        process = events.tracks[best].partition("/")[0]
        losses.say(f"{len(processes)} processes name steps; the steps are those of {process}")
    on_it: Ints = found[events.track[found] == best]
    return on_it


def _apart(windows: list[Window]) -> list[Window]:
    """Windows that do not overlap, in order; of two that do, the earlier.

    Neighbours may share a microsecond: times are rounded.
    """
    apart: list[Window] = []
    for window in sorted(windows):
        if apart and 0 < apart[-1].end_ns - window.start_ns <= _ROUNDED:
            window = window._replace(start_ns=apart[-1].end_ns)
        if window.ns > 0 and (not apart or window.start_ns >= apart[-1].end_ns):
            apart.append(window)
    return apart


def _without_jumps(windows: list[Window]) -> list[Window]:
    if len(windows) < 3:
        return list(windows)
    times, at_least_ns = _JUMP
    limit = max(times * _median(windows), at_least_ns)
    return [window for window in windows if window.ns <= limit]


def _median(windows: Sequence[Window]) -> int:
    return sorted(window.ns for window in windows)[len(windows) // 2]


def _whole(events: Events) -> Window:
    device = events.of(*DEVICE)
    among = device if len(device) else np.arange(len(events))
    start, end = int(events.start_ns[among].min()), int(events.end_ns[among].max())
    return Window(start, max(end, start + 1))


def plan(
    steps: Events, starts: Ints, stride: int, most: int, losses: Losses
) -> tuple[tuple[Window, ...], bool]:
    """Which steps to keep the events of, when there is no room for all.

    Args:
        steps: the events that say where steps are, of the whole file.
        starts: when some of all events began, in order.
        stride: how many events each of those stands for.
        most: how many events there is room for.
        losses: where to say what is odd.

    Returns:
        As many steps beside the typical one as there is room for, and True; where none is named,
        or one alone is too large, one stretch in the middle, and False.
    """
    room = max(most * 7 // 10 // stride, 1)  # in the sample; the rest lies around, or was missed

    def held(first: Window, last: Window) -> int:
        return int(np.searchsorted(starts, last.end_ns) - np.searchsorted(starts, first.start_ns))

    found, stepped = find_steps(steps, Losses()) if len(steps) else ((), False)
    if stepped:
        lengths = sorted(step.ns for step in found)
        half = len(found) // 2
        middle = lengths[half]
        low = min(range(len(found)), key=lambda i: (abs(found[i].ns - middle), abs(i - half)))
        if held(found[low], found[low]) <= room:
            return _grown(found, low, lambda a, b: held(found[a], found[b]) <= room), True
        losses.say("one step alone holds more events than are kept: a part of it is looked at")
        inside = starts[np.searchsorted(starts, found[low].start_ns) :]
        return (Window(int(inside[0]), int(inside[min(room, len(inside) - 1)]) + 1),), False
    first = max((len(starts) - room) // 2, 0)
    last = min(first + room, len(starts) - 1)
    return (Window(int(starts[first]), int(starts[last]) + 1),), False


def _grown(
    found: Sequence[Window], index: int, fits: Callable[[int, int], bool]
) -> tuple[Window, ...]:
    """The step at `index` with those beside it, on either side in turn, while they fit."""
    low = high = index
    grew = True
    while grew and high - low + 1 < _ENOUGH:
        grew = False
        if high + 1 < len(found) and fits(low, high + 1):
            high, grew = high + 1, True
        if low > 0 and fits(low - 1, high):
            low, grew = low - 1, True
    return tuple(found[low : high + 1])

"""What a span costs is decided here: one recorder for each thread, one flat list for each recorder.

The least a span can cost is two reads of the clock. Whatever is done beside them is overhead, and
in Python each step of it (finding the thread, making an object, building a tuple) costs as much as
a read. So nothing is done beside them but appending integers to a list:

    entering appends   t            by a chain of C iterators: no Python frame is entered
    leaving appends    ~tag, t      by the one Python function there is, with all it needs bound;
                                    in one call, so that no signal handler comes between the two
    a lap appends      ~tag, t      by C iterators again: `zip` reuses its tuple, nothing is made
    a tick appends     ~tag, index

Negative numbers are tags (what kind, which name), times are not negative, and the order of the list
is what says how spans nest. Everything else is worked out later, for thousands of spans at once, by
`decode`: which begin belongs to which end, and in which tick it was.

`__enter__` is looked up on the class of a site and called without the instance, because a built-in
method is no descriptor; that is why each site has a class of its own. `_works` tries it once, and
an interpreter that does it otherwise gets an ordinary Python method.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

Site = AbstractContextManager[None]

# The two low bits of a tag; above them stands the name or, of a tick, 0.
_SPAN, _LAP, _TICK = range(3)
PHASE_BEGINS = ~_LAP  # before the time of a lap that ends no phase: name 0 is nobody's
_EDGES = 10_000  # begins and ends of ticks that are remembered for the spans of other threads
TICK = ~_TICK  # before the index of a tick that begins, plus 1; or before 0: it has ended


class Decoded(NamedTuple):
    """Finished spans in the order in which they ended, one array each."""

    start_ns: Ints
    end_ns: Ints
    name: Ints
    tick: Ints  # -1 outside any, and on a thread that was not told


class Sites(dict[str, Site]):
    """The sites of one thread by name; one that is asked for the first time is made."""

    def __init__(self, make: Callable[[str], Site]) -> None:
        self._make = make

    def __missing__(self, name: str) -> Site:
        """Make the site called `name`."""
        site = self[name] = self._make(name)
        return site


class Recorder:
    """What one thread records; only that thread may enter its sites.

    Args:
        now_ns: the timeline's clock.
        lane: what the thread is called on the timeline.
        name_of: gives a name its number, from 1.
        checked: whether a site that another thread enters raises RuntimeError.
    """

    def __init__(
        self,
        now_ns: Callable[[], int],
        lane: int,
        name_of: Callable[[str], int],
        *,
        checked: bool = False,
    ) -> None:
        self.lane = lane
        self.thread = threading.current_thread()
        self.sites = Sites(self._checked_site if checked else self._site)
        self.pending: list[int] = []
        self._now_ns = now_ns
        self._name_of = name_of
        self._stamp = map(self.pending.append, iter(now_ns, None)).__next__
        # What `decode` carries from one call to the next.
        self._carry: list[int] = []
        self._phase_ns = -1
        self._tick = -1
        self._began: Any = ((), ())  # when each of the newest ticks began, or (-1) ended

    def _site(self, name: str) -> Site:
        now_ns, tag = self._now_ns, ~(self._name_of(name) << 2 | _SPAN)

        def leave(
            self: object,
            kind: object,
            error: object,
            trace: object,
            extend: Callable[[tuple[int, int]], None] = self.pending.extend,
            now_ns: Callable[[], int] = now_ns,
            tag: int = tag,
        ) -> None:
            extend((tag, now_ns()))

        enter: Any = self._stamp
        if not _works():

            def enter(self: object, stamp: Callable[[], None] = self._stamp) -> None:
                stamp()

        made: Site = type(name, (), {"__slots__": (), "__enter__": enter, "__exit__": leave})()
        return made

    def _checked_site(self, name: str) -> Site:
        return CheckedSite(name, self._site(name), self.thread)

    def lap(self, name: str) -> Callable[[], None]:
        """A function that ends the phase `name`, which began with the tick or the lap before."""
        tag = ~(self._name_of(name) << 2 | _LAP) if name else PHASE_BEGINS
        # iter(f, None) calls f until it returns None, which a clock never does.
        return map(self.pending.extend, zip(repeat(tag), iter(self._now_ns, None))).__next__

    def decode(self) -> Decoded | None:
        """Take what was recorded since the last call; None when no span has ended since.

        Safe beside the recording thread: what it appends meanwhile waits for the next call, and
        so do spans that are open.
        """
        part = self.pending[:]
        if not part:
            return None
        del self.pending[: len(part)]
        import numpy as np

        stream = np.array(self._carry + part, np.int64)
        tags = np.flatnonzero(stream < 0)
        begins = stream >= 0
        begins[tags + 1] = False
        codes = ~stream[tags]
        kinds = codes & 3

        starts, ends = self._pair(begins, tags[kinds == _SPAN])
        laps = tags[kinds == _LAP]
        where = np.concatenate((ends, laps))
        start_ns = np.concatenate((stream[starts], self._phases(stream[laps + 1])))
        ended = (start_ns >= 0) & (~stream[where] >> 2 > 0)
        order = np.flatnonzero(ended)[np.argsort(where[ended], kind="stable")]
        where = where[order]
        found = Decoded(
            start_ns[order],
            stream[where + 1],
            ~stream[where] >> 2,
            self._ticks(stream, tags[kinds == _TICK], where),
        )
        begins[starts] = False
        self._carry = stream[begins].tolist()  # still open: they come again, before what ends them
        return found if where.size else None

    def _pair(self, begins: NDArray[np.bool_], ends: Ints) -> tuple[Ints, Ints]:
        """Match begins with ends, as brackets: both lie at the same depth, next to each other.

        Returns:
            Positions in the stream of each pair's begin and of its end's tag.
        """
        import numpy as np

        change = begins.astype(np.int8)
        change[ends] = -1
        events = np.flatnonzero(change)
        change = change[events]
        depth = np.cumsum(change, dtype=np.int32) + (change < 0)
        order = np.argsort(depth.astype(np.int16), kind="stable")  # 16 bits: a radix sort
        change, depth, events = change[order], depth[order], events[order]
        first = (change[:-1] > 0) & (change[1:] < 0) & (depth[:-1] == depth[1:])
        i = np.flatnonzero(first)
        return events[i], events[i + 1]

    def _phases(self, laps_ns: Ints) -> Ints:
        """When the phase began that each lap ended: at the lap before."""
        import numpy as np

        if not laps_ns.size:
            return laps_ns
        starts = np.concatenate(([self._phase_ns], laps_ns[:-1]))
        self._phase_ns = int(laps_ns[-1])
        return starts

    def _ticks(self, stream: Ints, marks: Ints, where: Ints) -> Ints:
        """The tick that each position of the stream lies in."""
        import numpy as np

        ticks = np.concatenate(([self._tick], stream[marks + 1] - 1))
        self._tick = int(ticks[-1])
        began = np.stack((stream[marks + 3], ticks[1:]))
        self._began = np.concatenate((self._began, began), axis=1)[:, -_EDGES:]
        return ticks[np.searchsorted(marks, where)]

    def ticks_at(self, t_ns: Ints) -> Ints:
        """The tick that ran on this thread at each of these times; -1 where none did."""
        import numpy as np

        began_ns, ticks = self._began
        return np.concatenate(([-1], ticks))[np.searchsorted(began_ns, t_ns)]


class CheckedSite:
    """A site that only its own thread may enter: for finding the place where another one does."""

    def __init__(self, name: str, site: Site, owner: threading.Thread) -> None:
        self._name, self._site, self._owner = name, site, owner

    def __enter__(self) -> None:
        if threading.current_thread() is not self._owner:
            raise RuntimeError(
                f"span {self._name!r} belongs to thread {self._owner.name!r} and was entered on "
                f"{threading.current_thread().name!r}: ask the timeline for it on that thread"
            )
        self._site.__class__.__enter__()  # type: ignore[call-arg]

    def __exit__(self, *error: Any) -> None:
        self._site.__exit__(*error)


def _nothing() -> Site:
    """A site that records nothing: two calls of a C function that takes anything."""
    anything = "".format
    made: Site = type("off", (), {"__slots__": (), "__enter__": anything, "__exit__": anything})()
    return made


OFF = _nothing()


@cache
def _works() -> bool:
    """Whether this interpreter calls a C function as `__enter__` without the instance."""
    seen: list[int] = []
    enter = map(seen.append, repeat(1)).__next__
    site = type("try", (), {"__enter__": enter, "__exit__": lambda *_: None})()
    with suppress(TypeError), site:
        pass
    return seen == [1] and sys.implementation.name == "cpython"

"""A machine that works in lock-step, as a GPU does, and counts: exact, and the same everywhere.

    def double(t, values, out):
        x = yield values.load(t.id)
        yield out.store(t.id, 2 * x)

    values, out = Memory("values", range(64)), Memory("out", [0] * 64)
    counts = launch(double, 2, 32, values, out)
    counts.segments  # 4: two warps, each 128 bytes to read and 128 to write

A kernel is a generator that runs once for each thread. It says `yield` wherever it touches memory
or waits, and there the machine looks at what the 32 threads of a warp want *together*. It has no
clock, no cache and no opinion: a count is a count. What it leaves out is said in `Counts`.

Threads of a warp that stand at different places take turns, the one furthest behind first, so they
meet again after a branch. What real hardware leaves undefined is an error here, by `Misused`: a
barrier that not all threads reach, a place in shared memory that one thread reads and another
writes with no barrier in between.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

WARP = 32  # threads that share an instruction
BANKS = 32  # of shared memory, each a word wide
SEGMENT = 128  # bytes that global memory hands out at once

Kernel = Callable[..., Generator[Any, Any, None]]


class Misused(Exception):
    """A kernel did what a device would punish with a wrong answer, a crash or a standstill."""


@dataclass(slots=True)
class Counts:
    """What a launch did. Counted for each thread, unless it says otherwise.

    There is no cache: a segment that two warps need counts twice. Real devices have one, so they
    move fewer bytes than this says, and never fewer instructions.

    Attributes:
        loads: from global memory.
        stores: to global memory, atomic additions among them.
        segments: pieces of 128 bytes of global memory, summed over the instructions of all warps.
        atomics: additions that nobody may come between.
        shared: loads and stores in shared memory.
        conflicts: turns that warps waited because two of their threads wanted different words of
            one bank of shared memory.
        barriers: waits of a whole block.
        instructions: of warps, those that touch memory; however many threads take part, it is one.
        partial: instructions in which some threads of the warp did not take part.
    """

    loads: int = 0
    stores: int = 0
    segments: int = 0
    atomics: int = 0
    shared: int = 0
    conflicts: int = 0
    barriers: int = 0
    instructions: int = 0
    partial: int = 0


class Request(NamedTuple):
    """What a thread wants of a memory; `yield` it, and a load comes back as a value."""

    kind: str  # load, store, add
    memory: Memory
    at: int
    value: Any = None


class Memory:
    """Numbers in global memory, of `bytes` each.

    >>> list(Memory("x", [1, 2]))
    [1, 2]
    """

    def __init__(self, name: str, values: Iterable[Any], bytes: int = 4) -> None:
        self.name, self.bytes = name, bytes
        self._values = list(values)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Any:
        return iter(self._values)

    def load(self, index: int) -> Request:
        """Ask for one number."""
        return Request("load", self, index)

    def store(self, index: int, value: Any) -> Request:
        """Ask for one number to be written."""
        return Request("store", self, index, value)

    def add(self, index: int, value: Any) -> Request:
        """Ask for `value` to be added to one number, undisturbed."""
        return Request("add", self, index, value)

    def _at(self, request: Request, thread: Thread) -> int:
        index = int(request.at)
        if not 0 <= index < len(self._values):
            raise Misused(f"{thread} asks for {self.name}[{index}] of {len(self._values)}")
        return index

    def _serve(self, request: Request, thread: Thread) -> Any:
        index = self._at(request, thread)
        if request.kind == "load":
            return self._values[index]
        if request.kind == "add":
            self._values[index] += request.value
        else:
            self._values[index] = request.value
        return None


@dataclass(slots=True)
class _Last:
    """Who used a word of shared memory since the last barrier."""

    writer: int = -1
    readers: set[int] = field(default_factory=set)


class Shared(Memory):
    """Numbers that the threads of one block share. Empty at first: reading one is an error."""

    def __init__(self, name: str, size: int) -> None:
        super().__init__(name, [None] * size)
        self._last: dict[int, _Last] = {}

    def _serve(self, request: Request, thread: Thread) -> Any:
        index = self._at(request, thread)
        last = self._last.setdefault(index, _Last())
        others = last.readers - {thread.index}
        if request.kind != "store" and self._values[index] is None:
            raise Misused(f"{thread} reads {self.name}[{index}], which nobody has written")
        if request.kind == "load":
            if last.writer not in (-1, thread.index):
                raise Misused(
                    f"{thread} reads {self.name}[{index}], which thread {last.writer} has written "
                    "with no barrier since"
                )
            last.readers.add(thread.index)
        else:
            if request.kind == "store" and (others or last.writer not in (-1, thread.index)):
                other = min(others, default=last.writer)
                raise Misused(
                    f"{thread} writes {self.name}[{index}], which thread {other} has used "
                    "with no barrier since"
                )
            last.writer = thread.index
        return super()._serve(request, thread)

    def _pass_barrier(self) -> None:
        self._last.clear()


class _Barrier:
    """What a thread yields to wait for all others of its block."""


_BARRIER = _Barrier()


class Thread:
    """Who a kernel is: its block, its place in it, how many there are.

    Attributes:
        block: number of its block.
        index: its number within the block.
        size: threads in a block.
        blocks: how many blocks there are.
        id: its number among all threads.
    """

    def __init__(self, block: int, index: int, size: int, blocks: int, tiles: _Tiles) -> None:
        self.block, self.index, self.size, self.blocks = block, index, size, blocks
        self.id = block * size + index
        self._tiles = tiles

    def __str__(self) -> str:
        return f"thread {self.index} of block {self.block}"

    def shared(self, name: str, size: int) -> Shared:
        """The block's shared memory of this name: the same for all of its threads."""
        if name not in self._tiles:
            self._tiles[name] = Shared(name, size)
        held = self._tiles[name]
        if len(held) != size:
            raise Misused(f"{self} wants {size} words of {name}, another thread {len(held)}")
        return held

    def barrier(self) -> _Barrier:
        """Wait until all threads of the block are here: `yield t.barrier()`."""
        return _BARRIER


_Tiles = dict[str, Shared]


class _Lane:
    """A thread under way, and what it wants next; `wants` is None once it has ended."""

    def __init__(self, thread: Thread, kernel: Kernel, arguments: Sequence[Any]) -> None:
        self.thread = thread
        self._run = kernel(thread, *arguments)
        if not isinstance(self._run, Generator):
            raise Misused("the kernel has no `yield`: it never touches memory")
        self.wants: Request | _Barrier | None = None
        self.place: tuple[int, ...] = ()
        self.go(None)

    def go(self, answer: Any) -> None:
        """Hand over what it asked for, and run it to its next wish."""
        try:
            wants = self._run.send(answer)
        except StopIteration:
            self.wants, self.place = None, ()
            return
        if not isinstance(wants, Request | _Barrier):
            raise Misused(f"{self.thread} yields {wants!r}, which is no load, store or barrier")
        self.wants, self.place = wants, _place(self._run)


def _place(run: Any) -> tuple[int, ...]:
    """Where a generator stands, and those that it waits for: byte code, not lines."""
    place = []
    while run is not None and getattr(run, "gi_frame", None) is not None:
        place.append(run.gi_frame.f_lasti)
        run = run.gi_yieldfrom
    return tuple(place)


def launch(kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> Counts:
    """Run `kernel(t, *arguments)` for every thread, one block after the other; what it did.

    Args:
        kernel: a generator function; `t` is its `Thread`.
        blocks: how many blocks.
        threads: in each; every 32 of them are a warp.
        arguments: `Memory`, or plain values that all threads get alike, as constants do.

    Raises:
        Misused: when a device would not have forgiven it.
    """
    counts = Counts()
    for block in range(blocks):
        tiles: _Tiles = {}
        lanes = [
            _Lane(Thread(block, index, threads, blocks, tiles), kernel, arguments)
            for index in range(threads)
        ]
        _run_block(lanes, tiles, counts)
    return counts


def _run_block(lanes: list[_Lane], tiles: _Tiles, counts: Counts) -> None:
    warps = [lanes[i : i + WARP] for i in range(0, len(lanes), WARP)]
    while True:
        moved = [_issue(warp, counts) for warp in warps]
        if any(moved):
            continue
        waiting = [lane for lane in lanes if lane.wants is _BARRIER]
        if not waiting:
            return
        if len(waiting) < len(lanes) or len({lane.place for lane in waiting}) > 1:
            raise Misused(
                f"{waiting[0].thread} waits at a barrier that not all of its block come to: "
                f"{len(waiting)} of {len(lanes)} wait"
            )
        counts.barriers += 1
        for tile in tiles.values():
            tile._pass_barrier()
        for lane in waiting:
            lane.go(None)


def _issue(warp: list[_Lane], counts: Counts) -> bool:
    """One instruction of a warp: what those threads want that are furthest behind."""
    ready = [lane for lane in warp if isinstance(lane.wants, Request)]
    if not ready:
        return False
    place = min(lane.place for lane in ready)
    together = [lane for lane in ready if lane.place == place]
    counts.instructions += 1
    counts.partial += len(together) < len(warp)
    requests = [lane.wants for lane in together if isinstance(lane.wants, Request)]
    _count(requests, counts)
    # All read before one goes on, so that a load sees what was there when it was issued
    answers = [
        request.memory._serve(request, lane.thread)
        for lane, request in zip(together, requests, strict=True)
    ]
    for lane, answer in zip(together, answers, strict=True):
        lane.go(answer)
    return True


def _count(requests: list[Request], counts: Counts) -> None:
    words: dict[int, set[int]] = {}
    segments = set()
    for kind, memory, at, _ in requests:
        if isinstance(memory, Shared):
            counts.shared += 1
            words.setdefault(at % BANKS, set()).add(at)
        else:
            counts.loads += kind == "load"
            counts.stores += kind != "load"
            counts.atomics += kind == "add"
            segments.add((id(memory), at * memory.bytes // SEGMENT))
    counts.segments += len(segments)
    counts.conflicts += max((len(each) for each in words.values()), default=1) - 1


def as_figures(counts: Counts) -> dict[str, float]:
    """The counts by name, as a check returns them."""
    return {one.name: float(getattr(counts, one.name)) for one in fields(counts)}

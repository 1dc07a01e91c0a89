"""Try a change: the function as it is and changed, on arguments made up, in turns.

Nobody's function is called that could do anything but reckon: it may use loops, arithmetic and
functions known to be harmless. It is called on arrays of its own, first with every index checked.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from guide.explain.numba.compiling import what_llvm_says
from guide.explain.numba.cures import Case, types_with
from guide.explain.numba.harmless import Failed, NotTried, compiled_functions, must_be_harmless
from guide.explain.numba.made_up import Maker

ELEMENTS = 100_000
SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Trial:
    """What was measured: ns of a call before and after, and how often it is faster.

    `faster` is the median of the ratios of calls made one right after the other. `same` says
    whether both gave the same: "the same", "the same but for rounding" or "not the same".
    `copy_ns` is what making contiguous arrays of the arguments takes, which is not in `after_ns`.
    """

    before_ns: int
    after_ns: int
    faster: float
    size: str
    same: str
    copy_ns: int = 0


class Bench:
    """A function with arguments made up, ready to be timed.

    Raises:
        NotTried: when it must not be called, or its arguments cannot be made up.
    """

    def __init__(self, case: Case, elements: int = ELEMENTS) -> None:
        self.case = case
        must_be_harmless(case)
        self.maker = Maker(case, elements)
        self._within_bounds()

    @property
    def size(self) -> str:
        """What it is called with: "arrays of 100,000"."""
        return self.maker.size

    def _within_bounds(self) -> None:
        case, given = self.case, self.maker.arguments(self.case.signature)
        numba = import_module("numba")
        try:
            with what_llvm_says(), _indices_checked(compiled_functions(case)):
                checked = numba.jit(**{**_plain(case.options), "boundscheck": True})(case.function)
                checked(*given)
        except Exception as error:
            raise Failed(f"{type(error).__name__} on arguments made up") from error
        start = time.perf_counter()
        checked(*given)
        if time.perf_counter() - start > 1.0:
            raise NotTried("one call takes longer than a second")

    def time(self) -> int:
        """The median of calls as it is, in ns."""
        call, given = self._ready(frozenset())
        repeats = _repeats(call, given)
        return round(statistics.median(_timed(call, given, repeats) for _ in range(9)))

    def compare(self, cures: Iterable[str]) -> Trial:
        """Time it as it is and with these cures, in turns.

        Raises:
            NotTried: when it does not compile with them.
        """
        key = frozenset(cures)
        before, given = self._ready(frozenset())
        after, changed = self._ready(key)
        same = _same(before, self.maker.arguments(self.case.signature), after, self._given(key))
        repeats = _repeats(before, given)
        pairs: list[tuple[float, float]] = []
        until = time.perf_counter() + SECONDS
        while len(pairs) < 5 or (time.perf_counter() < until and len(pairs) < 200):
            first = _timed(before, given, repeats)
            pairs.append((first, _timed(after, changed, repeats)))
        faster = statistics.median(a / b for a, b in pairs)
        old, new = (round(statistics.median(one)) for one in zip(*pairs, strict=True))
        copy = self._copied() if key & {"layout", "list", "grain"} else 0
        return Trial(old, new, faster, self.size, same, copy)

    def _copied(self) -> int:
        np, given = import_module("numpy"), self._given(frozenset())
        spread = [
            one
            for one, kind in zip(given, self.case.signature, strict=True)
            if isinstance(one, list) or getattr(kind, "layout", "") == "A"
        ]
        turned = [given[i] for i in self.case.walked]

        def copy() -> None:
            for one in spread:
                np.ascontiguousarray(one)
            for one in turned:
                np.asfortranarray(one)

        return round(statistics.median(_timed(copy, (), 1) for _ in range(5)))

    def allocating(self) -> int:
        """What a call spends in the allocator: how often it allocates, times what one costs."""
        numba, numpy = import_module("numba"), import_module("numpy")
        memory = import_module("numba.core.runtime._nrt_python")
        call, given = self._ready(frozenset())

        def allocate(count: int, size: int) -> float:
            last = 0.0
            for i in range(count):
                one = numpy.empty(size)
                one[0] = i
                last += one[0]
            return last

        many = 1000
        with what_llvm_says():
            alone = numba.jit(nopython=True)(allocate)
            alone(many, self.maker.side)
        once = min(_timed(alone, (many, self.maker.side), 1) for _ in range(5)) / many
        was_counting = memory.memsys_stats_enabled()
        memory.memsys_enable_stats()
        before = memory.memsys_get_stats_mi_alloc()
        call(*given)
        count = memory.memsys_get_stats_mi_alloc() - before
        if not was_counting:
            memory.memsys_disable_stats()
        return round(int(count) * once)

    def _given(self, cures: frozenset[str]) -> tuple[Any, ...]:
        return self.maker.arguments(types_with(self.case.signature, cures, self.case.walked))

    def _ready(self, cures: frozenset[str]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        compiled = self.case.compiled(cures)
        if compiled is None:
            raise NotTried("it does not compile so")
        given = self._given(cures)
        with what_llvm_says():  # it may be compiled once more, for what these arguments are
            compiled.dispatcher(*given)
        return compiled.dispatcher, given


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key not in ("parallel", "debug")}


@contextmanager
def _indices_checked(called: list[Any]) -> Iterator[None]:
    """Within it, these functions check their indices: boundscheck=True goes no deeper than one."""
    config: Any = import_module("numba.core.config")
    kept, config.BOUNDSCHECK = config.BOUNDSCHECK, 1
    try:
        for one in called:
            one.recompile()
        yield
    finally:
        config.BOUNDSCHECK = kept
        for one in called:
            one.recompile()


def _timed(call: Callable[..., Any], given: tuple[Any, ...], repeats: int) -> float:
    start = time.perf_counter_ns()
    for _ in range(repeats):
        call(*given)
    return (time.perf_counter_ns() - start) / repeats


def _repeats(call: Callable[..., Any], given: tuple[Any, ...]) -> int:
    once = min(_timed(call, given, 1) for _ in range(3))
    return max(1, min(1000, round(300_000 / max(once, 1))))


def _same(
    before: Callable[..., Any],
    given: tuple[Any, ...],
    after: Callable[..., Any],
    changed: tuple[Any, ...],
) -> str:
    np = import_module("numpy")
    left = [before(*given), *given]
    right = [after(*changed), *changed]
    exact = True
    for one, other in zip(left, right, strict=True):
        if one is None or isinstance(one, list | tuple | str):
            continue
        one, other = np.asarray(one), np.asarray(other)
        if one.dtype.kind not in "biufc" or np.array_equal(one, other, equal_nan=True):
            continue
        exact = False
        near = 1e-3 if one.dtype.itemsize <= 4 else 1e-6
        if not np.allclose(one, other, rtol=near, atol=near, equal_nan=True):
            return "not the same"
    return "the same" if exact else "the same but for rounding"

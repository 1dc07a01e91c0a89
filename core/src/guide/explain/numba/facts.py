"""What is true of the function as a whole: types, width, compiling, threads, what is frozen."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guide.explain.numba import asm
from guide.explain.numba.cures import Case
from guide.explain.numba.parallel import Parallel, parallel_of
from guide.explain.numba.reasons import LoopReasons
from guide.explain.numba.words import PROMOTION, REFLECTED
from guide.plugin import Verdict, Word

if TYPE_CHECKING:
    from guide.explain.numba.explaining import Explaining

RACE = Word("race", "two threads change one place, and which comes last is chance")
OBJECT_MODE = Word("object mode", "compiled, but each step is a call of the interpreter's")
FROZEN = Word("frozen global", "a value that was read when it was compiled, and never after")


def lanes(case: Case) -> int:
    """How many elements of the widest float or integer array fit into this CPU's registers."""
    bits = [
        int(getattr(one.dtype, "bitwidth", 64))
        for one in case.signature
        if hasattr(one, "dtype") and hasattr(one, "layout")
    ]
    return max(1, asm.cpu_bits()[0] // max(bits, default=64))


def facts_of(explaining: Explaining, loops: list[LoopReasons]) -> list[tuple[str, str]]:
    """Name and value of each, in the order to show them."""
    case, sample = explaining.case, explaining.sample
    types = ", ".join(f"{name}: {said(kind)}" for name, kind in case.types.items())
    guessed = '; --like says which, as --like "float32[::1], int64"'
    where = f"({sample.source}{guessed if sample.source == 'guessed' else ''})"
    found = [("compiled for", f"{types or 'no arguments'} {where}")]
    code = asm.read_asm(case.base.asm)
    bits, called = asm.cpu_bits()
    for loop in loops:
        wide = asm.register_bits(code, case.source.file, loop.line, loop.end)
        found.append((f"loop of line {loop.line}", _lanes(loop, wide)))
    if not loops:
        found.append(("loops", "none that LLVM looked at"))
    found.append(
        ("this CPU", f"{called}, registers of {bits} bits" if bits else "no vectors known")
    )
    kept = "kept on disk (cache=True)" if explaining.cached else "at each start: no cache=True"
    found.append(("compiling takes", f"{case.base.seconds:.2f} s, {kept}"))
    if sample.others:
        found.append(("compiled also for", "; ".join(map(_signature, sample.others))))
    if parallel := parallel_of(case.base, case.source):
        found += _parallel(parallel)
    return found


def _lanes(loop: LoopReasons, wide: int) -> str:
    if loop.lanes == 0:
        return "gone: a copy, a fill or nothing stands there"
    if loop.lanes == 1:
        return "not vectorised, one element at a time"
    registers = f", in registers of {wide} bits ({asm.NAMES.get(wide, '')})" if wide else ""
    return f"vectorised, {loop.lanes} lanes{registers}"


def _signature(types: tuple[Any, ...]) -> str:
    return ", ".join(map(said, types))


def said(kind: Any) -> str:
    """A type as a person writes it: float64[:,::1]."""
    if hasattr(kind, "fields") and hasattr(kind, "typeof"):  # a record's own words are long
        fields = ", ".join(f"{name}: {said(kind.typeof(name))}" for name in kind.fields)
        return f"Record({fields})"
    if not (hasattr(kind, "layout") and hasattr(kind, "ndim")):
        return str(kind).replace("<iv=None>", "").removeprefix("StarArg")
    colons = [":"] * kind.ndim
    if kind.layout == "C":
        colons[-1] = "::1"
    elif kind.layout == "F":
        colons[0] = "::1"
    return f"{said(kind.dtype)}[{','.join(colons)}]"


def _parallel(found: Parallel) -> list[tuple[str, str]]:
    lines = ", ".join(map(str, found.lines))
    facts = [("parallel", f"lines {lines}" if lines else "nothing was made parallel")]
    if found.fused:
        facts.append(("fused", f"lines {', '.join(map(str, found.fused))} into a loop before them"))
    facts += [("not fused", why) for why in found.apart]
    if found.hoisted:
        facts.append(("hoisted", f"{found.hoisted} taken out of the loops, done once"))
    return facts


def beside(explaining: Explaining, loops: list[LoopReasons]) -> list[Verdict]:
    """Verdicts that no single loop has: object mode, lists, races, frozen arrays, many types."""
    case = explaining.case
    found = [*_object_mode(explaining), *_threads(explaining), *_frozen(explaining)]
    told = {one.detail for loop in loops for one in loop.reasons if one.key == "list"}
    for name, kind in case.types.items():
        if type(kind).__name__ == "List" and name not in told:
            found.append(
                Verdict(
                    "a Python list, copied in and out",
                    f"{name} is a list: each call copies it in, element by element, and back.",
                    why="A compiled loop cannot work on Python's objects, so a copy is made.",
                    remedy=f"Hand over np.array({name}), made once.",
                    sure="sure",
                    where=(explaining.place(case.source.tree.lineno),),
                    word=REFLECTED,
                    teaches=("m5/s3",),
                )
            )
    many = [case.signature, *explaining.sample.others]
    if len(many) > 2:
        seconds = case.base.seconds * len(many)
        found.append(
            Verdict(
                "compiled over and over",
                f"It is compiled for {len(many)} kinds of arguments, about {seconds:.1f} s in all:"
                f" {'; '.join(map(_signature, many))}.",
                why="Another type, number of axes or layout is another version; int32 or an array"
                " with strides in one place is enough.",
                remedy="Bring the arguments to one type at the border (np.ascontiguousarray(a,"
                " np.float64)), or state one signature; cache=True keeps what is compiled.",
                sure="sure",
                where=(explaining.place(case.source.tree.lineno),),
                word=PROMOTION,
                teaches=("m5/s3",),
            )
        )
    return found


def _object_mode(explaining: Explaining) -> list[Verdict]:
    if not explaining.case.base.result.objectmode:
        return []
    return [
        Verdict(
            "object mode: the interpreter still does the work",
            "It is compiled in object mode, where each operation is a call of Python's own.",
            why="forceobj=True, or something that Numba has no type for.",
            remedy="@njit, and what it cannot compile is moved out of the function.",
            sure="sure",
            where=(explaining.place(explaining.case.source.tree.lineno),),
            word=OBJECT_MODE,
            teaches=("m5/s3",),
        )
    ]


def races(explaining: Explaining) -> bool:
    """Whether threads may write one place."""
    parallel = parallel_of(explaining.case.base, explaining.case.source)
    return bool(parallel and parallel.races)


def _threads(explaining: Explaining) -> list[Verdict]:
    case = explaining.case
    parallel = parallel_of(case.base, case.source)
    if parallel is None:
        return []
    found = [
        Verdict(
            "several threads write one place",
            f"Line {line}: each thread writes {name}, and what is left at the end is chance.",
            why="A turn of prange must write only what belongs to it; a plain sum of a scalar"
            " (total += x) is the exception that Numba knows.",
            remedy="Sum up a scalar, or give each thread an element and add them at the end.",
            check="Run it ten times on the same arguments: the results differ.",
            sure="likely",
            where=(explaining.place(line),),
            word=RACE,
            teaches=("m5/s3",),
        )
        for line, name in parallel.races
    ]
    if not parallel.lines:
        found.append(
            Verdict(
                "parallel=True without effect",
                "parallel=True was asked for, and there was nothing to make parallel.",
                why="Numba shares out prange loops and whole-array expressions; a plain range is"
                " left to one thread.",
                remedy="prange where turns do not depend on each other; or leave parallel=True"
                " out: it makes compiling slower.",
                sure="sure",
                where=(explaining.place(case.source.tree.lineno),),
                teaches=("m5/s3",),
            )
        )
    return found


def _frozen(explaining: Explaining) -> list[Verdict]:
    numpy = import_module("numpy")
    function = explaining.case.function
    names = [
        name
        for name in function.__code__.co_names
        if isinstance(function.__globals__.get(name), numpy.ndarray)
    ]
    return [
        Verdict(
            "a global array is a constant here",
            f"{name} was read when it was compiled; a change made to it later is not seen.",
            why="Numba copies global arrays into the machine code.",
            remedy=f"Hand {name} over as an argument if it ever changes.",
            sure="sure",
            where=(explaining.place(explaining.case.source.tree.lineno),),
            word=FROZEN,
            teaches=("m5/s3",),
        )
        for name in names
    ]


def does_not_compile(explaining: Explaining, error: Exception | None) -> tuple[str, str]:
    """Numba's error in one line with the line of source, and what to do."""
    source = explaining.case.source
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    plain = next(
        (one for one in lines if not one.startswith(("Failed in", "-", "[", "Use of"))), ""
    )
    unsupported = next((one for one in lines if one.startswith("Use of")), plain)
    at = getattr(getattr(error, "loc", None), "line", 0)
    where = f", {Path(source.file).name}:{at}: {source.text(at)}" if source.holds(at or 0) else ""
    types = ", ".join(f"{name}: {said(kind)}" for name, kind in explaining.case.types.items())
    whence = explaining.sample.source
    remedy = f'--like "float64[::1], int64" gives others than those of {whence} ({types})'
    if whence == "guessed":
        remedy = f'the types were guessed ({types}); --like "float64[::1], int64" says which'
    if not isinstance(error, import_module("numba.core.errors").NumbaError):
        unsupported = f"{type(error).__name__}: {unsupported}"
    return f"Numba cannot compile it: {unsupported[:200]}{where}", remedy

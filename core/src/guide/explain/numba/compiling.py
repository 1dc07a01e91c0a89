"""Compile a function as Numba would, with line information, and keep what LLVM said.

`debug=True` would give line information too, but it changes what is compiled: nothing is inlined,
variables live longer, indices are checked. Here each instruction is given its line and nothing
else, so the machine code is the same with it and without; a test holds that.

Only for a process of its own: it changes Numba, and LLVM writes its remarks to stderr.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, update_wrapper
from importlib import import_module
from pathlib import Path
from types import CellType, FunctionType
from typing import Any

from guide.explain.numba.remarks import OPTIONS, LoopRemarks, by_loop, read_remarks


@dataclass(frozen=True, slots=True)
class Compiled:
    """A function compiled for one signature.

    `seconds` is the time it took; `ir` LLVM's own code after all passes, `asm` the machine's.
    `result` is Numba's record, with the types of all variables.
    """

    dispatcher: Any
    signature: tuple[Any, ...]
    seconds: float
    ir: str
    asm: str
    loops: list[LoopRemarks]
    warned: list[str] = field(default_factory=list)
    result: Any = None


@cache
def prepare(*, lines: bool = True) -> None:
    """Make LLVM say what it does, Numba note lines, and nothing be written to anyone's cache.

    It stays so for as long as the process lives.
    """
    set_option = import_module("llvmlite.binding").set_option
    for option in OPTIONS:
        set_option("guide", option)
    dispatcher = import_module("numba.core.dispatcher").Dispatcher
    dispatcher.enable_caching = lambda self: setattr(self, "wants_cache", True)
    if lines:
        _note_lines()


def _note_lines() -> None:
    cpu, debuginfo = import_module("numba.core.cpu"), import_module("numba.core.debuginfo")
    lower = import_module("numba.core.lowering").BaseLower
    of_numba = str(Path(str(import_module("numba").__file__)).parent)
    base: Any = debuginfo.DIBuilder

    class LinesOnly(base):  # type: ignore[misc]
        """The least that LLVM needs to know which line an instruction comes from."""

        known: frozenset[int] = frozenset()  # all lines but these are of a text that Numba made

        def mark_location(self, builder: Any, line: int) -> None:
            super().mark_location(builder, self._own(line))

        def _own(self, line: int) -> int:
            return min(self.known) if self.known and line not in self.known else line

        def initialize(self) -> None:
            self.emission_kind = "LineTablesOnly"
            super().initialize()

        def _di_file(self) -> Any:
            names = {"directory": "", "filename": self.filepath}  # the whole path, for remarks
            return self.module.add_debug_info("DIFile", names)

        def _di_subroutine_type(self, line: Any, function: Any, argmap: Any) -> Any:
            types = self.module.add_metadata([])
            return self.module.add_debug_info("DISubroutineType", {"types": types})

        def mark_variable(self, *args: Any, **kwargs: Any) -> None:
            pass

    begin = lower.__init__
    parts: list[tuple[str, frozenset[int]]] = []

    def begin_with_lines(self: Any, *args: Any, **kwargs: Any) -> None:
        # A parallel loop's body is compiled as a function of a text that Numba made of it.
        func_ir = kwargs.get("func_ir") or args[3]
        body = [one.loc for block in func_ir.blocks.values() for one in block.body]
        own = [loc for loc in body if not loc.filename.startswith("<")]
        parts.append((own[0].filename if own else "", frozenset(loc.line for loc in own)))
        try:
            begin(self, *args, **kwargs)
        finally:
            parts.pop()

    def choose(module: Any, filepath: str, cgctx: Any, directives_only: bool) -> Any:
        file, known = parts[-1] if parts else ("", frozenset())
        if filepath.startswith("<") and file and not file.startswith(of_numba):
            made = LinesOnly(module, file, cgctx, directives_only)
            made.known = known
            return made
        # What Numba's library brings has no lines; inlined, it counts as the line that calls it.
        own = not filepath.startswith((of_numba, "<"))
        kind = LinesOnly if own else debuginfo.DummyDIBuilder
        return kind(module, filepath, cgctx, directives_only)

    finalize = cpu.CPUTargetOptions.finalize

    def with_lines(self: Any, flags: Any, options: Any) -> None:
        finalize(self, flags, options)  # settles what hangs on debug=True: it stays off
        if not flags.debuginfo:
            flags.debuginfo = flags.dbg_directives_only = True

    lower.__init__ = begin_with_lines
    cpu.CPUContext.DIBuilder = staticmethod(choose)
    cpu.CPUTargetOptions.finalize = with_lines


@contextmanager
def what_llvm_says() -> Iterator[Callable[[], str]]:
    """Catch what LLVM writes to file descriptor 2; called afterwards, it is the text."""
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lambda: (file.seek(0), file.read().decode(errors="replace"))[1]
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def jitted(function: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """What `numba.jit(**options)` makes of a function, without what it has been compiled to before.

    A function that calls itself finds itself under its name: the new one, not the person's. Numba
    would take that for another that is being compiled already.
    """

    def is_itself(value: Any) -> bool:
        return value is function or getattr(value, "py_func", None) is function

    jit = import_module("numba").jit(**options)
    around, code = function.__globals__, function.__code__
    names = [name for name in code.co_names if is_itself(around.get(name))]
    cells = [CellType() if is_itself(_held(one)) else one for one in function.__closure__ or ()]
    fresh = [
        one for one, old in zip(cells, function.__closure__ or (), strict=True) if one is not old
    ]
    if not (names or fresh):
        return jit(function)
    around = dict(around)
    copy = FunctionType(code, around, function.__name__, function.__defaults__, tuple(cells))
    dispatcher = jit(update_wrapper(copy, function))
    copy.__kwdefaults__ = function.__kwdefaults__
    around.update(dict.fromkeys(names, dispatcher))
    for cell in fresh:
        cell.cell_contents = dispatcher
    return dispatcher


def _held(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing yet
        return None


def compile_for(
    function: Callable[..., Any], signature: tuple[Any, ...], options: Mapping[str, Any]
) -> Compiled:
    """Compile a plain Python function with these options of `njit`, for these types.

    Raises:
        numba.core.errors.NumbaError: when it does not compile.
    """
    with warnings.catch_warnings(record=True) as caught, what_llvm_says() as said:
        warnings.simplefilter("always")
        dispatcher = jitted(function, options)
        start = time.perf_counter()
        dispatcher.compile(signature)
        seconds = time.perf_counter() - start
        text = said()
    overload = next(iter(dispatcher.overloads.values()))
    warned = [str(one.message) for one in caught if "DebugInfo" not in one.category.__name__]
    ir = asm = ""
    if not overload.objectmode:
        ir, asm = overload.library.get_llvm_str(), overload.library.get_asm_str()
    loops = by_loop(read_remarks(text))
    return Compiled(dispatcher, signature, seconds, ir, asm, loops, warned, overload)

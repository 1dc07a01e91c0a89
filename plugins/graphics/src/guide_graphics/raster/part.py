"""Parts of kernels: typed and lowered once, made into machine code only inside their callers.

numba compiles a helper that a kernel calls as if it were a kernel: it wraps it for Python,
optimises it, makes machine code of it and writes that to the cache; then it does the same once
more inside each caller, where alone it is needed. Our kernels are mostly parts, and parts of
parts, so that was most of a cold start.

This reaches into numba where it promises nothing, so it is done for the versions it was tried with;
with any other, parts are compiled as numba does it, and a cold start takes twice as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit, version_info
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

F = TypeVar("F", bound=Callable[..., Any])

TRIED = ((0, 68),)  # versions of numba


def part(function: F, **options: Any) -> F:
    """Compile a helper into every kernel that calls it. From Python, the source itself runs.

    Args:
        function: what to compile.
        options: as for `numba.njit`.
    """
    if version_info[:2] not in TRIED:
        return njit(nogil=True, **options)(function)  # type: ignore[no-any-return]
    compiled = njit(
        pipeline_class=_PartCompiler, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options
    )(function)
    if compiled is not function:  # NUMBA_DISABLE_JIT=1 hands back the function
        resolve = compiled.get_call_template
        # A 0 written out has a type of its own, and all below it would be compiled once more
        compiled.get_call_template = lambda args, kws: resolve(
            [types.unliteral(kind) for kind in args],
            {name: types.unliteral(kind) for name, kind in kws.items()},
        )
        compiled._insert = lambda *entry: None
        compiled._compile_for_args = lambda *args, **kws: function
    return compiled  # type: ignore[no-any-return]


class _PartCompiler(Compiler):  # type: ignore[misc]
    """numba's own compiler, with another place for the code."""

    def __init__(
        self, typingctx: Any, targetctx: Any, library: Any, args: Any, returned: Any, flags: Any,
        names: Any,
    ) -> None:  # fmt: skip
        library = library or _PartLibrary(targetctx.codegen(), "part")
        library.inlined = flags.forceinline
        super().__init__(typingctx, targetctx, library, args, returned, flags, names)


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """LLVM's language, to be linked into others: never compiled here.

    What is inlined anyway is optimised there alone. What is not is worth a first round here: frames
    of many layers are 2 % faster for it.
    """

    inlined = True

    def _optimize_final_module(self) -> None:
        if not self.inlined:
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """There is none."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """This library, for `set_env`: numba asks it for nothing else."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Nothing to set: an environment serves calls from Python."""

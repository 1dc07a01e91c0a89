"""How the kernels are compiled.

Compiled code is kept beside the source (`cache=True`), so only the first start ever is slow; the
GIL is released, so threads run kernels side by side. A part is a helper that is compiled into
every kernel that calls it: a real call hands over seven words for every array and counts its
references, which for a few multiplications per pixel costs several times what they do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

# Numbers inside a kernel. numba infers their width from what a kernel is called with; a type
# checker, which knows neither, takes them as they come.
Int: TypeAlias = Any
Real: TypeAlias = Any
Flag: TypeAlias = Any


def kernel(function: F) -> F:
    """Compile with every operation as IEEE 754 has it: the same bits as written."""
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))


def kernel_part(function: F) -> F:
    """Compile a helper of a `kernel`."""
    return cast(F, njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))


def fast_kernel(function: F) -> F:
    """Compile for arithmetic that may be regrouped and fused: colours, never coverage."""
    return cast(F, njit(cache=True, nogil=True, error_model="numpy", fastmath=True)(function))


def fast_kernel_part(function: F) -> F:
    """Compile a helper of a `fast_kernel`."""
    compile_ = njit(cache=True, nogil=True, error_model="numpy", fastmath=True, forceinline=True)
    return cast(F, compile_(function))


def forget_stale(folder: Path) -> None:
    """Delete compiled kernels in `folder` that are older than any source file in it.

    numba looks at the file of a kernel alone: after a change to a part that lies in another
    file it would go on using what it compiled before.
    """
    with contextlib.suppress(OSError):  # read-only, or another process was faster
        newest = max((s.stat().st_mtime_ns for s in folder.glob("*.py")), default=0)
        for index in (folder / "__pycache__").glob("*.nbi"):
            if index.stat().st_mtime_ns < newest:
                index.unlink(missing_ok=True)


forget_stale(Path(__file__).parent)

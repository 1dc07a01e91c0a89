"""How the kernels are compiled.

Compiled code is kept in `CACHE`, so only the first start ever is slow; the GIL is released, so
threads run kernels side by side. A part is a helper that is compiled into every kernel that
calls it: a real call hands over seven words for every array and counts its references, which
for a few multiplications per pixel costs several times what they do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from numba import njit

from guide_graphics.raster.part import part

F = TypeVar("F", bound=Callable[..., Any])

# Numbers inside a kernel. numba infers their width from what a kernel is called with; a type
# checker, which knows neither, takes them as they come.
Int: TypeAlias = Any
Real: TypeAlias = Any
Flag: TypeAlias = Any


def cache_folder() -> Path | None:
    """Where numba keeps compiled kernels of this folder; None where it can write nowhere.

    It takes the first it can write to: `NUMBA_CACHE_DIR`, `__pycache__` beside the source, the
    user's cache folder.
    """
    try:
        compiled = njit(cache=True)(cache_folder)  # declared, never called: only then it looks
    except RuntimeError:  # "no locator available": on this very error the kernels would fail
        return None
    stats = getattr(compiled, "stats", None)  # NUMBA_DISABLE_JIT=1 hands back the function
    return Path(stats.cache_path) if stats else None


CACHE = cache_folder()


def kernel(function: F) -> F:
    """Compile with every operation as IEEE 754 has it: the same bits as written."""
    return _compiled(function)


def kernel_part(function: F) -> F:
    """Compile a helper of a `kernel`."""
    return part(function, error_model="numpy", forceinline=True)


def kernel_step(function: F) -> F:
    """Compile a helper of a `kernel` that is so large that it may stay a function of its own."""
    return part(function, error_model="numpy")


def fast_kernel(function: F) -> F:
    """Compile for arithmetic that may be regrouped and fused: colours, never coverage."""
    return _compiled(function, fastmath=True)


def fast_kernel_part(function: F) -> F:
    """Compile a helper of a `fast_kernel`."""
    return part(function, error_model="numpy", fastmath=True, forceinline=True)


def fast_kernel_step(function: F) -> F:
    """Compile a helper of a kernel as `kernel_step` does, for arithmetic as in `fast_kernel`."""
    return part(function, error_model="numpy", fastmath=True)


def _compiled(function: F, *, fastmath: bool = False) -> F:
    compile_ = njit(cache=CACHE is not None, nogil=True, error_model="numpy", fastmath=fastmath)
    compiled = compile_(function)
    if CACHE and (stats := getattr(compiled, "stats", None)):
        _forget_stale_once(Path(stats.cache_path))
    return cast(F, compiled)


def is_kept(compiled: Callable[..., Any]) -> bool:
    """Whether code of a kernel for this processor is in the cache: it loads in milliseconds."""
    cache = getattr(compiled, "_cache", None)
    if CACHE is None or cache is None:
        return False
    try:
        kept = cache._cache_file._load_index()  # of this version of numba and of this source
    except Exception:  # whatever unpickling a broken file raises: then it is compiled anew
        return False
    processor = compiled.targetctx.codegen().magic_tuple()  # type: ignore[attr-defined]
    return any(key[1] == processor for key in kept)


@lru_cache
def _forget_stale_once(cache: Path) -> None:
    forget_stale(Path(__file__).parent, cache)


def forget_stale(folder: Path, cache: Path) -> None:
    """Delete compiled kernels in `cache` that are older than any source file below `folder`.

    numba looks at the file of a kernel alone: after a change to a part that lies in another
    file it would go on using what it compiled before.
    """
    with contextlib.suppress(OSError):  # read-only, or another process was faster
        newest = max((s.stat().st_mtime_ns for s in folder.rglob("*.py")), default=0)
        for index in cache.glob("*.nbi"):
            if index.stat().st_mtime_ns < newest:
                index.unlink(missing_ok=True)

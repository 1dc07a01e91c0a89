"""What `guide doctor` says about drawing on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from guide.errors import GuideError
from guide.plugin import Finding
from guide_graphics.raster.gl.context import has_display, is_software, open_context


def findings() -> Sequence[Finding]:
    """OpenGL, display, threads and the cache of compiled kernels, in this order."""
    return [opengl(), display(), threads(), cache()]


def opengl() -> Finding:
    """Whether a context can be had, and what draws behind it."""
    try:
        context = open_context()
    except (GuideError, ImportError) as error:
        remedy = getattr(error, "remedy", "pip install moderngl")
        return Finding("OpenGL", "note", f"{error.args[0]}; backend=software works", remedy)
    try:
        name, version = context.info["GL_RENDERER"], context.info["GL_VERSION"]
    finally:
        context.release()
    if is_software(name):
        return Finding(
            "OpenGL",
            "note",
            f"{version.split()[0]} on {name}: a driver that draws on the CPU",
            "a driver for your GPU, if there is one, draws faster",
        )
    return Finding("OpenGL", "ok", f"{version.split()[0]} on {name}")


def display() -> Finding:
    """Whether a window can be opened."""
    if has_display():
        place = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or "the desktop"
        return Finding("display", "ok", place)
    return Finding(
        "display", "note", "none: projects run without a window", "set DISPLAY to open windows"
    )


def threads() -> Finding:
    """How many threads the software renderer uses."""
    if find_spec("numba") is None:
        return Finding("software renderer", "problem", "numba is missing", "pip install numba")
    from guide_graphics.raster.workers import usable_cpus

    count = usable_cpus()
    if count == 1:
        return Finding(
            "software renderer",
            "note",
            "one CPU: one thread draws",
            "give this process more CPUs, if it may have them",
        )
    return Finding("software renderer", "ok", f"numba, {count} threads")


def cache() -> Finding:
    """Whether compiled kernels outlive the process, and where."""
    name = "compiled kernels"
    if find_spec("numba") is None:
        return Finding(name, "note", "none: numba is missing", "pip install numba")
    from guide_graphics.raster import kernel

    chosen, folder = os.environ.get("NUMBA_CACHE_DIR"), kernel.CACHE
    if folder is None:
        return Finding(
            name,
            "note",
            "every start compiles anew: there is no folder to keep them in that can be written",
            "export NUMBA_CACHE_DIR=FOLDER, one that you can write to",
        )
    if chosen and not folder.is_relative_to(chosen):
        return Finding(
            name,
            "note",
            f"kept in {folder}: NUMBA_CACHE_DIR={chosen} cannot be written",
            "set NUMBA_CACHE_DIR to a folder that you can write to, or unset it",
        )
    if chosen:
        return Finding(name, "ok", f"kept in {folder}, by NUMBA_CACHE_DIR")
    if folder == Path(kernel.__file__).parent / "__pycache__":
        return Finding(name, "ok", f"kept beside the source, in {folder}")
    return Finding(name, "ok", f"kept in your cache folder, {folder}: the source is read-only")

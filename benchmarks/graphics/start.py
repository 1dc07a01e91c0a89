"""From the start of the interpreter to the first frame of 10,000 triangles, in fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.graphics.scale import Scale
from benchmarks.rows import Row, interleaved

IMPORT = "import guide_graphics.raster"
FRAME = """
from guide_graphics.raster import Material, Scene, checker, open_renderer, orbit, teapot
scene = Scene([teapot({triangles})], [Material(texture=checker((1, 1, 1), (0, 0, 1)))])
open_renderer({size}, "{backend}").render(scene, orbit(30, 20, 4))
"""


def rows(scale: Scale) -> Iterator[Row]:
    """Compiled code thrown away and kept, beside OpenGL, which compiles its shaders every time."""
    triangles = round(10_000 * scale.detail)
    ours, theirs = (
        FRAME.format(triangles=triangles, size=scale.size, backend=backend)
        for backend in ("software", "opengl")
    )
    with tempfile.TemporaryDirectory() as folder:
        cold = _seconds(ours, folder)
        yield Row("first frame, nothing compiled yet", f"{cold:.1f} s", "-", None, "-", None)
        yield row(
            "first frame, compiled code kept", ours, "our OpenGL renderer", theirs, scale, folder
        )
        yield row(f"`{IMPORT}`", IMPORT, "bare Python", "pass", scale, folder)


def row(figure: str, ours: str, name: str, theirs: str, scale: Scale, folder: str) -> Row:
    """Two programs in turn, with compiled code in a folder."""
    try:
        mine, its, ratio, spread = interleaved(
            lambda: _seconds(ours, folder), lambda: _seconds(theirs, folder), scale.starts
        )
    except subprocess.CalledProcessError as error:
        why = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
        return Row(figure, f"did not run: {why}", name, None, "-", None)
    return Row(figure, f"{mine:.2f} s", f"{name} {its:.2f} s", ratio, "-", None, spread)


def _seconds(code: str, cache: str) -> float:
    """A whole process; the interpreter's own start and end are in it."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - began

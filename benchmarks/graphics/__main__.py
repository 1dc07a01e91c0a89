"""`python -m benchmarks.graphics [--quick] [--markdown] [PART ...]`: print the table.

Both sides of a figure run in turn. The ratios are medians of the pairs, beside them are their
quartiles. A machine with other work gives other figures: leave it alone.
"""

from __future__ import annotations

import argparse
import importlib

import moderngl
import numba

from benchmarks.graphics.scale import QUICK, Scale
from benchmarks.rows import HEAD, line, machine

PARTS = ("backends", "threads", "mipmaps", "peers", "start", "floor")


def main() -> None:
    """Measure and print, a row as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.graphics", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="two minutes, to see that it runs")
    parser.add_argument(
        "--markdown", action="store_true", help="the machine's name above the table"
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    typed = parser.parse_args()
    if unknown := set(typed.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if typed.markdown:
        print(machine(f"numba {numba.__version__}", f"moderngl {moderngl.__version__}", mesa()))
        print()
    print(HEAD)
    for part in typed.parts or PARTS:
        module = importlib.import_module(f"benchmarks.graphics.{part}")
        for row in module.rows(QUICK if typed.quick else Scale()):
            print(line(row), flush=True)


def mesa() -> str:
    """What OpenGL is here, with its version."""
    from guide.errors import GuideError
    from guide_graphics.raster.gl.context import open_context

    try:
        context = open_context()
    except GuideError as error:
        return str(error)
    name = f"{context.info['GL_RENDERER']}, OpenGL {context.info['GL_VERSION']}"
    context.release()
    return name


if __name__ == "__main__":
    main()

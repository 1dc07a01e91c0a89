"""Copies of the ladder's source, as plain Python and with a word changed.

So a deliberate error is drawn by the real code, and no file of it is touched.
"""

import importlib.util
import itertools
import sys
from pathlib import Path

from guide.timing import Timeline
from guide_graphics.raster import clipping
from guide_graphics.raster.ladder import renderer as original

_PACKAGE = original.__package__
_COMPILE = "from guide_graphics.raster.kernel import"
_PLAIN = "from {}.plain import"
_count = itertools.count()


def python_ladder(folder, size, *changes):
    """A LadderRenderer of plain Python, made of a copy in `folder`.

    Args:
        folder: where the copy is put.
        size: width and height in pixels.
        changes: (file, old, new): what is to be another in it; `old` has to occur once.
    """
    name = f"ladder_copy_{next(_count)}"
    package = Path(folder) / name
    package.mkdir()
    sources = {
        path.name: path.read_text(encoding="utf-8")
        for path in [*Path(original.__file__).parent.glob("*.py"), Path(clipping.__file__)]
    }
    sources["plain.py"] = (
        "from guide_graphics.raster.kernel import CACHE, Flag, Int, Real\n"
        "def kernel(function): return function\n"
        "kernel_part = kernel_step = fast_kernel = fast_kernel_part = kernel\n"
    )
    for file, old, new in changes:
        assert sources[file].count(old) == 1, f"{old!r} occurs {sources[file].count(old)} times"
        sources[file] = sources[file].replace(old, new)
    for file, text in sources.items():
        if file != "plain.py":
            text = text.replace(_COMPILE, _PLAIN.format(name)).replace(_PACKAGE, name)
            text = text.replace(clipping.__name__, f"{name}.clipping")
        (package / file).write_text(text, encoding="utf-8")
    return _imported(name, package).LadderRenderer(size, Timeline(keep=10), threads=1)


def _imported(name, package):
    spec = importlib.util.spec_from_file_location(
        name, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return importlib.import_module(f"{name}.renderer")

"""Listings: code that a section shows, taken from source that is tested where it lies.

`{listing: package.module:name}` is the function, class or method of that name (`Class.method`),
or a part between `# region: name` and `# endregion` for what is no function. The file is read,
never imported. What is missing is an error, so a page cannot show code that is no longer there.
"""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from guide.errors import GuideError


@dataclass(frozen=True, slots=True)
class Listing:
    """Some lines of a file.

    Attributes:
        code: the lines, with the indentation that all share taken off.
        name: "package/module.py", the same on every machine.
        line: the number of the first one.
    """

    code: str
    name: str
    line: int


def listing(name: str) -> Listing:
    """What `"package.module:name"` names.

    Raises:
        GuideError: when there is no such module, or nothing of that name in it.
    """
    module, colon, item = name.partition(":")
    if not (module and colon and item):
        raise GuideError(f"a listing is written package.module:function, not {name!r}")
    file = _file(module)
    source = file.read_text(encoding="utf-8")
    lines = source.splitlines()
    found = _definition(ast.parse(source), item) or _region(lines, item)
    if found is None:
        raise GuideError(f"listing {name}: {file} has no {item!r}", "name what it has")
    first, end = found
    code = textwrap.dedent("\n".join(lines[first:end])).strip("\n")
    # Relative to where the package lies, which is nobody's business.
    shown = "/".join(file.parts[-module.count(".") - (2 if file.name == "__init__.py" else 1) :])
    return Listing(code, shown, first + 1)


def _file(module: str) -> Path:
    """The module's file. Only its package's place is looked up: nothing is imported."""
    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        spec = None
    places = list(spec.submodule_search_locations or []) if spec else []
    if spec and not rest and spec.origin:
        return Path(spec.origin)
    for place in places:
        for file in (Path(place, *rest).with_suffix(".py"), Path(place, *rest, "__init__.py")):
            if file.is_file():
                return file
    raise GuideError(f"listing: there is no module {module}", "is its distribution installed?")


def _definition(tree: ast.Module, item: str) -> tuple[int, int] | None:
    """Lines of a function, class or method, its decorators among them: (first, end) from 0."""
    body: list[ast.stmt] = tree.body
    node = None
    for part in item.split("."):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        node = next((n for n in body if isinstance(n, kinds) and n.name == part), None)
        if node is None:
            return None
        body = node.body
    assert node
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return first - 1, node.end_lineno or node.lineno


def _region(lines: list[str], item: str) -> tuple[int, int] | None:
    try:
        texts = [line.strip() for line in lines]
        first = texts.index(f"# region: {item}") + 1
        return first, texts.index("# endregion", first)
    except ValueError:
        return None

"""Who may import whom."""

import ast
import io
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from guide.judge.manifest import read_manifest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "core" / "src" / "guide"
HEAVY = {"torch", "cv2", "numba", "moderngl", "glfw", "trimesh"}
ENGINES = {"guide_deep_learning", "guide_graphics", "guide_vision"}
EXERCISES = CORE / "foundations" / "exercises"

# What runs in every tick and what is left of a run. All else in core stands around it, and may be
# read, changed or taken away by itself.
HEART = {
    "guide",
    *("guide.errors", "guide.units", "guide.machine", "guide.options", "guide.picture"),
    *("guide.loop", "guide.grid", "guide.clock", "guide.pacing"),
    *("guide.recorder", "guide.timing", "guide.percentiles", "guide.ticks", "guide.columns"),
    *("guide.causes", "guide.asleep", "guide.realtime", "guide.stopping"),
    *("guide.meter", "guide.process", "guide.resources", "guide.energy", "guide.budgets"),
    *("guide.run", "guide.record", "guide.journal", "guide.replay"),
}
HEART_LINES = 3085  # of source: what a reader can hold


def imports(file: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if not top_level_only else iter(tree.body)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def test_there_is_something_to_check():
    assert len(sources(CORE)) > 20


def test_core_imports_no_plugin_and_nothing_heavy():
    for file in sources(CORE):
        if EXERCISES not in file.parents:
            assert not imports(file) & (HEAVY | ENGINES), file


@pytest.mark.parametrize("folder", sorted(EXERCISES.glob("*/")), ids=lambda folder: folder.name)
def test_what_an_exercise_imports_it_says_that_it_needs(folder):
    """An exercise is data: the judge imports what it needs, in a process of its own."""
    needs = set(read_manifest(folder).needs)
    for file in sources(folder):
        assert imports(file) & (HEAVY | ENGINES) <= needs, file


@pytest.mark.parametrize("track", ["deep_learning", "graphics", "vision"])
def test_a_plugin_imports_no_other_plugin(track):
    others = ENGINES - {f"guide_{track}"}
    for file in sources(ROOT / "plugins" / track / "src"):
        assert not imports(file) & others, file


@pytest.mark.parametrize("track", ["deep_learning", "graphics", "vision"])
def test_a_plugin_module_is_light(track):
    file = ROOT / "plugins" / track / "src" / f"guide_{track}" / "plugin.py"
    assert not imports(file, top_level_only=True) & (HEAVY | {"numpy"})


def file_of(module: str) -> Path:
    name = module.removeprefix("guide").removeprefix(".")
    return CORE / f"{name or '__init__'}.py"


def of_core(file: Path) -> set[str]:
    """The modules of core that a file imports, also inside functions and for types alone."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "guide":
            found |= {f"guide.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name == "guide" or name.startswith("guide.")}


def source_lines(file: Path) -> int:
    """Lines that hold code: no comments, blank lines or docstrings."""
    text = file.read_text(encoding="utf-8")
    nothing = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in nothing | {tokenize.ENDMARKER}:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if ast.get_docstring(node, clean=False) is not None and first is not None:
                lines -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(lines)


def test_lines_are_counted_without_comments_and_docstrings(tmp_path):
    file = tmp_path / "it.py"
    file.write_text(
        '"""Says.\n\nMore.\n"""\n\n# why\nx = [\n    1,\n]  # so\n\ndef f():\n    "doc"\n'
    )
    assert source_lines(file) == 4


@pytest.mark.parametrize("module", sorted(HEART))
def test_the_heart_imports_only_the_heart(module):
    assert not of_core(file_of(module)) - HEART


def test_a_reader_can_hold_the_heart():
    assert sum(source_lines(file_of(module)) for module in HEART) <= HEART_LINES


# What dataclasses, fractions and their like cost at every start of every program.
SLOW = {"ctypes", "dataclasses", "decimal", "fractions", "inspect", "numpy", "pathlib"}


def newly_imported(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*{{*sys.modules}} - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_guide_imports_nothing():
    assert newly_imported("import guide") == {"guide", "__future__"}


@pytest.mark.parametrize("names", ["Loop, Timeline", "Run, Task, Tick", "Clock, FixedStep"])
def test_everyday_names_import_nothing_slow(names):
    found = newly_imported(f"from guide import {names}")
    assert not found & (SLOW | HEAVY)
    assert not {name for name in found if name.startswith("guide.")} - HEART


def test_the_slow_ones_would_be_noticed():
    assert newly_imported("import dataclasses, fractions") >= {"dataclasses", "inspect", "decimal"}


def test_explaining_a_trace_imports_nothing_of_runs_and_pages():
    """It starts in under 0.3 s: what only a run or a page needs is left for those."""
    got = newly_imported("from guide.cli.explain import explain")
    assert not got & {f"guide.{name}" for name in ("compare", "explain.kept", "explain.page")}
    assert not got & HEAVY

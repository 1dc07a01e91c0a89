"""Who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "core" / "src" / "guide"
HEAVY = {"torch", "cv2", "numba", "moderngl", "glfw", "trimesh"}
ENGINES = {"guide_deep_learning", "guide_graphics", "guide_vision"}


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
        assert not imports(file) & (HEAVY | ENGINES), file


@pytest.mark.parametrize("track", ["deep_learning", "graphics", "vision"])
def test_a_plugin_imports_no_other_plugin(track):
    others = ENGINES - {f"guide_{track}"}
    for file in sources(ROOT / "plugins" / track / "src"):
        assert not imports(file) & others, file


@pytest.mark.parametrize("track", ["deep_learning", "graphics", "vision"])
def test_a_plugin_module_is_light(track):
    file = ROOT / "plugins" / track / "src" / f"guide_{track}" / "plugin.py"
    assert not imports(file, top_level_only=True) & (HEAVY | {"numpy"})

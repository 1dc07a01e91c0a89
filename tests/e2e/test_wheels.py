"""What is published is what is tracked, no more and no less."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = ["core", "plugins/deep_learning", "plugins/graphics", "plugins/vision"]


def build(distribution: str, out: Path) -> list[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT / distribution, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_wheel_holds_exactly_the_tracked_files(distribution, tmp_path):
    command = ["git", "ls-files", f"{distribution}/src"]
    tracked = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    wanted = sorted(name.removeprefix(f"{distribution}/src/") for name in tracked.splitlines())
    assert sorted(build(distribution, tmp_path)) == wanted


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_what_a_tool_leaves_in_a_scaffold_is_not_published(distribution, tmp_path):
    source = next((ROOT / distribution / "src").iterdir())
    folders = [p.parent for p in source.rglob("pyproject.toml")] or [source]
    litter = [folders[0] / name / "left.txt" for name in (".pytest_cache", "runs", "__pycache__")]
    made = []
    try:
        for file in litter:
            if not file.parent.exists():
                file.parent.mkdir()
                made.append(file.parent)
            file.write_text("left by a tool")
        assert not [name for name in build(distribution, tmp_path) if name.endswith("left.txt")]
    finally:
        for file in litter:
            file.unlink(missing_ok=True)
        for folder in made:
            folder.rmdir()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_distribution_is_typed(distribution, tmp_path):
    assert any(name.endswith("/py.typed") for name in build(distribution, tmp_path))


def test_the_root_distribution_holds_no_code(tmp_path):
    assert build(".", tmp_path) == []

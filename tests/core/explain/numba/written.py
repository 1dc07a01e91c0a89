"""A module that a test writes, to have its functions explained."""

from pathlib import Path


def written(folder: Path, text: str, name: str = "written.py") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file

"""docs/hooks.md says what the code says."""

import inspect
from pathlib import Path

import pytest

from guide import hookspecs

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
HOOKS = [name for name in vars(hookspecs) if name.startswith("guide_")]


@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_stands_there_with_its_signature_and_purpose(name):
    hook = getattr(hookspecs, name)
    signature = str(inspect.signature(hook)).replace("'", "")
    first = " ".join((inspect.getdoc(hook) or "").split())
    assert f"`{name}{signature}`" in PAGE
    assert f"| {first} |" in PAGE


def test_no_hook_stands_there_that_does_not_exist():
    rows = [
        line.split("`")[1].split("(")[0] for line in PAGE.splitlines() if line[:9] == "| `guide_"
    ]
    assert sorted(rows) == sorted(HOOKS)

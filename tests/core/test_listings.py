"""Listings are the code that is tested, or an error."""

import sys

import pytest

from guide.errors import GuideError
from guide.learn.listings import listing


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "shown"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise ImportError('a listing imports nothing')\n")
    (folder / "code.py").write_text(
        "import this_is_not_installed\n\n\n"
        "@decorated\ndef one():\n    return 1\n\n\n"
        "class Two:\n    x = 2\n\n    async def three(self):\n        # why\n        return 3\n\n\n"
        "if True:\n    # region: part\n    y = 4\n    z = 5\n    # endregion\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "shown.code"


def test_a_function_comes_with_its_decorators_and_its_place(package):
    found = listing(f"{package}:one")
    assert found.code == "@decorated\ndef one():\n    return 1"
    assert (found.name, found.line) == ("shown/code.py", 4)


def test_a_class_and_a_method_can_be_shown(package):
    assert listing(f"{package}:Two").code.startswith("class Two:\n    x = 2")
    method = listing(f"{package}:Two.three")
    assert method.code == "async def three(self):\n    # why\n    return 3"


def test_a_region_is_what_stands_between_its_marks(package):
    found = listing(f"{package}:part")
    assert found.code == "y = 4\nz = 5"
    assert found.line == 19


def test_nothing_is_imported(package):
    listing(f"{package}:one")
    assert not {name for name in sys.modules if name.startswith("shown")}


def test_a_file_is_named_as_its_package_knows_it():
    assert listing("guide.clock:VirtualClock").name == "guide/clock.py"
    assert listing("guide.ceilings:measure").name == "guide/ceilings/__init__.py"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("guide.clock:NoClock", "has no 'NoClock'"),
        ("guide.clock:VirtualClock.nothing", "has no"),
        ("guide.no_such:thing", "no module guide.no_such"),
        ("no_such_package.at_all:thing", "no module"),
        ("guide.clock", "is written package.module:function"),
        (":x", "is written"),
    ],
)
def test_what_is_not_there_is_an_error(name, what):
    with pytest.raises(GuideError, match=what):
        listing(name)

import pytest

from guide.errors import UsageError
from guide.learn.contents import all_sections, find_section
from guide.plugins import Plugins


@pytest.fixture
def plugins():
    return Plugins(disabled=["vision", "graphics", "deep-learning"])


def test_they_are_listed_by_module_and_number_and_not_as_text(plugins):
    keys = [tuple(map(int, s.id[1:].split("/s"))) for s in all_sections(plugins)]
    assert keys == sorted(keys)
    assert keys


def test_each_of_core_can_be_read(plugins):
    for section in all_sections(plugins):
        assert section.file.read_text(encoding="utf-8").startswith("# ")


def test_one_that_does_not_exist_names_the_nearest(plugins):
    assert find_section(plugins, "m0/s0").title
    with pytest.raises(UsageError, match="did you mean m0/s"):
        find_section(plugins, "m0s0")
    with pytest.raises(UsageError, match="guide contents lists them"):
        find_section(plugins, "zzz")

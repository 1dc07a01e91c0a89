"""Every section of every plugin that is installed can be shown whole, here and on a site."""

import re

import pytest

from guide.errors import GuideError
from guide.learn.contents import all_sections
from guide.learn.markdown import Directive, Heading, parse
from guide.learn.pages import check, links, named_figures, page
from guide.learn.terminal import render
from guide.plugin import Section
from guide.plugins import Plugins

EVERY = all_sections(Plugins())
COMMON = [section for section in EVERY if not section.tracks]
_each = pytest.mark.parametrize("section", EVERY, ids=lambda section: section.id)
_common = pytest.mark.parametrize("section", COMMON, ids=lambda section: section.id)


def blocks(section):
    return page(section, EVERY, mine=False).blocks


@_each
def test_each_can_be_shown_with_all_that_it_names(section):
    check(section, EVERY)
    text = render(page(section, EVERY, mine=False), 60, color=False)
    assert "{" + "value" not in re.sub(r"`[^`]*`", "", text)


@_each
def test_each_begins_with_its_title_and_closes_with_more_to_read(section):
    found = blocks(section)
    headings = [block for block in found if isinstance(block, Heading)]
    assert headings[0] == found[0]
    assert headings[0].level == 1
    assert headings[-1].text == "Additional reading"
    after = found[found.index(headings[-1]) + 1 :]
    assert len(list(links(after))) >= 2


@_common
def test_the_titles_in_the_table_are_those_on_the_page(section):
    assert blocks(section)[0] == Heading(1, section.title)


@_common
def test_each_common_one_has_a_figure_or_a_listing_and_says_what_to_look_for(section):
    found = blocks(section)
    names = {b.text for b in found if isinstance(b, Heading)}
    if section.id == "m0/s0":  # it is a first walk, and ends with a prediction
        assert "Now predict" in names
    else:
        assert "In your own work" in names
    live = [b for b in found if isinstance(b, Directive)] or named_figures(section, EVERY)
    assert live or section.id == "m0/s2"


@_common
def test_each_is_two_screens_and_no_wall(section):
    text = section.file.read_text(encoding="utf-8")
    assert 150 < len(text.split()) < 900
    paragraphs = re.split(r"\n\s*\n", re.sub(r"```.*?```", "", text, flags=re.S))
    assert max(len(p.split()) for p in paragraphs if p[:1] not in "-|1") < 110


def test_the_common_ones_cover_every_module():
    assert len(COMMON) >= 24
    assert {section.id[:2] for section in COMMON} == {f"m{n}" for n in range(7)}


def test_each_stands_on_what_comes_before_it():
    order = [section.id for section in EVERY]
    for section in EVERY:
        for id in section.stands_on:
            assert order.index(id) < order.index(section.id), section.id


def test_ids_that_are_named_in_a_text_are_there():
    ids = {section.id for section in EVERY}
    for section in COMMON:
        named = set(re.findall(r"\bm[0-6]/s\d+\b", section.file.read_text(encoding="utf-8")))
        assert named <= ids, section.id


def test_every_figure_is_shown_by_the_section_that_brings_it():
    for section in COMMON:
        shown = {b.name for b in blocks(section) if isinstance(b, Directive)}
        assert {figure.name for figure in section.figures} <= shown, section.id


class TestBroken:
    """What an author gets wrong is said, with the section and what to do."""

    def section(self, tmp_path, text, **more):
        file = tmp_path / "s8.md"
        file.write_text(f"# It\n\n{text}\n\n## Additional reading\n\n- none\n")
        return Section("m5/s8", "It", file, **more)

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("{figure: no-such}", "the figure 'no-such', which nobody brings"),
            ("It took {value: no-such.a_ns}.", "the figure 'no-such', which nobody brings"),
            ("It took {value: lookups.no_such}.", "has no value 'no_such'"),
            ("{listing: guide.clock:NoClock}", "has no 'NoClock'"),
            ("{listing: not_installed.at_all:x}", "there is no module"),
            ("See [there](../other.md).", "leads nowhere in a terminal"),
            ("<b>x</b>", "line 3: HTML"),
        ],
    )
    def test_what_is_named_and_not_there_fails(self, tmp_path, text, what):
        with pytest.raises(GuideError, match=what):
            check(self.section(tmp_path, text), EVERY)

    def test_standing_on_nothing_fails(self, tmp_path):
        section = self.section(tmp_path, "x", stands_on=("m6/s9",))
        with pytest.raises(GuideError, match="m5/s8 stands on m6/s9, which is not there"):
            check(section, EVERY)

    def test_a_missing_file_is_said(self, tmp_path):
        section = Section("m5/s8", "It", tmp_path / "none.md")
        with pytest.raises(GuideError, match="is missing"):
            check(section, EVERY)

    def test_a_section_of_a_stranger_may_name_a_common_figure(self, tmp_path):
        section = self.section(tmp_path, "{figure: lookups}\n\nTook {value: lookups.set_ns}.")
        check(section, [*EVERY, section])

    def test_directives_in_code_are_code(self, tmp_path):
        section = self.section(tmp_path, "```\n{figure: no-such}\n{value: a.b}\n```")
        check(section, EVERY)
        assert len(parse(section.file.read_text())) == 4

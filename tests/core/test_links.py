"""Links of sections and exercises are whole and name one page each; ids that they name exist."""

import re
from urllib.parse import urlsplit

import pytest

from guide.learn.contents import all_exercises, all_sections, read_page
from guide.learn.markdown import Heading, List, Paragraph, parse
from guide.learn.pages import links
from guide.plugins import Plugins

HTTP: dict[str, str] = {}
"""Addresses that no server offers over https, each with how that is known."""

SECTIONS = all_sections(Plugins())
EXERCISES = all_exercises(Plugins())
IDS = {item.id for item in (*SECTIONS, *EXERCISES)}
FILES = {section.id: section.file for section in SECTIONS} | {
    f"{exercise.id} {file.name}": file
    for exercise in EXERCISES
    for file in sorted(exercise.folder.glob("*.md"))
}
_each = pytest.mark.parametrize("name", FILES)
_each_section = pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)


def blocks(file):
    return parse(read_page(file))


def out_of(file):
    """Text and address of each link that leaves the guide."""
    return [(link.text, link.href) for link in links(blocks(file)) if "://" in link.href]


@_each
def test_each_link_is_a_whole_address(name):
    for _, href in out_of(FILES[name]):
        at = urlsplit(href)
        assert at.scheme == "https" or href in HTTP, href
        assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", at.netloc), href
        assert at.path, f"{href} names a host and no page: end it with a slash"
        assert not re.search(r"[\s\"<>{}|\\^`]|[.,;:!')]$", href), href


@_each
def test_papers_are_named_by_what_lasts(name):
    for _, href in out_of(FILES[name]):
        if "arxiv.org" in href:
            assert re.fullmatch(r"https://arxiv\.org/abs/\d{4}\.\d{4,5}", href), href
        elif "doi" in urlsplit(href).netloc or "/doi/" in href:
            assert re.fullmatch(r"https://doi\.org/10\.\d{4,}/\S+", href), href


@_each_section
def test_no_page_is_named_twice_in_a_section(section):
    found = [href for _, href in out_of(section.file)]
    assert len(found) == len(set(found))


def test_one_name_leads_to_one_page_and_one_page_has_one_name():
    pages: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for file in FILES.values():
        for text, href in out_of(file):
            pages.setdefault(text, set()).add(href)
            names.setdefault(href, set()).add(text)
    assert {text: found for text, found in pages.items() if len(found) > 1} == {}
    assert {href: found for href, found in names.items() if len(found) > 1} == {}


@_each_section
def test_what_is_to_be_read_says_in_a_line_why(section):
    found = blocks(section.file)
    after = found[found.index(Heading(2, "Additional reading")) + 1 :]
    items = [item for block in after if isinstance(block, List) for item in block.items]
    for item in items:
        text = " ".join(block.text for block in item if isinstance(block, Paragraph))
        if "](" in text:
            why = re.split(r"\]\([^)]*\)", text)[-1].partition(": ")[2]
            assert len(why.split()) >= 3, text


@_each
def test_sections_and_exercises_that_are_named_are_there(name):
    text = read_page(FILES[name])
    named = set(re.findall(r"\bm[0-6](?:/s|::e)\d+\b", text))
    assert named <= IDS

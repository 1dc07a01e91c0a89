"""The Markdown that sections are written in, and how it looks in a terminal."""

import pytest

from guide.errors import GuideError
from guide.learn.cells import cut, pad, width
from guide.learn.markdown import (
    Code,
    Directive,
    Heading,
    List,
    Paragraph,
    Quote,
    Span,
    Table,
    parse,
    spans,
    values,
)
from guide.learn.pages import Page
from guide.learn.terminal import render
from guide.plugin import Section

PAGE = """\
# How far?

One *word* of `code`, two **bold**,
and a [link](https://a.example/b_(c)).

- first
- second, which goes on
  for a while
    - within

Then:

3. third

| name | ns |
| --- | ---: |
| one | 1 |
| a much longer name that has to be broken somewhere, or else | 22 |

```python
x = [1]  # *no emphasis*, {value: a.b_ns}
```

> said by
> somebody

{figure: far-away}

{listing: a.b:c}
"""


def shown(text, columns=60, color=False, unicode=True, tmp="/nowhere"):
    section = Section("m0/s0", "It", tmp)
    return render(Page(section, parse(text)), columns, color=color, unicode=unicode)


def test_each_kind_of_block_is_known():
    kinds = [type(block) for block in parse(PAGE)]
    assert kinds == [
        *(Heading, Paragraph, List, Paragraph, List, Table, Code, Quote, Directive, Directive),
    ]


def test_blocks_hold_what_was_written():
    title, paragraph, bullets, _, numbers, table, code, quote, figure, listing = parse(PAGE)
    assert title == Heading(1, "How far?")
    assert paragraph.text.endswith("two **bold**, and a [link](https://a.example/b_(c)).")
    assert bullets.first is None
    assert numbers.first == 3
    assert bullets.items[1] == (
        Paragraph("second, which goes on for a while"),
        List(((Paragraph("within"),),), None),
    )
    assert table.right == (False, True)
    assert len(table.rows) == 2
    assert (code.language, code.text) == ("python", "x = [1]  # *no emphasis*, {value: a.b_ns}")
    assert quote == Quote("said by somebody")
    assert figure == Directive("figure", "far-away")
    assert listing == Directive("listing", "a.b:c")


def test_a_paragraph_is_spans():
    assert spans("a *b* **c** `d*e*` [f](https://g) <https://h> \\*i 2 * 3 * 4 x_y_z") == [
        Span("a "),
        Span("b", "italic"),
        Span(" "),
        Span("c", "bold"),
        Span(" "),
        Span("d*e*", "code"),
        Span(" "),
        Span("f", "link", "https://g"),
        Span(" "),
        Span("https://h", "link", "https://h"),
        Span(" "),
        Span("*"),
        Span("i 2 * 3 * 4 x_y_z"),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a <b>bold</b> word", "HTML"),
        ("<div>\nx\n</div>", "HTML"),
        ("![x](y.png)", "an image"),
        ("Title\n=====", "underlined"),
        ("a\n\n---", "rule"),
        ("[x][y]", "defined elsewhere"),
        ("[y]: https://z", "defined elsewhere"),
        ("```\nnever ends", "a fence that does not end"),
        ("some **bold", "bold that does not end"),
        ("some `code", "code that does not end"),
        ("text\n- no blank line before", "without a blank line"),
        ("- one\n\n  two in", "four spaces"),
        ("- one\n\n1. other", "another kind"),
        ("| a | b |\n| --- | --- |\n| 1 |", "a row of 1 cells"),
        ("see {figure: x} here", "not alone"),
        ("{picture: x}", "does not exist"),
        ("{value: no-key}", "does not exist"),
        ("- {figur: x}", "does not exist"),
    ],
)
def test_what_is_outside_the_subset_is_refused_with_its_line(text, what):
    with pytest.raises(GuideError, match=what) as refused:
        parse(f"# Title\n\n{text}\n")
    assert refused.value.message.startswith(("line 3", "line 4", "line 5"))


def test_values_are_filled_in_but_not_in_code():
    text = "It took {value: a-b.c_ns}, not `{value: a-b.c_ns}`.\n\n```\n{value: a-b.c_ns}\n```\n"
    filled = values(text, lambda figure, key: f"<{figure} {key}>")
    assert filled.count("<a-b c_ns>") == 1
    assert filled.count("{value: a-b.c_ns}") == 2


def test_a_value_may_be_broken_by_a_line():
    assert values("{value:\na.b_ns}", lambda figure, key: figure + key) == "ab_ns"


@pytest.mark.parametrize("columns", [20, 40, 60, 84])
@pytest.mark.parametrize("color", [True, False])
def test_no_line_is_wider_than_the_terminal(columns, color):
    import click

    text = PAGE.partition("{figure")[0].replace("A", "👨‍💻 漢字 ")
    code = not color  # plain code is left as it is, to be copied
    for line in shown(text, columns, color).splitlines():
        plain = click.unstyle(line)
        assert width(plain) <= columns or "https" in plain or (code and plain[:4] == "    "), plain


def test_plain_text_keeps_its_structure_and_no_escape():
    text = shown(PAGE.partition("{figure")[0], 60)
    assert text.startswith("# How far?\n")
    assert "\x1b" not in text
    assert "link\n(https://a.example/b_(c))." in text
    assert "`code`" in text
    assert "\n3. third\n" in text
    assert "\n    x = [1]  # *no emphasis*" in text


def test_with_colour_emphasis_is_shown():
    text = shown("# T\n\n*it* **bo** `co` [l](https://x)\n", color=True)
    assert "\x1b[3mit" in text
    assert "\x1b[1mbo" in text
    assert "\x1b[36mco" in text
    assert "\x1b[4ml" in text


def test_numbers_in_a_table_stand_to_the_right():
    lines = shown("| a | ns |\n| --- | ---: |\n| x | 1 |\n| y | 1000 |\n").splitlines()
    assert lines[2].endswith("   1")
    assert lines[3].endswith("1000")


def test_a_section_says_whose_it_is_and_what_it_stands_on():
    section = Section("m1/s2", "It", "/nowhere", ("vision",), ("m1/s0",))
    page = Page(section, parse("# It\n\nText.\n"), stands_on={"m1/s0": "Before"})
    lines = render(page, 60, color=False).splitlines()
    assert lines[:3] == ["# It", "🧬 vision", "Stands on m1/s0, Before"]


def test_the_width_of_a_text_is_what_a_terminal_gives_it():
    assert [width(t) for t in ("abc", "漢字", "🧬", "👨‍💻", "é", "⚙️", "")] == [3, 4, 2, 2, 1, 2, 0]
    assert pad("🧬", 4) == "🧬  "


def test_code_is_cut_at_a_space_and_nothing_is_lost():
    line = "    total = function_of(alpha, beta, gamma, 漢字漢字漢字漢字漢字)"
    pieces = cut(line, 24)
    assert all(width(piece) <= 24 for piece in pieces)
    assert "".join(pieces).replace(" ", "") == line.replace(" ", "")
    assert pieces[1].startswith("        ")
    assert cut("short", 24) == ["short"]

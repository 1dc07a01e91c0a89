import random
import re
from xml.etree import ElementTree

import pytest

from guide.plot import Line, Rule, bar_plot, line_plot


def parse(html):
    return ElementTree.fromstring(html)  # well-formed, or this raises


def numbers(html):
    """Every coordinate of every path."""
    paths = [path.get("d") for path in parse(html).iter("path")]
    return [float(n) for d in paths for n in re.findall(r"-?\d+(?:\.\d+)?", d)]


def plot(xs, ys, **more):
    return line_plot([Line("a", xs, ys)], x_label="s", y_label="ms", **more)


def test_a_line_is_drawn_through_its_points_in_a_box_of_1000():
    html = plot([0, 1, 2], [0.0, 5.0, 10.0])
    assert "M0.0 1000.0L500.0 " in html
    assert all(0 <= n <= 1000 for n in numbers(html))


@pytest.mark.parametrize(
    ("xs", "ys"),
    [
        ([5], [3.0]),
        ([0], [0.0]),
        ([0, 1], [0.0, 0.0]),
        ([0, 1], [-2.0, -2.0]),
        ([1e-12, 2e-12], [1e-12, 2e-12]),
        ([0, 1e15], [1e15, 1e15 + 1]),
        ([0, 0, 0], [1.0, 2.0, 3.0]),
        ([0, 1, 2], [1.0, None, 3.0]),
        ([0, 1], [1e300, -1e300]),
    ],
)
@pytest.mark.parametrize("from_zero", [True, False])
def test_values_of_any_kind_make_a_plot_within_its_box(xs, ys, from_zero):
    assert all(-1 <= n <= 1001 for n in numbers(plot(xs, ys, from_zero=from_zero)))


@pytest.mark.parametrize("ys", [[], [None, None]])
def test_no_values_are_said_to_be_none(ys):
    assert "No values" in plot(range(len(ys)), ys)


def test_a_gap_is_not_drawn_over():
    assert parse(plot([0, 1, 2, 3], [1.0, None, 1.0, 1.0]))
    (path,) = re.findall(r'class="c0" d="([^"]*)"', plot([0, 1, 2, 3], [1.0, None, 1.0, 2.0]))
    assert path.count("M") == 2


def test_what_is_above_the_top_sits_at_the_top():
    assert min(numbers(plot([0, 1, 2], [1.0, 100.0, 1.0], y_top=2.0))) == 0.0


def test_a_rule_is_drawn_even_when_every_value_is_far_below():
    html = plot([0, 1], [1.0, 1.0], rule=Rule("budget 16 ms", 16.0))
    assert "budget 16 ms" in html
    (y,) = re.findall(r'class="budget" d="M0 ([\d.]+)H1000"', html)
    assert 0 < float(y) < 200


def test_a_long_line_stays_small_and_keeps_its_single_spike():
    rng = random.Random(0)
    ys = [rng.random() for _ in range(100_000)]
    ys[54_321] = 50.0
    html = plot(range(100_000), ys)
    assert len(html) < 40_000
    assert min(n for n in numbers(html) if n) < 60  # the spike reaches nearly to the top


def test_words_of_a_person_cannot_break_the_page():
    html = line_plot([Line("<b>&", [0, 1], [1.0, 2.0])], x_label='"<x>', y_label="a & b")
    assert "<b>" not in html
    assert parse(html)


def test_bars_past_the_first_rule_are_drawn_as_bad():
    html = bar_plot([0, 1, 2], [4, 1], x_label="ms", y_label="n", rules=[Rule("budget", 1)])
    assert 'class="fill c0"' in html
    assert 'class="fill bad"' in html
    assert "bad" not in bar_plot([0, 1, 2], [4, 1], x_label="ms", y_label="n")


def test_no_bars_are_said_to_be_none():
    assert "No values" in bar_plot([0, 1], [0], x_label="ms", y_label="n")

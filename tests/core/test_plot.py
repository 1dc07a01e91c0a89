import base64
import random
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from guide.plot import Flag, Line, Rule, bar_plot, line_plot, log_plot, row_plot


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
    assert len(html) < 60_000
    assert min(n for n in numbers(html) if n) < 60  # the spike reaches nearly to the top


def carried(html):
    """The points that a long line carries for zooming, as report.js reads them."""
    (text,) = re.findall(r'data-p="([^"]*)"', html)
    x, y = np.frombuffer(base64.b64decode(text), "<u2").reshape(-1, 2).T.astype(float)
    return x / 65535, np.where(y == 65535, np.nan, (2 ** (y / 3000) - 1) / 1000)


def test_a_long_line_carries_its_points_for_zooming():
    ys = [1.0 + i % 7 for i in range(3000)]
    x, share = carried(plot(range(3000), ys, y_top=10.0))
    assert len(x) == 3000
    assert share * 10 == pytest.approx(ys, rel=1e-3)
    assert x * 2999 == pytest.approx(range(3000), abs=0.05)


def test_past_what_a_line_carries_the_lowest_and_highest_of_each_group_stay():
    ys = [1.0] * 100_000
    ys[54_321] = 5_000.0  # far above the top of the plot
    ys[77_777] = None
    x, share = carried(plot(range(100_000), ys, y_top=10.0))
    assert len(x) <= 8_000
    assert share.max() * 10 == pytest.approx(5_000, rel=1e-3)
    assert x[share.argmax()] == pytest.approx(0.54321, abs=1e-3)


def test_a_long_gap_stays_a_gap():
    ys = [None if 1000 <= i < 2000 else 1.0 for i in range(3000)]
    x, share = carried(plot(range(3000), ys))
    assert np.isnan(share[(x > 0.34) & (x < 0.66)]).all()


def test_a_band_is_drawn_around_its_line():
    html = line_plot(
        [Line("", [0, 1], [1.0, 2.0], "c1", band=(0.5, 1.5))], x_label="s", y_label="W"
    )
    (band,) = re.findall(r'class="band c1" d="([^"]*)"', html)
    assert band.count("L") == 3
    assert all(0 <= n <= 1000 for n in numbers(html))


def test_a_flag_leads_somewhere_and_its_words_cannot_break_the_page():
    flags = [Flag(1.0, 3.0, "A", "k0", "#flight-1", '"<b>')]
    html = line_plot([Line("a", [0, 2], [1.0, 4.0])], x_label="s", y_label="ms", flags=flags)
    (flag,) = parse(html).iter("a")
    assert flag.get("href") == "#flight-1"
    assert "left:50.00%" in flag.get("style")


def test_each_row_has_its_letter_and_a_stroke_for_everything_that_happened():
    html = row_plot([("A", "k0", [0.0, 5.0]), ("B", "k1", [10.0])], (0.0, 10.0), "seconds")
    first, second = (path.get("d") for path in parse(html).iter("path") if "k" in path.get("class"))
    assert (first.count("M"), second.count("M")) == (2, 1)
    assert [
        span.text for span in parse(html).iter("span") if "letter" in span.get("class", "")
    ] == [
        "A",
        "B",
    ]


def test_words_of_a_person_cannot_break_the_page():
    html = line_plot([Line("<b>&", [0, 1], [1.0, 2.0])], x_label='"<x>', y_label="a & b")
    assert "<b>" not in html
    assert parse(html)


def test_bars_past_a_percentile_are_not_bad():
    rules = [Rule("p50", 1, "p50")]
    html = bar_plot([0, 1, 2], [4, 1], x_label="ms", y_label="n", rules=rules)
    assert "bad" not in html


def test_bars_past_the_budget_are_drawn_as_bad():
    html = bar_plot([0, 1, 2], [4, 1], x_label="ms", y_label="n", rules=[Rule("budget", 1)])
    assert 'class="fill c0"' in html
    assert 'class="fill bad"' in html
    assert "bad" not in bar_plot([0, 1, 2], [4, 1], x_label="ms", y_label="n")


def test_no_bars_are_said_to_be_none():
    assert "No values" in bar_plot([0, 1], [0], x_label="ms", y_label="n")


def test_a_logarithmic_axis_of_many_powers_is_labelled_by_those_of_ten():
    html = log_plot([Line("", [1, 2], [1e-20, 100])], "x", "y", [])
    labels = re.findall(r'<span class="y"[^>]*>([^<]*)', html)
    assert 4 < len(labels) <= 12
    assert "1e-20" in labels


def test_a_plot_takes_marks_of_its_own_where_they_fit():
    line = Line("", [0, 100], [1, 2])
    html = line_plot([line], x_label="x", y_label="y", x_marks=[(50, "half"), (200, "far")])
    assert ">half<" in html
    assert ">far<" not in html

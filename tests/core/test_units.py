import pytest

from guide.units import duration, interval, number, percent, quantity, size

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (830, "830 ns"),
        (1_000, "1 µs"),
        (12_300, "12.3 µs"),
        (4_130_000, "4.13 ms"),
        (2_345_000_000, "2.35 s"),
        (-4_130_000, "-4.13 ms"),
    ],
)
def test_a_duration_has_the_unit_that_suits_it(ns, text):
    assert duration(ns) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (1250.4, "1,250"),
        (1_000_000, "1,000,000"),
        (12.34, "12.3"),
        (1.239, "1.24"),
        (0.00412, "0.00412"),
        (-3.14159, "-3.14"),
    ],
)
def test_a_number_has_three_figures(value, text):
    assert number(value) == text


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_what_is_no_number_is_said_as_it_is(value):
    assert number(value) == str(value)
    for unit in ("", "B", "s", "ms"):
        assert str(value) in quantity(value, unit)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (212_300_000, "212 MB"), (1.5e12, "1.50 TB")]
)
def test_bytes_are_counted_in_decimal_units(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(61, 100, "61 %"), (4, 1000, "0.4 %"), (0, 5, "0 %"), (1, 0, "0 %"), (1, 1, "100 %")],
)
def test_a_share_is_never_rounded_to_nothing(part, whole, text):
    assert percent(part, whole) == text


def test_a_quantity_of_bytes_or_seconds_takes_the_prefix_that_suits_it():
    assert quantity(1_500_000, "B") == "1.50 MB"
    assert quantity(0.0025, "s") == "2.50 ms"
    assert quantity(3.5, "J") == "3.50 J"
    assert quantity(3.5, "") == "3.50"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0025, "J", "2.50 mJ"),
        (5_100, "J", "5.10 kJ"),
        (28.5e9, "B/s", "28.5 GB/s"),
        (2.1e11, "FLOP/s", "210 GFLOP/s"),
        (0, "J", "0 J"),
        (0.5, "B", "0.5 B"),
        (-0.0025, "J", "-2.50 mJ"),
    ],
)
def test_joules_watts_and_rates_take_the_prefix_that_suits_them(value, unit, text):
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (2, 8, "J", "2 to 8 J"),
        (0.0004, 0.0016, "J", "0.4 to 1.60 mJ"),
        (0.5, 90, "s", "0.5 to 90 s"),
        (0, 0, "J", "0 to 0 J"),
        (1, 2, "%", "1 to 2 %"),
    ],
)
def test_both_bounds_have_one_unit(low, high, unit, text):
    assert interval(low, high, unit) == text

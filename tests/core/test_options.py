from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from guide.cli.typed import parse_assignment
from guide.errors import UsageError
from guide.options import configure


@dataclass(frozen=True)
class Options:
    source: str = "virtual"
    width: int = 640
    gain: float = 1.0
    mirror: bool = False
    clip: Path | None = None
    mode: Literal["fast", "exact"] = "fast"
    size: int | float | None = None
    made: int = field(default=1, init=False)


def test_without_options_the_defaults_hold():
    assert configure(Options, {}) == Options()


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("source", "clip.mp4", "clip.mp4"),
        ("source", "", ""),
        ("width", "320", 320),
        ("width", 320, 320),
        ("width", 320.0, 320),
        ("gain", "1e-3", 0.001),
        ("gain", 2, 2.0),
        ("mirror", "yes", True),
        ("mirror", "OFF", False),
        ("mirror", True, True),
        ("clip", "a/b.mp4", Path("a/b.mp4")),
        ("clip", "none", None),
        ("clip", "", None),
        ("mode", "exact", "exact"),
        ("size", "3", 3),
        ("size", "3.5", 3.5),
    ],
)
def test_toml_and_text_both_become_the_type_of_the_field(name, given, value):
    got = getattr(configure(Options, {name: given}), name)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("width", "wide", "option width is a whole number, not 'wide'"),
        ("width", "1.5", "option width is a whole number, not '1.5'"),
        ("width", 1.5, "option width is a whole number, not 1.5"),
        ("width", True, "option width is a whole number, not True"),
        ("width", float("inf"), "option width is a whole number, not inf"),
        ("gain", "much", "option gain is a number, not 'much'"),
        ("mirror", "maybe", "option mirror is true or false, not 'maybe'"),
        ("mode", "slow", "option mode is one of fast, exact, not 'slow'"),
        ("source", 3, "option source is text, not 3"),
        ("clip", [1], "option clip is a path or none, not [1]"),
    ],
)
def test_a_value_that_does_not_fit_is_one_line_that_says_what_would(name, given, message):
    with pytest.raises(UsageError) as error:
        configure(Options, {name: given})
    assert error.value.message == message
    assert error.value.remedy == f"type --set {name}=..."


def test_an_unknown_option_names_the_nearest_or_all():
    with pytest.raises(UsageError, match="did you mean width"):
        configure(Options, {"widht": 3})
    with pytest.raises(UsageError, match="there are: source, width"):
        configure(Options, {"zzz": 3})


def test_a_field_that_is_computed_is_no_option():
    with pytest.raises(UsageError, match="no option 'made'"):
        configure(Options, {"made": 2})


def test_what_the_dataclass_itself_refuses_is_a_usage_error():
    @dataclass(frozen=True)
    class Positive:
        n: int = 1

        def __post_init__(self):
            if self.n <= 0:
                raise ValueError("n must be above 0")

    with pytest.raises(UsageError, match="n must be above 0"):
        configure(Positive, {"n": "-1"})


def test_an_option_without_a_default_is_asked_for_by_name():
    @dataclass(frozen=True)
    class Needs:
        file: Path

    with pytest.raises(UsageError, match="file"):
        configure(Needs, {})


def test_a_list_is_said_to_be_no_possible_option_when_the_field_is_written():
    @dataclass(frozen=True)
    class Lists:
        sizes: list[int]

    with pytest.raises(UsageError, match="sizes is list"):
        configure(Lists, {"sizes": [1]})


def test_configuring_what_is_no_dataclass_is_a_mistake_of_the_programmer():
    with pytest.raises(TypeError, match="dataclass"):
        configure(int, {})


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a=1", ("a", "1")), (" a =1", ("a", "1")), ("a=b=c", ("a", "b=c")), ("a=", ("a", ""))],
)
def test_an_assignment_is_split_at_its_first_equals_sign(text, parts):
    assert parse_assignment(text) == parts


@pytest.mark.parametrize("text", ["a", "=1", " =1", ""])
def test_an_assignment_without_name_or_value_is_refused(text):
    with pytest.raises(UsageError, match="name=value"):
        parse_assignment(text)

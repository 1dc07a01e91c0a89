"""What the rules say of a pipeline: planted faults are named, their clean twins are left alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from benchmarks.explain.loop_pipelines import run, task
from guide.testing import run_task
from guide_vision.explain import cv_threads, frames_replaced, latency_grows, limiting_stage

RULES = {
    "one stage limits": limiting_stage,
    "OpenCV's threads": cv_threads,
    "frames are lost": frames_replaced,
    "latency grows": latency_grows,
}


@pytest.fixture(scope="module")
def records() -> dict[tuple[str, bool], Any]:
    """Real runs of a second; how old frames grow is seen after fifty of them, which take longer."""
    seconds = dict.fromkeys(RULES, 1.0) | {"latency grows": 1.5}
    return {
        (name, planted): run(name, planted, seconds[name])
        for name in RULES
        for planted in (True, False)
    }


@pytest.mark.parametrize("name", RULES)
def test_a_planted_fault_is_named_by_its_rule_alone_and_its_twin_by_none(
    name: str, records: dict[tuple[str, bool], Any]
) -> None:
    for other, rule in RULES.items():
        said = rule(records[name, True])
        # A queue that is kept for ever is old, and that is all: no other rule claims it
        assert bool(said) == (other == name), said
        assert rule(records[name, False]) == []


def test_the_stage_that_is_made_longer_is_the_one_that_is_named(
    records: dict[tuple[str, bool], Any],
) -> None:
    (said,) = limiting_stage(records["one stage limits", True])
    assert said.says.startswith("detect takes ")
    assert "detect" in said.remedy
    # Cut in two it takes 6 of its 12 ms; three workers share 18 ms
    assert 0.8 * 6e6 < said.recoverable_ns < 1.2 * 6e6


def test_a_stage_that_takes_several_frames_at_once_limits_nobody(
    records: dict[tuple[str, bool], Any],
) -> None:
    record = copy.deepcopy(records["one stage limits", True])
    record["facts"]["parallel stages"] = "decode, detect"
    assert limiting_stage(record) == []


def test_frames_that_are_lost_and_latency_are_pressing_whatever_they_give_back(
    records: dict[tuple[str, bool], Any],
) -> None:
    assert frames_replaced(records["frames are lost", True])[0].pressing
    (said,) = latency_grows(records["latency grows", True])
    assert said.pressing
    assert 'link="latest"' in said.remedy


def test_a_pipeline_states_how_it_was_set_and_what_became_of_its_frames() -> None:
    made, rate_hz = task("frames are lost", planted=False)
    facts = run_task(made, rate_hz=rate_hz, ticks=10).facts
    assert facts["link"] == "latest"
    assert facts["workers"] == 1
    assert int(facts["frames captured"]) >= 10


def test_a_record_of_something_else_says_nothing() -> None:
    for rule in RULES.values():
        assert rule({}) == []
        assert rule({"loop": {"ticks": 100}, "tick_time": {"mean_ns": 5, "count": 100}}) == []

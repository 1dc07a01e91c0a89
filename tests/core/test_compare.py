import json
import re

import numpy as np
import pytest

from guide.compare import (
    Change,
    block_length,
    compare,
    differences,
    repeat,
    repeats_beside,
    tick_change,
)
from guide.record import known_runs, write_record
from tests.core.sample_record import NASTY, older, sample


def run(**more):
    """A run long enough, and with neighbours alike for short enough, to say something of."""
    return sample(5_000, **{"misses": 40, "alike": 4, **more})


def of(comparison, name):
    (change,) = [change for change in comparison.changes if change.name == name]
    return change


class TestVerdict:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (Change("a", 10, 8.8, "s", -0.15, -0.09), "faster by 12 % (9 to 15 %), real"),
            (Change("a", 10, 11.2, "s", 0.09, 0.15), "slower by 12 % (9 to 15 %), real"),
            (Change("a", 10, 9, "J", -0.15, -0.05), "less by 10 % (5 to 15 %), real"),
            (Change("a", 1, 3, "%", 1.5, 2.5), "more by 2 points (1.5 to 2.5 points), real"),
            (Change("a", 10, 9, "s", -0.2, 0.01), "no difference that this many ticks can show"),
            (Change("a", 10, 9, "s"), ""),
            (Change("a", 10, 9, "s", remark="too few ticks to say"), "too few ticks to say"),
        ],
    )
    def test_it_says_how_much_between_which_bounds_and_whether_it_is_real(self, change, words):
        assert change.verdict == words
        assert change.real == words.endswith("real")


class TestBlocks:
    def test_values_that_know_nothing_of_their_neighbours_need_short_stretches(self):
        noise = np.random.default_rng(0).normal(size=8000)
        assert block_length(noise) == 20  # the cube root of how many there are

    def test_the_longer_neighbours_resemble_each_other_the_longer_the_stretches(self):
        rng = np.random.default_rng(0)
        waves = [np.convolve(rng.normal(size=8000), np.ones(n), "same") for n in (10, 50, 200)]
        lengths = [block_length(wave) for wave in waves]
        assert lengths == sorted(lengths)
        assert lengths[0] > 20
        assert lengths[2] >= 200

    @pytest.mark.parametrize("n", [1, 2, 100])
    def test_values_that_never_change_are_no_trouble(self, n):
        assert 1 <= block_length(np.full(n, 3.0)) <= n


class TestCompare:
    def test_a_run_compared_with_itself_shows_no_difference(self):
        made = run()
        found = compare(made, made)
        assert not any(change.real for change in found.changes)
        assert found.differences == []
        assert found.paired

    @pytest.mark.parametrize("seed", range(8))
    def test_equal_programs_show_no_difference(self, seed):
        found = compare(run(seed=seed), run(seed=seed + 100))
        assert [change.name for change in found.changes if change.real] == []

    def test_a_change_well_beyond_what_runs_differ_by_is_real(self):
        found = compare(run(), run(typical_ms=4.0, seed=1))
        change = of(found, "tick p50")
        assert change.real
        assert change.verdict.startswith("faster by 3")
        assert change.low < change.new / change.old - 1 < change.high
        assert of(found, "span detect p50").real
        assert not of(found, "lateness p50").real

    def test_the_other_way_round_it_is_slower(self):
        change = tick_change(run(typical_ms=4.0), run(seed=1))
        assert change.verdict.startswith("slower by")

    def test_deadlines_that_are_no_longer_missed_are_seen(self):
        change = of(compare(run(misses=900), run(misses=0, seed=1)), "missed")
        assert change.new == 0
        assert change.verdict.startswith("less by")

    def test_a_few_ticks_say_nothing(self):
        found = compare(sample(50), sample(50, typical_ms=3.0))
        verdict = of(found, "tick p50").verdict
        assert re.fullmatch(r"too few ticks to say: run \d+ times as long", verdict)

    def test_energy_of_a_model_is_an_interval_and_never_real(self):
        change = of(compare(run(), run(seed=1)), "energy a tick, cpu (model)")
        assert change.verdict.startswith("a model: ")
        assert change.verdict.count(" to ") == 2
        assert not change.real

    def test_the_same_two_runs_compare_the_same_every_time(self):
        old, new = run(), run(typical_ms=5.5, seed=1)
        assert compare(old, new) == compare(old, new)

    @pytest.mark.parametrize("name", NASTY)
    def test_records_of_every_kind_can_be_compared(self, name):
        nasty, plain = NASTY[name](), sample()
        for pair in ((nasty, plain), (plain, nasty), (nasty, nasty)):
            assert all(isinstance(change.verdict, str) for change in compare(*pair).changes)

    def test_without_ticks_there_is_no_change_of_ticks(self):
        assert tick_change(sample(0), sample()) is None


class TestDifferences:
    def test_what_was_different_before_the_runs_began_is_named(self):
        old, new = sample(), sample(rate_hz=30.0)
        new["options"] = {**old["options"], "width": 320, "blur": "yes"}
        new["machine"] = {**old["machine"], "processor": "another"}
        new["source"] = {"commit": "2f2f2f2", "dirty": False}
        new["pacing"] = {"realtime": False, "text": ""}
        assert differences(old, new) == [
            "commit: 1b6b575 and changes -> 2f2f2f2",
            "processor: AMD EPYC 7763 64-Core Processor -> another",
            "option width: 640 -> 320",
            "option blur: none -> yes",
            "rate: 60.0 -> 30.0",
            "budget, ns: 16666667 -> 33333333",
            "realtime: True -> False",
        ]

    def test_an_older_record_says_less_and_is_no_trouble(self):
        assert "realtime: True -> False" in differences(sample(), older(sample()))

    def test_ticks_are_paired_only_when_both_runs_went_through_the_same(self):
        old = sample()
        assert compare(old, sample(seed=1)).paired
        assert not compare(old, sample(601)).paired
        assert not compare(old, sample(options={"width": 3})).paired


class TestRepeats:
    def repeats(self, spread):
        rng = np.random.default_rng(0)
        return [repeat(sample(typical_ms=6 * rng.lognormal(0, spread))) for _ in range(12)]

    def test_runs_that_vary_much_make_a_small_change_doubtful(self):
        old, new = run(), run(typical_ms=5.0, seed=1)
        assert tick_change(old, new, self.repeats(0.01)).real
        assert not tick_change(old, new, self.repeats(0.2)).real

    def test_only_equal_runs_are_held_against_each_other(self):
        old, new = run(), run(typical_ms=5.0, seed=1)
        other = [repeat(sample(typical_ms=i + 1, options={"i": i})) for i in range(9)]
        assert compare(old, new, other).repeats == 0
        assert tick_change(old, new, other) == tick_change(old, new)

    def test_they_are_found_beside_a_run_and_a_broken_one_says_nothing(self, tmp_path):
        for name in ("a", "b", "c"):
            (tmp_path / name).mkdir()
            write_record(tmp_path / name, sample())
        (tmp_path / "b" / "run.json").write_text("{")
        assert [folder.name for folder in known_runs(tmp_path)] == ["a", "b", "c"]
        assert len(repeats_beside(tmp_path / "c")) == 2


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.guide]\ntrack = "none"\ntask = "a:b"\n')
    for name, made in (("first", run()), ("second", run(typical_ms=4.0, seed=1))):
        (tmp_path / "runs" / name).mkdir(parents=True)
        write_record(tmp_path / "runs" / name, made)
    return tmp_path


class TestCommand:
    def test_it_shows_both_runs_and_what_is_real(self, project, guide):
        done = guide("compare", "first", "second", cwd=project)
        assert (done.returncode, done.stderr) == (0, "")
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("tick p50")]
        assert "faster by" in line
        assert line.endswith("real")
        assert "Ticks compared tick by tick." in done.stdout

    def test_without_runs_it_takes_the_last_two(self, project, guide):
        assert (
            guide("compare", cwd=project).stdout
            == guide("compare", "first", "second", cwd=project).stdout
        )

    def test_json_holds_every_figure_with_its_verdict(self, project, guide):
        found = json.loads(guide("compare", "--json", cwd=project).stdout)
        assert found["differences"] == []
        assert {"name", "old", "new", "unit", "low", "high", "real", "verdict"} <= set(
            found["changes"][0]
        )

    @pytest.mark.parametrize("runs", [["first"], ["first", "second", "first"]])
    def test_any_other_number_of_runs_is_one_line(self, project, guide, runs):
        done = guide("compare", *runs, cwd=project)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "guide compare RUN RUN" in done.stderr

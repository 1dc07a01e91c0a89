"""What this track brings to read and to do: each section shows what it measures, each exercise
is passed by who has understood and by nobody else.

How fast is for `guide dev check`: what else this machine does decides it.
"""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from guide.judge.judging import Judge
from guide.judge.manifest import read_manifest
from guide.judge.nurseries import Nurseries
from guide.judge.simple import judge_simply
from guide.learn import figures as living
from guide.learn.contents import all_sections
from guide.learn.exercises import check
from guide.learn.markdown import Directive, Heading
from guide.learn.pages import page
from guide.plugin import load
from guide.plugins import Plugins
from guide_deep_learning import plugin
from guide_deep_learning.figures.network import overlapped_ns

SECTIONS = plugin.guide_sections("deep-learning")
NEW = [section for section in SECTIONS if section.id != "m1/s1"]
FIGURES = [figure for section in SECTIONS for figure in section.figures]
EXERCISES = {e.id: e for e in plugin.guide_exercises("deep-learning")}
EVERY = all_sections(Plugins())

SIMPLE = [e for e in EXERCISES.values() if not read_manifest(e.folder).entry]
CODE = [e for e in EXERCISES.values() if read_manifest(e.folder).entry]


def named(things):
    return [pytest.param(thing, id=getattr(thing, "id", None) or thing.name) for thing in things]


class TestSections:
    def test_there_are_seven_beside_the_first(self):
        assert len(NEW) >= 7
        assert {section.id[:2] for section in NEW} == {"m1", "m2", "m3", "m4", "m5"}

    @pytest.mark.parametrize("section", named(NEW))
    def test_each_measures_or_lists_and_ends_with_work_and_reading(self, section):
        blocks = page(section, EVERY, mine=False).blocks
        assert blocks[0] == Heading(1, section.title)
        names = [block.text for block in blocks if isinstance(block, Heading)]
        assert names[-2:] == ["In your own work", "Additional reading"]
        shown = {block.name for block in blocks if isinstance(block, Directive)}
        assert {figure.name for figure in section.figures} <= shown
        assert shown

    @pytest.mark.parametrize("section", named(NEW))
    def test_each_is_two_screens_and_no_wall(self, section):
        text = section.file.read_text("utf-8")
        assert 250 < len(text.split()) < 900
        paragraphs = re.split(r"\n\s*\n", text)
        assert max(len(p.split()) for p in paragraphs if p[:1] not in "-|1") < 110

    @pytest.mark.parametrize("section", named(NEW))
    def test_what_it_refers_to_is_there(self, section):
        text = section.file.read_text("utf-8")
        assert set(re.findall(r"\bm[0-6]/s\d+\b", text)) <= {s.id for s in EVERY}
        exercises = {e.id for e in Plugins().exercises("")} | set(EXERCISES)
        assert set(re.findall(r"\bm[0-6]::e\d+\b", text)) <= exercises


class TestFigures:
    @pytest.mark.parametrize("figure", named(FIGURES))
    def test_each_measures_here_what_its_text_says(self, figure):
        mine = json.loads(json.dumps(load(figure.measure)(quick=True), allow_nan=False))
        theirs = living.example(figure).data
        assert mine["values"].keys() == theirs["values"].keys()
        assert all(math.isfinite(v) and v > 0 for v in mine["values"].values())
        assert load(figure.draw)(mine)
        assert bool(mine.get("computed")) == bool(theirs.get("computed"))

    def test_measuring_leaves_torch_as_it_was(self):
        import torch

        torch.manual_seed(1)
        before = torch.get_num_threads(), torch.get_rng_state().clone()
        for figure in FIGURES:
            if figure.name in ("kept-keys", "recipe-steps", "spinning-threads"):
                load(figure.measure)(quick=True)
        assert torch.get_num_threads() == before[0]
        assert torch.equal(torch.get_rng_state(), before[1])

    def test_the_neighbour_goes_when_it_was_measured(self):
        code = (
            "import os, subprocess\n"
            "from guide_deep_learning.figures.spinning import busy\n"
            "with busy(): pass\n"
            "try: os.waitpid(-1, os.WNOHANG)\n"
            "except ChildProcessError: print('none left')\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "none left\n", done.stderr

    def test_a_weight_in_bfloat16_does_not_learn_by_thousandths(self):
        values = load("guide_deep_learning.figures.precision:stalled")()["values"]
        assert values["bf16_ratio"] == 1.0
        assert values["f32_ratio"] == pytest.approx(2.0, rel=1e-4)
        assert 1.9 < values["f16_ratio"] < 2.0

    def test_sending_is_hidden_behind_backward_and_not_behind_more(self):
        assert overlapped_ns(10, 20, 0) == 30
        assert overlapped_ns(10, 20, 8) == 32  # the last quarter cannot be hidden
        assert overlapped_ns(10, 20, 100) == 10 + 5 + 100  # the wire begins with the first bucket
        assert overlapped_ns(10, 20, 100) < 10 + 20 + 100


@pytest.fixture(scope="module")
def nurseries():
    """What exercises need is imported once for all of them."""
    with Nurseries() as kept:
        yield kept


class TestExercises:
    def test_there_are_six_beside_the_first(self):
        assert len(EXERCISES) >= 7
        sections = {section.id for section in EVERY}
        for exercise in EXERCISES.values():
            assert exercise.expected == ("deep-learning",)
            if exercise.id != "m1::e1":
                manifest = read_manifest(exercise.folder)
                assert manifest.section in sections
                assert manifest.predict, exercise.id
                assert len(list((exercise.folder / "cheats").glob("*.py"))) >= 2
                head = (exercise.folder / "README.md").read_text("utf-8").partition("\n")[0]
                assert head == f"# {exercise.id} {exercise.title}"

    @pytest.mark.parametrize("exercise", named(CODE))
    def test_right_is_accepted_and_cheats_are_found_out(self, exercise, nurseries):
        with Judge(read_manifest(exercise.folder), nurseries=nurseries) as judge:
            manifest = judge.manifest
            for file in (manifest.starter, manifest.naive, manifest.solution):
                result = judge.judge(file, speed=False)
                assert result.state == "correct", f"{file.name}: {result.message}"
            for cheat in sorted(exercise.folder.glob("cheats/*.py")):
                result = judge.judge(cheat, speed=cheat.stem in ONLY_WHEN_TIMED)
                assert result.state == "wrong", cheat.stem

    @pytest.mark.parametrize("exercise", named([e for e in SIMPLE if e.id != "m1::e1"]))
    def test_cheats_of_the_simple_ones_are_found_out(self, exercise, nurseries):
        manifest = read_manifest(exercise.folder)
        nursery = nurseries.of(manifest.needs, manifest.threads)
        for cheat in sorted(exercise.folder.glob("cheats/*.py")):
            result = judge_simply(manifest, cheat, nursery)
            assert not result.passed, cheat.stem
            assert re.search(SAID[cheat.stem], result.message), result.message


# Right on what is small: found out by what is timed.
ONLY_WHEN_TIMED = {"half_of_it", "kept_product", "large_ones_only"}

SAID = {
    "all_of_them": "batches at a time: ",
    "as_they_come": "was wanted|Empty|heard nothing",
    "made_up": "made twice, or never",
    "never_goes_home": "threads left behind: 1, at most 0",
    "larger_steps": "error of the weights",
    "not_rounded": "weights are torch.float32, bfloat16 is wanted",
    "leaves_steps_out": "share of steps taken: .*at least 0.9",
}


PREFETCH = {
    "the error never comes": (
        "    for number in range(count):\n        try:\n            yield make(number)\n"
        "        except OSError:\n            return\n",
        "heard nothing of it",
    ),
    "the error comes as another": (
        "    for number in range(count):\n        try:\n            yield make(number)\n"
        "        except OSError:\n            raise OSError('a batch failed')\n",
        "another error came",
    ),
    "a list": (
        "    return iter([make(number) for number in range(count)])\n",
        "the loop had 0 of 7 before it",
    ),
    "one too many": (
        "    for number in range(count):\n        yield make(number)\n    yield None\n",
        "none are wanted, and some came",
    ),
}


@pytest.mark.parametrize("name", PREFETCH)
def test_what_is_wrong_with_a_prefetch_is_said(name: str, tmp_path: Path):
    body, said = PREFETCH[name]
    file = tmp_path / "attempt.py"
    file.write_text(f"def batches(make, count):\n{body}")
    outcome = check(EXERCISES["m2::e11"], file)
    assert not outcome.passed
    assert said in outcome.message


def test_an_infinite_gradient_must_move_nothing(tmp_path: Path):
    solution = (EXERCISES["m3::e11"].folder / "solution.py").read_text("utf-8")
    file = tmp_path / "attempt.py"
    file.write_text(
        solution.replace("            self.scale /= 2\n            return\n", "            pass\n")
    )
    outcome = check(EXERCISES["m3::e11"], file)
    assert "an infinite gradient moved the weights" in outcome.message

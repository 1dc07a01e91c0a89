"""What the common exercises claim is so: answers on paper hold against the machine itself."""

import gc
import tomllib
from pathlib import Path

import numpy as np
import pytest

from guide.foundations import plugin
from guide.judge.judging import Speed, _told
from guide.judge.manifest import Bars, read_manifest
from guide.judge.verdict import decide
from guide.judge.worker import import_file
from guide.learn.contents import all_sections
from guide.learn.exercises import check
from guide.plugin import Exercise
from guide.plugins import Plugins

EXERCISES = {e.folder.name: e for e in plugin.guide_exercises("")}
IDS = {section.id for section in all_sections(Plugins())}


def answers(name):
    return tomllib.loads(read_manifest(EXERCISES[name].folder).solution.read_text())


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
class TestEach:
    def test_it_belongs_to_a_section_that_is_there(self, exercise):
        assert exercise.section in IDS

    def test_its_page_says_its_id_its_task_and_fits_a_screen_or_two(self, exercise):
        text = (exercise.folder / "README.md").read_text(encoding="utf-8")
        assert len(text.split()) < 420
        if (exercise.folder / "hints.md").is_file():
            assert text.startswith(f"# {exercise.id} {exercise.title}\n")

    def test_a_naive_version_of_its_own_is_another_than_the_starter(self, exercise):
        manifest = read_manifest(exercise.folder)
        if manifest.naive != manifest.starter:
            assert manifest.starter.read_bytes() != manifest.naive.read_bytes()


class TestGrowingAndCopying:
    def grown(self, count, room, larger):
        """How many numbers a vector copies, its room at the end, and the largest move."""
        copied = moved = 0
        for held in range(count):
            if held == room:
                copied, moved, room = copied + held, held, larger(room)
        return copied, room, moved

    def test_doubling(self):
        said = answers("growing_and_copying")
        copied, room, moved = self.grown(1000, 1, lambda room: 2 * room)
        assert (copied, room) == (said["copied"], said["capacity"])
        assert said["peak_bytes"] == 8 * (moved + room)

    def test_by_a_hundred_and_by_one(self):
        said = answers("growing_and_copying")
        assert self.grown(1000, 100, lambda room: room + 100)[0] == said["copied_by_hundreds"]
        assert sum(range(1000)) == said["copied_by_one"]
        assert said["million"] == pytest.approx(sum(range(10**6)) / sum(range(1000)), rel=0.01)


class TestWhichByteIsIt:
    a = np.arange(120, dtype=np.float32).reshape(4, 5, 6)

    def test_row_major(self):
        said = answers("which_byte_is_it")
        assert self.a[2, 3, 4] == said["index"]
        assert said["byte"] == 4 * said["index"]
        assert str(self.a.strides) == f"({said['strides']})"
        assert tuple(map(int, said["back"].split(","))) == np.unravel_index(50, self.a.shape)

    def test_the_others(self):
        said = answers("which_byte_is_it")
        assert np.ravel_multi_index((2, 3, 4), (4, 5, 6), order="F") == said["column_major"]
        assert str(self.a[::2].T.strides) == f"({said['view_strides']})"
        row = -(-1000 * 3 // 64) * 64
        assert said["pixel"] == 2 * row + 10 * 3


class TestWhoFreesIt:
    program = import_file(EXERCISES["who_frees_it"].folder / "program.py", "who_frees_it")

    def test_python_does_what_the_answers_say(self):
        said = answers("who_frees_it")
        gc.collect()
        gc.disable()
        try:
            things = self.program.forget()
            by_count = {name for name, thing in things.items() if thing() is None}
            gc.collect()
            by_collector = {n for n, thing in things.items() if thing() is None} - by_count
        finally:
            gc.enable()
            self.program.SEEN.clear()
        for name in things:
            who = "count" if name in by_count else "collector" if name in by_collector else "never"
            assert said[name] == who, name

    def test_what_is_held_from_outside_saves_its_ring(self):
        said = answers("who_frees_it")
        inside, outside = [1, 1, 1], [1, 0, 0]
        counts = [i + o for i, o in zip(inside, outside, strict=True)]
        assert next(c - i for c, i in zip(counts, inside, strict=True)) == said["outside"]
        assert said["saved"] == 3

    def test_the_page_shows_the_code_that_is_run(self):
        folder = EXERCISES["who_frees_it"].folder
        page = (folder / "README.md").read_text()
        code = page.split("```python\n")[1].split("```")[0]
        program = (folder / "program.py").read_text()
        for line in filter(str.strip, code.split("def forget():\n")[1].splitlines()):
            assert line in program.splitlines()


class TestFactory:
    folder = EXERCISES["the_factory"].folder

    @pytest.mark.parametrize("count", [0, 1, 5])
    def test_mended_it_says_what_it_said(self, count):
        naive = import_file(self.folder / "starter.py", "factory_naive")
        solution = import_file(self.folder / "solution.py", "factory_solution")
        photos = np.random.default_rng(count).integers(0, 256, (count, 48, 64)).astype(np.uint8)
        names = [f"part {i}" for i in range(count)]
        assert naive.report(photos, names) == solution.report(photos, names)

    def test_its_fingerprint_is_the_same_on_every_machine(self):
        solution = import_file(self.folder / "solution.py", "factory_solution")
        photos = (np.arange(3 * 48 * 64) * 7919 % 256).astype(np.uint8).reshape(3, 48, 64)
        assert solution.report(photos, ["a", "b", "c"]).startswith(FINGERPRINT)

    def test_its_tiers_go_up_from_the_bar(self):
        bars = read_manifest(self.folder).bars
        assert bars.tiers[0] == bars.over_naive
        assert list(bars.tiers) == sorted(bars.tiers)

    def test_the_tiers_that_were_reached_are_shown_with_the_next(self):
        from guide.cli.debrief import _tiers

        assert _tiers((3, 10, 30), 12.0) == "tiers 3x ✓  10x ✓  30x ·  next: surely 30x"
        assert _tiers((3, 10, 30), 99.0) == "tiers 3x ✓  10x ✓  30x ✓  all of them"


FINGERPRINT = "eecf7d35fc7be749"


def test_what_is_not_installed_is_said_in_a_line_and_waived(tmp_path: Path):
    (tmp_path / "exercise.toml").write_text(
        'id = "m1::e0"\ntitle = "It"\nkind = "code"\nexpected = ["all"]\n'
        'needs = ["numpy", "nobody_has_this", "nobody_has_this.part"]\n'
        '[run]\nentry = "f"\n[cases]\ncheck = [1]\n'
    )
    (tmp_path / "m1_e0.py").write_text("def f(): ...\n")
    outcome = check(Exercise.of(tmp_path), tmp_path / "m1_e0.py")
    assert outcome.passed
    assert outcome.result.state == "waived"
    assert outcome.result.message == (
        "it needs nobody_has_this, which is not installed here: pip install nobody_has_this"
    )


class TestTwoCores:
    """What needs two processors at a time says nothing of a machine that gave it one."""

    bars = Bars(case=1, over_naive=1.5, effect_floor=1.5, cores=2)

    def told(self, monkeypatch, had, got):
        monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(had)), raising=False)
        nothing = decide([1.0] * 9, [1.0] * 9, [1.0] * 9, self.bars)
        return _told(Speed(nothing, {}, 9, 1.0, 0.0, {}, cores=got), self.bars)

    def test_a_busy_machine_is_no_machine_without_the_effect(self, monkeypatch):
        state, said = self.told(monkeypatch, had=2, got=1.1)
        assert state == "inconclusive"
        assert "had only 1.1 of 2 processors" in said

    def test_one_that_gave_both_or_has_but_one_does_not_show_it(self, monkeypatch):
        assert self.told(monkeypatch, had=2, got=1.9)[0] == "waived"
        assert self.told(monkeypatch, had=1, got=1.0)[0] == "waived"

"""The track's sections and exercises: their figures say what is so, their counts are exact."""

import numpy as np
import pytest

from guide.errors import GuideError
from guide.judge.lockstep import launch
from guide.judge.nurseries import Nurseries
from guide.learn import exercises
from guide.learn.chart import Bars, Lines
from guide.plugin import load
from guide_graphics import plugin
from guide_graphics.figures import frames, lockstep, numbers, triangles
from guide_graphics.raster.ladder.coverage import FAR

SECTIONS = plugin.guide_sections("graphics")
FIGURES = {figure.name: figure for section in SECTIONS for figure in section.figures}
EXERCISES = {exercise.folder.name: exercise for exercise in plugin.guide_exercises("graphics")}
COMPUTED = ["warp-strides", "tile-transpose", "depth-gaps", "color-steps", "frame-pacing"]


def values(name):
    return load(FIGURES[name].measure)(quick=True)["values"]


class TestFigures:
    @pytest.mark.parametrize("name", sorted(FIGURES))
    def test_each_can_be_measured_and_drawn(self, name):
        try:
            data = load(FIGURES[name].measure)(quick=True)
        except GuideError as why:
            pytest.skip(str(why))
        assert isinstance(load(FIGURES[name].draw)(data), Bars | Lines)
        assert all(np.isfinite(value) for value in data["values"].values())
        assert bool(data.get("computed")) == (name in COMPUTED)

    @pytest.mark.parametrize("name", COMPUTED)
    def test_what_is_computed_is_the_same_again(self, name):
        measure = load(FIGURES[name].measure)
        assert measure() == measure()

    @pytest.mark.parametrize("section", SECTIONS[1:], ids=lambda section: section.id)
    def test_each_section_has_a_figure_and_says_what_it_is_good_for(self, section):
        text = section.file.read_text(encoding="utf-8")
        assert section.figures
        assert text.startswith(f"# {section.title}\n")
        assert "\n## In your own work\n" in text
        reading = text.partition("\n## Additional reading\n")[2]
        assert 2 <= reading.count("](https://") <= 4


class TestTriangles:
    def test_all_rungs_find_the_same_pixels(self):
        records, depths = triangles.some_triangles(20)
        depths[:] = np.linspace(0.9, 0.1, 20)[:, None]  # the last is the nearest
        shape = triangles.HEIGHT, triangles.WIDTH
        everywhere, boxes, steps = (np.full(shape, -1, np.int32) for _ in range(3))
        triangles.draw_everywhere(records, everywhere)
        triangles.draw_boxes(records, boxes)
        triangles.draw_steps(records, depths, np.full(shape, FAR, np.int32), steps)
        assert (everywhere == boxes).all()
        assert (everywhere == steps).all()
        assert (everywhere >= 0).sum() > 1000

    def test_who_is_seen_does_not_depend_on_when_it_is_shaded(self):
        shape = (12, 16)
        depth, ids = np.empty(shape, np.float32), np.zeros(shape, np.int32)
        pictures = np.empty((3, *shape), np.float32)
        near = np.array([0.25, 0.5, 0.75], np.float32)
        far = near[::-1].copy()
        triangles.shade_as_they_come(far, depth, pictures[0])
        triangles.shade_as_they_come(near, depth, pictures[1])
        triangles.shade_what_is_seen(far, depth, ids, pictures[2])
        assert (pictures == pictures[0]).all()


class TestLockstepFigures:
    def test_a_warp_that_loads_side_by_side_needs_one_piece(self):
        found = values("warp-strides")
        assert (found["side_count"], found["four_count"], found["far_count"]) == (1, 4, 32)

    def test_a_branch_within_a_warp_is_walked_both_ways(self):
        found = values("warp-strides")
        assert (found["whole_count"], found["split_count"]) == (3, 5)

    def test_a_tile_saves_pieces_and_a_wider_one_the_turns(self):
        found = values("tile-transpose")
        assert (found["straight_count"], found["tile_count"]) == (33, 2)
        assert (found["conflicts_count"], found["wider_count"]) == (31, 0)

    def test_a_matrix_that_is_not_turned_is_noticed(self):
        def as_it_was(t, source, out):
            x = yield source.load(t.id)
            yield out.store(t.id, x)

        with pytest.raises(AssertionError, match="not come out turned"):
            lockstep.turned(as_it_was)


class TestNumbers:
    def test_gaps_are_those_of_a_real_buffer(self):
        found = values("depth-gaps")
        at = 5000 + np.arange(200) * 0.3

        def told_apart(depth, gap):
            one, other = depth(at).astype(np.float32), depth(at + gap).astype(np.float32)
            return (one != other).all()

        assert told_apart(numbers.standard, 1.1 * found["float_m"])
        assert not told_apart(numbers.standard, 0.5 * found["float_m"])
        assert told_apart(numbers.reversed_z, 1.1e-3 * found["reversed_mm"])

    def test_codes_and_light_are_each_others_inverse(self):
        codes = np.arange(256) / 255
        assert numbers.to_code(numbers.to_light(codes)) == pytest.approx(codes, abs=1e-7)

    def test_half_the_light_is_code_188(self):
        assert values("color-steps")["middle_count"] == 188


class TestPacing:
    def test_frames_that_are_on_time_are_shown_at_every_beat(self):
        shown = np.diff(frames.shown_at([10.0] * 30, 0))
        assert shown == pytest.approx(frames.PERIOD_MS)

    def test_a_late_frame_costs_a_beat_unless_one_may_wait(self):
        work = [10.0] * 10 + [20.0] + [10.0] * 10
        strict, ahead = (np.diff(frames.shown_at(work, waiting)) for waiting in (0, 1))
        assert (strict > 20).sum() == 1
        assert (ahead > 20).sum() == 0

    def test_no_frame_is_shown_before_it_is_drawn(self):
        work = np.random.default_rng(0).uniform(1, 40, 200)
        for waiting in (0, 1, 3):
            shown = frames.shown_at(work.tolist(), waiting)
            assert (np.diff(shown) > 0.9 * frames.PERIOD_MS).all()
            assert (np.array(shown) >= np.cumsum(work) - 1e-9).all()


def test_one_call_draws_the_same_picture_as_a_call_each():
    from guide_graphics.raster.gl.context import open_context

    try:
        context = open_context()
    except GuideError as why:
        pytest.skip(str(why))
    try:
        quads = frames.Quads(context, 50)
        one_by_one = quads.drawn(quads.one_by_one)
        assert quads.drawn(quads.at_once) == one_by_one
        assert len(set(one_by_one)) > 20
    finally:
        context.release()


@pytest.fixture(scope="module")
def nurseries():
    """What exercises need is imported once for all of them."""
    with Nurseries() as kept:
        yield kept


class TestExercises:
    def test_they_have_all_that_an_author_is_asked_for(self):
        made = [e for e in EXERCISES.values() if (e.folder / "exercise.toml").is_file()]
        assert len(made) == 7
        for exercise in made:
            for name in ("README.md", "hints.md", "solution.md"):
                assert (exercise.folder / name).is_file(), (exercise.id, name)
            assert list(exercise.folder.glob("cheats/*.py")), exercise.id

    @pytest.mark.parametrize(
        ("folder", "cheat", "said"),
        [
            ("a_tile_for_sixty_four", "no_barrier", "with no barrier since"),
            ("a_tile_for_sixty_four", "behind_the_counter", "at least 1"),
            ("a_tile_for_sixty_four", "one_fetches_for_all", "partial instructions"),
            ("far_and_still_apart", "the_near_plane_moved", "outside of 0 to 1"),
            ("far_and_still_apart", "only_the_matrix", "what is nearer does not win"),
            ("two_thousand_at_once", "the_last_frame_again", "frame 1: "),
            ("two_thousand_at_once", "counters_turned_back", "no setter"),
            ("only_its_box", "without_ties", "expected"),
            ("near_each_other", "own_cell_only", "expected"),
            ("what_nobody_sees", "the_last_is_nearest", "expected"),
        ],
    )
    def test_a_cheat_is_told_what_is_wrong(self, folder, cheat, said, nurseries):
        exercise = EXERCISES[folder]
        file = exercise.folder / "cheats" / f"{cheat}.py"
        result = exercises.judge(exercise, file, nurseries=nurseries)
        assert not result.passed
        assert said in result.message

    def test_the_tile_takes_one_and_a_half_loads_an_output(self):
        exercise = EXERCISES["a_tile_for_sixty_four"]
        result = exercises.judge(exercise, exercise.folder / "solution.py")
        assert result.counts["global loads an output"] == 1.5

    def test_reversed_depth_tells_a_millimetre_apart_at_five_kilometres(self):
        exercise = EXERCISES["far_and_still_apart"]
        result = exercises.judge(exercise, exercise.folder / "solution.py")
        assert result.counts["gap at 5 km, mm"] < 1.5
        assert result.counts["gap at 5 km, starter, m"] > 1


def test_a_kernel_of_the_figures_runs_with_any_number_of_blocks():
    source, out = lockstep._memories(64)
    launch(lockstep.copy_apart, 2, 32, source, out, 1)
    assert list(out) == list(range(64))

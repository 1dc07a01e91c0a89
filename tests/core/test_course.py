"""The course: its file, the day that is on, and what is shown of it."""

import datetime
import json
import re
from pathlib import Path

import pytest

from guide.course.agenda import Known, agendas, check, look_around
from guide.course.place import BUILT_IN, Place, course_file, remember, remembered, today
from guide.course.place import working_days as working
from guide.course.plan import Day, Part, Plan, read_plan
from guide.errors import GuideError
from guide.learn.attempts import note
from guide.learn.choice import choose
from guide.learn.choice import remember as read
from guide.plugin import Exercise, Section
from guide.plugins import Plugins

SMALL = """\
title = "Three days"

[[day]]
title = "One"
read = ["m0/s0", "m0/s1"]
expected = ["m0::e1"]
invited = ["m0::e0"]
project = "Choose."

[day.tracks.vision]
read = ["m1/s99"]
project = "Look."

[[day]]
title = "Two"
read = ["m0/s2"]

[[day]]
title = "Three"
own = ["m1"]
"""


@pytest.fixture
def write(tmp_path):
    """Write a course.toml in the current folder of `main`."""

    def write(text=SMALL):
        file = tmp_path / "course.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.fixture
def plugins():
    return Plugins(disabled=["vision", "graphics", "deep-learning"])


class TestBuiltIn:
    """What the guide brings is itself in order."""

    def test_it_has_fifteen_days_that_name_only_what_is_there(self, plugins):
        plan = read_plan(BUILT_IN)
        assert len(plan.days) == 15
        check(plan, look_around(plugins))

    def test_every_common_section_and_exercise_has_its_day_once(self, plugins):
        known = look_around(plugins)
        days = agendas(read_plan(BUILT_IN), known, None)
        read = [item.id for day in days for item in day.read]
        todo = [item.id for day in days for item in (*day.expected, *day.invited)]
        assert sorted(read) == sorted(known.sections)
        assert sorted(todo) == sorted(known.exercises)

    def test_every_day_builds_something(self):
        for day in read_plan(BUILT_IN).days:
            assert len(day.common.project.split()) > 5, day.number

    def test_an_exercise_comes_no_earlier_than_its_section(self, plugins):
        known = look_around(plugins)
        days = agendas(read_plan(BUILT_IN), known, None)
        read = {item.id: day.day.number for day in days for item in day.read}
        for day in days:
            for item in (*day.expected, *day.invited):
                section = known.exercises[item.id].section
                # m0::e0 is about a loop, and a first one for whoever does not want to wait
                if item.id != "m0::e0":
                    assert read[section] <= day.day.number, item.id


class TestFile:
    def test_a_file_here_or_above_comes_before_the_one_built_in(self, tmp_path, write):
        below = tmp_path / "a" / "b"
        below.mkdir(parents=True)
        assert course_file(below) == BUILT_IN
        file = write()
        assert course_file(below) == file.resolve()

    def test_the_one_that_is_named_comes_first_of_all(self, tmp_path, write, monkeypatch):
        write()
        mine = tmp_path / "mine.toml"
        mine.write_text(SMALL)
        monkeypatch.setenv("GUIDE_COURSE", str(mine))
        assert course_file(tmp_path) == mine
        monkeypatch.setenv("GUIDE_COURSE", str(tmp_path / "none.toml"))
        with pytest.raises(GuideError, match="which is not there; unset GUIDE_COURSE"):
            course_file(tmp_path)

    def test_a_course_toml_of_somebody_else_is_left_alone(self, tmp_path, write):
        write('name = "golf"\n')
        assert course_file(tmp_path) == BUILT_IN

    @pytest.mark.parametrize(
        ("before", "after", "said"),
        [
            ('read = ["m0/s2"]', 'raed = ["m0/s2"]', "day 2: no 'raed' is known here; 'read'?"),
            ('read = ["m0/s2"]', 'read = "m0/s2"', "day 2: read is a list, not 'm0/s2'"),
            ('read = ["m0/s2"]', 'read = ["m0s2"]', "day 2: read names ids such as m1/s0"),
            ('expected = ["m0::e1"]', "expected = [3]", "day 1: expected names ids such as m1::e0"),
            ('own = ["m1"]', 'own = ["m9"]', "day 3: own names modules"),
            ('title = "Three days"', "start = 2026", "a date is written 2026-12-01"),
            ('title = "Three days"', "title = 3", "title is a text, not 3"),
            ("[day.tracks.vision]", "[day.tracks.vision.more]", "no 'more' is known here"),
        ],
    )
    def test_what_is_wrong_in_it_is_one_line_with_its_day(self, write, before, after, said):
        with pytest.raises(GuideError, match=re.escape(said)) as wrong:
            read_plan(write(SMALL.replace(before, after)))
        assert "\n" not in str(wrong.value)
        assert "docs/course.md" in str(wrong.value)

    def test_one_without_a_day_is_none(self, write):
        with pytest.raises(GuideError, match=r"it has no \[\[day\]\]"):
            read_plan(write('title = "x"\n'))

    @pytest.mark.parametrize(
        ("id", "said"),
        [
            ("m0/s9", "day 2: no section 'm0/s9'; did you mean m0/s"),
            ("m6/s77", "day 2: no section 'm6/s77'; did you mean m"),
        ],
    )
    def test_an_id_that_is_not_there_names_the_nearest(self, write, plugins, id, said):
        plan = read_plan(write(SMALL.replace("m0/s2", id)))
        with pytest.raises(GuideError, match=re.escape(said)):
            check(plan, look_around(plugins))

    def test_a_track_that_is_not_installed_is_a_note(self, write, plugins):
        known = look_around(plugins)
        check(read_plan(write()), known)
        assert known.notes == ["vision is not installed; its part is left out"]


class TestDay:
    FRIDAY, MONDAY = datetime.date(2026, 11, 27), datetime.date(2026, 11, 30)

    def test_weekends_and_holidays_do_not_count(self):
        assert working(self.FRIDAY, self.FRIDAY) == 1
        assert working(self.FRIDAY, self.FRIDAY + datetime.timedelta(days=2)) == 1
        assert working(self.FRIDAY, self.MONDAY) == 2
        assert working(self.FRIDAY, self.MONDAY, [self.MONDAY]) == 1
        assert working(self.MONDAY, self.FRIDAY) == 0

    def test_nothing_remembered_is_day_one(self, write):
        plan = read_plan(write())
        assert remembered() == Place()
        assert today(plan, remembered(), self.MONDAY).number == 1

    def test_a_day_is_remembered_and_a_date_counts_on(self, write):
        plan = read_plan(write())
        remember(Place(2))
        assert today(plan, remembered(), self.MONDAY).number == 2
        remember(Place(start=self.FRIDAY))
        assert today(plan, remembered(), self.MONDAY).number == 2

    def test_the_calendar_ends_on_the_last_day_and_begins_on_the_first(self, write):
        plan = read_plan(write())
        assert today(plan, Place(start=self.FRIDAY), datetime.date(2027, 3, 1)).number == 3
        assert today(plan, Place(start=self.MONDAY), self.FRIDAY).number == 1

    def test_the_learners_day_comes_before_the_teachers_date(self, write):
        plan = read_plan(write(f"start = 2026-11-27\n{SMALL}"))
        assert today(plan, Place(), self.MONDAY).number == 2
        assert today(plan, Place(3), self.MONDAY).number == 3

    def test_what_is_damaged_is_nothing(self, write):
        remember(Place(2))
        from guide.learn.choice import data_folder

        (data_folder() / "course.json").write_text("[")
        assert remembered() == Place()


class TestCommands:
    def test_the_course_shows_every_day_and_what_is_done(self, main, write):
        write()
        read("m0/s0")
        note("check", "m0::e1", state="fast", passed=True)
        code, out, err = main("course")
        assert code == 0
        assert [int(n) for n in re.findall(r"^.\s+(\d+)  ", out, re.M)] == [1, 2, 3]
        assert "m0/s0 ✓  m0/s1  m0::e1 ✓  (m0::e0)" in out
        assert out.endswith("Next: guide today\n")
        assert "vision is not installed" in err

    def test_today_is_what_to_read_to_do_and_to_build(self, main, write):
        write()
        code, out, _ = main("today")
        assert code == 0
        assert out.startswith("Day 1 of 3: One\n")
        for text in ("Read", "m0/s0", "Do\n", "m0::e1", "Do, if you like", "m0::e0", "Choose."):
            assert text in out
        assert "Look." not in out
        assert out.endswith("Next: guide read m0/s0\n")

    def test_what_comes_next_follows_what_is_done(self, main, write):
        write()
        read("m0/s0")
        read("m0/s1")
        assert main("today")[1].endswith("Next: guide start m0::e1\n")
        note("start", "m0::e1")
        assert main("today")[1].endswith("Next: guide check m0::e1\n")
        note("skip", "m0::e1", on=True)
        assert main("today")[1].endswith("guide today --day 2\n")

    def test_a_day_is_gone_to_once(self, main, write):
        write()
        assert main("today", "--day", "2")[0] == 0
        _, out, _ = main("today")
        assert out.startswith("Day 2 of 3: Two\n")
        assert "Left from before: 3, the first on day 1" in out

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--day", "4"], "the course has no day 4; it has 1 to 3"),
            (["--day", "0"], "the course has no day 0"),
            (["--start", "soon"], "not a date; type it as 2026-12-01"),
            (["--day", "1", "--start", "2026-12-01"], "exclude each other"),
            (["--track", "viison"], "no track 'viison'"),
        ],
    )
    def test_what_cannot_be_is_one_line(self, main, write, arguments, said):
        write()
        code, out, err = main("today", *arguments)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1

    def test_a_misspelt_id_in_a_file_is_one_line_too(self, main, write):
        write(SMALL.replace("m0/s2", "m0/s22"))
        code, out, err = main("course")
        assert (code, out) == (1, "")
        assert "no section 'm0/s22'; did you mean m0/s2?" in err

    def test_json_says_the_same(self, main, write):
        write()
        rows = json.loads(main("course", "--json")[1])
        assert rows["today"] == 1
        assert [day["title"] for day in rows["days"]] == ["One", "Two", "Three"]
        day = json.loads(main("today", "--day", "1", "--json")[1])
        assert day["left"] == ["m0/s0", "m0/s1", "m0::e1"]

    def test_a_copy_is_the_teachers_and_is_found_from_then_on(self, main, tmp_path):
        code, out, _ = main("course", "--copy", "course.toml")
        assert code == 0
        assert out.endswith("Next: guide course\n")
        file = tmp_path / "course.toml"
        file.write_text(file.read_text().replace("Read a number", "Look at a number"))
        assert "Look at a number" in main("course")[1]
        code, _, err = main("course", "--copy", "course.toml")
        assert code == 2
        assert "exists already" in err

    def test_sixty_columns_are_enough(self, terminal):
        for command in ("course", "today"):
            shown = terminal(command, columns=60, rows=60)
            text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.read_until())
            assert max(len(line.rstrip()) for line in text.splitlines()) <= 60


class TestTracks:
    """A track's own things come on the days of their modules, by its hooks alone."""

    @pytest.fixture
    def installed(self):
        known = [track.name for track in Plugins(disabled=[]).tracks()]
        if not known:
            pytest.skip("no track is installed")
        return known

    def test_what_a_track_brings_has_its_day_without_a_line(self, installed):
        plugins = Plugins(disabled=[])
        known = look_around(plugins)
        plan = read_plan(BUILT_IN)
        check(plan, known)
        for track in installed:
            days = agendas(plan, known, track)
            read = [item.id for day in days for item in day.read]
            todo = [item.id for day in days for item in (*day.expected, *day.invited)]
            assert set(read) >= {s.id for s in known.sections.values() if track in s.tracks}
            mine = {e.id for e in known.exercises.values() if track in (*e.expected, *e.invited)}
            assert set(todo) >= mine
            assert len(read) == len(set(read))
            assert len(todo) == len(set(todo))

    def test_it_is_shared_out_among_the_days_of_a_module_and_exercises_follow_their_section(self):
        sections = {f"m1/s{n}": Section(f"m1/s{n}", "x", Path(), ("audio",)) for n in (9, 10, 11)}
        exercises = [
            Exercise("m1::e9", "x", Path(), ("audio",), section="m1/s11"),
            Exercise("m1::e10", "x", Path(), (), ("audio",)),
        ]
        known = Known(sections, {e.id: e for e in exercises}, {}, set(), ["audio"])
        days = [Day(1, "a", Part(), ["m1"]), Day(2, "b", Part()), Day(3, "c", Part(), ["m1"])]
        one, two, three = agendas(Plan("x", days, Path()), known, "audio")
        assert [i.id for i in (*one.read, *one.expected, *one.invited)] == [
            *("m1/s9", "m1/s10", "m1::e10")
        ]
        assert [i.id for i in (*three.read, *three.expected)] == ["m1/s11", "m1::e9"]
        assert not two.read

    def test_the_chosen_track_is_whose_course_it_is(self, installed, monkeypatch, main):
        monkeypatch.setenv("GUIDE_DISABLE", "")
        choose("vision" if "vision" in installed else installed[0])
        day = json.loads(main("today", "--day", "2", "--json")[1])
        assert len(day["project"]) >= 1

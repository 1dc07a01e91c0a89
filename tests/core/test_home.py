"""`guide` alone, and the pages that lead on from it."""

import pytest

from guide.course.place import Place
from guide.course.place import remember as go_to
from guide.learn.attempts import note
from guide.learn.choice import choose, data_folder


def commands(out):
    return [line.strip()[:20].strip() for line in out.splitlines() if line.startswith("  guide")]


class TestHome:
    def test_whoever_has_not_begun_is_welcomed(self, main):
        code, out, _ = main()
        assert code == 0
        assert out.startswith("Welcome.")
        assert commands(out) == [
            *("guide track", "guide read", "guide today", "guide new-project", "guide --help"),
        ]

    def test_what_was_read_leads_to_what_comes_next(self, main):
        main("read", "m0/s0", "--no-measure")
        _, out, _ = main()
        assert "You are not in a project" in out
        assert "guide read m0/s1" in commands(out)
        assert "One kernel, five ways" in out

    def test_the_exercise_that_was_begun_last_is_gone_on_with(self, main):
        for id in ("m0::e0", "m0::e1"):
            main("start", id)
        note("skip", "m0::e0", on=True)
        assert "guide check m0::e1" in commands(main()[1])
        note("check", "m0::e1", state="fast", passed=True)
        assert not [c for c in commands(main()[1]) if c.startswith("guide check")]

    def test_a_track_that_was_chosen_is_not_asked_for_again(self, main):
        choose("vision")
        assert "guide track" not in commands(main()[1])

    def test_the_day_of_the_course_is_said_once_it_was_begun(self, main):
        go_to(Place(4))
        assert "day 4 of 15: Who lies beside whom" in main()[1]

    def test_a_course_that_is_broken_costs_one_line(self, main, tmp_path):
        go_to(Place(4))
        (tmp_path / "course.toml").write_text("[[day]]\nraed = 3\n")
        code, out, _ = main()
        assert code == 0
        assert "see what is wrong with the course's file" in out

    @pytest.mark.parametrize("name", ["read.jsonl", "attempts.jsonl", "course.json", "track.json"])
    def test_what_is_damaged_is_passed_over(self, main, name):
        data_folder().mkdir(parents=True, exist_ok=True)
        (data_folder() / name).write_bytes(b'{"next": \xff\n[]\n3\n')
        code, out, _ = main()
        assert code == 0
        assert "guide read" in out

    def test_when_all_is_read_it_says_so(self, main):
        data_folder().mkdir(parents=True, exist_ok=True)
        (data_folder() / "read.jsonl").write_text('{"section": "m6/s2", "next": ""}\n')
        assert "you have read all of it" in main()[1]

    def test_in_a_project_learning_goes_on(self, main, make_project, monkeypatch):
        project = make_project()
        monkeypatch.chdir(project.path)
        assert commands(main()[1]) == ["guide run", "guide read"]

    def test_sixty_columns_are_enough(self, terminal):
        text = terminal(columns=60).read_until()
        assert max(len(line.rstrip()) for line in text.splitlines()) <= 70  # with its colours


class TestPages:
    def test_a_section_ends_with_its_exercises_and_the_next_command_last(self, main):
        _, out, _ = main("read", "m0/s1", "--no-measure")
        assert "\nExercise: m0::e1 Out of the box\n          guide start m0::e1\n" in out
        assert out.endswith("\nNext: guide read m0/s2\n")

    def test_a_section_without_one_names_none(self, main):
        assert "Exercise:" not in main("read", "m1/s8", "--no-measure")[1]

    def test_an_exercises_page_is_text_in_a_pipe_and_a_page_on_a_terminal(self, main, terminal):
        assert "# m0::e1 Out of the box\n" in main("start", "m0::e1")[1]
        shown = terminal("start", "m0::e2", columns=60).read_until("Next: ")
        assert "\x1b[" in shown
        assert "# m0::e2" not in shown

    def test_a_page_that_is_written_otherwise_is_shown_as_it_stands(self, capsys):
        from guide.cli.shared import show_text

        show_text("Some <b>HTML</b>\nfrom a stranger")
        assert capsys.readouterr().out == "Some <b>HTML</b>\nfrom a stranger\n"

import json
import re

import pytest

from guide.errors import GuideError, UsageError
from guide.learn import choice
from guide.learn.contents import all_sections, find_section
from guide.plugins import Plugins


@pytest.fixture
def plugins():
    return Plugins(disabled=["vision", "graphics", "deep-learning"])


def test_they_are_listed_by_module_and_number_and_not_as_text(plugins):
    keys = [tuple(map(int, s.id[1:].split("/s"))) for s in all_sections(plugins)]
    assert keys == sorted(keys)
    assert keys


def test_each_of_core_can_be_read(plugins):
    for section in all_sections(plugins):
        assert section.file.read_text(encoding="utf-8").startswith("# ")


def test_one_that_does_not_exist_names_the_nearest(plugins):
    assert find_section(plugins, "m0/s0").title
    with pytest.raises(UsageError, match="did you mean m0/s"):
        find_section(plugins, "m0s0")
    with pytest.raises(UsageError, match="guide contents lists them"):
        find_section(plugins, "zzz")


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "guide"


class TestChoice:
    def test_nothing_is_chosen_at_first(self, data):
        assert choice.chosen() is None
        assert choice.read_sections() == []

    def test_a_choice_is_remembered_and_can_be_changed(self, data):
        choice.choose("vision")
        choice.choose("graphics")
        assert choice.chosen() == "graphics"

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"track": 3}', "\xff"])
    def test_a_damaged_choice_is_none(self, data, text):
        data.mkdir(parents=True)
        (data / "track.json").write_text(text, encoding="latin-1")
        assert choice.chosen() is None

    def test_what_was_read_is_only_ever_added_to(self, data):
        for id in ("m0/s0", "m1/s0", "m0/s0"):
            choice.remember(id)
        assert choice.read_sections() == ["m0/s0", "m1/s0"]
        assert len((data / "read.jsonl").read_text().splitlines()) == 3

    def test_a_line_that_was_cut_short_costs_that_line_alone(self, data):
        choice.remember("m0/s0")
        with (data / "read.jsonl").open("a") as out:
            out.write('{"section": "m1\n')
        choice.remember("m1/s0")
        assert choice.read_sections() == ["m0/s0", "m1/s0"]

    def test_a_folder_that_cannot_be_written_is_said(self, data):
        data.parent.write_text("a file where the folder should be")
        with pytest.raises(GuideError, match="set XDG_DATA_HOME"):
            choice.choose("vision")
        with pytest.raises(GuideError, match="could not be remembered"):
            choice.remember("m0/s0")


class TestReading:
    def test_read_goes_on_with_the_next_unread_section(self, main, data):
        first = main("read")[1]
        assert first.startswith("# How fast is this machine?\n")
        assert first.rstrip().endswith("Next: guide read m0/s1")
        assert main("read")[1].startswith("# One kernel, five ways\n")
        main("read", "m0/s2")
        assert main("read")[1].startswith("# How to read a number\n")

    def test_contents_mark_what_was_read_and_say_what_is_next(self, main, data):
        main("read", "m0/s0")
        _, out, _ = main("contents")
        assert "m0/s0  How fast is this machine? ✓" in out
        assert out.rstrip().endswith("Next: guide read m0/s1")
        rows = json.loads(main("contents", "--json")[1])
        assert [row["id"] for row in rows if row["read"]] == ["m0/s0"]

    def test_when_all_is_read_it_says_so(self, main, data, plugins):
        for section in all_sections(plugins):
            choice.remember(section.id)
        code, out, _ = main("read")
        assert code == 0
        assert "You have read all" in out
        assert out.rstrip().endswith("Next: guide exercises")

    def test_a_track_is_chosen_once_and_decides_what_is_read(self, main, data, monkeypatch):
        monkeypatch.delenv("GUIDE_DISABLE")
        code, out, _ = main("track", "vision")
        assert code == 0
        assert "Your track is vision" in out
        found = json.loads(main("contents", "--json")[1])
        assert {track for section in found for track in section["tracks"]} == {"vision"}
        assert json.loads(main("track", "--json")[1])["track"] == "vision"

    def test_a_track_that_is_not_installed_cannot_be_chosen(self, main, data):
        code, _, err = main("track", "juggling")
        assert code == 2
        assert "no track 'juggling'" in err
        assert choice.chosen() is None

    def test_a_chosen_track_that_was_uninstalled_leaves_all(self, main, data):
        choice.choose("juggling")
        assert main("contents")[0] == 0
        _, out, _ = main("track")
        assert "not installed" in out
        assert out.rstrip().endswith("Next: guide tracks")

    def test_in_a_pipe_nothing_is_measured_and_the_authors_numbers_are_marked(self, main, data):
        _, out, _ = main("read", "m1/s0")
        assert "\x1b" not in out
        assert re.search(r"a load takes [\d.]+ ns†", out)
        assert "guide read m1/s0 --measure" in out

    def test_what_was_measured_takes_the_authors_place(self, main, data):
        _, out, _ = main("read", "m3/s3", "--measure")
        assert "†" not in out
        assert "yours" in out
        _, out, _ = main("read", "m3/s3")
        assert "†" not in out


class TestTerminal:
    """On a real terminal, with a pager that says that it was used."""

    @pytest.fixture
    def pager(self, tmp_path):
        file = tmp_path / "pager"
        file.write_text("#!/bin/sh\necho PAGED\ncat\n")
        file.chmod(0o755)
        return str(file)

    def read(self, terminal, data, pager, *arguments, **more):
        env = {"XDG_DATA_HOME": str(data.parent), "PAGER": pager}
        shown = terminal("read", *arguments, "--no-measure", **env, **more)
        text = shown.read_until()
        assert shown.process.wait() == 0
        return text.replace("\r\n", "\n")

    def test_a_page_longer_than_the_screen_is_paged(self, terminal, data, pager):
        text = self.read(terminal, data, pager, "m1/s0", columns=60, rows=20)
        assert "PAGED" in text
        assert "\x1b[" in text

    def test_one_that_fits_is_not(self, terminal, data, pager):
        text = self.read(terminal, data, pager, "m1/s0", columns=60, rows=500)
        assert "PAGED" not in text
        assert text.rstrip().endswith("Next: guide read m1/s4")

    def test_no_color_is_honoured_by_a_page(self, terminal, data, pager):
        for rows in (20, 500):
            text = self.read(terminal, data, pager, "m1/s0", rows=rows, NO_COLOR="1")
            assert "\x1b" not in text

    def test_figures_are_measured_at_the_first_reading_with_a_bar(self, terminal, data, pager):
        env = {"XDG_DATA_HOME": str(data.parent), "PAGER": pager}
        cache = str(data.parent / "cache")
        text = terminal("read", "m3/s3", XDG_CACHE_HOME=cache, rows=500, **env).read_until()
        assert re.search(r"measuring ░+ compression", text)
        assert "†" not in text
        again = terminal("read", "m3/s3", XDG_CACHE_HOME=cache, rows=500, **env).read_until()
        assert "measuring" not in again


def test_a_track_sees_what_another_invites_it_to_and_nothing_else(main, monkeypatch):
    monkeypatch.delenv("GUIDE_DISABLE")
    main("track", "vision")
    listed = main("exercises")[1]
    rows = {row["id"]: row for row in json.loads(main("exercises", "--json")[1])}
    assert "vision" in rows["m2::e11"]["invited"]  # which is deep learning's
    assert "m3::e11" not in rows  # which it keeps to itself
    assert "Never wait for data  (invited)" in listed

import pytest

from guide.errors import GuideError
from guide.logbook import BOOK, add, note_of
from guide.record import write_record
from guide.report import write_report
from tests.core.sample_record import killed, sample

MINE = "# Log book\n\n## Entry 1: mine\n\n- **Did**: nothing — yet.\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.guide]\ntrack = "none"\ntask = "a:b"\n')
    (tmp_path / "runs").mkdir()
    return tmp_path


def ran(project, name, record=None):
    folder = project / "runs" / name
    folder.mkdir()
    write_record(folder, record or sample())
    return folder


def book(project):
    return (project / BOOK).read_text("utf-8")


def test_a_run_is_entered_with_its_figures_facts_and_source(project):
    ran(project, "2026-01")
    assert add(project) == ["2026-01"]
    assert book(project) == (
        "# Log book\n\n## Run 2026-01\n\n"
        "- Measured: 59.5 Hz of 60; tick p50 5.91 ms, p99 8.04 ms; 6 of 600 missed (over budget: "
        "detect 2, woke late: gil 1, gc 1, other 2); 9.96 to 39.9 J (model)\n"
        "- Facts: backend numba, camera virtual, 640 x 360\n"
        "- Source: commit 1b6b575, changed since\n"
    )


def test_what_changed_since_the_run_before_stands_in_the_entry(project):
    ran(project, "2026-01", sample(5_000, alike=4))
    slower = sample(5_000, typical_ms=9.0, seed=1, alike=4)
    slower["options"] = {**slower["options"], "width": 1280}
    ran(project, "2026-02", slower)
    assert add(project) == ["2026-01", "2026-02"]
    (line,) = [line for line in book(project).splitlines() if line.startswith("- Since")]
    assert line.startswith("- Since 2026-01: option width: 640 -> 1280; tick p50: slower by ")
    assert line.endswith("real")


def test_twice_adds_nothing_twice(project):
    folder = ran(project, "2026-01")
    add(project, note="first light")
    before = (project / BOOK).stat()
    assert add(project, note="first light") == []
    assert add(project, folder) == []
    after = (project / BOOK).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    "mine",
    [
        MINE.encode(),
        MINE.replace("\n", "\r\n").encode(),
        MINE.rstrip("\n").encode(),
        b"# Log book\n\nlatin \xe9\xff, and no line end",
        b"",
        b"\n\n\n",
        "﻿# with a byte order mark\n".encode(),
    ],
)
def test_what_a_person_wrote_stays_byte_for_byte(project, mine):
    (project / BOOK).write_bytes(mine)
    ran(project, "2026-01")
    add(project, note="mine")
    after = (project / BOOK).read_bytes()
    assert after.startswith(mine.rstrip(b"\r\n"))
    end = b"\r\n" if b"\r\n" in mine else b"\n"
    assert after.count(b"\n") == after.count(end)
    assert b"- Note: mine" + end in after


def test_what_a_person_wrote_into_and_behind_an_entry_stays_where_it_is(project):
    ran(project, "2026-01")
    add(project)
    edited = book(project).replace("- Facts", "- mine: I expected 5 ms\n- Facts")
    edited += "\nWhat I think of it.\n\n## Entry 2: mine\n"
    (project / BOOK).write_text(edited, "utf-8")
    ran(project, "2026-02")
    add(project, project / "runs" / "2026-01", "a note")
    after = book(project)
    assert after.replace("- Note: a note\n", "") == edited
    assert after.index("- Source") < after.index("- Note: a note") < after.index("What I think")


def test_an_entry_that_was_removed_stays_removed(project):
    ran(project, "2026-01")
    ran(project, "2026-02")
    add(project)
    text = book(project)
    (project / BOOK).write_text(
        text[: text.index("## Run 2026-01")] + text[text.index("## Run 2026-02") :]
    )
    assert add(project) == []
    ran(project, "2026-03")
    assert add(project) == ["2026-03"]


def test_a_run_that_has_not_ended_is_entered_only_when_it_is_asked_for(project):
    folder = ran(project, "2026-01", killed(sample()))
    assert add(project) == []
    assert not (project / BOOK).exists()
    assert add(project, folder) == ["2026-01"]
    assert "never finished" in book(project)


def test_a_note_goes_to_the_newest_run_or_the_one_that_is_named(project):
    first, second = ran(project, "2026-01"), ran(project, "2026-02")
    add(project, note="of the second")
    add(project, first, "of the first")
    add(project, first, "and more\n## Run 2026-02 of it")
    assert note_of(first) == "of the first and more ## Run 2026-02 of it"
    assert note_of(second) == "of the second"


def test_what_a_task_stated_cannot_break_the_book(project):
    evil = sample()
    evil["facts"] = {"a\n## Run 2026-09": "\ud800 b\r\n- Note: not mine"}
    folder = ran(project, "2026-01", evil)
    add(project)
    assert note_of(folder) == ""
    assert book(project).count("\n## Run") == 1


def test_a_link_and_the_files_mode_stay(project):
    real = project / "elsewhere.md"
    real.write_text(MINE)
    real.chmod(0o640)
    (project / BOOK).symlink_to(real)
    ran(project, "2026-01")
    add(project)
    assert (project / BOOK).is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "## Run 2026-01" in real.read_text()


def test_a_book_that_changes_meanwhile_is_left_as_it_is(project, monkeypatch):
    (project / BOOK).write_text(MINE)
    ran(project, "2026-01")

    def lines(folder, text):
        (project / BOOK).write_text("saved by an editor\n")
        yield "Measured: nothing"

    monkeypatch.setattr("guide.logbook._lines", lines)
    with pytest.raises(GuideError, match="changed at this very moment"):
        add(project)
    assert book(project) == "saved by an editor\n"
    assert {file.name for file in project.iterdir()} == {"pyproject.toml", "runs", BOOK}


def test_the_note_stands_in_the_runs_report(project):
    folder = ran(project, "2026-01")
    add(project, note="fewer corners, <same> track")
    assert "fewer corners, &lt;same&gt; track" in write_report(folder).read_text("utf-8")


class TestCommand:
    def test_it_says_what_it_entered_and_the_report_shows_the_note(self, project, guide):
        folder = ran(project, "2026-01")
        done = guide("log", "-m", "first light", cwd=project)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip() == f"{project / BOOK}: 2026-01; noted at 2026-01"
        assert "first light" in (folder / "report.html").read_text("utf-8")

    def test_with_nothing_new_it_says_what_to_type(self, project, guide):
        ran(project, "2026-01")
        guide("log", cwd=project)
        assert "Next: guide run" in guide("log", cwd=project).stdout

    def test_a_run_of_no_project_is_one_line(self, project, guide, tmp_path_factory):
        folder = tmp_path_factory.mktemp("elsewhere")
        write_record(folder, sample())
        done = guide("log", "--run", str(folder), cwd=project)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1

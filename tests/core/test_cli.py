"""Every command but `run` and `new-track`, called as `main` would be; some as a process."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import guide as package
from guide.cli import COMMANDS

HEAVY = {"torch", "cv2", "numba", "moderngl", "numpy", "glfw", "pluggy"}
NAMES = [name for group in COMMANDS.values() for name in group]


class TestImports:
    def imported(self, code):
        done = subprocess.run(
            [sys.executable, "-c", f"import sys\n{code}\nprint('MODULES', *sys.modules)"],
            capture_output=True,
            text=True,
            check=True,
        )
        return set(done.stdout.partition("MODULES")[2].split())

    def test_importing_guide_costs_nothing(self):
        found = self.imported("import guide")
        assert not found & HEAVY
        assert {name for name in found if name.startswith("guide.")} == set()

    @pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["--version"]])
    def test_help_version_and_home_import_nothing_heavy_and_no_plugin(self, arguments):
        found = self.imported(
            f"sys.argv = ['guide', *{arguments}]\nfrom guide.cli import main\n"
            "try: main()\nexcept SystemExit: pass"
        )
        assert not found & HEAVY
        assert not [name for name in found if name.startswith("guide_")]

    def test_every_public_name_is_there(self):
        for name in package.__all__:
            assert getattr(package, name).__name__ == name
        with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
            _ = package.Nothing

    def test_core_imports_no_plugin_and_nothing_heavy_at_import_time(self):
        found = self.imported(
            "import pkgutil, importlib, guide\n"
            "for m in pkgutil.walk_packages(guide.__path__, 'guide.'):\n"
            "    if not m.name.endswith('__main__') and '.exercises.' not in m.name:\n"
            "        if 'example_track' not in m.name: importlib.import_module(m.name)"
        )
        assert not found & (HEAVY - {"numpy", "pluggy"})
        assert not [name for name in found if name.startswith("guide_")]


class TestHelp:
    def test_every_command_stands_in_it(self, main):
        code, out, _ = main("--help")
        assert code == 0
        for name in NAMES:
            assert re.search(rf"^  {name} ", out, re.MULTILINE)

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("flag", ["--help", "-h"])
    def test_every_command_has_its_own(self, main, name, flag):
        code, out, err = main(name, flag)
        assert (code, err) == (0, "")
        assert out.startswith(f"Usage: guide {name} ")

    @pytest.mark.parametrize("name", NAMES)
    def test_what_the_table_promises_is_a_sentence_and_fits_a_line(self, name):
        text = next(group[name][1] for group in COMMANDS.values() if name in group)
        assert text.endswith(".")
        assert len(text) <= 64

    def test_the_version_is_the_packages(self, main):
        assert main("--version") == (0, f"guide {package.__version__}\n", "")

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [("rn", "run"), ("reprot", "report"), ("new-projct", "new-project"), ("trakcs", "tracks")],
    )
    def test_a_slip_of_the_fingers_is_answered_with_what_was_meant(self, main, typed, meant):
        code, out, err = main(typed)
        assert (code, out) == (2, "")
        assert re.search(rf"Did you mean '?{meant}|{meant}", err)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["nonsense"],
            ["--nonsense"],
            ["run", "--sceonds", "3"],
            ["read", "m0s0"],
            ["check"],
            ["start"],
            ["completion"],
            ["completion", "tcsh"],
            ["report", "a", "b"],
            ["doctor", "x"],
            ["warm", "a", "b"],
            ["warm", "juggling"],
        ],
    )
    def test_what_cannot_work_is_one_line_and_exit_code_2(self, main, arguments):
        code, out, err = main(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("guide: ")
        assert err.count("\n") == 1


class TestHome:
    def test_outside_a_project_it_says_what_there_is(self, main):
        code, out, _ = main()
        assert code == 0
        assert "Welcome" in out
        assert "guide track" in out

    def test_in_one_it_says_so_and_what_is_next(self, main, make_project, monkeypatch):
        project = make_project()
        monkeypatch.chdir(project.path / "demo")
        code, out, _ = main()
        assert code == 0
        assert "You are in demo, a none project (not run yet)" in out
        assert "guide run" in out

    def test_a_project_that_is_broken_is_one_line(self, main, tmp_path):
        (tmp_path / "pyproject.toml").write_text("[tool.guide]\nx =\n")
        code, out, err = main()
        assert (code, out) == (1, "")
        assert err.startswith("guide: ")
        assert err.count("\n") == 1


class TestRead:
    def test_contents_lists_sections_and_what_is_next(self, main):
        code, out, _ = main("contents")
        assert code == 0
        assert re.search(r"^m0/s0  ", out, re.MULTILINE)
        assert out.rstrip().endswith("Next: guide read m0/s0")

    def test_contents_as_json(self, main):
        rows = json.loads(main("contents", "--json")[1])
        assert {"id", "title", "tracks", "stands_on", "read"} == set(rows[0])

    def test_inside_a_project_those_of_its_track_are_listed(self, main, tmp_path, monkeypatch):
        monkeypatch.delenv("GUIDE_DISABLE")
        (tmp_path / "pyproject.toml").write_text('[tool.guide]\ntrack = "vision"\ntask = "a:b"\n')
        found = json.loads(main("contents", "--json")[1])
        assert {track for section in found for track in section["tracks"]} == {"vision"}
        found = json.loads(main("exercises", "--json")[1])
        asked = [{*exercise["expected"], *exercise["invited"]} for exercise in found]
        assert all(tracks & {"all", "vision"} for tracks in asked)
        assert {"vision"} in asked

    def test_reading_one_prints_it(self, main):
        code, out, _ = main("read", "m0/s0")
        assert code == 0
        assert out.startswith("# ")

    def test_one_that_does_not_exist(self, main):
        code, out, err = main("read", "m0/s99")
        assert (code, out) == (2, "")
        assert "did you mean" in err

    @pytest.mark.parametrize("command", ["contents", "exercises"])
    def test_a_track_that_is_not_installed(self, main, command):
        code, _, err = main(command, "juggling")
        assert code == 2
        assert "no track 'juggling' is installed" in err


class TestExercises:
    def test_they_are_listed_with_whom_they_are_for(self, main):
        code, out, _ = main("exercises")
        assert code == 0
        assert "m0::e0" in out
        assert "expected: all" in out

    def test_as_json(self, main):
        rows = json.loads(main("exercises", "--json")[1])
        assert {"id", "title", "expected", "invited", "state", "passed", "flags"} == set(rows[0])

    def test_from_starter_to_passed(self, main, tmp_path):
        code, out, _ = main("start", "m0::e0")
        assert code == 0
        assert out.rstrip().endswith("guide check m0::e0")
        attempt = tmp_path / "m0_e0.py"
        code, out, _ = main("check", "m0::e0")
        assert code == 1
        assert out.startswith("✗ m0::e0")
        solution = Path(package.__file__).parent / "foundations/exercises/no_drift/solution.py"
        attempt.write_bytes(solution.read_bytes())
        code, out, _ = main("check", "m0::e0")
        assert code == 0
        assert out.startswith("✓ m0::e0")

    def test_an_empty_attempt_is_told_what_is_missing(self, main, tmp_path):
        (tmp_path / "m0_e0.py").touch()
        code, out, err = main("check", "m0::e0")
        assert (code, err) == (1, "")
        assert "m0_e0.py does not define due_times" in out

    def test_work_is_never_overwritten(self, main, tmp_path):
        (tmp_path / "m0_e0.py").write_text("mine")
        code, _, err = main("start", "m0::e0")
        assert code == 2
        assert "exists already" in err
        assert (tmp_path / "m0_e0.py").read_text() == "mine"

    def test_checking_what_was_not_started(self, main):
        code, _, err = main("check", "m0::e0")
        assert code == 1
        assert "guide start m0::e0" in err

    def test_a_folder_that_may_only_be_read_is_one_line(self, guide, tmp_path, read_only):
        read_only(tmp_path)
        done = guide("start", "m0::e0")
        assert done.returncode == 1
        assert re.fullmatch(r"guide: .*m0_e0.py: Read-only file system\n", done.stderr)


class TestTracks:
    def test_none_installed_says_how_to_get_one(self, main):
        code, out, _ = main("tracks")
        assert code == 0
        assert "No track is installed" in out

    def test_a_plugin_that_is_disabled_is_said(self, main, monkeypatch):
        monkeypatch.setenv("GUIDE_DISABLE", "foundations,vision,graphics,deep-learning")
        assert "foundations (guide-core" in main("tracks")[1]

    def test_as_json(self, main):
        found = json.loads(main("tracks", "--json")[1])
        assert found["tracks"] == []
        assert all({"name", "state", "line"} <= set(trouble) for trouble in found["troubles"])

    def test_a_track_that_is_not_installed_cannot_be_scaffolded(self, main, tmp_path):
        code, _, err = main("new-project", "juggling", "my_cam")
        assert code == 2
        assert "no track 'juggling' is installed" in err
        assert not list(tmp_path.iterdir())

    def test_what_was_not_typed_cannot_be_asked_for_in_a_pipe(self, main):
        code, _, err = main("new-project")
        assert code == 2
        assert "TRACK is missing" in err


class TestDoctor:
    def test_quickly_it_says_what_this_machine_has(self, main):
        code, out, _ = main("doctor", "--quick")
        assert code in (0, 1)
        assert "python" in out
        assert "CPU energy" in out
        assert "measured just now" not in out

    def test_it_measures_what_the_machine_can_do(self, main, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        found = json.loads(main("doctor", "--json")[1])
        assert {"plugin", "name", "status", "detail", "remedy"} == set(found["findings"][0])
        assert {c["id"] for c in found["ceilings"]} >= {"wake.240.p50", "triad.all", "fma.f32.all"}
        assert found["measured"]

    def test_a_disk_that_is_nearly_full_is_a_problem_with_a_remedy(
        self, guide, tmp_path, small_disk
    ):
        disk = small_disk(tmp_path / "disk", "64k")
        done = guide("doctor", "--quick", cwd=disk)
        assert done.returncode == 1
        assert "free some space" in done.stdout


class TestReport:
    @pytest.fixture
    def project(self, make_project, guide):
        project = make_project("run.log('loss', 2.5)")
        done = guide("run", "--ticks", "3", cwd=project.path)
        assert done.returncode == 0, done.stderr
        return project

    def test_the_last_run_by_default_and_any_by_name_or_path(
        self, main, project, monkeypatch, tmp_path
    ):
        folder = project.runs[0]
        for place, arguments in (
            (project.path, []),
            (project.path / "demo", []),
            (project.path, [folder.name]),
            (project.path, [f"runs/{folder.name}"]),
            (project.path, [folder / "run.json"]),
            (tmp_path, [folder]),
            (tmp_path, [folder / "report.html"]),
            (tmp_path, ["demo"]),
        ):
            monkeypatch.chdir(place)
            code, out, err = main("report", *arguments)
            assert (code, err) == (0, ""), arguments
            assert "loss    2.50 at the end" in out
            assert "report.html" in out
            assert "ui.perfetto.dev" in out

    def test_as_json_it_is_the_record(self, main, project, monkeypatch):
        monkeypatch.chdir(project.path)
        assert json.loads(main("report", "--json")[1]) == project.record

    def test_a_report_that_is_missing_is_made_again(self, main, project, monkeypatch):
        page = project.runs[0] / "report.html"
        before = page.read_text()
        page.unlink()
        monkeypatch.chdir(project.path)
        assert main("report")[0] == 0
        assert page.read_text() == before

    def test_open_shows_the_page_in_the_browser(self, guide, project, tmp_path):
        browser = tmp_path / "browser"
        browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
        browser.chmod(0o755)
        done = guide("report", "--open", cwd=project.path, BROWSER=f"{browser} %s")
        assert done.returncode == 0
        assert (tmp_path / "opened").read_text().strip() == (
            project.runs[0] / "report.html"
        ).as_uri()

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [([], "not in a project"), (["missing"], "missing holds no run"), (["."], "holds no run")],
    )
    def test_where_there_is_none(self, main, arguments, words):
        code, out, err = main("report", *arguments)
        assert (code, out) == (1, "")
        assert words in err

    def test_a_project_that_has_not_run(self, main, make_project, monkeypatch):
        project = make_project()
        assert "demo has not run yet; type: guide run" in main("report", "demo")[2]
        monkeypatch.chdir(project.path)
        code, _, err = main("report")
        assert code == 1
        assert "demo has not run yet; type: guide run" in err

    def test_a_record_that_is_broken_is_one_line(self, main, project, monkeypatch):
        (project.runs[0] / "run.json").write_text('{"schema": 1')
        monkeypatch.chdir(project.path)
        code, out, err = main("report")
        assert (code, out) == (1, "")
        assert "cannot be read" in err


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_a_script_that_the_shell_understands(self, main, shell, tmp_path):
        code, out, _ = main("completion", shell)
        assert code == 0
        assert "_GUIDE_COMPLETE" in out
        script = tmp_path / "script"
        script.write_text(out)
        try:
            done = subprocess.run([shell, "-n", script], capture_output=True, text=True)
        except FileNotFoundError:
            return  # this machine lacks the shell: that there is a script is all we can say
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize(
        ("words", "expected"),
        [("guide ", "new-project"), ("guide re", "report"), ("guide run --s", "--seconds")],
    )
    def test_commands_and_options_are_completed(self, guide, words, expected):
        parts = words.split(" ")
        done = guide(
            _GUIDE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(parts) - 1)
        )
        assert expected in done.stdout


class TestEncoding:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["doctor", "--quick"],
            ["exercises"],
            ["contents"],
            ["read", "m0/s0"],
            ["start", "m0::e0"],
            ["tracks"],
            ["read", "µ"],
        ],
    )
    @pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
    def test_a_terminal_without_the_characters_gets_a_question_mark(
        self, guide, arguments, encoding
    ):
        done = guide(*arguments, PYTHONIOENCODING=encoding)
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 1, 2)
        assert done.stdout or done.stderr


def test_each_command_of_the_table_has_its_file():
    for group in COMMANDS.values():
        for name, (module, _) in group.items():
            command = getattr(
                importlib.import_module(f"guide.cli.{module}"), name.replace("-", "_")
            )
            assert command.name == name

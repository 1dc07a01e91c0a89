import sys

import pytest

from guide.errors import GuideError
from guide.project import find_project, make_task, read_project

TABLE = '[tool.guide]\ntrack = "vision"\ntask = "demo.task:Task"\n'


@pytest.fixture
def write(tmp_path):
    def write(text):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "pyproject.toml").write_bytes(content)
        return tmp_path

    return write


class TestFind:
    def test_from_anywhere_inside_it(self, write):
        folder = write(TABLE)
        (folder / "a" / "b").mkdir(parents=True)
        assert find_project(folder / "a" / "b") == folder
        assert find_project(folder / "pyproject.toml") == folder
        assert find_project(folder / "missing" / "as yet") == folder

    def test_the_nearest_one(self, write):
        folder = write(TABLE)
        (folder / "inner").mkdir()
        (folder / "inner" / "pyproject.toml").write_text(TABLE)
        assert find_project(folder / "inner") == folder / "inner"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[project]\nname = 'x'\n",
            "[tool.guidelines]\nx = 1\n",
            "# see [tool.guide]\n",
            "not toml at all [",
            b"\xff\xfe\x00",
        ],
    )
    def test_another_tools_pyproject_is_none_whatever_is_in_it(self, write, text):
        assert find_project(write(text)) is None

    def test_options_alone_are_enough_to_be_one(self, write):
        folder = write("[tool.guide.options]\nx = 1\n")
        assert find_project(folder) == folder


class TestRead:
    def test_what_is_left_out_has_its_default(self, write):
        project = read_project(write(TABLE))
        assert (project.rate_hz, project.budget_s, project.overrun) == (None, None, "skip")
        assert (project.track, project.task, project.options) == ("vision", "demo.task:Task", {})
        assert project.runs == project.folder / "runs"

    def test_everything_that_can_be_said_is_read(self, write):
        more = 'rate_hz = 59.94\nbudget_ms = 12\noverrun = "slip"\n[tool.guide.options]\nw = 3\n'
        project = read_project(write(TABLE + more))
        assert (project.rate_hz, project.budget_s, project.overrun) == (59.94, 0.012, "slip")
        assert project.options == {"w": 3}

    def test_a_place_that_does_not_exist_or_holds_no_project_says_how_to_make_one(self, tmp_path):
        for place in (tmp_path / "missing", tmp_path):
            with pytest.raises(GuideError) as error:
                read_project(place)
            assert "guide new-project TRACK PATH" in error.value.remedy

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (TABLE + "rate_hz = ", "is not valid TOML"),
            (b"[tool.guide]\n\xff\n", "is not valid TOML"),
            ('x = """\n[tool.guide]\n"""\n', r"has no table \[tool.guide\]"),
            ("[tool.guide]\n", "track is None"),
            ("[tool.guide]\ntrack = 3\n", "track is 3"),
            ('[tool.guide]\ntrack = "x"\n', "task is None"),
            (TABLE + "rate_hz = 0\n", "rate_hz is 0"),
            (TABLE + "rate_hz = nan\n", "rate_hz is nan"),
            (TABLE + 'rate_hz = "fast"\n', "rate_hz is 'fast'"),
            (TABLE + "rate_hz = true\n", "rate_hz is True"),
            (TABLE + "budget_ms = -1\n", "budget_ms is -1"),
            (TABLE + 'overrun = "hurry"\n', "overrun is 'hurry'"),
            (TABLE + "rate = 30\n", "has no 'rate'"),
            (TABLE + "options = 3\n", "options is 3"),
        ],
    )
    def test_what_is_not_right_is_one_line_with_the_file(self, write, text, message):
        folder = write(text)
        with pytest.raises(GuideError, match=message) as error:
            read_project(folder)
        assert str(folder / "pyproject.toml") in error.value.message


class TestMakeTask:
    """Packages get a name of their own in each test: imports outlive it."""

    @pytest.fixture(autouse=True)
    def path(self, monkeypatch):
        monkeypatch.setattr(sys, "path", list(sys.path))

    def project(self, tmp_path, name, code, task=None):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "task.py").write_text(code)
        task = task or f"{name}.task:Task"
        (tmp_path / "pyproject.toml").write_text(f'[tool.guide]\ntrack="vision"\ntask="{task}"\n')
        return read_project(tmp_path)

    def failure(self, *arguments, **more):
        with pytest.raises(GuideError) as error:
            make_task(self.project(*arguments, **more))
        return error.value

    def test_it_is_imported_from_the_projects_own_folder(self, tmp_path):
        task = make_task(self.project(tmp_path, "mt_good", "class Task:\n    pass\n"))
        assert type(task).__name__ == "Task"

    @pytest.mark.parametrize(
        ("number", "code", "message"),
        [
            (1, "\nx = 1 / 0\n", "task.py:2 in <module>: ZeroDivisionError: division by zero"),
            (2, "def f(:\n", "task.py:1 in import: SyntaxError: "),
            (3, "import sys\nsys.exit(0)\n", "task.py:2 in <module>: SystemExit: 0"),
            (4, "class Task:\n  def __init__(self): 1/0\n", "task.py:2 in __init__: ZeroDiv"),
        ],
    )
    def test_an_error_in_it_names_file_and_line(self, tmp_path, number, code, message):
        name = f"mt_bad{number}"
        assert self.failure(tmp_path, name, code).message.startswith(f"{name}/{message}")

    def test_an_error_it_raises_for_people_is_passed_on(self, tmp_path):
        code = "from guide import GuideError\nraise GuideError('no camera', 'plug it in')\n"
        error = self.failure(tmp_path, "mt_guide", code)
        assert (error.message, error.remedy) == ("no camera", "plug it in")

    def test_a_library_that_is_missing_comes_with_how_to_get_the_tracks(self, tmp_path):
        error = self.failure(tmp_path, "mt_lib", "import library_that_is_missing\n")
        assert "No module named 'library_that_is_missing'" in error.message
        assert error.remedy.endswith('pip install ".[vision]"')

    @pytest.mark.parametrize("module", ["mt_own.tusk", "mt_owm.task"])
    def test_a_module_of_its_own_that_is_missing_is_not_something_to_install(
        self, tmp_path, module
    ):
        error = self.failure(tmp_path, "mt_own", "class Task: ...\n", task=f"{module}:Task")
        assert "No module named" in error.message
        assert "pip" not in error.remedy
        assert f"{module}:Task" in error.remedy

    def test_a_class_that_is_missing_is_named(self, tmp_path):
        assert "has no attribute 'Task'" in self.failure(tmp_path, "mt_none", "x = 1\n").message

    @pytest.mark.parametrize("task", ["demo.task", "demo.task:", ":Task", "demo.task.Task"])
    def test_a_name_of_another_form_is_shown_the_right_one(self, tmp_path, task):
        error = self.failure(tmp_path, "mt_form", "", task=task)
        assert '"package.module:attribute"' in error.remedy

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from guide import scaffold
from guide.errors import GuideError, UsageError
from guide.plugin import Scaffold
from guide.scaffold import copy_package, new_project


@pytest.fixture
def template(tmp_path):
    """A small scaffold with everything that matters: names, contents, a picture, litter."""
    folder = tmp_path / "template"
    (folder / "guide_project" / "deep").mkdir(parents=True)
    (folder / "guide_project" / "__init__.py").write_text("from guide_project.task import Task\n")
    (folder / "guide_project" / "deep" / "guide_project_data.txt").write_bytes(
        b"a\r\nguide_project"
    )
    (folder / "picture.png").write_bytes(b"\x89PNG\xff\xfeguide_project")
    (folder / ".gitignore").write_text("runs/\n")
    for litter in ("__pycache__", "runs", ".pytest_cache"):
        (folder / litter).mkdir()
        (folder / litter / "x").touch()
    (folder / "guide_project" / "task.pyc").touch()
    return Scaffold("none", "T", "S", folder)


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def tree(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


WHOLE = {
    ".gitignore",
    "picture.png",
    "my_cam",
    "my_cam/__init__.py",
    "my_cam/deep",
    "my_cam/deep/my_cam_data.txt",
}


def is_whole(target):
    return {name.replace(target.name, "my_cam") for name in tree(target)} == WHOLE


class TestCopy:
    def test_names_and_contents_are_renamed_and_litter_is_left_out(self, template, place):
        target = new_project(template, place / "my_cam")
        assert tree(target) == WHOLE
        assert (target / "my_cam" / "__init__.py").read_text() == "from my_cam.task import Task\n"

    def test_line_ends_stay_and_what_is_no_text_is_copied_as_it_is(self, template, place):
        target = new_project(template, place / "my_cam")
        text = target / "my_cam" / "deep" / "my_cam_data.txt"
        assert text.read_bytes() == b"a\r\nmy_cam"
        assert (target / "picture.png").read_bytes() == b"\x89PNG\xff\xfeguide_project"

    def test_nothing_is_left_beside_it(self, template, place):
        new_project(template, place / "my_cam")
        assert [entry.name for entry in place.iterdir()] == ["my_cam"]

    def test_folders_on_the_way_are_made(self, template, place):
        assert is_whole(new_project(template, place / "a" / "b" / "my_cam"))

    def test_a_path_from_here_is_resolved(self, template, place, monkeypatch):
        monkeypatch.chdir(place)
        assert new_project(template, Path("my_cam")) == place / "my_cam"

    def test_an_empty_folder_is_used_and_stays_the_same_folder(self, template, place, monkeypatch):
        target = place / "my_cam"
        target.mkdir()
        before = target.stat().st_ino
        monkeypatch.chdir(target)
        new_project(template, Path())
        assert is_whole(target)
        assert target.stat().st_ino == before
        assert Path.cwd() == target  # who stands in it goes on standing in it

    def test_the_template_is_not_changed(self, template, place):
        before = tree(template.folder)
        new_project(template, place / "my_cam")
        assert tree(template.folder) == before


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "why", "try_this"),
        [
            ("class", "keyword", "my_class"),
            ("match", "keyword", "my_match"),
            ("None", "keyword", "my_None"),
            ("2cam", "identifier", "my_2cam"),
            ("my-cam", "identifier", "my_cam"),
            ("my cam", "identifier", "my_cam"),
            ("café", "identifier", "my_caf"),
            ("json", "standard library", "my_json"),
            ("numpy", "installed package", "my_numpy"),
            ("guide", "installed package", "my_guide"),
            ("tests", "projects have themselves", "my_tests"),
            ("runs", "projects have themselves", "my_runs"),
            ("guide_project", "projects have themselves", "my_guide_project"),
        ],
    )
    def test_a_name_that_cannot_be_is_told_why_and_given_one_that_can(
        self, template, place, name, why, try_this
    ):
        with pytest.raises(UsageError) as error:
            new_project(template, place / name)
        assert why in error.value.message
        assert error.value.remedy == f"try: guide new-project none {place / try_this}"
        assert tree(place) == set()
        assert is_whole(new_project(template, place / try_this))

    def test_the_root_folder_has_no_name_to_take(self, template):
        with pytest.raises(UsageError, match="my_project"):
            new_project(template, Path("/"))

    def test_a_folder_with_content_is_not_touched(self, template, place):
        (place / "my_cam").mkdir()
        (place / "my_cam" / "thesis.txt").write_text("do not lose")
        with pytest.raises(UsageError, match="exists already"):
            new_project(template, place / "my_cam")
        assert tree(place) == {"my_cam", "my_cam/thesis.txt"}

    def test_a_hidden_file_is_content_too(self, template, place):
        (place / "my_cam").mkdir()
        (place / "my_cam" / ".git").touch()
        with pytest.raises(UsageError, match="exists already"):
            new_project(template, place / "my_cam")

    def test_a_file_of_that_name_is_not_touched(self, template, place):
        (place / "my_cam").write_text("do not lose")
        with pytest.raises(UsageError, match="exists already"):
            new_project(template, place / "my_cam")
        assert (place / "my_cam").read_text() == "do not lose"

    def test_a_file_in_the_way_is_one_line(self, template, place):
        (place / "a").touch()
        with pytest.raises(GuideError, match="Not a directory"):
            new_project(template, place / "a" / "my_cam")
        assert tree(place) == {"a"}

    def test_a_name_too_long_for_the_disk_is_one_line(self, template, place):
        with pytest.raises(GuideError, match="too long"):
            new_project(template, place / ("x" * 300))
        assert tree(place) == set()


class TestFailure:
    def test_a_disk_that_fills_up_half_way_leaves_nothing(self, template, place, small_disk):
        (template.folder / "zz_large.txt").write_text("x" * 100_000)
        disk = small_disk(place / "disk", "64k")
        with pytest.raises(GuideError, match="No space left") as error:
            new_project(template, disk / "on" / "the" / "way" / "my_cam")
        assert error.value.remedy == "nothing was left behind"
        assert tree(disk) == set()

    def test_a_disk_that_fills_up_leaves_the_empty_folder_empty(self, template, place, small_disk):
        (template.folder / "zz_large.txt").write_text("x" * 100_000)
        disk = small_disk(place / "my_cam", "64k")
        with pytest.raises(GuideError, match="No space left"):
            new_project(template, disk)
        assert tree(disk) == set()

    def test_an_empty_disk_mounted_at_the_folder_is_used(self, template, place, small_disk):
        assert is_whole(new_project(template, small_disk(place / "my_cam", "1m")))

    def test_a_folder_that_may_only_be_read_is_one_line(self, template, place, read_only):
        read_only(place)
        with pytest.raises(GuideError, match="Read-only"):
            new_project(template, place / "a" / "my_cam")
        assert tree(place) == set()

    @pytest.mark.parametrize("existing", [True, False])
    def test_an_interrupt_half_way_leaves_nothing(self, template, place, existing, monkeypatch):
        target = place / "a" / "my_cam"
        if existing:
            target.mkdir(parents=True)
        before = tree(place)
        copied = []

        def replace(text, renames):  # Ctrl-C is pressed as the fourth name is asked for
            copied.append(text)
            if len(copied) == 4:
                signal.raise_signal(signal.SIGINT)
            return text

        monkeypatch.setattr(scaffold, "_replace", replace)
        with pytest.raises(KeyboardInterrupt):
            new_project(template, target)
        assert tree(place) == before

    def test_a_folder_made_on_the_way_that_got_other_content_stays(
        self, template, place, monkeypatch
    ):
        def replace(text, renames):
            (place / "a" / "note.txt").touch()
            raise KeyboardInterrupt

        monkeypatch.setattr(scaffold, "_replace", replace)
        with pytest.raises(KeyboardInterrupt):
            new_project(template, place / "a" / "b" / "my_cam")
        assert tree(place) == {"a", "a/note.txt"}

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_process_that_is_ended_half_way_leaves_nothing(self, template, place, number):
        for i in range(2_000):
            (template.folder / f"many_{i}.txt").write_text("guide_project")
        code = (
            "import sys; from pathlib import Path; from guide.scaffold import *\n"
            "copy_package(Path(sys.argv[1]), Path(sys.argv[2]), {'guide_project': 'my_cam'})\n"
        )
        command = [sys.executable, "-c", code, str(template.folder), str(place / "a" / "my_cam")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            while not list(place.glob("a/.my_cam.*.part/many_*")):
                assert process.poll() is None
                time.sleep(0.0005)
            process.send_signal(number)
        assert process.returncode != 0
        assert tree(place) == set()

    def test_it_works_outside_the_main_thread(self, template, place):
        thread = threading.Thread(target=new_project, args=(template, place / "my_cam"))
        thread.start()
        thread.join()
        assert is_whole(place / "my_cam")

    def test_the_handler_of_sigterm_is_put_back(self, template, place):
        before = signal.getsignal(signal.SIGTERM)
        new_project(template, place / "my_cam")
        assert signal.getsignal(signal.SIGTERM) is before


def test_several_words_are_replaced_in_order(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "example_track.txt").write_text("example_track, example-track")
    renames = {"example_track": "my_audio", "example-track": "my-audio"}
    target = copy_package(tmp_path / "from", tmp_path / "to", renames)
    assert (target / "my_audio.txt").read_text() == "my_audio, my-audio"


class TestLayers:
    @pytest.fixture
    def slow(self, template, tmp_path):
        """Two files over the template: one of its names, one new."""
        over = tmp_path / "slow"
        (over / "guide_project" / "deep").mkdir(parents=True)
        (over / "guide_project" / "__init__.py").write_text("from guide_project import slow\n")
        (over / "guide_project" / "deep" / "new.py").write_text("")
        return Scaffold("none", "T", "S", over, name="slow", over=template.folder)

    def test_what_lies_over_takes_the_place_of_its_namesake_and_the_rest_shows(self, slow, place):
        target = new_project(slow, place / "my_cam")
        assert tree(target) == {*WHOLE, "my_cam/deep/new.py"}
        assert (target / "my_cam" / "__init__.py").read_text() == "from my_cam import slow\n"
        assert (target / "my_cam" / "deep" / "my_cam_data.txt").read_bytes() == b"a\r\nmy_cam"

    def test_neither_folder_is_changed(self, slow, place):
        before = tree(slow.folder), tree(slow.over)
        new_project(slow, place / "my_cam")
        assert (tree(slow.folder), tree(slow.over)) == before

    def test_a_name_that_cannot_be_typed_is_refused(self, template):
        with pytest.raises(ValueError, match="a template's name"):
            Scaffold("none", "T", "S", template.folder, name="Too Slow")

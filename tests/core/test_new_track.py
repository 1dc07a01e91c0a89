"""`guide new-track`: what it writes works as it lies, and plugins that do not work harm nobody."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import guide
from guide.testing import PluginConformance

TEMPLATE = Path(guide.__file__).parent / "example_track"


def call(*command: str, cwd: Path, path: Path | None = None, **more: str):
    """Run Python with `command`; `path` is where plugins lie that were not installed."""
    env = {k: v for k, v in os.environ.items() if k not in ("GUIDE_DISABLE", "PYTHONPATH")}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", **more}
    if path is not None:
        env["PYTHONPATH"] = str(path)
    command = (sys.executable, *command)
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


def succeed(*command: str, cwd: Path, path: Path | None = None, **more: str) -> str:
    done = call(*command, cwd=cwd, path=path, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class TestTemplate(PluginConformance):
    """The template where it lies. Copied, it is run as a whole further down."""

    plugin = "guide_example_track.plugin"
    test_a_scaffolded_project_tests_and_runs = None

    @pytest.fixture(autouse=True)
    def _found(self, monkeypatch):
        monkeypatch.syspath_prepend(TEMPLATE / "src")


@dataclass(frozen=True)
class Installed:
    folder: Path  # what new-track wrote
    site: Path  # where pip put it


@pytest.fixture(scope="module")
def audio(tmp_path_factory) -> Installed:
    """The track audio, written by the command and installed by pip, out of this environment."""
    home = tmp_path_factory.mktemp("audio")
    said = succeed("-m", "guide", "new-track", "audio", cwd=home)
    assert said.endswith('\nNext: cd guide-audio && pip install -e ".[test]" && guide tracks\n')
    folder, site = home / "guide-audio", home / "site"
    alone = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    succeed("-m", "pip", "install", *alone, "--target", str(site), str(folder), cwd=home)
    return Installed(folder, site)


def test_no_word_of_the_template_is_left_and_the_scaffold_keeps_its_placeholder(audio):
    names = sources(audio.folder)
    assert len(names) == len(sources(TEMPLATE)) > 20
    for name in names:
        text = f"{name}\n{(audio.folder / name).read_text(encoding='utf-8')}".lower()
        for word in ("example_track", "example-track", "example track"):
            assert word not in text, name
    project = audio.folder / "src" / "guide_audio" / "project"
    assert (project / "guide_project" / "task.py").is_file()
    assert 'task = "guide_project.task:Task"' in (project / "pyproject.toml").read_text("utf-8")


def sources(folder: Path) -> set[str]:
    """Names of its files, but for what Python and the tools leave."""
    files = [file.relative_to(folder) for file in folder.rglob("*") if file.is_file()]
    return {f.as_posix() for f in files if not any("cache" in part for part in f.parts)}


def test_all_of_it_is_installed(audio):
    package = audio.folder / "src" / "guide_audio"
    assert sources(audio.site / "guide_audio") == sources(package)


def test_it_stands_beside_the_others(audio, tmp_path):
    before, after = (
        json.loads(succeed("-m", "guide", "tracks", "--json", cwd=tmp_path, path=path))
        for path in (None, audio.site)
    )

    (new,) = [row for row in after["tracks"] if row not in before["tracks"]]
    assert (new["name"], new["title"]) == ("audio", "Audio")
    assert (new["distribution"], new["version"]) == ("guide-audio", "0.1.0")
    assert (new["sections"], new["exercises"], new["scaffolds"]) == (1, 1, 1)
    assert [row for row in after["tracks"] if row != new] == before["tracks"]
    assert after["troubles"] == before["troubles"]


def test_what_it_brings_can_be_read_done_and_checked(audio, tmp_path):
    def ask(*command: str) -> str:
        return succeed("-m", "guide", *command, cwd=tmp_path, path=audio.site)

    assert "A block is a deadline" in ask("read", "m1/s9")
    ask("start", "m1::e9")
    failed = call("-m", "guide", "check", "m1::e9", cwd=tmp_path, path=audio.site)
    assert failed.returncode == 1
    solution = audio.site / "guide_audio" / "exercises" / "joined_blocks" / "solution.py"
    (tmp_path / "m1_e9.py").write_text(solution.read_text("utf-8"), "utf-8")
    ask("check", "m1::e9")
    assert "✓  m1::e9" in ask("exercises")
    assert "first sample of the first block" in ask("hint", "m1::e9")
    assert "A block that begins at zero" in ask("solution", "m1::e9")
    assert "numpy" in ask("doctor").partition("\naudio\n")[2]


def test_its_section_and_exercise_stand_wherever_built_in_ones_do(audio, tmp_path):
    def ask(*command: str) -> str:
        return succeed("-m", "guide", *command, cwd=tmp_path, path=audio.site)

    def rows(*command: str) -> dict[str, dict]:
        return {row["id"]: row for row in json.loads(ask(*command, "--json"))}

    ask("track", "audio")
    section, exercise = rows("contents")["m1/s9"], rows("exercises")["m1::e9"]
    assert section["tracks"] == ["audio"]
    assert exercise["expected"] == ["audio"]
    for command in ("contents", "course"):
        assert "m1/s9" in ask(command)
    for command in ("exercises", "course", "progress"):
        assert "m1::e9" in ask(command)
    assert "✓ solution" in ask("dev", "check", "m1::e9", "--runs", "1")

    ask("site", "--track", "audio", "--out", str(tmp_path / "site"))
    for page, title in (("m1/s9.html", section["title"]), ("m1/e9.html", exercise["title"])):
        assert title in (tmp_path / "site" / page).read_text("utf-8")
    assert "m1/s9.html" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "block" in (tmp_path / "site" / "search.json").read_text("utf-8")


def test_its_own_tests_pass_on_what_was_installed(audio):
    options = ("-q", "-p", "no:cacheprovider", "-o", "pythonpath=")
    said = succeed("-m", "pytest", *options, cwd=audio.folder, path=audio.site)
    assert " passed" in said
    assert "skipped" not in said


def test_a_project_of_it_runs_and_leaves_one_report(audio, tmp_path):
    succeed("-m", "guide", "new-project", "audio", "my_audio", cwd=tmp_path, path=audio.site)
    project = tmp_path / "my_audio"
    succeed("-m", "guide", "run", "--ticks", "20", cwd=project, path=audio.site)

    (report,) = project.glob("runs/*/report.html")
    assert "blocks: 20 taken" in report.read_text(encoding="utf-8")


def test_a_second_track_takes_other_ids(audio, tmp_path):
    succeed("-m", "guide", "new-track", "sonar", cwd=tmp_path, path=audio.site)

    package = tmp_path / "guide-sonar" / "src" / "guide_sonar"
    plugin = (package / "plugin.py").read_text("utf-8")
    assert '"m1/s10"' in plugin
    assert '"m1::e10"' in plugin
    assert (package / "modules" / "m1" / "s10.md").is_file()


def test_a_name_of_two_words_in_another_place(tmp_path):
    said = succeed("-m", "guide", "new-track", "deep-sea", "--in", "my work", cwd=tmp_path)

    assert said.endswith(
        "cd 'my work/guide-deep-sea' && pip install -e \".[test]\" && guide tracks\n"
    )
    folder = tmp_path / "my work" / "guide-deep-sea"
    plugin = (folder / "src" / "guide_deep_sea" / "plugin.py").read_text("utf-8")
    assert '_TRACK = "deep-sea"' in plugin
    assert '"Deep sea"' in plugin
    # It is not installed; its tests find it all the same.
    succeed("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Audio", "type: guide new-track audio"),
        ("deep sea", "type: guide new-track deep-sea"),
        ("deep_sea", "type: guide new-track deep-sea"),
        ("3d", "type: guide new-track my-3d"),
        ("audio-", "type: guide new-track audio"),
        ("../audio", "type: guide new-track audio"),
        ("", "type: guide new-track audio"),
        ("two\nlines", "type: guide new-track two-lines"),
        ("foundations", "guide-core"),  # core's own plugin
        ("core", "guide-core"),  # core's own distribution
        ("project", "guide_project"),  # the placeholder of scaffolds
        ("audio", "guide-audio 0.1.0"),  # installed, by `path`
    ],
)
def test_a_name_that_cannot_be_is_one_line_and_nothing_is_written(name, words, audio, tmp_path):
    done = call("-m", "guide", "new-track", name, cwd=tmp_path, path=audio.site)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert "guide new-track" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_package_that_is_there_is_not_hidden(tmp_path):
    (tmp_path / "site" / "guide_audio").mkdir(parents=True)
    (tmp_path / "site" / "guide_audio" / "__init__.py").touch()
    (tmp_path / "here").mkdir()

    done = call("-m", "guide", "new-track", "audio", cwd=tmp_path / "here", path=tmp_path / "site")

    assert done.returncode == 2
    assert "'guide_audio' is the name of an installed package" in done.stderr
    assert done.stderr.endswith("try: guide new-track my-audio\n")
    assert not list((tmp_path / "here").iterdir())


def test_a_folder_with_content_is_left_alone(tmp_path):
    (tmp_path / "guide-audio").mkdir()
    (tmp_path / "guide-audio" / "mine.txt").write_text("mine")

    done = call("-m", "guide", "new-track", "audio", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        "guide: guide-audio exists already; type: guide new-track audio --in ANOTHER_DIR\n"
    )
    assert [file.name for file in tmp_path.rglob("*")] == ["guide-audio", "mine.txt"]


@pytest.mark.parametrize("where", ["file", "file/below", "x" * 300])
def test_a_place_that_cannot_be_written_is_one_line(where, tmp_path):
    (tmp_path / "file").touch()

    done = call("-m", "guide", "new-track", "audio", "--in", where, cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("guide: cannot write ")
    assert done.stderr.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_missing_name_is_not_asked_for_where_nobody_can_answer(tmp_path):
    done = call("-m", "guide", "new-track", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == "guide: NAME is missing; type: guide new-track NAME\n"


# Plugins that do not work. Each is a distribution by hand: a module and its metadata.

GOOD = """\
from guide.plugin import Section, Track, hookimpl

GUIDE_API = 1


@hookimpl
def guide_tracks():
    return [Track("{track}", "A title", "A summary.")]
"""


def distribute(site: Path, dist: str, version: str, entries: dict[str, str], **files: str) -> None:
    info = site / f"{dist.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
    lines = [f"{name} = {module}" for name, module in entries.items()]
    (info / "entry_points.txt").write_text("\n".join(["[guide]", *lines, ""]))
    for module, text in files.items():
        (site / f"{module}.py").write_text(text)


@pytest.fixture(scope="module")
def before(audio) -> list[str]:
    """What `guide tracks` says while nothing is wrong."""
    said = succeed("-m", "guide", "tracks", cwd=audio.folder, path=audio.site)
    return said.splitlines()


@dataclass(frozen=True)
class Case:
    """A plugin `odd` that brings the track odd, or would."""

    text: str  # of its module
    state: str
    reason: str
    line: int = 0  # of its module, where there is one to name
    remedy: str = "pip install --upgrade {dist}, or set GUIDE_DISABLE=odd"
    disable: str = ""
    module: str = "guide_odd"


CASES = {
    "raises at import": Case(
        GOOD + "\nraise RuntimeError('no licence\\nsecond line')\n",
        "broken",
        "RuntimeError: no licence",
        line=10,
    ),
    "raises in what it calls": Case(
        "import json\n\njson.loads('nonsense')\n",
        "broken",
        "JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        line=3,
    ),
    "exits at import": Case("import sys\nsys.exit(3)\n", "broken", "SystemExit: 3", line=2),
    "is no Python": Case(
        "1 +\n", "broken", "SyntaxError: invalid syntax (guide_odd.py, line 1)", line=1
    ),
    "needs what is absent": Case(
        "import guide_absent\n",
        "broken",
        "ModuleNotFoundError: No module named 'guide_absent'",
        line=1,
    ),
    "is not there": Case(
        "",
        "broken",
        "ModuleNotFoundError: No module named 'guide_gone'",
        module="guide_gone",
    ),
    "is of a later guide": Case(
        GOOD.replace("GUIDE_API = 1", "GUIDE_API = 99"),
        "incompatible",
        "it speaks GUIDE_API 99, this guide speaks 1",
        line=3,
        remedy="pip install --upgrade guide-core",
    ),
    "does not say of which guide it is": Case(
        GOOD.replace("GUIDE_API = 1", ""),
        "incompatible",
        "it states no GUIDE_API, this guide speaks 1",
        line=1,
        remedy="pip install --upgrade {dist}",
    ),
    "misspells a hook": Case(
        GOOD + "\n\n@hookimpl\ndef guide_section(track):\n    return []\n",
        "broken",
        "AttributeError: there is no hook 'guide_section', did you mean guide_sections?",
        line=11,
    ),
    "wants what a hook is not given": Case(
        GOOD + "\n\n@hookimpl\ndef guide_sections(track, module):\n    return []\n",
        "broken",
        "PluginValidationError: Argument(s) {'module'} are declared in the hookimpl "
        "but can not be found in the hookspec",
        line=1,
    ),
    "raises in its first hook": Case(
        GOOD.replace("return [", "return 1 / 0 * ["),
        "broken",
        "ZeroDivisionError: division by zero",
        line=8,
    ),
    "raises in a later hook": Case(
        GOOD + "\n\n@hookimpl\ndef guide_projects(track):\n    raise OSError('no folder')\n",
        "broken",
        "OSError: no folder",
        line=13,
    ),
    "returns what is not data": Case(
        GOOD + "\n\n@hookimpl\ndef guide_projects(track):\n    return ['a scaffold']\n",
        "broken",
        "TypeError: guide_projects returned 'a scaffold', expected Scaffold",
        line=11,
    ),
    "makes data that cannot be": Case(
        GOOD.replace('"{track}"', '"Odd One"'),
        "broken",
        "ValueError: a track's name is written like deep-learning, not 'Odd One'",
        line=8,
    ),
    "is disabled": Case(
        GOOD, "disabled", "", remedy="take odd out of GUIDE_DISABLE to use it", disable="odd"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_plugin_that_does_not_work_is_one_line(case, audio, before, tmp_path):
    dist = "aa-odd"  # loaded first: what comes after it must not suffer
    site = tmp_path / "site"
    distribute(site, dist, "0.3", {"odd": case.module}, guide_odd=case.text.format_map(Odd()))
    path = Path(f"{site}{os.pathsep}{audio.site}")
    disabled = {"GUIDE_DISABLE": case.disable} if case.disable else {}

    after = succeed("-m", "guide", "tracks", cwd=tmp_path, path=path, **disabled).splitlines()

    (line,) = [line for line in after if line.startswith("odd")]
    assert [other for other in after if other != line] == before
    wanted = f"odd ({dist} 0.3): {case.state}"
    wanted += f": {case.reason}" if case.reason else ""
    wanted += f" at {site / 'guide_odd.py'}:{case.line}" if case.line else ""
    wanted += f"; {case.remedy.format(dist=dist)}"
    assert line == wanted

    asked = call("-m", "guide", "new-project", "odd", "my_odd", cwd=tmp_path, path=path, **disabled)
    assert asked.returncode == 1
    assert asked.stderr == f"guide: {line}\n"
    assert not (tmp_path / "my_odd").exists()


class Odd(dict):
    """Fills in the track's name and leaves other braces alone."""

    def __missing__(self, key: str) -> str:
        return "odd" if key == "track" else f"{{{key}}}"


def test_a_hook_that_fails_for_another_track_alone_is_one_line_too(audio, tmp_path):
    site = tmp_path / "site"
    later = (
        "\n\n@hookimpl\ndef guide_sections(track):\n    assert track != 'audio', 'not that'\n"
        "    return []\n"
    )
    # Named to be counted before the track at which it fails.
    distribute(site, "zz", "1", {"aaa": "guide_aaa"}, guide_aaa=GOOD.format(track="aaa") + later)
    path = Path(f"{site}{os.pathsep}{audio.site}")

    lines = succeed("-m", "guide", "tracks", cwd=tmp_path, path=path).splitlines()

    (line,) = [line for line in lines if line.startswith("aaa")]
    assert line.startswith("aaa (zz 1): broken: AssertionError: not that at ")


def test_of_two_plugins_for_one_track_one_stays_and_the_other_is_one_line(audio, before, tmp_path):
    site = tmp_path / "site"
    distribute(site, "zz-sound", "2", {"sound": "sound"}, sound=GOOD.format(track="audio"))
    distribute(site, "zz-twin", "3", {"audio": "twin"}, twin=GOOD.format(track="twin"))
    path = Path(f"{site}{os.pathsep}{audio.site}")

    after = succeed("-m", "guide", "tracks", cwd=tmp_path, path=path).splitlines()

    assert [line for line in after if line not in before] == [
        "sound (zz-sound 2): duplicate: track 'audio' is brought by guide-audio 0.1.0 already; "
        "pip uninstall one of guide-audio, zz-sound",
        "audio (zz-twin 3): duplicate: plugin 'audio' is brought by guide-audio 0.1.0 already; "
        "pip uninstall one of guide-audio, zz-twin",
    ]
    assert [line for line in after if line in before] == before
    succeed("-m", "guide", "new-project", "audio", "my_audio", cwd=tmp_path, path=path)
    asked = call("-m", "guide", "new-project", "sound", "my_sound", cwd=tmp_path, path=path)
    assert asked.returncode == 1
    assert "sound (zz-sound 2): duplicate" in asked.stderr


def test_a_stranger_cannot_take_the_place_of_the_common_modules(tmp_path):
    site = tmp_path / "site"
    distribute(site, "aa", "1", {"foundations": "aa"}, aa=GOOD.format(track="aa"))

    said = succeed("-m", "guide", "tracks", cwd=tmp_path, path=site)
    contents = succeed("-m", "guide", "contents", cwd=tmp_path, path=site)

    assert "foundations (aa 1): duplicate: plugin 'foundations' is brought by guide-core" in said
    assert "m0/s0" in contents


def test_the_listings_of_the_page_on_extending_run():
    page = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    listings = [part.partition("```")[0] for part in page.split("```python\n")[1:]]
    assert len(listings) == 8
    names: dict = {"__name__": "listing"}
    for listing in listings:
        exec(listing, names)  # the task is tested by the listing that follows it

    loud = {"project": {"track": "audio"}, "series": {"level": {"values": [-20.0, None, -0.5]}}}
    assert names["clipping"](loud) == [
        "1 blocks came within 1 dB of full scale: turn the input down"
    ]
    assert names["clipping"]({"project": {"track": "vision"}}) == []
    assert names["slow"].layers == (Path("src/guide_audio/project"), Path("src/guide_audio/slow"))
    assert names["section"].figures == (names["latency"],)
    drawn = names["draw"](names["measure"](quick=True))
    assert drawn.rows[-1] == ("1024 samples", pytest.approx(21.3e6, rel=0.01))
    assert names["TestConformance"].plugin == "guide_audio.plugin"
    if sys.platform != "win32":
        meter = names["SwitchMeter"]()
        meter.start()
        (reading,) = meter.read().readings
        assert reading.value >= 0

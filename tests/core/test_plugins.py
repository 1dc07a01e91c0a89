"""The loader, with entry points made in memory and modules written to disk."""

import sys
from dataclasses import FrozenInstanceError, fields
from importlib.metadata import EntryPoint, entry_points

import pytest

from guide.errors import GuideError, UsageError
from guide.plugin import Exercise, MeterSpec, Scaffold, Section, Track, load
from guide.plugins import Plugins, explain

HEAD = "from guide.plugin import *\nfrom guide.plugin import hookimpl\nGUIDE_API = 1\n"


def hook(name, body, arguments=""):
    return f"@hookimpl\ndef {name}({arguments}):\n    {body}\n"


def tracks(*names):
    made = ", ".join(f"Track({name!r}, 'T', 'S')" for name in names)
    return hook("guide_tracks", f"return [{made}]")


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a plugin's module; returns its entry point."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def write(name, code, head=HEAD):
        module = f"plug_{len(made)}_{name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(head + code)
        made.append(module)
        return EntryPoint(name, module, "guide")

    yield write
    for module in made:
        sys.modules.pop(module, None)


def status(plugins, name):
    return {s.name: s for s in plugins.statuses}[name]


class TestHealthy:
    def test_what_it_contributes_is_found(self, plugin):
        code = tracks("audio") + (
            hook("guide_sections", "return [Section('m1/s0', 'x', Path('s.md'))]", "track")
            + hook("guide_exercises", "return [Exercise('m1::e0', 'x', Path('e'))]", "track")
            + hook("guide_projects", "return [Scaffold(track, 't', 's', Path('p'))]", "track")
            + hook("guide_meters", "return [MeterSpec('m', 'a:b')]")
            + hook("guide_doctor", "return [Finding('f', 'ok', 'fine')]")
            + hook("guide_warm", "return [WarmUp('w', 'a:b')]", "track")
            + hook("guide_diagnoses", "return [Diagnosis('d', 'a:b')]")
        )
        plugins = Plugins([plugin("audio", code, HEAD + "from pathlib import Path\n")], [])
        assert [t.name for t in plugins.tracks()] == ["audio"]
        assert plugins.sections("audio")[0].id == "m1/s0"
        assert plugins.exercises("audio")[0].id == "m1::e0"
        assert plugins.scaffolds("audio")[0].track == "audio"
        assert plugins.meters()[0].factory == "a:b"
        assert plugins.findings()[0][0] == "audio"
        assert plugins.warm_ups("audio")[0].run == "a:b"
        assert plugins.diagnoses()[0].name == "d"
        assert plugins.troubles == []

    def test_a_hook_may_leave_out_arguments_it_does_not_need(self, plugin):
        code = hook("guide_sections", "return []")
        assert Plugins([plugin("audio", code)], []).sections("x") == []

    def test_hooks_that_are_not_there_contribute_nothing(self, plugin):
        plugins = Plugins([plugin("audio", hook("guide_sections", "return []"))], [])
        assert plugins.tracks() == plugins.meters() == plugins.findings() == []
        assert status(plugins, "audio").state == "ok"

    def test_a_plugin_without_a_single_hook_is_told_so(self, plugin):
        plugins = Plugins([plugin("audio", "")], [])
        assert status(plugins, "audio").state == "broken"
        assert "@hookimpl" in status(plugins, "audio").line

    def test_each_is_told_when_a_run_has_finished(self, plugin):
        code = "seen = []\n" + hook("guide_run_finished", "seen.append(report)", "report")
        entry = plugin("audio", code)
        Plugins([entry], []).run_finished({"status": "finished"})
        assert sys.modules[entry.module].seen == [{"status": "finished"}]


BROKEN = {
    "raises at import": "x = 1\nraise RuntimeError('no GPU')\n",
    "exits at import": "import sys\nsys.exit(3)\n",
    "does not parse": "def f(:\n",
    "needs what is missing": "import library_that_is_missing\n",
    "raises in its first hook": hook("guide_tracks", "raise RuntimeError('no GPU')"),
    "exits in its first hook": hook("guide_tracks", "raise SystemExit(1)"),
    "returns nothing": hook("guide_tracks", "return None"),
    "returns something else": hook("guide_tracks", "return ['audio']"),
    "names a track wrongly": tracks("My Track"),
    "misspells a hook": hook("guide_trakcs", "return []"),
    "wants an argument there is not": hook("guide_tracks", "return []", "colour"),
}


class TestBroken:
    @pytest.mark.parametrize("what", BROKEN)
    def test_it_becomes_one_line_and_the_others_go_on(self, plugin, what):
        plugins = Plugins([plugin("odd", BROKEN[what]), plugin("audio", tracks("audio"))], [])
        assert [t.name for t in plugins.tracks()] == ["audio"]
        found = status(plugins, "odd")
        assert found.state == "broken"
        assert "\n" not in found.line
        assert "GUIDE_DISABLE=odd" in found.remedy
        assert "plug_0_odd.py:" in found.where

    @pytest.mark.parametrize(
        ("call", "broken_hook", "arguments"),
        [
            (lambda p: p.sections("audio"), "guide_sections", "track"),
            (lambda p: p.findings(), "guide_doctor", ""),
            (lambda p: p.diagnoses(), "guide_diagnoses", ""),
            (lambda p: p.run_finished({}), "guide_run_finished", "report"),
        ],
    )
    @pytest.mark.parametrize("error", ["1 / 0", "raise SystemExit(1)"])
    def test_one_that_breaks_later_is_left_out_from_then_on(
        self, plugin, call, broken_hook, arguments, error
    ):
        code = tracks("audio") + hook(broken_hook, error, arguments)
        plugins = Plugins([plugin("audio", code)], [])
        assert plugins.tracks()
        assert not call(plugins)
        assert status(plugins, "audio").state == "broken"
        assert plugins.tracks() == []

    def test_asked_for_by_name_it_is_an_error_that_says_why(self, plugin):
        plugins = Plugins([plugin("audio", "raise RuntimeError('no GPU')\n")], [])
        with pytest.raises(GuideError, match="RuntimeError: no GPU"):
            plugins.track("audio")


@pytest.mark.parametrize(
    ("api", "upgrade"), [("2", "guide-core"), ("0", "unknown"), ("None", "unknown")]
)
def test_one_of_another_api_says_what_to_upgrade(plugin, api, upgrade):
    code = tracks("audio") + f"GUIDE_API = {api}\n"
    found = status(Plugins([plugin("audio", code)], []), "audio")
    assert found.state == "incompatible"
    assert found.remedy == f"pip install --upgrade {upgrade}"


def test_one_that_is_disabled_is_not_even_imported(plugin, monkeypatch):
    entry = plugin("audio", tracks("audio"))
    monkeypatch.setenv("GUIDE_DISABLE", "x, audio")
    plugins = Plugins([entry])
    assert status(plugins, "audio").state == "disabled"
    assert entry.module not in sys.modules


def test_of_two_with_one_name_the_first_stays(plugin):
    plugins = Plugins([plugin("audio", tracks("audio")), plugin("audio", tracks("other"))], [])
    assert [t.name for t in plugins.tracks()] == ["audio"]
    assert [s.state for s in plugins.statuses] == ["ok", "duplicate"]


def test_of_two_that_bring_one_track_the_first_stays_whole(plugin):
    second = tracks("audio") + hook("guide_doctor", "return [Finding('f', 'ok', 'x')]")
    plugins = Plugins([plugin("one", tracks("audio")), plugin("two", second)], [])
    assert plugins.plugin_of("audio").name == "one"
    assert status(plugins, "two").state == "duplicate"
    assert plugins.findings() == []


def test_the_built_in_plugin_is_loaded_before_those_installed():
    assert Plugins(disabled=[]).statuses[0].name == "foundations"


def test_a_stranger_cannot_take_the_built_in_plugins_place(plugin):
    installed = list(entry_points(group="guide"))
    plugins = Plugins([plugin("foundations", tracks("audio")), *installed], [])
    assert [t.name for t in plugins.tracks()].count("audio") == 0
    assert plugins.sections("")


def test_a_track_that_is_not_installed_names_those_that_are(plugin):
    plugins = Plugins([plugin("audio", tracks("audio"))], [])
    assert plugins.track("audio").name == "audio"
    with pytest.raises(UsageError, match="there are: audio"):
        plugins.track("sound")
    with pytest.raises(UsageError, match="there are: none"):
        Plugins([], []).track("sound")


class TestExplain:
    def sentences(self, plugin, rule):
        entry = plugin("audio", rule)
        code = hook("guide_diagnoses", f"return [Diagnosis('d', '{entry.module}:rule')]")
        return explain(Plugins([plugin("rules", code)], []), {"loop": {"missed": 3}})

    def test_a_rule_cannot_spoil_the_record(self, plugin):
        rule = "def rule(record):\n    record['loop'].clear()\n    return []\n"
        entry = plugin("audio", rule)
        code = hook("guide_diagnoses", f"return [Diagnosis('d', '{entry.module}:rule')]")
        record = {"loop": {"missed": 3}}
        explain(Plugins([plugin("rules", code)], []), record)
        assert record == {"loop": {"missed": 3}}

    @pytest.mark.parametrize(
        ("body", "sentences"),
        [
            ("return [f\"{record['loop']['missed']} missed\"]", ["3 missed"]),
            ("return []", []),
            ("return 'one sentence'", ["one sentence"]),
            ("return [3]", ["3"]),
            ("return 1 / 0", ["rule d failed: ZeroDivisionError: division by zero"]),
            ("return None", ["rule d failed: TypeError: 'NoneType' object is not iterable"]),
            ("raise SystemExit(4)", ["rule d failed: SystemExit: 4"]),
        ],
    )
    def test_each_rule_speaks_and_one_that_fails_says_so(self, plugin, body, sentences):
        assert self.sentences(plugin, f"def rule(record):\n    {body}\n") == sentences


@pytest.mark.parametrize("name", ["Vision", "my track", "2d", "a_b", "-a", "a-", ""])
def test_a_tracks_name_is_lower_case_words_and_hyphens(name):
    with pytest.raises(ValueError, match="written like deep-learning"):
        Track(name, "t", "s")


def test_ids_of_another_form_are_refused(tmp_path):
    for id in ("m7/s0", "m1/0", "s0", "m1/s", "m1/s0 "):
        with pytest.raises(ValueError, match="written like m1/s0"):
            Section(id, "t", tmp_path)
    for id in ("m1/e0", "m1::0", "m1::e", "e0"):
        with pytest.raises(ValueError, match="written like m1::e0"):
            Exercise(id, "t", tmp_path)


def test_data_of_plugins_is_frozen(tmp_path):
    for item in (Track("a", "t", "s"), Scaffold("a", "t", "s", tmp_path), MeterSpec("a", "b:c")):
        for field in fields(item):
            with pytest.raises(FrozenInstanceError):
                setattr(item, field.name, "other")


def test_what_a_name_stands_for_is_imported_on_use():
    assert load("guide.plugin:Track") is Track
    for name in ("guide.plugin", "guide.plugin:", ":Track", ""):
        with pytest.raises(ValueError, match=r"package\.module:attribute"):
            load(name)
    with pytest.raises(AttributeError):
        load("guide.plugin:Nothing")
    with pytest.raises(ImportError):
        load("guide.nothing:x")

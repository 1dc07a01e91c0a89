"""`guide warm`, with plugins written for the purpose."""

from importlib.metadata import EntryPoint

import pytest

from guide.cli import warm
from guide.plugins import Plugins

CODE = """
from guide.errors import GuideError
from guide.plugin import *
from guide.plugin import hookimpl

GUIDE_API = 1

@hookimpl
def guide_tracks():
    return [Track("audio", "Audio", "Blocks."), Track("idle", "Idle", "Nothing.")]

@hookimpl
def guide_warm(track):
    if track != "audio":
        return []
    return [WarmUp("filters", f"{__name__}:bad"), WarmUp("mixer", f"{__name__}:good")]

def good():
    return "/the/cache"

bad = good
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch, request):
    """A track with two things to warm up, and what the first of them does instead."""

    def write(bad=""):
        name = f"warm_{abs(hash(request.node.name))}"
        (tmp_path / f"{name}.py").write_text(CODE + bad)
        entry = EntryPoint("audio", name, "guide")
        monkeypatch.setattr(warm, "Plugins", lambda: Plugins([entry], []))

    monkeypatch.syspath_prepend(tmp_path)
    return write


@pytest.mark.parametrize("arguments", [[], ["audio"]])
def test_each_thing_is_a_line_with_its_seconds_and_its_place(main, plugin, arguments):
    plugin()
    code, out, err = main("warm", *arguments)
    assert (code, err) == (0, "")
    first, second, _, following = out.splitlines()
    assert first.startswith("filters ")
    assert second.startswith("mixer ")
    assert second.endswith("s   kept in /the/cache")
    assert following.startswith("Next: guide ")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("def bad(): raise GuideError('no folder', 'export IT')", "failed: no folder; export IT"),
        ("def bad(): 1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("def bad(): raise SystemExit(3)", "failed: SystemExit: 3"),
        ("del bad", "failed: AttributeError"),
    ],
)
def test_one_that_fails_is_a_line_and_the_others_go_on(main, plugin, bad, said):
    plugin(bad)
    code, out, err = main("warm")
    assert code == 1
    assert said in out.splitlines()[0]
    assert out.splitlines()[1].startswith("mixer ")
    assert err == "guide: 1 of 2 could not be warmed up; see above\n"


def test_a_track_with_nothing_to_warm_up_says_so(main, plugin):
    plugin()
    assert main("warm", "idle")[:2] == (0, "Nothing to warm up: idle starts as it is.\n")


def test_a_hook_that_breaks_is_said(main, plugin):
    plugin("@hookimpl\ndef guide_warm(track): 1 / 0\n")
    code, out, err = main("warm")
    assert (code, out) == (0, "Nothing to warm up: what is installed starts as it is.\n")
    assert "ZeroDivisionError" in err
    assert err.count("\n") == 1

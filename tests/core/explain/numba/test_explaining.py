"""`guide explain module:function`, as it is typed and as it is told."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import guide
from benchmarks.explain import numba as bench
from guide.cli import cli
from guide.errors import GuideError
from guide.explain.numba import explain_function
from tests.core.explain.numba.together import together
from tests.core.explain.numba.written import written

pytest.importorskip("numba")


def test_the_command_tells_it_in_words(monkeypatch):
    monkeypatch.chdir(bench.FILE.parent)
    arguments = ["explain", "numba_planted.py:order", "--like", "float64[::1]"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "numba_planted.py:20" in done.output
    assert "total += a[i]" in done.output


def test_the_section_on_it_shows_what_is_said():
    section = Path(guide.__file__).parent / "foundations" / "modules" / "m5" / "s3.md"
    text = " ".join(section.read_text(encoding="utf-8").split())
    name = "guide.foundations.figures.roof:energy_kernel"
    assert f"guide explain {name} --as-njit" in text
    (verdict,) = explain_function(name, as_njit=True, trial=False).verdicts
    assert f"{verdict.title[0].upper()}{verdict.title[1:]}" in text
    assert verdict.says in text
    assert verdict.remedy.partition(" Tried")[0] in text


def test_a_numba_py_beside_the_function_is_not_taken_for_numba(monkeypatch):
    monkeypatch.chdir(bench.FILE.parent)
    assert Path("numba.py").exists()
    assert explain_function("numba_planted.py:order_twin", trial=False).verdicts == []


BROKEN = {
    "import nothing_of_that_name\ndef f(): pass\n": "could not be imported: ModuleNotFoundError",
    "raise SystemExit(3)\n": "could not be imported: SystemExit",
    "def g(): pass\n": "has no f",
    "def f(a):\n    return a\n": "is a plain Python function",
    "from numba import njit\n@njit\ndef f(a):\n    return a.nope()\n": "Unknown attribute 'nope'",
    "from numba import vectorize\n@vectorize\ndef f(a):\n    return a\n": "is a ufunc",
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """What is said of each text of BROKEN."""
    folder = tmp_path_factory.mktemp("broken")
    files = [written(folder, text, f"broken_{i}.py") for i, text in enumerate(BROKEN)]
    found = together(folder, [(f"{file}:f", "") for file in files])
    return dict(zip(BROKEN, found, strict=True))


@pytest.mark.parametrize("text", BROKEN)
def test_what_cannot_be_explained_is_one_line(refused, text):
    assert isinstance(refused[text], GuideError)
    assert BROKEN[text] in refused[text].message
    assert "\n" not in str(refused[text])


ENDING = {
    "large = bytearray(8 << 30)\n": "could not be imported: MemoryError",
    "import os\nos._exit(9)\n": "ended the process that looked at it (code 9)",
    "import time\ntime.sleep(60)\n": "not compiled within 1 s",
}


@pytest.mark.parametrize("text", ENDING)
def test_what_would_take_its_process_down_is_one_line(tmp_path, text):
    file = written(tmp_path, text)
    with pytest.raises(GuideError) as error:
        explain_function(f"{file}:f", trial=False, compile_s=1.0 if "sleep" in text else 60.0)
    assert ENDING[text] in error.value.message
    assert "\n" not in str(error.value)

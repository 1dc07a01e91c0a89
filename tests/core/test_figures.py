"""Living figures: measured, kept, drawn; and the common ones each do so."""

import json
import math

import pytest

from guide.errors import GuideError
from guide.foundations.figures import waiting
from guide.foundations.figures.numbers import masked_count
from guide.foundations.figures.passes import (
    compact,
    compact_branchless,
    eager,
    fused_kernel,
    in_blocks,
)
from guide.foundations.figures.roof import energy_kernel, energy_numpy, energy_python
from guide.foundations.figures.threads import count_in_batches, speedup
from guide.foundations.sections import sections
from guide.learn import figures as living
from guide.learn.cells import width
from guide.learn.chart import Bars, Lines, Series
from guide.learn.textplot import plot
from guide.plugin import Figure, Section

ALL = {figure.name: figure for section in sections() for figure in section.figures}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "guide" / "figures"


def measured(quick=False):
    return {"rows": [["a", 1.0], ["b", 20.0]], "what": "x", "values": {"a_ns": 1.0, "b_x": 20.0}}


def missing(quick=False):
    import a_package_that_is_not_there  # noqa: F401


def figure_of(tmp_path, measure="measured", name="mine"):
    here = __name__
    draw = "guide.foundations.figures.stopwatch:time_bars"
    return Figure(name, "Mine", f"{here}:{measure}", draw, tmp_path / "example.json")


@pytest.fixture
def mine(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this())
    return figure_of(tmp_path)


def _this():
    import types

    module = types.ModuleType(__name__)
    module.measured, module.missing = measured, missing
    return module


class TestKeeping:
    def test_what_was_measured_is_kept_and_found_again(self, mine, cache):
        assert living.kept(mine) is None
        found = living.measure(mine)
        assert living.kept(mine) == found
        assert (cache / "mine.json").is_file()

    def test_a_quick_one_is_not_kept(self, mine):
        living.measure(mine, quick=True)
        assert living.kept(mine) is None

    def test_what_another_machine_measured_is_not_this_ones(self, mine, cache):
        living.measure(mine)
        kept = json.loads((cache / "mine.json").read_text())
        kept["fingerprint"]["processor"] = "another"
        (cache / "mine.json").write_text(json.dumps(kept))
        assert living.kept(mine) is None

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"data": 3}'])
    def test_a_damaged_file_is_none(self, mine, cache, text):
        living.measure(mine)
        (cache / "mine.json").write_text(text)
        assert living.kept(mine) is None

    def test_an_example_is_written_and_read(self, mine):
        with pytest.raises(GuideError, match="has no example"):
            living.example(mine)
        found = living.measure(mine)
        living.write_example(mine, found)
        assert living.example(mine) == found

    def test_a_package_that_is_missing_is_said(self, mine, tmp_path):
        with pytest.raises(GuideError, match="a_package_that_is_not_there is not installed"):
            living.measure(figure_of(tmp_path, "missing"))

    def test_its_numbers_are_said_with_their_units(self, mine):
        found = living.measure(mine)
        assert living.value(mine, found, "a_ns") == "1.0 ns"
        assert living.value(mine, found, "b_x") == "20 times"
        with pytest.raises(GuideError, match="has no value 'c_ns'; it has: a_ns, b_x"):
            living.value(mine, found, "c_ns")

    def test_two_figures_of_one_name_are_an_error(self, mine, tmp_path):
        one = Section("m1/s1", "x", tmp_path, figures=(mine,))
        same = Section("m1/s2", "x", tmp_path, figures=(mine,))
        assert living.figures_of([one, same]) == {"mine": mine}
        other = Section("m1/s3", "x", tmp_path, figures=(figure_of(tmp_path, "missing"),))
        with pytest.raises(GuideError, match="m1/s3 brings another figure 'mine'"):
            living.figures_of([one, other])

    @pytest.mark.parametrize("name", ["Mine", "a_b", "", "-a"])
    def test_a_name_is_lower_case_and_hyphens(self, tmp_path, name):
        with pytest.raises(ValueError, match="written like latency-curve"):
            figure_of(tmp_path, name=name)


class TestPlots:
    def test_a_bar_is_as_long_as_its_value(self):
        lines = list(plot(Bars([("a", 10.0), ("b", 20.0)], "ns", "what"), None, 60, unicode=False))
        assert lines[2].count("#") == 2 * lines[1].count("#")

    def test_the_authors_stand_beside_yours(self):
        mine, theirs = (Bars([("a", v)], "ns", "what") for v in (10.0, 30.0))
        text = "\n".join(plot(mine, theirs, 60))
        assert "yours" in text
        assert "10 ns" in text
        assert "30 ns" in text

    def test_a_line_rises_where_its_values_do(self):
        chart = Lines([Series("", [1, 10, 100], [1, 10, 100])], "x", "y")
        rows = [line.partition("│")[2] for line in plot(chart, None, 60) if "│" in line]
        assert rows[0].rstrip().endswith("●")
        assert rows[-1].startswith("●")

    @pytest.mark.parametrize("name", ALL)
    @pytest.mark.parametrize("unicode", [True, False])
    def test_each_common_one_fits_into_sixty_columns(self, name, unicode):
        chart = living.draw(ALL[name], living.example(ALL[name]))
        for text in (plot(chart, None, 60, unicode), plot(chart, chart, 60, unicode)):
            lines = list(text)
            assert all(width(line) <= 60 for line in lines)
            assert unicode or "\n".join(lines).replace("µ", "u").isascii()


class TestCommonOnes:
    @pytest.mark.parametrize("name", ALL)
    def test_each_can_be_measured_quickly_and_drawn(self, name):
        figure = ALL[name]
        try:
            found = living.measure(figure, quick=True)
        except GuideError as error:
            pytest.skip(error.message)  # numba or torch is not there, and it says so
        living.draw(figure, found)
        assert all(math.isfinite(v) for v in found.data["values"].values())
        example = living.example(figure)
        assert set(example.data["values"]) == set(found.data["values"])

    @pytest.mark.parametrize(
        "name", [n for n, f in ALL.items() if living.example(f).data.get("computed")]
    )
    def test_what_is_computed_is_the_same_everywhere(self, name):
        assert living.measure(ALL[name]).data == living.example(ALL[name]).data

    @pytest.mark.parametrize("name", ALL)
    def test_an_example_names_a_machine_and_nobody(self, name):
        example = living.example(ALL[name])
        assert "threads" in example.machine
        assert set(example.fingerprint) <= {
            *("processor", "threads", "system", "python", "memory_bytes", "compiler", "card")
        }


class TestKernels:
    """What the listings show is right."""

    def test_the_energy_is_the_same_each_way(self):
        import numpy as np

        mass, speed = np.linspace(1, 2, 101), np.linspace(0, 3, 101)
        expected = float((mass * speed**2).sum() / 2)
        assert energy_python(mass.tolist(), speed.tolist()) == pytest.approx(expected)
        assert energy_numpy(mass, speed) == pytest.approx(expected)
        assert energy_kernel(mass, speed) == pytest.approx(expected)

    def test_fused_and_in_blocks_give_what_eager_gives(self):
        import numpy as np

        a, b, c = (np.random.default_rng(i).normal(size=10_000) for i in range(3))
        expected = eager(a, b, c)
        assert in_blocks(a, b, c, np.empty(10_000)) == pytest.approx(expected)
        assert fused_kernel(a, b, c, np.empty(10_000)) == pytest.approx(expected)

    def test_bits_are_counted(self):
        import numpy as np

        words = np.array([0, 1, 255, 2**63, 2**64 - 1, 0x123456789ABCDEF], np.uint64)
        assert masked_count(words).tolist() == [int(w).bit_count() for w in words]

    def test_with_and_without_a_branch_the_same_is_kept(self):
        import numpy as np

        values = np.random.default_rng(0).integers(0, 256, 500, dtype=np.uint8)
        one, two = np.zeros((2, 501), np.uint8)
        count = compact(values, one)
        assert compact_branchless(values, two) == count == (values >= 128).sum()
        assert one[:count].tolist() == two[:count].tolist() == values[values >= 128].tolist()

    @pytest.mark.parametrize("batch", [1, 7, 100, 1000])
    def test_no_item_is_lost_by_counting_in_batches(self, batch):
        import threading

        total = [0]
        count_in_batches(1000, batch, threading.Lock(), total)
        assert total == [1000]

    def test_amdahl_at_its_ends(self):
        assert speedup(0.0, 64) == 1
        assert speedup(1.0, 64) == 64

    def test_the_patient_test_misses_the_stall_and_the_steady_one_does_not(self):
        patient, steady = waiting.waits(patient=True), waiting.waits(patient=False)
        assert sum(ns > 2_000_000 for ns in patient) == 1
        assert len(steady) == 5000
        assert sum(ns > 2_000_000 for ns in steady) > 250
        assert max(steady) == max(patient) == 301_000_000


STRANGER = """
from pathlib import Path
from guide.learn.chart import Bars
from guide.plugin import Figure, Section, Track, hookimpl

GUIDE_API = 1
HERE = Path(__file__).parent


def measure(quick=False):
    return {"rows": [["a block", 21e6]], "values": {"block_ns": 21e6}}


def draw(data):
    return Bars([(name, ns) for name, ns in data["rows"]], "ns", "one block")


@hookimpl
def guide_tracks():
    return [Track("audio", "Audio", "Blocks.")]


@hookimpl
def guide_sections(track):
    name = "stranger:"
    figure = Figure("block", "A block", name + "measure", name + "draw", HERE / "e" / "block.json")
    section = Section("m5/s40", "It", HERE / "s40.md", ("audio",), ("m5/s0",), (figure,))
    return [section] if track == "audio" else []
"""


def test_a_strangers_track_brings_a_figure_through_the_hooks(guide, tmp_path):
    (tmp_path / "stranger.py").write_text(STRANGER)
    info = tmp_path / "stranger-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[guide]\naudio = stranger\n")
    text = "# It\n\n{figure: block}\n\nIt waits {value: block.block_ns}.\n"
    (tmp_path / "s40.md").write_text(text)
    import os

    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    done = guide("read", "m5/s40", PYTHONPATH=path)
    assert done.returncode == 1
    assert "figure block has no example" in done.stderr

    done = guide("read", "m5/s40", "--write-examples", PYTHONPATH=path)
    assert "block.json" in done.stderr
    assert "It waits 21 ms." in done.stdout
    assert "Stands on m5/s0, Timing honestly" in done.stdout

    done = guide("read", "m5/s40", PYTHONPATH=path, XDG_CACHE_HOME=str(tmp_path / "other"))
    assert "It waits 21 ms†." in done.stdout

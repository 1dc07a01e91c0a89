import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from guide import ceilings
from guide.ceilings import Card, Figure, cached, gpu, measure, store, system, throughput, waking
from guide.ceilings.card import best, fingerprint, percentiles
from guide.ceilings.kernels import CHAINS, Kernels
from guide.ceilings.page import render
from guide.ceilings.terminal import lines
from guide.errors import GuideError

STEADY = Figure("triad.all", "bandwidth", 48.5, "GB/s", 0.03, "48.5 GB/s", "why", True)
NOISY = Figure("fma.f64.1", "f64", 50.0, "GFLOP/s", 0.4, "too noisy to say", "why", False)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Nothing here looks at, or leaves, a card of the machine that runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "guide"


@pytest.fixture
def card():
    curve = [(4096 << i, 1.5**i) for i in range(12)]
    return Card("2026-05-01T10:00:00+00:00", fingerprint(), [STEADY, NOISY], curve, False, 9.5)


@pytest.fixture(scope="module")
def kernels():
    return Kernels()


@pytest.fixture(scope="module")
def shop():
    return throughput.Workshop(quick=True)


@pytest.fixture(scope="module")
def taken():
    """A real card, measured once, and what was told meanwhile."""
    told = []
    return measure(quick=True, progress=told.append), told


class TestFigures:
    def test_a_time_is_the_shortest_of_its_trials_and_a_rate_the_highest(self):
        assert best("x", "", [13.0, 11.0, 12.0], "ns", "").value == 11
        assert best("x", "", [13.0, 11.0, 12.0], "GB/s", "").value == 13

    def test_a_ceiling_reached_by_a_quarter_of_the_trials_is_steady_whatever_the_others_did(self):
        figure = best("x", "", [100, 101, 102, 900, 950, 990, 2000, 9000], "ns", "")
        assert (figure.steady, figure.text) == (True, "100 ns")
        assert figure.spread == pytest.approx(0.02)

    def test_one_that_was_reached_once_says_so_instead_of_a_number(self):
        figure = best("triad.1", "", [50.0, 38.0, 37.0, 36.0, 30.0], "GB/s", "")
        assert not figure.steady
        assert figure.text == "too noisy to say (spread 24 %); try again on a quiet machine"

    def test_threads_that_were_kept_from_running_make_no_ceiling(self):
        assert not best("x", "", [50.0] * 8, "GFLOP/s", "", idle=0.4).steady

    def test_disks_and_starts_may_scatter_more(self):
        trials = [100.0, 130.0, 130.0, 130.0]
        assert best("start.python", "", trials, "ns", "").steady
        assert not best("clock.read", "", trials, "ns", "").steady

    def test_a_p99_takes_a_hundred_trials(self):
        assert [f.id for f in percentiles("wake.60", "", range(99), "")] == ["wake.60.p50"]
        both = list(percentiles("wake.60", "", range(100), ""))
        assert [(f.id, f.value) for f in both] == [("wake.60.p50", 49), ("wake.60.p99", 98)]

    def test_a_percentile_within_a_factor_of_three_is_known(self):
        us = 1000
        rare = [50 * us] * 390 + [90 * us] * 8 + [9_000 * us] * 2
        assert all(f.steady for f in percentiles("wake.240", "", rare, ""))
        often = [50 * us] * 395 + [9_000 * us] * 5
        median, tail = percentiles("wake.240", "", often, "")
        assert (median.steady, tail.steady) == (True, False)

    def test_below_five_microseconds_a_lateness_is_known_well_enough(self):
        late = [200] * 190 + [4000] * 10
        assert all(f.steady for f in percentiles("wake.240", "", late, ""))


class TestCard:
    def test_a_run_keeps_the_figures_that_are_steady(self, card):
        assert card.summary() == {
            "measured": "2026-05-01T10:00:00+00:00",
            "figures": {"triad.all": {"value": 48.5, "unit": "GB/s", "spread": 0.03}},
        }
        assert card.value("triad.all") == 48.5
        assert card.value("fma.f64.1") is None
        assert card.value("no.such.figure") is None
        assert card.noisy == 1

    def test_it_is_kept_whole_with_its_page(self, card, cache):
        assert cached() is None
        page = store(card)
        assert cached() == card
        assert page == cache / "machine.html"
        assert page.read_text(encoding="utf-8") == render(card)
        assert sorted(p.name for p in cache.iterdir()) == ["machine.html", "machine.json"]

    @pytest.mark.parametrize("part", ["processor", "threads", "system", "python", "compiler"])
    def test_a_card_of_another_machine_is_not_ours(self, card, part):
        other = {**card.fingerprint, part: "another"}
        store(replace(card, fingerprint=other))
        assert cached() is None

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: "",
            lambda text: text[: len(text) // 2],
            lambda text: "[]",
            lambda text: "null",
            lambda text: "\0" * 100,
            lambda text: text.replace("48.5", '"fast"'),
            lambda text: text.replace('"steady": true', '"steady": 1'),
            lambda text: text.replace('"spread"', '"sprawl"'),
            lambda text: text.replace('"curve": [[', '"curve": [["'),
            lambda text: text.replace('"quick"', '"quack"'),
        ],
    )
    def test_what_is_broken_in_the_cache_counts_as_absent(self, card, cache, change):
        store(card)
        file = cache / "machine.json"
        text = change(file.read_text())
        assert text != file.read_text()
        file.write_text(text)
        assert cached() is None
        store(card)
        assert cached() == card

    def test_where_it_cannot_be_kept_one_line_says_what_to_do(self, card, tmp_path, monkeypatch):
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        assert cached() is None
        with pytest.raises(GuideError, match=r"could not be kept.*set XDG_CACHE_HOME") as error:
            store(card)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("named", ["", "relative/folder"])
    def test_the_cache_is_in_the_home_folder_unless_a_whole_path_is_named(
        self, card, tmp_path, monkeypatch, named
    ):
        monkeypatch.setenv("XDG_CACHE_HOME", named)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        assert tmp_path in store(card).parents
        assert not (tmp_path / "relative").exists()

    def test_reading_it_imports_nothing_that_measures(self):
        code = (
            "import sys; from guide.ceilings import cached; cached();"
            "heavy = {'numpy', 'numba', 'llvmlite', 'torch', 'ctypes', 'subprocess'};"
            "print(*heavy & {*sys.modules})"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("\n", "")


class TestKernels:
    def test_the_triad_computes_what_it_says_in_every_width_and_way(self, kernels):
        for width in kernels.widths:
            for way in ("", "_nt"):
                whole = np.zeros(3 * 256 + 8)
                start = -whole.ctypes.data % 64 // 8
                a, b, c = whole[start : start + 768].reshape(3, 256)
                b[:], c[:] = np.arange(256) + 2.0, np.arange(256)[::-1]
                count = 256 * 8 // width
                kernels[f"triad_{width}{way}"](a.ctypes.data, b.ctypes.data, c.ctypes.data, count)
                lanes = width // 8
                assert np.array_equal(a, b + np.tile(b[:lanes], 256 // lanes) * c), (width, way)

    @pytest.mark.parametrize(("short", "dtype"), [("f32", np.float32), ("f64", np.float64)])
    def test_every_chain_does_every_multiply_add(self, kernels, short, dtype):
        for width in kernels.widths:
            lanes, turns = width // np.dtype(dtype).itemsize, 7
            whole = np.zeros(3 * lanes + 64, dtype)
            start = -whole.ctypes.data % 64 // whole.itemsize
            m, a, x = whole[start : start + 3 * lanes].reshape(3, lanes)
            m[:], a[:], x[:] = 2, np.arange(lanes), 1
            expected = x.copy()
            for _ in range(turns):
                expected = expected * m + a
            kernels[f"fma_{short}_{width}"](m.ctypes.data, turns)
            # The sum of all chains, the first of them twice.
            assert np.array_equal(x, expected * (CHAINS + 1)), width

    def test_the_chase_follows_each_address(self, kernels):
        cells = np.zeros(64, np.uint64)
        order = np.random.default_rng(1).permutation(64)
        cells[order] = cells.ctypes.data + 8 * np.roll(order, -1).astype(np.uint64)
        start = cells.ctypes.data + 8 * int(order[0])
        assert kernels["chase"](start, 24) == cells.ctypes.data + 8 * int(order[24])

    def test_without_the_compiler_one_line_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
        with pytest.raises(GuideError, match=r"needs llvmlite.*pip install"):
            Kernels()


class TestThroughput:
    def test_plateaus_are_where_neighbours_agree(self):
        assert throughput.plateaus([1, 1, 1.05, 4, 4.1, 4.1, 9, 30, 80, 81, 80], 1.1) == [
            (0, 3),
            (3, 6),
            (8, 11),
        ]
        assert throughput.plateaus([1, 2, 4, 8], 1.1) == []
        assert throughput.plateaus([3, 3, 3], 1.1) == [(0, 3)]

    def test_threads_that_sleep_show_that_they_stood_still(self, shop):
        rates = shop.rates(lambda i: time.sleep(0.002), shop.threads)
        assert rates.idle > 0.5
        assert all(rate > 0 for rate in rates.each)

    def test_what_threads_do_together_is_added_up(self, shop):
        rates = shop.rates(lambda i: time.sleep(0.005), 1)
        assert max(rates.each) <= 1 / 5_000_000  # calls a nanosecond: a sleep is never shorter
        if shop.threads > 1:
            assert max(shop.rates(lambda i: time.sleep(0.005), 2).each) <= 2 / 5_000_000

    def test_the_arrays_are_aligned_apart_and_hold_numbers(self, shop):
        assert shop.start % 4096 == 0
        assert shop.memory.size == 3 * shop.size == 3 * shop.part * shop.threads


class TestWaking:
    def test_lateness_is_counted_from_a_grid_that_no_late_one_moves(self):
        dues = []

        def oversleep(until_ns):
            dues.append(until_ns)
            while time.perf_counter_ns() < until_ns + 1_500_000:
                pass

        times = waking.late(oversleep, 1000, 8)
        assert all(late >= 1_500_000 for late in times)
        steps = np.diff(dues)
        assert (steps % 1_000_000 == 0).all()
        assert (steps >= 2_000_000).all()  # those that had passed are left out

    def test_a_program_that_does_not_start_is_an_error(self):
        with pytest.raises(subprocess.CalledProcessError):
            system._start_ns("import no_such_module")


class TestGpu:
    def test_without_a_driver_it_is_one_line_and_torch_stays_out(self, monkeypatch):
        monkeypatch.setattr(gpu, "_DRIVER", "libno_such_driver.so")
        monkeypatch.setattr(gpu, "import_module", lambda name: pytest.fail("imported"))
        (line,) = gpu.gpus()
        assert (line.id, line.steady) == ("gpu", False)
        assert "no NVIDIA driver" in line.text

    def test_a_driver_without_torch_is_one_line(self, monkeypatch):
        monkeypatch.setattr(gpu, "_DRIVER", None)  # this process itself: always there
        monkeypatch.setattr(gpu, "find_spec", lambda name: None)
        assert [f.text for f in gpu.gpus()] == ["not measured: torch is not installed"]

    def test_a_device_is_measured_and_the_settings_are_as_before(self):
        torch = pytest.importorskip("torch", reason="core is tested without its plugins too")
        before = torch.backends.cuda.matmul.allow_tf32
        found = {f.id: f for f in gpu.figures(torch, "gpu0", torch.device("cpu"), side=32)}
        assert {"gpu0.bandwidth", "gpu0.f32", "gpu0.tf32", "gpu0.bf16", "gpu0.launch"} < {*found}
        assert all(f.value > 0 for f in found.values())
        assert torch.backends.cuda.matmul.allow_tf32 == before


class TestMeasure:
    def test_a_quick_card_has_the_figures_that_reports_divide_by(self, taken):
        card, _ = taken
        ids = {figure.id for figure in card.figures}
        expected = {"clock.read", "clock.step", "copy.1", "latency.memory", "start.python"}
        expected |= {
            f"{what}.{who}" for what in ("triad", "fma.f32", "fma.f64") for who in ("1", "all")
        }
        expected |= {"wake.240.p50", "wake.240.p99", "wake.1000.p99", "wake.thread.p50"}
        expected |= {"wake.process.p50", "disk.write"}
        assert expected <= ids
        assert len(ids) == len(card.figures)

    def test_each_figure_is_a_number_with_its_spread_or_says_why_not(self, taken):
        for figure in taken[0].figures:
            assert figure.spread >= 0
            if figure.steady:
                assert figure.value >= 0
                assert re.match(r"[\d.,]+ \S+$", figure.text), figure
            else:
                assert "too noisy to say" in figure.text, figure

    def test_the_curve_begins_in_the_first_cache_and_grows(self, taken):
        sizes = [size for size, _ in taken[0].curve]
        assert sizes[0] == 4096
        assert sizes == sorted(sizes)
        assert all(ns > 0 for _, ns in taken[0].curve)

    def test_it_tells_what_it_measures(self, taken):
        assert {"memory bandwidth", "memory latency", "disk"} <= {*taken[1]}

    def test_it_names_nobody_and_survives_being_kept(self, taken):
        store(taken[0])
        assert cached() == taken[0]
        assert str(Path.home()) not in json.dumps(asdict(taken[0]))

    def test_a_full_disk_costs_the_disks_figures_alone(self, small_disk, tmp_path, monkeypatch):
        from guide.ceilings import measuring

        disk = small_disk(tmp_path / "disk", "64k")
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        steps = [("disk", lambda: system.disk(True)), ("clock", waking.clock)]
        monkeypatch.setattr(measuring, "_steps", lambda quick, curve: iter(steps))
        lost, *others = measure(quick=True).figures
        assert (lost.id, lost.steady) == ("disk", False)
        assert "No space left" in lost.text
        assert [f.id for f in others] == ["clock.read", "clock.step"]


class TestDrawing:
    def test_the_page_needs_nothing_from_anywhere(self, card):
        page = render(card)
        assert not re.search(r"(src|href)=|url\(|@import", page)
        assert "48.5 GB/s" in page
        assert "too noisy to say" in page

    def test_what_a_figure_says_is_text_not_html(self, card):
        evil = replace(STEADY, name="<b>", text="<i>", why="<u>")
        page = render(replace(card, figures=[evil]))
        assert not re.search(r"<u>|<i>|<b>\s*<", page)

    def test_a_roof_is_drawn_where_both_of_its_parts_are_known(self, card):
        peak = Figure("fma.f32.all", "f32", 230.0, "GFLOP/s", 0.01, "230 GFLOP/s", "", True)
        assert "How fast a loop can be" not in render(card)
        page = render(replace(card, figures=[STEADY, peak]))
        assert "How fast a loop can be" in page
        assert "they meet at 4.7 operations a byte" in page

    def test_the_terminal_shows_every_figure_and_the_curve(self, card):
        text = "\n".join(lines(card))
        assert "48.5 GB/s" in text
        assert "±3 %" in text
        assert "128 MiB" not in text
        assert "4 KiB" in text
        assert "█" in text

    def test_a_terminal_of_ascii_gets_ascii(self, card):
        "\n".join(lines(card, unicode=False)).encode("ascii")

    def test_a_card_without_a_curve_is_drawn_too(self, card):
        bare = replace(card, curve=[])
        assert "How far away" not in render(bare)
        assert "bandwidth" in "\n".join(lines(bare))


class TestCommand:
    @pytest.fixture
    def command(self, monkeypatch, card):
        """Call `guide machine`; measuring is counted and gives the card at once."""
        from click.testing import CliRunner

        from guide.cli import cli, machine

        taken = []

        def take(quick=False, progress=None):
            taken.append(quick)
            return replace(card, quick=quick)

        monkeypatch.setattr(machine, "measure", take)

        def call(*arguments):
            result = CliRunner().invoke(cli, ["machine", *arguments])
            return result, taken

        return call

    def test_it_measures_once_and_then_shows_what_is_kept(self, command, cache):
        result, taken = command()
        assert result.exit_code == 0
        assert "48.5 GB/s" in result.output
        assert str(cache / "machine.html") in result.output
        assert taken == [False]
        assert command()[0].output == result.output
        assert taken == [False]

    def test_again_measures_again(self, command):
        command()
        assert command("--again")[1] == [False, False]

    def test_a_quick_card_is_replaced_by_a_whole_one_and_never_the_other_way(self, command):
        assert "Next: guide machine\n" in command("--quick")[0].output
        assert command("--quick")[1] == [True]
        assert command()[1] == [True, False]
        assert command("--quick")[1] == [True, False]

    def test_json_is_the_card(self, command, card):
        assert json.loads(command("--json")[0].output)["figures"][0] == asdict(STEADY)

    def test_where_nothing_can_be_kept_it_is_shown_all_the_same(
        self, command, tmp_path, monkeypatch
    ):
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        result, _ = command()
        assert result.exit_code == 0
        assert "48.5 GB/s" in result.output
        assert "could not be kept" in result.output

    def test_open_shows_the_page(self, command, monkeypatch, cache):
        opened = []
        monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
        assert command("--open")[0].exit_code == 0
        assert opened == [(cache / "machine.html").as_uri()]

    def test_a_doctor_keeps_what_it_measured(self, monkeypatch, card, main):
        from guide.cli import doctor

        taken = []
        monkeypatch.setattr(doctor, "measure", lambda quick: taken.append(quick) or card)
        for _ in range(2):
            _, out, _ = main("doctor")
            assert "measured 2026-05-01" in out
            assert "48.5 GB/s" in out
        assert taken == [True]
        assert "48.5 GB/s" not in main("doctor", "--quick")[1]


def test_the_names_that_others_use_are_there():
    assert {*ceilings.__all__} == {"Card", "Figure", "cached", "measure", "store"}

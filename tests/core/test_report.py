import base64
import itertools
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import guide
from guide.clock import VirtualClock
from guide.folders import write_all
from guide.loop import Loop
from guide.record import closing_record, opening_record, write_record
from guide.report import bottleneck, headline, render, whole, write_report
from guide.report.figures import of_ceiling
from guide.report.misses import _rows, advice, flights
from guide.resources import ProcessMeter, Reading, Sampler, Usage
from guide.run import Run, drive
from tests.core.sample_record import NASTY, budget_of, killed, sample

SCRIPT = (Path(guide.__file__).parent / "report.js").read_text("utf-8")
VOID = {"meta", "img", "br", "link", "hr"}


class Checker(HTMLParser):
    """Reads a page strictly: tags that are opened are closed, in order; collects the text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text, self.links = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


def read(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


class Task:
    def __init__(self, cost_ns, step=None):
        self.cost_ns, self.do_step = cost_ns, step

    def start(self, run):
        self.run = run

    def step(self, tick):
        with tick.span("work"):
            self.run.clock.advance(self.cost_ns(tick.index))
        if self.do_step:
            self.do_step(self.run, tick)

    def close(self):
        pass


class Energy:
    def start(self):
        self.total = 0.0

    def read(self):
        self.total += 1.5
        return Usage(
            (
                Reading("energy.gpu0", self.total, "J", "total", "nvml"),
                Reading("energy.cpu", 5.0, "J", "total", "model", 2.0, 8.0),
            )
        )


def record(tmp_path, cost_ns=lambda i: 3_000_000, step=None, meters=None, **loop):
    clock = VirtualClock()
    made = Loop(**{"rate_hz": 100, "ticks": 50, "clock": clock, **loop})
    opening = opening_record("demo", "none", made, {"width": 3}, 0)
    sampler = Sampler(meters or [], clock.now_ns, every_s=60)
    run = Run(made, project=tmp_path, folder=tmp_path)

    def sampling_step(run, tick):
        sampler.sample()
        if step:
            step(run, tick)

    drive(Task(cost_ns, sampling_step), run, on_start=sampler.start)
    sampler.stop()
    return closing_record(opening, run, sampler)


def text_of(html):
    return " ".join(" ".join(read(html).text).split())


def test_a_page_needs_nothing_beside_it_and_nothing_from_the_network(tmp_path):
    found = record(tmp_path, meters=[ProcessMeter(), Energy()])
    found["picture"] = {"file": "picture.png", "caption": "a picture"}
    page = render(found, b"\x89PNG...")
    links = read(page).links
    beside = ("data:", "https://ui.perfetto.dev", "#flight-", "trace.json")
    assert all(link.startswith(beside) for link in links)
    assert page.count("<script") == page.count("<script>") == 1
    assert "http" not in SCRIPT
    assert "@import" not in page
    assert "url(" not in page


def test_the_first_sentence_says_how_it_went(tmp_path):
    assert headline(record(tmp_path)) == ("Every one of 50 ticks met its 10 ms deadline.", "good")
    late = record(tmp_path, lambda i: 30_000_000 if i < 5 else 0)
    assert headline(late) == ("5 of 50 ticks (10 %) missed their 10 ms deadline.", "bad")
    free = record(tmp_path, rate_hz=None)
    assert headline(free) == ("50 ticks, free-running, with no deadline set.", "good")


def test_one_late_tick_in_a_thousand_is_no_failure(tmp_path):
    rare = record(tmp_path, lambda i: 30_000_000 if i == 5 else 0, ticks=1000)
    assert headline(rare)[1] == "unsure"


def test_the_bottleneck_is_named(tmp_path):
    def step(run, tick):
        with tick.span("small"):
            run.clock.advance(1_000_000)

    assert bottleneck(record(tmp_path, step=step)) == "Most time goes to work: 75 % of the tick."


@pytest.mark.parametrize("cost", [0, 1, 3_000_000, 10_000_000, 60 * 10**9])
@pytest.mark.parametrize("rate", [None, 100])
@pytest.mark.parametrize("ticks", [1, 2, 50])
def test_runs_of_every_kind_make_a_page(tmp_path, cost, rate, ticks):
    found = record(tmp_path, lambda i: cost, meters=[Energy()], rate_hz=rate, ticks=ticks)
    page = render(found)
    read(page)
    assert not re.search(r"\b(nan|inf|None)\b", text_of(page))


def test_a_run_that_did_nothing_but_start_makes_a_page(tmp_path):
    clock = VirtualClock()
    loop = Loop(100, clock=clock)
    loop.stop("interrupted")
    opening = opening_record("demo", "none", loop, {}, 0)
    run = Run(loop, project=tmp_path, folder=tmp_path)
    drive(Task(lambda i: 0), run)
    found = closing_record(opening, run, None)
    assert "ended before its first tick" in text_of(render(found))


def test_a_run_that_was_killed_makes_a_page(tmp_path):
    loop = Loop(100, clock=VirtualClock())
    assert "never finished" in text_of(render(opening_record("demo", "none", loop, {}, 0)))


def test_a_failed_run_says_where_first(tmp_path):
    def step(run, tick):
        if tick.index == 3:
            raise ValueError("no <frame>")

    page = render(record(tmp_path, step=step))
    assert "The run failed: ValueError: no <frame>" in text_of(page)


def test_everything_a_person_wrote_is_shown_and_cannot_break_the_page(tmp_path):
    evil = '</pre><script>alert("x")</script>&amp;'

    def step(run, tick):
        if tick.index == 0:
            run.fact(evil, evil)
            run.note(evil)
            run.text(evil, evil)
            run.picture(lambda: np.zeros((2, 2, 3), np.uint8), evil)
            with tick.span(evil):
                pass
        run.log(evil, 1.0, evil)

    found = record(tmp_path, step=step)
    found["project"] = {"name": evil, "track": evil}
    found["options"] = {evil: evil}
    found["misses"] = {
        "causes": {evil: 1, "over budget: " + evil: 1},
        "list": [{"index": 3, "start_ns": 9, "over_ns": 1, "cause": evil, "text": evil}],
    }
    found["flights"] = [
        {
            "tick": 3,
            "why": evil,
            "names": [evil],
            "lanes": [evil],
            "spans": [[0, 0, 0, 900_000_000]],
            "ticks": [[3, 0, 0, 900_000_000]],
        }
    ]
    found["pacing"] = {"realtime": True, "text": evil}
    found["source"] = {"commit": evil, "dirty": True}
    found["budgets"] = [budget_of(evil, 1.0, evil, 0.5, source=evil, state=evil)]
    found["trace"] = evil
    found["work"] = {evil: {"bytes": 1.0, "flops": 1.0, "dtype": evil}}
    figure = {"value": 1.0, "unit": evil, "spread": 0.1}
    found["card"] = {"measured": evil, "figures": {evil: figure}}
    page = render(found, b"png", evil)
    assert page.count("<script") == 1
    assert text_of(page).count('alert("x")') >= 18


def test_each_energy_figure_says_its_source_and_a_range_stays_one(tmp_path):
    text = text_of(render(record(tmp_path, meters=[Energy()])))
    assert "energy, gpu0 (nvml)" in text
    assert "energy, cpu (model)" in text
    assert "2 to 8 J" in text
    assert "cpu energy a tick" not in text


def test_series_with_one_stem_share_a_plot(tmp_path):
    def step(run, tick):
        run.log("loss", 1.0 / (1 + tick.index))
        if tick.index % 10 == 0:
            run.log("loss.val", 1.1)
        run.log("fps", float("nan"))

    page = render(record(tmp_path, step=step))
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles.count("Loss") == 1
    assert "Fps" in titles
    assert "loss.val" in text_of(page)


def test_the_picture_stands_in_the_page(tmp_path):
    found = record(tmp_path)
    found["picture"] = {"file": "picture.png", "caption": "what it sees"}
    (tmp_path / "picture.png").write_bytes(b"PNG data")
    write_record(tmp_path, found)
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert base64.b64encode(b"PNG data").decode() in page
    assert "what it sees" in text_of(page)


def test_a_picture_that_was_removed_is_left_out(tmp_path):
    found = record(tmp_path)
    found["picture"] = {"file": "picture.png", "caption": ""}
    write_record(tmp_path, found)
    assert "<img" not in write_report(tmp_path).read_text(encoding="utf-8")


def test_a_report_of_a_very_long_run_stays_small(tmp_path):
    costs = itertools.cycle([1_000_000, 2_000_000, 12_000_000])
    found = record(tmp_path, lambda i: next(costs), ticks=40_000)
    assert len(render(found)) < 1_000_000


def test_written_with_its_record_it_can_be_made_again(tmp_path):
    found = record(tmp_path)
    run = Run(Loop(clock=VirtualClock()), project=tmp_path, folder=tmp_path)
    first = write_all(tmp_path / "run", found, run).folder / "report.html"
    page = first.read_text(encoding="utf-8")
    first.unlink()
    assert write_report(tmp_path / "run").read_text(encoding="utf-8") == page


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_record_makes_a_page_of_under_a_megabyte(name):
    page = render(NASTY[name](), None, "a note")
    assert len(page.encode()) < 1_000_000
    assert not re.search(r"\b(nan|inf|None)\b", text_of(page))
    assert "a note" in text_of(page)


def test_a_run_that_was_killed_shows_what_its_journal_kept():
    text = text_of(render(killed(sample())))
    assert "never finished" in text
    assert "6 of 600 ticks" in text
    assert "Tick time over its budget" in text


def misses_drawn(page):
    """How many missed ticks the plot of tick times shows one by one."""
    dots = re.findall(r'<path class="(?:k\d|bad) dots" d="([^"]*)"', page)
    return sum(d.count("M") for d in dots)


def test_every_missed_tick_of_ten_minutes_is_drawn():
    found = sample(36_000, misses=40)
    assert found["loop"]["missed"] == 40
    page = render(found)
    assert misses_drawn(page) == 40
    told = re.search(r'data-misses="([^"]*)"', page)[1].replace("&quot;", '"')
    assert len(json.loads(told)) == 40


def test_a_miss_whose_tick_is_no_longer_held_is_drawn_too():
    found = sample(36_000, misses=40, keep=1_000)
    assert len(found["ticks"]["due_ns"]) == 1_000
    assert misses_drawn(render(found)) == 40


def test_misses_of_which_no_cause_is_known_are_drawn_too():
    found = sample(36_000, misses=40)
    found["misses"] = {"causes": {}, "list": []}
    assert misses_drawn(render(found)) == 40


def test_a_miss_is_told_from_another_cause_by_its_letter_and_not_by_colour_alone():
    page = render(sample(600, misses=6))
    letters = re.findall(r'<span class="y letter (k\d)"[^>]*>(\w)</span>', page)
    assert letters == [("k0", "A"), ("k1", "B"), ("k2", "C"), ("k3", "D"), ("k4", "E")]
    assert "A over budget: detect" in text_of(page)


def test_from_the_sixth_cause_on_they_share_a_letter():
    found = sample(600, misses=16)
    for i, miss in enumerate(found["misses"]["list"]):
        miss["cause"] = f"cause {i % 8}"
    found["misses"]["causes"] = {f"cause {i}": 2 for i in range(8)}
    page = render(found)
    assert set(re.findall(r'class="y letter k\d"[^>]*>(\w)<', page)) == set("ABCDEF")
    assert "F other" in text_of(page)


def test_each_cause_is_explained_with_what_to_do_about_it():
    text = text_of(render(sample(600, misses=6)))
    assert "Why deadlines were missed" in text
    assert "Make detect cheaper" in text
    assert "Another Python thread held the interpreter's lock" in text
    assert advice("something new") == ("", "")


def test_a_flag_leads_to_the_flight_record_it_stands_for():
    found = sample(600, misses=6)
    page = render(found)
    for flight in found["flights"]:
        assert f'href="#flight-{flight["tick"]}"' in page
        assert page.count(f'id="flight-{flight["tick"]}"') == 1
    assert len(re.findall("<details", page)) == len(found["flights"])


def test_a_flight_record_names_its_lanes_spans_and_deadline():
    found = sample(600, misses=1, causes=1)
    page = flights(whole(found))
    for words in ("loop", "decoder", "detect", "corners", "capture"):
        assert f">{words}<" in page
    assert page.count('class="budget"') == 1


def test_spans_that_overlap_are_drawn_in_rows_of_their_own():
    spans = [[0, 0, 0, 100], [1, 0, 10, 20], [2, 0, 40, 20], [3, 0, 90, 50], [4, 1, 0, 10]]
    assert _rows(spans) == {0: (0, 0), 1: (0, 1), 2: (0, 1), 3: (0, 1), 4: (1, 0)}


def test_a_span_is_held_against_what_this_machine_can_do():
    found = whole(sample())
    share, peak = of_ceiling(found, "detect")
    assert re.match(r"\d+ % of this machine's bandwidth \(triad, all threads\): [\d.]+ GB/s", share)
    assert "of this machine's f32 peak" in peak


def test_a_figure_that_the_card_lacks_for_it_was_not_steady_is_held_against_nothing():
    (rate,) = of_ceiling(whole(sample()), "draw")  # the card of the sample has no f64 peak
    assert "%" not in rate
    assert rate.endswith("FLOP/s")


def test_the_card_is_shown_with_its_spread():
    text = text_of(render(sample()))
    assert "triad all 28.5 GB/s ± 2 %" in text
    assert "wake 240 p99 62 µs ± 20 %" in text


def test_without_a_card_the_rate_stands_alone():
    assert of_ceiling(whole(sample(card=None)), "detect")[0].endswith("GB/s")
    assert "of this machine's" not in text_of(render(sample(card=None)))


def test_measured_joules_and_a_model_stand_apart_and_a_tick_gets_its_share():
    text = text_of(render(sample(energy=("model", "rapl"))))
    table = text[text.index("Energy") :]
    assert table.index("rapl: counted") < table.index("model: a model")
    assert "Never add these up" in text
    assert re.search(r"[\d.]+ to [\d.]+ mJ", table)


def test_only_a_model_has_a_band():
    page = render(sample(energy=("model", "rapl")))
    assert page.count('class="band') == 1
    assert 'class="band' not in render(sample(energy=("rapl",)))


def test_budgets_say_what_was_used_of_what():
    text = text_of(render(sample()))
    assert "212 MB 500 MB kept, source: statm" in text
    assert "33 to 131 J 100 J warned, source: model" in text


def test_what_never_moved_is_a_line_and_no_plot():
    found = sample()
    columns = found["usage"]["samples"]["columns"]
    columns["faults.major"] = {**columns["cpu"], "unit": "", "values": [0.0] * 99}
    text = text_of(render(found))
    assert "Nothing happened to: faults, major." in text


def test_resources_with_one_stem_and_unit_share_a_plot():
    found = sample()
    columns = found["usage"]["samples"]["columns"]
    columns["cpu.user"] = columns["cpu"]
    columns["io.read"] = {**columns["cpu"], "unit": "B"}
    columns["io.pressure"] = columns["memory"] | {"unit": "%"}
    titles = re.findall(r"<h2>(.*?)</h2>", render(found))
    assert titles.count("CPU") == 1
    assert {"Io, read", "Io, pressure"} <= set(titles)


def test_the_source_and_the_trace_are_named():
    page = render(sample(trace="trace.pftrace"))
    assert "commit 1b6b575, changed since" in text_of(page)
    assert 'href="trace.pftrace"' in page


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)


@pytest.mark.skipif(not CHROMIUM, reason="no chromium here to run the page's script in")
class TestInABrowser:
    def dom(self, page, hash_=""):
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += ["--virtual-time-budget=3000", f"{page.as_uri()}{hash_}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout

    @pytest.fixture
    def page(self, tmp_path):
        file = tmp_path / "report.html"
        file.write_text(render(sample(36_000, misses=40, energy=("model", "rapl"))), "utf-8")
        return file

    def test_an_address_that_names_a_stretch_is_zoomed_into(self, page):
        dom = self.dom(page, "#zoom=100-110")
        assert dom.count('data-zoom="100 110"') >= 5  # every plot over seconds, together
        labels = re.findall(r'<span class="x" style="left: [\d.]+%;">([\d.]+)</span>', dom)
        assert {"102", "104", "106", "108"} <= set(labels)
        shown = re.search(r'<path class="c0 (\w+)" data-p="[^"]*" d="([^"]*)"', dom)
        assert shown[2].count("M") == pytest.approx(600, abs=3)  # 10 s at 60 Hz, one by one

    def test_whole_it_stays_as_it_was_made(self, page):
        dom = self.dom(page)
        assert not re.search(r'data-zoom="[^"]', dom)
        made = page.read_text("utf-8")
        wanted = re.search(r'data-p="[^"]{9,}" d="([^"]*)"', made)[1]
        assert f'd="{wanted}"' in dom
        assert dom.count('class="tools"') >= 5

    def test_an_address_that_names_a_flight_record_opens_it(self, page):
        ids = re.findall(r'id="flight-(\d+)"', page.read_text("utf-8"))
        opened = re.findall(
            r'<details open="">.*?id="flight-(\d+)"', self.dom(page, f"#flight-{ids[-1]}")
        )
        assert opened == [ids[0], ids[-1]]

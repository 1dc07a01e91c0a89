import base64
import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.loop import Loop
from guide.record import closing_record, opening_record, write_all, write_record
from guide.report import bottleneck, headline, render, write_report
from guide.resources import ProcessMeter, Reading, Sampler, Usage
from guide.run import Run, drive

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
        if self.open and self.open[-1] != "style":
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
    assert all(link.startswith(("data:", "https://ui.perfetto.dev")) for link in links)
    assert "<script" not in page
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
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r"<style>.*?</style>", "", page))


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
    page = render(found, b"png")
    assert "<script" not in page
    assert text_of(page).count('alert("x")') >= 9


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
    assert len(render(found)) < 400_000


def test_written_with_its_record_it_can_be_made_again(tmp_path):
    found = record(tmp_path)
    run = Run(Loop(clock=VirtualClock()), project=tmp_path, folder=tmp_path)
    first = write_all(tmp_path / "run", found, run).folder / "report.html"
    page = first.read_text(encoding="utf-8")
    first.unlink()
    assert write_report(tmp_path / "run").read_text(encoding="utf-8") == page

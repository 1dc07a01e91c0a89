from types import SimpleNamespace

import pytest

from guide.clock import VirtualClock
from guide.journal import NAME, Journal, parts, recovered
from guide.loop import Loop
from guide.resources import Reading
from guide.run import Run

MS = 1_000_000

OPENING = {"status": "running", "loop": {"rate_hz": 100, "budget_ns": 10 * MS, "overrun": "skip"}}


class Journaled:
    """A run of 100 Hz whose journal is written every ten ticks, as the thread would."""

    def __init__(self, folder, ticks=95, slow=()):
        clock = VirtualClock(5)
        loop = Loop(100, clock=clock, ticks=ticks)
        self.run = Run(loop, project=folder, folder=folder)
        self.run.started_ns = clock.now_ns()
        readings = [Reading("cpu", 0.5, "s", "total", "process clock")]
        journal = Journal(folder, self.run, SimpleNamespace(latest=lambda: readings))
        self.file = folder / NAME
        with self.file.open("ab") as out:
            for tick in loop:
                with tick.span("work"):
                    clock.advance((25 if tick.index in slow else 2) * MS)
                self.run.log("loss", tick.index / 7, "nats")
                if tick.index % 3 == 0:
                    self.run.log("lr", float("nan") if tick.index == 3 else 1.0)
                if tick.index % 10 == 9:
                    out.write(journal.part())
        self.log = loop.log


class TestRecovered:
    def test_all_up_to_the_last_part_is_there(self, tmp_path):
        run = Journaled(tmp_path, slow=(20, 50))
        record = recovered(OPENING, run.file)
        assert record["status"] == "running"
        # The tick that wrote the last part was itself still running.
        assert record["loop"]["ticks"] == 89
        assert (record["loop"]["missed"], record["loop"]["skipped"]) == (2, 4)
        recent = run.log.recent()[:89]
        assert record["ticks"]["first"] == 0
        assert record["ticks"]["due_ns"] == [r.due_ns - 5 for r in recent]
        assert record["ticks"]["end_ns"] == [r.end_ns - 5 for r in recent]
        assert record["ticks"]["skipped"] == [r.skipped for r in recent]
        assert record["tick_time"]["max_ns"] == 25 * MS
        assert record["spans"]["work"]["count"] == 90
        assert record["misses"]["causes"] == {"over budget: work": 2}
        assert [(m["index"], m["over_ns"]) for m in record["misses"]["list"]] == [
            (20, 15 * MS),
            (50, 15 * MS),
        ]
        assert record["usage"]["totals"][0]["value"] == 0.5
        assert record["usage"]["samples"]["columns"]["cpu"]["values"] == [0.5] * 9

    def test_series_are_whole_and_what_is_not_finite_is_null(self, tmp_path):
        series = recovered(OPENING, Journaled(tmp_path).file)["series"]
        assert series["loss"]["ticks"] == list(range(90))
        assert series["loss"]["values"] == [i / 7 for i in range(90)]
        assert series["lr"]["values"][:3] == [1.0, None, 1.0]

    @pytest.mark.parametrize("cut", [1, 7, 100, 333])
    def test_a_part_that_was_cut_short_is_left_out(self, tmp_path, cut):
        file = Journaled(tmp_path).file
        file.write_bytes(file.read_bytes()[:-cut])
        assert recovered(OPENING, file)["loop"]["ticks"] == 79

    @pytest.mark.parametrize("content", [b"", b"{", b"null\n", b'{"bytes": 5}\nabc', b"\xff\n"])
    def test_a_journal_without_a_whole_part_leaves_the_opening(self, tmp_path, content):
        file = tmp_path / NAME
        file.write_bytes(content)
        assert recovered(OPENING, file) == OPENING

    def test_a_part_holds_only_what_is_new(self, tmp_path):
        run = Journaled(tmp_path, ticks=1_000)
        assert [head["ticks"] for head, _ in parts(run.file)] == [9] + [10] * 99


class TestJournal:
    def test_a_folder_that_has_gone_ends_the_journal_and_not_the_run(self, tmp_path):
        loop = Loop(100, clock=VirtualClock(), ticks=1)
        run = Run(loop, project=tmp_path, folder=tmp_path)
        journal = Journal(tmp_path / "gone", run, SimpleNamespace(latest=list))
        journal.start()
        journal.stop()
        assert journal.trouble.startswith("no journal: ")

    def test_one_that_never_began_is_stopped_and_removed_without_a_word(self, tmp_path):
        loop = Loop(100, clock=VirtualClock(), ticks=1)
        journal = Journal(tmp_path, Run(loop, project=tmp_path, folder=tmp_path), None)
        journal.stop()
        journal.remove()
        assert journal.trouble == ""

"""The task as a whole, on a virtual clock: ten seconds take none."""

import statistics

import pytest

from guide.loop import Tick
from guide.testing import VirtualClock, run_task
from guide_project.task import Task

RATE_HZ = 46.875


def test_the_frequency_is_found_to_a_fraction_of_a_bin():
    record = run_task(Task(), ticks=400, rate_hz=RATE_HZ, clock=VirtualClock())

    assert record.status == "finished", record.error
    assert record.ticks == 400
    found = [value for _, value in record.series["frequency"]]
    truth = [value for _, value in record.series["frequency.truth"]]
    errors = [abs(a - b) for a, b in zip(found, truth, strict=True)]
    assert statistics.median(errors) < RATE_HZ / 4
    assert min(truth) < 250
    assert max(truth) > 3000


def test_what_a_run_leaves_behind():
    record = run_task(Task(), ticks=10, rate_hz=RATE_HZ, clock=VirtualClock())

    assert set(record.spans) == {"source", "analyse", "sink"}
    levels = [value for _, value in record.series["level"]]
    assert levels == pytest.approx([-12.0] * 10, abs=0.2)
    assert record.image.shape == (256, 480, 3)
    assert record.image[:, -1].sum() > record.image[:, 0].sum()
    assert "blocks: 10 taken, 0 lost" in record.notes
    assert not any("not in real time" in note for note in record.notes)


def test_a_late_tick_loses_blocks_and_says_so():
    clock = VirtualClock()

    class Late(Task):
        def step(self, tick: Tick) -> None:
            super().step(tick)
            if tick.index == 3:
                clock.advance(100_000_000)  # 4.7 blocks

    record = run_task(Late(), ticks=10, rate_hz=RATE_HZ, clock=clock)

    assert "blocks: 10 taken, 4 lost" in record.notes


def test_a_rate_that_does_not_fit_the_block_is_noted():
    record = run_task(
        Task(), ticks=2, rate_hz=RATE_HZ, clock=VirtualClock(), options={"block": 256}
    )

    assert "these blocks are not in real time: guide run --rate 187.5 is" in record.notes


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"block": "12"}, "block"),
        ({"block": "many"}, "block"),
        ({"sample_rate": "0"}, "sample_rate"),
        ({"sweep_s": "0"}, "sweep_s"),
        ({"tone_db": "nan"}, "tone_db"),
        ({"noise_db": "3"}, "noise_db"),
        ({"floor_db": "0"}, "floor_db"),
        ({"blok": "512"}, "block"),
    ],
)
def test_what_cannot_work_is_one_line(options, word):
    record = run_task(Task(), ticks=2, options=options)

    assert record.status == "failed"
    assert word in f"{record.error.message} {record.error.remedy}"
    assert record.ticks == 0

"""What the comparisons rest on: the same results on all sides, and failures that are told."""

import os
from pathlib import Path

import pytest

from benchmarks.apart import FailedError, run
from benchmarks.rows import Row, line, paired
from benchmarks.vision.meter import Meter

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def film() -> str:
    folder = Path(os.environ.get("GUIDE_CLIPS", ROOT / "build" / "clips"))
    path = folder / "bigbuckbunny.mp4"
    if not path.exists():
        pytest.fail(f"there is no {path}: run make clips", pytrace=False)
    return str(path)


def throughput(variant: str, film: str) -> dict[str, int]:
    return run("vision.meter:throughput", variant=variant, clip=film, frames=30, warm_up=10)


def test_threads_queues_and_the_pipeline_give_what_the_loop_gives_bit_by_bit(film):
    expected = throughput("peers:one_thread", film)
    assert expected["blobs"] > 0
    for variant in ("peers:queues", "ours:bgr"):
        found = throughput(variant, film)
        for key in ("blobs", "boxes", "jpegs"):
            assert found[key] == expected[key], (variant, key)


def test_the_pipeline_copies_no_frame(film):
    found = run("vision.ours:copies", clip=film, frames=40)
    assert (found["frames"], found["moved"], found["reallocated"]) == (40, 0, 0)
    assert found["addresses"] <= found["slots"]


def test_a_variant_that_cannot_run_says_why_in_one_line(film):
    with pytest.raises(FailedError, match=r"^vision.meter:throughput: .*no_such_variant.*$"):
        throughput("peers:no_such_variant", film)


def test_a_variant_that_loses_frames_has_no_result():
    meter = Meter(5, warm_up=1)
    meter.done([], b"")
    with pytest.raises(RuntimeError, match="1 of 6 frames"):
        meter.result()


def test_ratios_are_of_neighbours():
    ours, peer, ratio, quartiles = paired([1.0, 20.0, 3.0], [2.0, 10.0, 3.0])
    assert (ours, peer, ratio) == (3.0, 3.0, 1.0)
    assert quartiles == "0.50 to 2.00"


def test_a_goal_that_is_missed_stands_out():
    assert line(Row("figure", "2 s", "1 s", 2.0, "at most 1", False)).endswith("| at most 1 | NO |")

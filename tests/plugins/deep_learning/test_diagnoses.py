"""A record is explained when its numbers have a known cause, and only then."""

from typing import Any

from guide_deep_learning.training.diagnoses import crowded_cores


def record(p99_ms: float = 300, threads: int = 2, device: str = "cpu", count: int = 1000) -> Any:
    backward = {"count": count, "p50_ns": 9_000_000, "p99_ns": int(p99_ms * 1e6)}
    return {"facts": {"threads": threads, "device": device}, "spans": {"backward": backward}}


def test_crowded_cores_are_named_with_what_to_try() -> None:
    (said,) = crowded_cores(record())
    assert said.startswith("backward takes 9 ms, and 300 ms in one step of a hundred")
    assert "--set threads=1" in said


def test_an_even_run_one_thread_a_gpu_and_a_short_run_are_left_alone() -> None:
    for innocent in (
        record(p99_ms=20),
        record(threads=1),
        record(device="NVIDIA"),
        record(count=20),
        {},
        {"facts": {"threads": 2, "device": "cpu"}, "spans": {}},
    ):
        assert crowded_cores(innocent) == []

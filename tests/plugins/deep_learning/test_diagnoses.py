"""A record is explained when its numbers have a known cause, and only then."""

from typing import Any

from guide_deep_learning.training.diagnoses import communication_bound, crowded_cores


def record(p99_ms: float = 300, threads: int = 2, device: str = "cpu", count: int = 1000) -> Any:
    backward = {"count": count, "p50_ns": 9_000_000, "p99_ns": int(p99_ms * 1e6)}
    return {"facts": {"threads": threads, "device": device}, "spans": {"backward": backward}}


def test_crowded_cores_are_named_with_what_to_try() -> None:
    (said,) = map(str, crowded_cores(record()))
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


def of_ranks(exposed_ms: float, step_ms: float = 100, ranks: int = 2, count: int = 100) -> Any:
    facts = {"ranks": ranks, "exposed communication ms": exposed_ms, "sent a step MB": 3.3}
    return {"facts": facts, "tick_time": {"count": count, "p50_ns": int(step_ms * 1e6)}}


def test_a_step_that_waits_for_the_network_is_told_with_numbers_and_what_to_try() -> None:
    (verdict,) = communication_bound(of_ranks(65.4))
    said = str(verdict)
    assert verdict.recoverable_ns == 65_400_000
    assert said.startswith("communication is the limit: 65.4 ms of a step of 100 ms (65%)")
    assert "3.3 MB a step" in said
    for remedy in ("--short-gradients", "--accumulate 4", "--batch"):
        assert remedy in said


def test_more_ranks_than_cores_are_not_taken_for_a_slow_network() -> None:
    crowded = of_ranks(65.4, ranks=3)
    crowded["facts"] |= {"hosts": 1, "threads": 1, "device": "cpu"}
    crowded["machine"] = {"threads": 2}
    (said,) = map(str, communication_bound(crowded))
    assert said.startswith("3 ranks of 1 threads share 2 cores: 65.4 ms of a step of 100 ms")
    assert said.endswith("--nproc-per-node=2")
    crowded["facts"]["hosts"] = 3
    assert communication_bound(crowded)[0].says.startswith("communication is the limit")


def test_hidden_communication_one_process_and_a_short_run_are_left_alone() -> None:
    unmeasured: Any = {"facts": {"ranks": 2}, "tick_time": {"count": 100, "p50_ns": 10**8}}
    for innocent in (of_ranks(20), of_ranks(65, ranks=1), of_ranks(65, count=5), unmeasured, {}):
        assert communication_bound(innocent) == []

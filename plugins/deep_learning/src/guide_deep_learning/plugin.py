"""What this track offers to `guide`: data only; torch is loaded where it is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from guide.plugin import (
    Diagnosis,
    Exercise,
    Finding,
    Profiler,
    Scaffold,
    Section,
    Track,
    hookimpl,
)
from guide_deep_learning.explain.device.rules import DEVICE
from guide_deep_learning.explain.host.rules import HOST
from guide_deep_learning.sections import sections

if TYPE_CHECKING:
    from types import ModuleType

GUIDE_API = 1

_TRACK = "deep-learning"
_HERE = Path(__file__).parent


@hookimpl
def guide_tracks() -> list[Track]:
    """The deep-learning track."""
    return [Track(_TRACK, "Deep learning", "Training as a real-time loop: measured, exact, fast.")]


@hookimpl
def guide_sections(track: str) -> list[Section]:
    """What to read."""
    if track != _TRACK:
        return []
    return sections(_TRACK)


@hookimpl
def guide_exercises(track: str) -> list[Exercise]:
    """What to do."""
    if track != _TRACK:
        return []
    folders = _HERE / "exercises"
    return [
        Exercise("m1::e1", "Batches without a position", folders / "batches", (_TRACK,)),
        *(Exercise.of(file.parent) for file in sorted(folders.glob("*/exercise.toml"))),
    ]


@hookimpl
def guide_projects(track: str) -> list[Scaffold]:
    """The m6 scaffold, and one that is slow for you to mend."""
    if track != _TRACK:
        return []
    return [
        Scaffold(
            _TRACK,
            "A language model, trained as a real-time loop",
            "Learns the standard library's source byte by byte; kill it, and it goes on exactly.",
            _HERE / "project",
        ),
        Scaffold(
            _TRACK,
            "A language model that trains, and too slowly",
            "Six faults of a hurried week: find each by what it costs, and mend it.",
            _HERE / "slow",
            name="slow",
            over=_HERE / "project",
        ),
    ]


@hookimpl
def guide_diagnoses() -> list[Diagnosis]:
    """What explains a training's record, and a trace of torch's."""
    rules = "guide_deep_learning.training.diagnoses"
    return [
        Diagnosis("crowded cores", f"{rules}:crowded_cores"),
        Diagnosis("communication-bound", f"{rules}:communication_bound"),
        *DEVICE,
        *HOST,
    ]


@hookimpl
def guide_profilers() -> list[Profiler]:
    """The profiler of torch."""
    code = "guide_deep_learning.explain.profiling"
    return [Profiler("torch", _TRACK, task=f"{code}:ProfiledTask", program=code)]


@hookimpl
def guide_doctor() -> list[Finding]:
    """What this machine has for training."""
    return [*_torch_findings(), _corpus_finding()]


def _torch_findings() -> Iterator[Finding]:
    try:
        import torch
    except ImportError as error:
        yield Finding("torch", "problem", f"cannot be imported: {error}", "pip install torch")
        return
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    yield Finding("torch", "ok", f"{torch.__version__}, built for {build}")
    yield _threads_finding(torch.get_num_threads())
    yield _cuda_finding(torch)
    yield _bf16_finding(torch)


def _threads_finding(threads: int) -> Finding:
    # Not cpu_count: a container or taskset may leave a process fewer than the machine has.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if allowed and threads > allowed:
        return Finding(
            "threads",
            "problem",
            f"torch computes with {threads} threads, this process may use {allowed} CPUs",
            f"type --set threads={allowed}, or export OMP_NUM_THREADS={allowed}",
        )
    return Finding("threads", "ok", f"torch computes with {threads}, {allowed} CPUs are allowed")


def _cuda_finding(torch: ModuleType) -> Finding:
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding("CUDA", "ok", ", ".join(names))
    if torch.version.cuda:
        return Finding(
            "CUDA",
            "note",
            f"torch is built for CUDA {torch.version.cuda} and finds no device",
            "if there is one, nvidia-smi says whether its driver works",
        )
    return Finding("CUDA", "note", "none: training runs on the CPU")


def _bf16_finding(torch: ModuleType) -> Finding:
    from guide_deep_learning.training.loop.hardware import bf16_flags

    where = []
    if torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0):
        where.append("the GPU")
    where += bf16_flags()
    if where:
        return Finding("bf16", "ok", f"in hardware: {', '.join(where)}")
    return Finding("bf16", "note", "no hardware found for it: stay with float32")


def _corpus_finding() -> Finding:
    from guide.errors import GuideError
    from guide_deep_learning.training.data.corpus import stdlib

    try:
        corpus = stdlib()
    except GuideError as error:
        return Finding("text", "problem", error.message, error.remedy)
    detail = f"the standard library's source: {corpus.files} files, {corpus.size / 1e6:.1f} MB"
    return Finding("text", "ok", detail)

"""A camera of 30 frames a second: from the moment a frame is due to its finished JPEG.

The camera is the clip, read by the clock: frame k is due k periods after the start, and nobody
gets it before. Latency counts from then, so whoever falls behind is charged for it. Both sides run
in turn, in segments, and the frames of the first second are left out.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2

from benchmarks.apart import FailedError, run
from benchmarks.rows import Row, paired
from benchmarks.vision.clip import clip
from benchmarks.vision.ours import Detect, Finish, FinishPlanes, PlanarClip
from benchmarks.vision.scale import Scale
from benchmarks.vision.work import Detector, Image, draw, encode
from guide_vision.pipeline import Facts, Frame, Pipeline, Source
from guide_vision.pipeline.clip import Clip

PERIOD_NS = 1_000_000_000 // 30
WARM_UP = 30
Take = Callable[[int, int], bool]  # number and due time of a frame that is done; more wanted?
OURS = {"ours": 1.0, "planar": 0.9}  # at most this much of the serial loop's


class Paced:
    """A source by the clock: what it reads is a camera's."""

    live = True

    def __init__(self, source: Source) -> None:
        self._source = source
        self._due = _Due()

    def open(self) -> Facts:
        """Switch the camera on."""
        return self._source.open()

    def read(self, into: Image | None = None) -> Frame | None:
        """Wait until the next frame is due."""
        due_ns = self._due.wait()
        frame = self._source.read(into)
        if frame is not None:
            frame.t_capture_ns = due_ns
        return frame

    def close(self) -> None:
        """Switch it off."""
        self._source.close()


class _Due:
    """When frames are due; the first at the first call."""

    def __init__(self) -> None:
        self._next_ns = 0

    def wait(self) -> int:
        """Until the next one is."""
        due_ns = self._next_ns or time.perf_counter_ns()
        self._next_ns = due_ns + PERIOD_NS
        time.sleep(max(due_ns - time.perf_counter_ns(), 0) / 1e9)
        return due_ns


def serial(film: str, take: Take, *, threads: int | None = None) -> None:
    """The loop, with cv2's defaults."""
    if threads is not None:
        cv2.setNumThreads(threads)
    settings = [] if threads is None else [cv2.CAP_PROP_N_THREADS, threads]
    capture = cv2.VideoCapture(film, cv2.CAP_FFMPEG, settings)
    detect, due, number, more = Detector(), _Due(), 0, True
    while more:
        due_ns = due.wait()
        ok, image = capture.read()
        if not ok:
            return
        draw(image, number, detect(image))
        encode(image)
        more = take(number, due_ns)
        number += 1


def one_thread(film: str, take: Take) -> None:
    """The loop, with one thread in every library."""
    serial(film, take, threads=1)


def ours(film: str, take: Take) -> None:
    """The pipeline as a live source has it: a thread that reads, all else where it is taken."""
    _through(Pipeline(Paced(Clip(Path(film))), [Detect(), Finish()]), take)


def planar(film: str, take: Take) -> None:
    """The same on planes."""
    source = PlanarClip(Path(film))
    source.open()
    height = source.height
    source.close()
    _through(Pipeline(Paced(source), [Detect(height), FinishPlanes(height)]), take)


def _through(pipeline: Pipeline, take: Take) -> None:
    pipeline.open()
    while (frame := pipeline.take()) is not None and take(frame.seq, frame.t_capture_ns):
        pass
    if not (books := pipeline.close()).balanced:
        raise RuntimeError(f"the books do not balance: {books}")


def segment(variant: str, film: str, seconds: float) -> dict[str, Any]:
    """Latencies in ms of one segment, frames that never came, and the CPU time of a frame."""
    latencies: list[float] = []
    wanted = WARM_UP + round(seconds * 30)
    cpu_s, first, last = 0.0, 0, 0

    def take(number: int, due_ns: int) -> bool:
        nonlocal cpu_s, first, last
        latencies.append((time.perf_counter_ns() - due_ns) / 1e6)
        if len(latencies) == WARM_UP:
            cpu_s, first = time.process_time(), number
        last = number
        return len(latencies) < wanted

    globals()[variant](film, take)
    timed = latencies[WARM_UP:]
    cpu_ms = (time.process_time() - cpu_s) / len(timed) * 1e3
    return {"latencies": timed, "dropped": last - first - len(timed), "cpu_ms": cpu_ms}


def rows(scale: Scale) -> Iterator[Row]:
    """p50 and p99 of ours beside the serial loop's, and the deadlines missed."""
    film = str(clip(scale.height))
    variants = ["serial", *OURS, "one_thread"]
    found: dict[str, list[list[float]]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    dropped: dict[str, int] = defaultdict(int)
    failed: dict[str, str] = {}
    for number in range(scale.segments):
        for variant in reversed(variants) if number % 2 else variants:
            try:
                got = run(
                    "vision.live:segment", variant=variant, film=film, seconds=scale.segment_s
                )
            except FailedError as error:
                failed[variant] = str(error)
                continue
            found[variant].append(got["latencies"])
            cpu[variant].append(got["cpu_ms"])
            dropped[variant] += got["dropped"]
    for variant, share in OURS.items():
        name = {"ours": "", "planar": ", planes"}[variant]
        figure = f"live 30 fps, due to JPEG{name}"
        if variant in failed or "serial" in failed:
            why = failed.get(variant, failed.get("serial"))
            yield Row(figure, f"did not run: {why}", "serial loop", None, "-", False)
            continue
        for percent in (50, 99):
            mine, theirs = (
                [_percentile(part, percent) for part in found[v]] for v in (variant, "serial")
            )
            a, b, ratio, spread = paired(mine, theirs)
            yield Row(
                f"{figure}, p{percent}",
                f"{a:.1f} ms",
                f"serial loop {b:.1f} ms",
                ratio,
                f"at most {share:g}",
                ratio <= share,
                spread,
            )
        missed = _late(found[variant]) + dropped[variant]  # who never came is late as well
        count = sum(map(len, found[variant])) + dropped[variant]
        minutes = count / 30 / 60
        yield Row(
            f"{figure}: deadlines of 33 ms missed in {minutes:.1f} min",
            f"{missed} of {count}, {_median_ms(cpu[variant])} CPU",
            f"serial loop {_late(found['serial'])}, {_median_ms(cpu['serial'])} CPU",
            None,
            "0" if minutes >= 5 else "0 in 5 min",
            missed == 0 if missed or minutes >= 5 else None,
        )
    if "one_thread" not in failed:
        p50, p99 = (
            sum(_percentile(part, percent) for part in found["one_thread"]) / scale.segments
            for percent in (50, 99)
        )
        about = f"{p50:.1f} and {p99:.1f} ms, {_late(found['one_thread'])} missed"
        yield Row("peer: serial loop, one thread, p50 and p99", "-", about, None, "-", None)


def _percentile(latencies: list[float], percent: int) -> float:
    return sorted(latencies)[math.ceil(len(latencies) * percent / 100) - 1]


def _late(segments: list[list[float]]) -> int:
    return sum(ms > PERIOD_NS / 1e6 for part in segments for ms in part)


def _median_ms(values: list[float]) -> str:
    return f"{sorted(values)[len(values) // 2]:.1f} ms"

"""Frames a second, CPU and memory of every variant, each in a process of its own, in turn."""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from benchmarks.apart import FailedError, run
from benchmarks.rows import Row, paired
from benchmarks.vision.ceiling import COPIES, together
from benchmarks.vision.clip import clip
from benchmarks.vision.scale import Scale

ONE, DEFAULTS, CEILING = "peers:one_thread", "peers:defaults", "ceiling"
PEERS = {
    "peers:queues": "a thread per stage, queue.Queue(4)",
    "peers:pickles": "three processes, pickled frames",
    "peers:vidgear": "vidgear CamGear + loop",
    "peers:imutils": "imutils FileVideoStream + loop",
    "peers:pyav": "PyAV + loop",
    "peers:gstreamer": "GStreamer + Python",
}
BGR, PLANAR, GRAY, FUSED = "ours:bgr", "ours:planar", "ours:gray", "ours:fused"
EXACT = {ONE, DEFAULTS, "peers:queues", "peers:pickles", "peers:vidgear", "peers:imutils", BGR}


class Results:
    """What each variant gave in each round; a variant that failed once is out."""

    def __init__(self) -> None:
        self._fps: dict[str, list[float]] = defaultdict(list)
        self._last: dict[str, dict[str, Any]] = defaultdict(dict)
        self._cpu: dict[str, list[float]] = defaultdict(list)
        self.failed: dict[str, str] = {}

    def add(self, variant: str, result: dict[str, Any]) -> None:
        """One more round of it."""
        self._fps[variant].append(result["fps"])
        self._cpu[variant].append(result.get("cpu_ms", 0.0))
        self._last[variant] = result

    def has(self, variant: str) -> bool:
        """Whether it ran, in every round."""
        return variant in self._fps and variant not in self.failed

    def ratio(self, variant: str, to: str) -> tuple[float, str]:
        """Of its throughput: the median of the rounds, and the quartiles as text."""
        return paired(self._fps[variant], self._fps[to])[2:]

    def fps(self, variant: str) -> str:
        """The median, as text."""
        return f"{statistics.median(self._fps[variant]):.0f} fps"

    def cpu_ms(self, variant: str) -> float:
        """Of a frame, the median."""
        return statistics.median(self._cpu[variant])

    def about(self, variant: str) -> str:
        """All that is known, as text."""
        last = self._last[variant]
        same = "same results" if self.same(variant) else f"{last['blobs']} blobs"
        cpu = f"{self.cpu_ms(variant):.1f} ms CPU"
        return f"{self.fps(variant)}, {cpu}, {last['peak_mb']:.0f} MB, {same}"

    def same(self, variant: str) -> bool:
        """Whether all boxes and all bytes of all JPEGs are those of the one-thread loop."""
        keys = ("blobs", "boxes", "jpegs")
        return all(self._last[variant].get(key) == self._last[ONE][key] for key in keys)


def measure(film: str, scale: Scale) -> Results:
    """Rounds of all variants; each round begins with another."""
    variants = [ONE, BGR, CEILING, DEFAULTS, PLANAR, FUSED, GRAY, *PEERS]
    results = Results()
    for number in range(scale.rounds):
        first = number * 5 % len(variants)
        order = variants[first:] + variants[:first]
        for variant in reversed(order) if number % 2 else order:
            if variant in results.failed:
                continue
            try:
                if variant == CEILING:
                    fps = together(film, scale.frames, scale.warm_up)
                    results.add(variant, {"fps": fps})
                    continue
                result = run(
                    "vision.meter:throughput",
                    variant=variant,
                    clip=film,
                    frames=scale.frames,
                    warm_up=scale.warm_up,
                )
            except FailedError as error:
                results.failed[variant] = str(error).partition(": ")[2].partition(" (/")[0]
                continue
            results.add(variant, result)
            if number == 0 and scale.verbose:
                print(f"  {variant}: {result['fps']:.0f} fps", file=sys.stderr)
    return results


def rows(scale: Scale) -> Iterator[Row]:
    """Ours over both loops and the ceiling, then every peer over the one-thread loop."""
    results = measure(str(clip(scale.height)), scale)
    for needed in (ONE, DEFAULTS, CEILING, BGR):
        if not results.has(needed):
            sys.exit(f"{needed} did not run: {results.failed.get(needed)}")
    if wrong := [v for v in EXACT if results.has(v) and not results.same(v)]:
        sys.exit(f"not the same boxes or JPEGs as the serial loop: {', '.join(sorted(wrong))}")

    yield _ratio(results, "throughput, same results bit by bit", BGR, ONE, 1.7)
    ratio, spread = results.ratio(CEILING, ONE)
    figure = f"the ceiling here: {COPIES} copies of the one-thread loop at once"
    yield Row(figure, "-", results.fps(CEILING), ratio, "-", None, spread)
    ratio, spread = results.ratio(BGR, CEILING)
    ours, ceiling = results.fps(BGR), results.fps(CEILING)
    goal = "at least 0.95"
    yield Row("efficiency: throughput / ceiling", ours, ceiling, ratio, goal, ratio >= 0.95, spread)
    yield _ratio(results, "throughput over the loop everybody writes", BGR, DEFAULTS, 1.4)
    ours_ms, peer_ms = results.cpu_ms(BGR), results.cpu_ms(DEFAULTS)
    yield Row(
        "CPU per frame",
        f"{ours_ms:.1f} ms",
        f"cv2 defaults {peer_ms:.1f} ms",
        ours_ms / peer_ms,
        "under 16 ms",
        ours_ms < 16,
    )
    yield _ratio(results, "with Y plane and planar JPEG", PLANAR, DEFAULTS, 1.6)
    yield _ratio(results, "with Y plane and planar JPEG", PLANAR, ONE, None)
    yield _ratio(results, "with Y plane alone, JPEG without colour", GRAY, DEFAULTS, None)
    yield _ratio(results, "with the fused kernel, Y plane, planar JPEG", FUSED, DEFAULTS, 2.5)
    yield _ratio(results, "with the fused kernel, Y plane, planar JPEG", FUSED, ONE, None)
    for variant in (DEFAULTS, *PEERS):
        name = PEERS.get(variant, "the loop everybody writes, cv2 defaults")
        if results.has(variant):
            ratio, spread = results.ratio(variant, ONE)
            about = results.about(variant)
            yield Row(f"peer: {name}, over one thread", "-", about, ratio, "-", None, spread)
        else:
            why = results.failed[variant]
            yield Row(f"peer: {name}", "-", f"did not run: {why}", None, "-", None)


def _ratio(results: Results, figure: str, ours: str, peer: str, goal: float | None) -> Row:
    name = {ONE: "one thread", DEFAULTS: "cv2 defaults"}[peer]
    asked = "-" if goal is None else f"at least {goal}"
    if not results.has(ours):
        why = f"did not run: {results.failed[ours]}"
        return Row(figure, why, name, None, asked, None if goal is None else False)
    ratio, spread = results.ratio(ours, peer)
    ok = None if goal is None else ratio >= goal
    about = results.about(ours)
    return Row(figure, about, f"{name} {results.fps(peer)}", ratio, asked, ok, spread)

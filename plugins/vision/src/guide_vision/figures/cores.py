"""Figures of cores: OpenCV's threads beside your own, and what looking first saves."""

from __future__ import annotations

import threading
import time
from typing import Any

import cv2
import numpy as np

from guide.energy import MODEL_HIGH_W, MODEL_LOW_W
from guide.foundations.figures.stopwatch import best_ns
from guide.machine import usable_threads
from guide_vision.figures.frames import one_thread, photograph
from guide_vision.pipeline.background import Mog2
from guide_vision.pipeline.frame import Image

_DAY_S = 86_400
_FPS = 30


def threads_beside(quick: bool = False) -> dict[str, Any]:
    """The same frames worked on by one loop and by several, OpenCV's own threads on and off."""
    width, height = (160, 90) if quick else (1280, 720)
    frame = photograph(width, height)
    frames, loops = (4 if quick else 12), max(min(usable_threads(), 4), 2)
    before = cv2.getNumThreads()
    ways = {
        "one loop, OpenCV 1 thread": (1, 1),
        "one loop, OpenCV all": (1, usable_threads()),
        f"{loops} loops, OpenCV 1 thread": (loops, 1),
        f"{loops} loops, OpenCV all": (loops, usable_threads()),
    }
    wall, cpu = dict.fromkeys(ways, float("inf")), dict.fromkeys(ways, float("inf"))
    try:
        for _ in range(1 if quick else 24):  # short and often: some are undisturbed
            for label, (count, threads) in ways.items():
                cv2.setNumThreads(threads)
                wall_ns, cpu_ns = _together(frame, frames, count)
                wall[label] = min(wall[label], wall_ns / frames)
                cpu[label] = min(cpu[label], cpu_ns / frames)
    finally:
        cv2.setNumThreads(before)
    alone, split, apart, both = wall.values()
    cpu_alone, cpu_split, cpu_apart, cpu_both = cpu.values()
    return {
        "what": "time for a frame, shorter is better",
        "log": False,
        "rows": list(wall.items()),
        "values": {
            "loops_count": loops,
            "cores_count": usable_threads(),
            "alone_ns": alone,
            "split_x": alone / split,
            "apart_x": alone / apart,
            "both_x": alone / both,
            "split_cpu_x": cpu_split / cpu_alone,
            "apart_cpu_x": cpu_apart / cpu_alone,
            "both_cpu_x": cpu_both / cpu_alone,
        },
    }


def _together(frame: Image, frames: int, loops: int) -> tuple[float, float]:
    """Work on so many frames in so many threads; wall and processor time, in ns."""

    def work(count: int) -> None:
        small = np.empty((frame.shape[0] // 2, frame.shape[1] // 2, 3), np.uint8)
        soft = np.empty_like(small)
        for _ in range(count):
            cv2.resize(frame, small.shape[1::-1], dst=small, interpolation=cv2.INTER_AREA)
            cv2.GaussianBlur(small, (9, 9), 0, dst=soft)
            cv2.medianBlur(soft, 5, dst=small)

    threads = [threading.Thread(target=work, args=(frames // loops,)) for _ in range(loops)]
    wall_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter_ns() - wall_ns, time.process_time_ns() - cpu_ns


def always_on(quick: bool = False) -> dict[str, Any]:
    """A day of a camera at 30 frames a second: everything always, and only when something moves.

    Processor time is measured; joules are a model, the watts of one busy thread at least and at
    most, and they are said to be that. Something moves in one frame of fifty.
    """
    width, height = (160, 90) if quick else (1280, 720)
    with one_thread():
        frame = photograph(width, height)
        model = Mog2(width // 2)
        tiny, last = np.zeros((45, 80, 3), np.uint8), np.zeros((45, 80, 3), np.uint8)

        def look() -> object:
            cv2.resize(frame, (80, 45), dst=tiny, interpolation=cv2.INTER_NEAREST)
            return cv2.norm(tiny, last, cv2.NORM_L1)

        def everything() -> object:
            model.apply(frame)
            return cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, 80))

        full_ns, look_ns = best_ns(everything, quick, 400_000_000), best_ns(look, quick)
    first_ns = look_ns + full_ns / 50

    def watt_hours(ns: float, watts: float) -> float:
        return ns / 1e9 * _FPS * _DAY_S * watts / 3600

    ways = {"always": full_ns, "look first": first_ns}
    return {
        "what": "modelled: processor time x watts, a day, shorter is better",
        "rows": [
            (f"{name}, at {end}", watt_hours(ns, watts))
            for name, ns in ways.items()
            for end, watts in (("least", MODEL_LOW_W), ("most", MODEL_HIGH_W))
        ],
        "values": {
            "full_ns": full_ns,
            "look_ns": look_ns,
            "saved_x": full_ns / first_ns,
            "busy_percent": full_ns * _FPS / 1e7,
            "low_Wh": watt_hours(full_ns, MODEL_LOW_W),
            "high_Wh": watt_hours(full_ns, MODEL_HIGH_W),
            "first_low_Wh": watt_hours(first_ns, MODEL_LOW_W),
            "first_high_Wh": watt_hours(first_ns, MODEL_HIGH_W),
        },
    }

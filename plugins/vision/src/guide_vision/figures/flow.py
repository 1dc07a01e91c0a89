"""Figures on a simulated clock: how old frames get, and how far two clocks go apart."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import Any

_PERIOD_MS, _WORK_MS, _SECONDS = 100 / 3, 50.0, 20


def ages(link: str, period_ms: float, work_ms: float, seconds: float) -> list[tuple[float, float]]:
    """How old each frame is when the work on it is done: (when, age), in s and ms.

    Args:
        link: "lossless", "latest" or "sample", which is every second one.
        period_ms: from one frame of the camera to the next.
        work_ms: for one frame.
        seconds: how long it goes on.
    """
    # Fractions: a frame that is due at this very moment has come, whatever a float would say
    period, work = (Fraction(ms).limit_denominator(1000) for ms in (period_ms, work_ms))
    waiting: deque[Fraction] = deque(maxlen=1 if link == "latest" else None)
    done, came, now_ms = [], 0, Fraction(0)
    while now_ms < 1000 * seconds:
        while came * period <= now_ms:
            if link != "sample" or came % 2 == 0:
                waiting.append(came * period)
            came += 1
        if not waiting:
            now_ms = came * period
            continue
        taken_ms = waiting.popleft()
        now_ms += work
        done.append((float(now_ms / 1000), float(now_ms - taken_ms)))
    return done


def frame_age(quick: bool = False) -> dict[str, Any]:
    """A camera of 30 frames a second before work of 50 ms, for 20 s, by what the link does."""
    kept = {link: ages(link, _PERIOD_MS, _WORK_MS, _SECONDS) for link in _LINKS}
    worst = {link: max(age for _, age in points) * 1e6 for link, points in kept.items()}
    waits = _SECONDS * 1000 / _PERIOD_MS - _SECONDS * 1000 / _WORK_MS
    return {
        "computed": True,
        "lines": {link: _oldest(points) for link, points in kept.items()},
        "values": {
            "lossless_ns": kept["lossless"][-1][1] * 1e6,
            "latest_ns": worst["latest"],
            "sample_ns": worst["sample"],
            "waiting_count": round(waits),
            "waiting_bytes": round(waits) * 1280 * 720 * 3,
            "latest_count": len(kept["latest"]),
            "sample_count": len(kept["sample"]),
        },
    }


_LINKS = ("lossless", "latest", "sample")


def _oldest(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The oldest of each half second."""
    oldest: dict[int, float] = {}
    for when, age in points:
        half = int(when * 2)
        oldest[half] = max(oldest.get(half, 0.0), age)
    return [(half / 2, age) for half, age in oldest.items()]


def drift(quick: bool = False) -> dict[str, Any]:
    """How far picture and sound go apart, for three causes that nobody notices in a short test."""
    minutes = [1, 2, 5, 10, 20, 60, 120, 300, 600]
    apart = {  # ms for each minute
        "29.97": 60_000 * (1 - 30_000 / 1001 / 30),
        "lost": 60 * 30 / 10_000 * 1000 / 30,
        "50 ppm": 60_000 * 50e-6,
    }
    each = list(apart.values())
    return {
        "computed": True,
        "lines": {name: [(m, m * ms) for m in minutes] for name, ms in apart.items()},
        "values": {
            "ntsc_hour_ns": each[0] * 60 * 1e6,
            "ntsc_seen_minutes": 45 / each[0],
            "crystal_hour_ns": each[2] * 60 * 1e6,
            "crystal_seen_minutes": 45 / each[2],
        },
    }

"""Figures of numbers: what a depth can tell apart, what a byte of colour can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from guide.foundations.figures.stopwatch import series
from guide.learn.chart import Lines

F64 = npt.NDArray[np.float64]

NEAR, FAR = 0.1, 20_000.0


def standard(distance: F64) -> F64:
    """Depth from 0 at the near plane to 1 at the far one."""
    return FAR / (FAR - NEAR) * (1 - NEAR / distance)


def reversed_z(distance: F64) -> F64:
    """Depth from 1 at the near plane towards 0, far away."""
    return NEAR / distance


def gaps(depth: F64, spacing: F64, distance: F64) -> F64:
    """How far apart two depths that are neighbours in a buffer lie in space."""
    slope = np.gradient(depth, distance)
    return spacing / np.abs(slope)


def depth_gaps(quick: bool = False) -> dict[str, Any]:
    """The least distance that a depth buffer tells apart, over how far away it is."""
    distance = np.geomspace(0.15, 15_000, 4001)
    one, other = standard(distance), reversed_z(distance)
    kinds = {
        "24 bits": gaps(one, np.full_like(one, 2.0**-24), distance),
        "float": gaps(one, _spacing(one), distance),
        "float, reversed": gaps(other, _spacing(other), distance),
    }
    at = {name: float(np.interp(5000, distance, gap)) for name, gap in kinds.items()}
    hundred = float(np.interp(100, distance, kinds["float"]))
    spent = float(standard(np.array(1.0)))
    # Drawn at octaves: within one, the spacing of floats is the same
    shown = distance[::100]
    return {
        "computed": True,
        "lines": {
            name: [(float(x), float(np.interp(x, distance, gap))) for x in shown]
            for name, gap in kinds.items()
        },
        "values": {
            "bits_m": at["24 bits"],
            "float_m": at["float"],
            "reversed_mm": 1000 * at["float, reversed"],
            "hundred_mm": 1000 * hundred,
            "spent_percent": 100 * spent,
            "better_x": at["float"] / at["float, reversed"],
        },
    }


def _spacing(depth: F64) -> F64:
    return np.spacing(depth.astype(np.float32)).astype(np.float64)


def draw_depth_gaps(data: Mapping[str, Any]) -> Lines:
    """Over the distance."""
    marks = [(10.0**n, f"{10**n:,} m" if n >= 0 else f"{10.0**n:g} m") for n in range(0, 5)]
    return Lines(series(data), "distance", "m told apart", x_marks=marks)


def to_light(code: F64) -> F64:
    """Light of an sRGB code: what share of white a code from 0 to 1 gives (IEC 61966-2-1)."""
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def to_code(light: F64) -> F64:
    """Light to sRGB: the code from 0 to 1 that gives this share of white."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def color_steps(quick: bool = False) -> dict[str, Any]:
    """The step to the next colour, in percent of its light, over how much light that is."""
    codes = np.arange(256) / 255
    kinds = {
        "8 bits of light": codes,
        "8 bits of sRGB": to_light(codes),
        "10 bits of sRGB": to_light(np.arange(1024) / 1023),
    }
    wanted = np.geomspace(0.002, 0.98, 45)
    lines = {}
    for name, light in kinds.items():
        step = 100 * np.diff(light)[1:] / light[1:-1]
        lines[name] = [(float(x), float(np.interp(x, light[1:-1], step))) for x in wanted]
    at = {
        name: float(np.interp(0.01, [x for x, _ in points], [y for _, y in points]))
        for name, points in lines.items()
    }
    middle = float(to_code(np.array(0.5)))
    return {
        "computed": True,
        "lines": lines,
        "values": {
            "light_percent": at["8 bits of light"],
            "srgb_percent": at["8 bits of sRGB"],
            "ten_percent": at["10 bits of sRGB"],
            "light_count": int(np.count_nonzero(kinds["8 bits of light"] < 0.1)),
            "srgb_count": int(np.count_nonzero(kinds["8 bits of sRGB"] < 0.1)),
            "middle_count": round(255 * middle),
            "wrong_percent": 100 * float(to_light(np.array(127.5 / 255))),
        },
    }


def draw_color_steps(data: Mapping[str, Any]) -> Lines:
    """Over the light."""
    marks = [(0.002, "0.2 %"), (0.01, "1 %"), (0.1, "10 %"), (0.98, "white")]
    return Lines(series(data), "share of white", "% to the next", x_marks=marks)

"""Shrink, compare, learn and mask in one pass over memory, compiled by numba without the GIL.

Apart, these are four passes with a picture written and read between each two. Fused, a frame of
W x H grey pixels moves, from memory and back:

    picture      read  1 B of each pixel                         1.00 B
    mean         read and written, 4 B each, of one in four      2.00 B
    variance     read and written, 4 B each, of one in four      2.00 B
    mask         written, 1 B of one in four                     0.25 B
                                                                 5.25 B a pixel

4.8 MB at 1280 x 720. The floor is that over the bandwidth of one core: 0.5 ms at 10 GB/s from
memory, less when the model (1.8 MB at 720p) stays in a cache. Some 20 float operations per small
pixel, 5 per pixel of the picture, are no limit: at 8 a vector that is a third of a cycle each.
`benchmarks/vision_background.py` measures it beside resize + MOG2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from guide.errors import GuideError
from guide_vision.pipeline.frame import Image

F = TypeVar("F", bound=Callable[..., Any])


def _compiled(function: F) -> F:
    try:
        return cast(F, njit(nogil=True, cache=True, error_model="numpy", fastmath=True)(function))
    except RuntimeError:  # it can keep compiled code nowhere: compile at every start
        return cast(F, njit(nogil=True, error_model="numpy", fastmath=True)(function))


@_compiled
def background_pass(
    gray: Image,
    mean: Any,
    variance: Any,
    mask: Image,
    rate: Any,
    slow: Any,
    square: Any,
    floor: Any,
) -> None:
    """Write the mask of `gray` and learn from it.

    Args:
        gray: H x W, uint8.
        mean: H/2 x W/2, float32, of the 2 x 2 means so far; changed in place.
        variance: likewise.
        mask: H/2 x W/2, uint8: 255 where a pixel stands out, else 0.
        rate: weight of this picture in mean and variance, 0 to 1, float32.
        slow: the same where the pixel stands out.
        square: squared standard deviations from which it does.
        floor: least variance it is compared with, in squared grey levels.
    """
    quarter = np.float32(0.25)
    rows, columns = mask.shape
    for y in range(rows):
        upper, lower = gray[2 * y], gray[2 * y + 1]
        for x in range(columns):
            total = (
                np.int32(upper[2 * x])
                + np.int32(upper[2 * x + 1])
                + np.int32(lower[2 * x])
                + np.int32(lower[2 * x + 1])
            )
            m, v = mean[y, x], variance[y, x]
            off = np.float32(total) * quarter - m
            out = off * off > square * max(v, floor)
            a = slow if out else rate
            mean[y, x] = m + a * off
            variance[y, x] = v + a * (off * off - v)
            mask[y, x] = 255 if out else 0


def warm() -> str:
    """Compile the kernel, unless it is kept already; returns the folder it is kept in.

    Raises:
        GuideError: when there is no folder for it that can be written.
    """
    picture, model = np.zeros((2, 2), np.uint8), np.zeros((1, 1), np.float32)
    one = np.float32(1)
    background_pass(picture, model, model.copy(), picture[:1, :1].copy(), one, one, one, one)
    stats: Any = getattr(background_pass, "stats", None)
    if not (stats and stats.cache_path):
        raise GuideError(
            "there is no folder to keep compiled code in that can be written",
            "export NUMBA_CACHE_DIR=FOLDER, one that you can write to",
        )
    return str(stats.cache_path)

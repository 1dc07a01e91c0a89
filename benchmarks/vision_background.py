"""The fused background pass beside shrinking and MOG2, on the same grey frames.

    python benchmarks/vision_background.py [--frames 150] [--size 1280x720]

Both are given the Y plane of a frame and write a mask half as wide and high. They take turns,
frame by frame and each first every second time, so that what else the machine does hits both; the
figure is the median of the ratios of pairs. One thread each. Needs numba.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median, quantiles

import cv2
import numpy as np

from guide_vision.pipeline import Image, open_source, use_threads
from guide_vision.pipeline.background import FusedBackground

BYTES_A_PIXEL = 5.25  # see guide_vision.pipeline.fused


def resize_and_mog2() -> Callable[[Image], Image]:
    """What the fused pass takes the place of."""
    subtractor = cv2.createBackgroundSubtractorMOG2(300, 16, True)
    memory: dict[str, Image] = {}

    def apply(gray: Image) -> Image:
        size = (gray.shape[1] // 2, gray.shape[0] // 2)
        small = cv2.resize(gray, size, dst=memory.get("small"), interpolation=cv2.INTER_AREA)
        mask = subtractor.apply(small, memory.get("mask"))
        cv2.threshold(mask, 200, 255, cv2.THRESH_BINARY, dst=mask)
        memory.update(small=small, mask=mask)  # type: ignore[arg-type]
        return mask  # type: ignore[return-value]

    return apply


def copy_gb_s() -> float:
    """What one core copies, read and written, from and to memory that no cache holds."""
    source = np.ones(64 << 20, np.uint8)
    target = np.empty_like(source)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - began)
    return 2 * source.nbytes / best / 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--size", default="1280x720")
    typed = parser.parse_args()
    width, height = (int(n) for n in typed.size.split("x"))
    use_threads(1)
    source = open_source("virtual:crossings", width=width, height=height)
    source.open()
    fused = FusedBackground()
    rivals = {"resize + MOG2": resize_and_mog2(), "fused": fused.apply}
    times: dict[str, list[float]] = {name: [] for name in rivals}
    warm_up = 20
    for k in range(typed.frames + warm_up):
        frame = source.read()
        assert frame is not None
        gray = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)
        for name in sorted(rivals, reverse=bool(k % 2)):
            began = time.perf_counter()
            rivals[name](gray)  # type: ignore[arg-type]
            if k >= warm_up:
                times[name].append((time.perf_counter() - began) * 1e3)
    source.close()
    ratios = [a / b for a, b in zip(times["resize + MOG2"], times["fused"], strict=True)]
    low, _, high = quantiles(ratios, n=4)
    for name, spent in times.items():
        print(f"{name:14} {median(spent):7.3f} ms a frame of {width} x {height}, median")
    print(f"ratio          {median(ratios):7.1f} x, half of the pairs {low:.1f} to {high:.1f}")
    moved, rate = BYTES_A_PIXEL * width * height, copy_gb_s()
    print(
        f"floor          {moved / rate / 1e6:7.3f} ms: {moved / 1e6:.1f} MB at the {rate:.1f} GB/s "
        "that one core copies; below it when the model stays in a cache"
    )


if __name__ == "__main__":
    main()

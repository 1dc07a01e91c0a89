"""A run whose frames are the same wherever and however fast they are drawn."""

from __future__ import annotations

import zlib

from guide.run import Run
from guide_graphics.raster.renderer import Frame

STEP_NS = 16_666_667  # time from frame to frame, however long one takes
FRAMES = 720  # after so many it ends: 12 s of what is shown


def run_free(run: Run) -> None:
    """Begin every frame as the one before ends. From a task's `start`."""
    run.loop.follow(run.clock.now_ns)


def state_facts(run: Run, frame: Frame) -> None:
    """State median and p99 of the frame time, and a checksum of the last frame.

    The checksum is the CRC-32 of the colours: equal for equal backend, size, seed and count of
    frames, unless a driver or a compiler computes otherwise.
    """
    work = run.loop.log.work
    median_ns, p99_ns = work.percentiles((50, 99))
    median, p99 = f"{median_ns / 1e6:.3f} ms", f"{p99_ns / 1e6:.3f} ms"
    checksum = f"{zlib.crc32(frame.color.tobytes()):08x}"
    run.fact("benchmark frames", work.count)
    run.fact("benchmark median", median)
    run.fact("benchmark p99", p99)
    run.fact("benchmark checksum", checksum)
    run.note(f"benchmark: {work.count} frames, median {median}, p99 {p99}, checksum {checksum}")

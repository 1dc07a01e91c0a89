"""A network camera at 30 frames a second, and a program that needs 60 ms for each.

    python benchmarks/vision_slow_consumer.py [--seconds 12] [--work-ms 60]

Two programs read the same camera at the same time, each on its own connection: a loop around
`cv2.VideoCapture`, as every tutorial has it, and the latest-frame link of `guide_vision`. Every
frame carries its number and its time of capture as a barcode, so the age of what each program
gets does not depend on anybody's buffers. Both ask for the newest; only one gets it.

The camera runs on the loopback interface, in a process of its own. Needs nothing but the plugin.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from statistics import median

import cv2

from guide_vision.pipeline import Image, Pipeline, open_source, use_threads
from guide_vision.pipeline.barcode import read_barcode
from guide_vision.pipeline.opencv import quiet

# (seconds since the start, the camera's number of the frame, its age in ms)
Samples = list[tuple[float, int, float]]


def consume(read: Callable[[], Image], work_s: float, until_s: float) -> Samples:
    """Read and work until the time is up."""
    began = time.perf_counter()
    samples: Samples = []
    while (elapsed := time.perf_counter() - began) < until_s:
        image = read()
        number, taken_ms = read_barcode(image, row=1), read_barcode(image, row=0)
        age_ms = (time.perf_counter_ns() // 1_000_000 - taken_ms) % 2**32
        samples.append((elapsed, number, float(age_ms)))
        time.sleep(work_s)  # the work: no CPU, so that the two programs do not disturb each other
    return samples


def plain_loop(url: str, work_s: float, until_s: float) -> Samples:
    """What every tutorial has."""
    quiet()
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)

    def read() -> Image:
        ok, image = capture.read()
        if not ok:
            sys.exit("the camera is gone")
        return image  # type: ignore[return-value]

    samples = consume(read, work_s, until_s)
    capture.release()
    return samples


def latest(url: str, work_s: float, until_s: float) -> tuple[Samples, str]:
    """The link that a live source gets; also returns its books."""
    link = Pipeline(open_source(url))
    link.open()

    def read() -> Image:
        frame = link.take()
        if frame is None:
            sys.exit("the camera is gone")
        return frame.image

    samples = consume(read, work_s, until_s)
    return samples, str(link.close())


def part(samples: Samples, low_s: float, high_s: float) -> list[float]:
    """Ages within a stretch of time."""
    return [age for t, _, age in samples if low_s <= t < high_s]


def report(plain: Samples, mailbox: Samples, books: str, fps: float, seconds: float) -> str:
    """The table."""
    lines = ["seconds        plain loop        latest link      (median age of a frame, ms)"]
    step = seconds / 6
    for k in range(6):
        ages = [part(samples, k * step, (k + 1) * step) for samples in (plain, mailbox)]
        cells = [f"{median(a):8.0f}" if a else "       -" for a in ages]
        lines.append(f"{k * step:4.1f} - {(k + 1) * step:4.1f}    {cells[0]} ms     {cells[1]} ms")
    lines.append("")
    for name, samples in (("plain loop", plain), ("latest link", mailbox)):
        numbers = [number for _, number, _ in samples]
        span = numbers[-1] - numbers[0] + 1
        lines.append(
            f"{name:12} read {len(numbers)} of the {span} frames between its first and its last; "
            f"{samples[-1][2] * fps / 1000:.0f} frames behind at the end"
        )
    lines.append(f"its books    {books}")
    last = [median(part(samples, seconds * 5 / 6, seconds)) for samples in (plain, mailbox)]
    lines.append(
        f"ratio        in the last sixth the plain loop is {last[0] / last[1]:.0f} x as late"
    )
    return "\n".join(lines)


def main() -> None:
    """Start the camera and both programs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--work-ms", type=float, default=60.0)
    parser.add_argument("--fps", type=float, default=30.0)
    typed = parser.parse_args()
    use_threads(1)
    command = [sys.executable, "-m", "guide_vision.netcam", "--port", "0", "--fps", str(typed.fps)]
    camera = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert camera.stdout is not None
        url = camera.stdout.readline().strip()
        plain: Samples = []
        arguments = (url, typed.work_ms / 1000, typed.seconds)
        other = threading.Thread(target=lambda: plain.extend(plain_loop(*arguments)))
        other.start()
        mailbox, books = latest(*arguments)
        other.join()
    finally:
        camera.kill()
        camera.wait()
    print(
        f"camera {typed.fps:g} frames/s, {typed.work_ms:g} ms of work each; OpenCV", cv2.__version__
    )
    print(report(plain, mailbox, books, typed.fps, typed.seconds))


if __name__ == "__main__":
    main()

"""A network camera at 30 frames a second, and programs that need 50 ms for each frame.

All read the same camera at the same time, each in a process and on a connection of its own. Every
picture carries its time of capture as a barcode, so its age does not depend on anybody's buffers.
The work is a sleep: it takes no CPU time, so the programs do not disturb each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import cv2

from benchmarks.apart import Apart, FailedError
from benchmarks.rows import Row, with_peers
from benchmarks.vision.camera import CameraProcess, age_ms
from benchmarks.vision.scale import Scale
from guide_vision.pipeline import Pipeline, open_source

WORK_S = 0.05
PERIOD_MS = 1000 / 30
CLIENTS = {
    "loop": "cv2.VideoCapture loop",
    "vidgear": "vidgear CamGear",
    "pyav": "PyAV",
    "imutils": "imutils VideoStream",
}


def loop(url: str) -> Callable[[], Any]:
    """What every tutorial has."""
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    return lambda: capture.read()[1]


def vidgear(url: str) -> Callable[[], Any]:
    """A reading thread with a queue of 96."""
    with_peers()
    from vidgear.gears import CamGear

    return CamGear(source=url, logging=False).start().read


def imutils(url: str) -> Callable[[], Any]:
    """A reading thread that overwrites one variable."""
    with_peers()
    from imutils.video import VideoStream

    return VideoStream(url).start().read


def pyav(url: str) -> Callable[[], Any]:
    """Its generator."""
    with_peers()
    import av

    frames = av.open(url).decode(video=0)
    return lambda: next(frames).to_ndarray(format="bgr24")


def ours(url: str) -> Callable[[], Any]:
    """The pipeline with the link a live source gets."""
    pipeline = Pipeline(open_source(url))
    pipeline.open()

    def read() -> Any:
        frame = pipeline.take()
        return None if frame is None else frame.image

    return read


def consume(client: str, url: str, seconds: float) -> list[tuple[float, float]]:
    """(seconds since the start, age in ms when the work was done) of each frame."""
    cv2.setNumThreads(1)
    read = globals()[client](url)
    began = time.perf_counter()
    samples = []
    while (elapsed := time.perf_counter() - began) < seconds:
        image = read()
        if image is None:
            raise RuntimeError("the camera is gone")
        waited = age_ms(image)
        time.sleep(WORK_S)
        samples.append((elapsed, waited + WORK_S * 1e3))
    return samples


def rows(scale: Scale) -> Iterator[Row]:
    """Age over time, the first fifth and the last."""
    found: dict[str, list[tuple[float, float]]] = {}
    failed: dict[str, str] = {}
    with CameraProcess() as camera:
        apart = {
            client: Apart("vision.lag:consume", client=client, url=camera.url, seconds=scale.lag_s)
            for client in ("ours", *CLIENTS)
        }
        for client, process in apart.items():
            try:
                found[client] = process.result(timeout_s=scale.lag_s + 60)
            except FailedError as error:
                failed[client] = str(error)
    most = WORK_S * 1e3 + 2 * PERIOD_MS
    for client, name in CLIENTS.items():
        figure = f"{WORK_S * 1e3:.0f} ms of work a frame, age: first fifth, last fifth"
        goal = f"at most {most:.0f} ms, flat"
        if "ours" in failed or client in failed:
            why = failed.get("ours") or failed[client]
            yield Row(
                figure, "-", f"{name}: {why}", None, goal, None if client in failed else False
            )
            continue
        first, last = _fifths(found["ours"], scale.lag_s)
        then, now = _fifths(found[client], scale.lag_s)
        peer = f"{name} {then:,.0f}, {now:,.0f} ms, {len(found[client]) / scale.lag_s:.1f} fps"
        mine = f"{first:.0f}, {last:.0f} ms, {len(found['ours']) / scale.lag_s:.1f} fps"
        ok = last <= most and last <= first + 5
        yield Row(figure, mine, peer, last / now, goal, ok)


def _fifths(samples: list[tuple[float, float]], seconds: float) -> tuple[float, float]:
    first = [age for t, age in samples if t < seconds / 5]
    last = [age for t, age in samples if t >= seconds * 4 / 5]
    return median(first), median(last)

"""Memory over minutes of live work and over many reconnects; and what the others' queues take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.apart import FailedError, run
from benchmarks.rows import Row
from benchmarks.vision.camera import CameraProcess
from benchmarks.vision.clip import clip
from benchmarks.vision.live import Paced
from benchmarks.vision.loss import reconnecting
from benchmarks.vision.meter import peak_mb, rss_mb
from benchmarks.vision.ours import Detect, Finish
from benchmarks.vision.scale import Scale
from guide_vision.pipeline import Pipeline
from guide_vision.pipeline.clip import Clip

FLAT_MB, MOST_MB = 5.0, 130.0
SETTLE_S = 3.0  # model, fonts and tables are set up; what grows after that grows for ever
PICTURES = 8  # until the camera hangs up


def minutes(film: str, seconds: float) -> dict[str, Any]:
    """Resident MB of the whole work on a live source, each second."""
    pipeline = Pipeline(Paced(Clip(Path(film), loop=True)), [Detect(), Finish()])
    pipeline.open()
    began = time.perf_counter()
    samples: list[float] = []
    while (elapsed := time.perf_counter() - began) < SETTLE_S + seconds:
        pipeline.take()
        if elapsed >= SETTLE_S + len(samples):
            samples.append(rss_mb())
    pipeline.close()
    return {"samples": samples, "peak": peak_mb()}


def reconnects(count: int) -> dict[str, Any]:
    """Resident MB after each reconnect to a camera of 1280 x 720 that keeps hanging up."""
    with CameraProcess(width=1280, height=720, hang_up_after=PICTURES) as camera:
        source = reconnecting(camera.url)
        pipeline = Pipeline(source, [Detect(), Finish()])
        pipeline.open()
        samples: list[float] = []
        epoch = 0
        while epoch < count + 5:
            frame = pipeline.take()
            if frame is None:
                raise RuntimeError("the source ended instead of coming back")
            if frame.epoch > epoch:
                epoch = frame.epoch
                if epoch > 5:  # as above: the first ones still set things up
                    samples.append(rss_mb())
        books = pipeline.close()
    if not books.balanced:
        raise RuntimeError(f"the books do not balance: {books}")
    return {"samples": samples, "peak": peak_mb()}


def rows(scale: Scale) -> Iterator[Row]:
    """Growth from the first fifth to the last, and the peak."""
    film = str(clip(scale.height))
    queues = []
    for peer in ("vidgear", "imutils"):
        try:
            found = run(
                "vision.meter:throughput",
                variant=f"peers:{peer}",
                clip=film,
                frames=scale.frames,
                warm_up=scale.warm_up,
            )
            queues.append(f"{peer} {found['peak_mb']:.0f} MB")
        except FailedError:
            queues.append(f"{peer} did not run")
    for figure, where, arguments in (
        (f"RSS over {scale.minutes:g} min live", "minutes",
         {"film": film, "seconds": scale.minutes * 60}),
        (f"RSS over {scale.reconnects} reconnects", "reconnects", {"count": scale.reconnects}),
    ):  # fmt: skip
        goal = f"flat within {FLAT_MB:g} MB, under {MOST_MB:g} MB"
        try:
            found = run(f"vision.memory:{where}", **arguments)
        except FailedError as error:
            yield Row(figure, f"did not run: {error}", "-", None, goal, False)
            continue
        samples = found["samples"]
        fifth = max(len(samples) // 5, 1)
        grown = mean(samples[-fifth:]) - mean(samples[:fifth])
        ours = f"{grown:+.1f} MB, peak {found['peak']:.0f} MB"
        ok = grown <= FLAT_MB and found["peak"] < MOST_MB
        yield Row(figure, ours, f"queues: {', '.join(queues)}", None, goal, ok)

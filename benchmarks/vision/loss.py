"""A network camera falls silent (SIGSTOP) or dies (SIGKILL): when noticed, and when back.

"Back" counts from the moment at which the camera shows pictures again, or listens again, to the
first picture taken after that. A picture from before would be a lie about the present, and is
counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2

from benchmarks.apart import Apart, FailedError
from benchmarks.rows import Row
from benchmarks.vision.camera import CameraProcess, age_ms
from benchmarks.vision.rtsp import GOP
from benchmarks.vision.scale import Scale
from guide_vision.pipeline import Pipeline, open_source

GIVE_UP_S = 30.0
AWAY_S = 1.0  # how long the camera stays away once that was noticed
TRIES = 3
KINDS = {"camera": ("MJPEG", 0.2), "rtsp": ("RTSP", GOP / 30 + 0.2)}  # back within so many seconds


def reconnecting(url: str) -> Any:
    """A source that comes back, with the time-outs it has by itself."""
    return open_source(url, give_up_s=GIVE_UP_S)


def ours(kind: str) -> dict[str, Any]:
    """Lose the camera in both ways, several times.

    Args:
        kind: of the camera, see `CameraProcess`.

    Returns:
        Seconds until "noticed" and until "back", for "silent" and "dead"; and how many "stale"
        pictures came after a return.
    """
    found: dict[str, Any] = {"silent": [], "dead": [], "stale": 0}
    camera = CameraProcess(kind)
    source = reconnecting(camera.url)
    pipeline = Pipeline(source)
    pipeline.open()

    def lose(how: str, away: Callable[[], None], again: Callable[[], None]) -> None:
        for _ in range(30):
            pipeline.take()
        times: dict[str, float] = {}

        def watch() -> None:
            while not source.lost:
                time.sleep(0.001)
            times["noticed"] = time.perf_counter()
            time.sleep(AWAY_S)
            if how == "silent":
                times["again"] = time.perf_counter()  # it goes on the moment it is told
            again()
            times.setdefault("again", time.perf_counter())  # it listens since it told its address

        epoch = source.epoch
        began = time.perf_counter()
        away()
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        while True:
            frame = pipeline.take()
            if frame is None:
                raise RuntimeError("the source ended instead of coming back")
            now = time.perf_counter()
            if frame.epoch > epoch:
                watcher.join()
                taken = now - age_ms(frame.image) / 1e3
                if taken >= times["again"] - 0.002 or how == "dead":  # the barcode counts in ms
                    break
                found["stale"] += 1
        found[how].append((times["noticed"] - began, max(now - times["again"], 0.0)))

    def restart() -> None:
        nonlocal camera
        camera = CameraProcess(kind, port=camera.port)

    try:
        for _ in range(TRIES):
            lose("silent", camera.silence, camera.resume)
            lose("dead", camera.kill, restart)
        books = pipeline.close()
    finally:
        camera.kill()
    return found | {"books": str(books), "balanced": books.balanced}


def loop(limit_s: float) -> float:
    """Seconds until `read()` of a `cv2.VideoCapture` returns from a silence, `limit_s` at most."""
    with CameraProcess() as camera:
        capture = cv2.VideoCapture(camera.url, cv2.CAP_FFMPEG)
        for _ in range(30):
            capture.read()
        camera.silence()
        threading.Timer(limit_s, camera.kill).start()
        began = time.perf_counter()
        while capture.read()[0]:
            began = time.perf_counter()  # what was on its way
        return time.perf_counter() - began


def rows(scale: Scale) -> Iterator[Row]:
    """Noticed and back, in both ways; the worst of the tries, since that is the one that counts."""
    peer = Apart("vision.loss:loop", limit_s=scale.frozen_s) if scale.frozen_s else None
    for kind, (name, back_s) in KINDS.items():
        try:
            found = Apart("vision.loss:ours", kind=kind).result(timeout_s=120)
        except FailedError as error:
            why = f"did not run: {error}"
            yield Row(f"{name} camera lost", why, "-", None, "noticed in 0.5 s", False)
            continue
        frozen = "-"
        if kind == "camera":
            frozen = "not asked" if peer is None else _frozen(peer, scale.frozen_s)
        for how, figure in (("silent", "falls silent"), ("dead", "dies")):
            noticed = max(seconds for seconds, _ in found[how])
            back = max(seconds for _, seconds in found[how])
            yield Row(
                f"{name} camera {figure}: noticed after",
                f"{noticed:.2f} s",
                frozen if how == "silent" else "-",
                None,
                "0.5 s",
                noticed <= 0.5,
            )
            honest = not found["stale"] and found["balanced"]
            yield Row(
                f"{name} camera {figure}: back after it is",
                f"{back:.2f} s, {found['stale']} stale pictures",
                "-",
                None,
                f"{back_s:g} s",
                back <= back_s and honest,
            )


def _frozen(peer: Apart, limit_s: float) -> str:
    try:
        seconds = peer.result(timeout_s=limit_s + 60)
    except FailedError as error:
        return f"cv2 loop: {error}"
    more = "more than " if seconds >= limit_s else ""
    return f"cv2 loop frozen for {more}{min(seconds, limit_s):.1f} s"

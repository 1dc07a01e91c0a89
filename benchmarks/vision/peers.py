"""How others run the same work. Each function reads the clip and tells the meter of each frame.

What stands here is the program one would write with the tool's own manual: its reading call, its
queue, its defaults. Where a setting helps the peer it is made (one thread a call beside others).
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import cv2

from benchmarks.rows import with_peers
from benchmarks.vision.meter import Meter
from benchmarks.vision.work import Detector, Image, draw, encode

DEBIAN = "/usr/lib/python3/dist-packages"  # where python3-gi lies


def one_thread(clip: str, meter: Meter) -> None:
    """The loop, one thread in every library: what the others are multiples of."""
    cv2.setNumThreads(1)
    _loop(meter, _frames(_capture(clip)))


def defaults(clip: str, meter: Meter) -> None:
    """The loop that everybody writes."""
    _loop(meter, _frames(cv2.VideoCapture(clip)))


def queues(clip: str, meter: Meter) -> None:
    """A thread for each stage, `queue.Queue(4)` between them."""
    cv2.setNumThreads(1)
    read, detected, drawn = (Queue[Any](4) for _ in range(3))

    def reader() -> None:
        frames = _frames(_capture(clip))
        for number in range(meter.total):
            read.put((number, next(frames)))
        read.put(None)

    def detector() -> None:
        detect = Detector()
        while (item := read.get()) is not None:
            detected.put((*item, detect(item[1])))
        detected.put(None)

    def drawer() -> None:
        while (item := detected.get()) is not None:
            number, image, found = item
            draw(image, number, found)
            drawn.put((image, found))
        drawn.put(None)

    for stage in (reader, detector, drawer):
        threading.Thread(target=stage, daemon=True).start()
    while (item := drawn.get()) is not None:
        image, found = item
        meter.done(found, encode(image))


def pickles(clip: str, meter: Meter) -> None:
    """Three processes, and `multiprocessing.Queue`, which pickles what it is given."""
    context = multiprocessing.get_context("spawn")
    read, drawn = context.Queue(4), context.Queue(4)
    processes = [
        context.Process(target=_read_apart, args=(clip, meter.total, read), daemon=True),
        context.Process(target=_detect_apart, args=(read, drawn), daemon=True),
    ]
    for process in processes:
        process.start()
        assert process.pid is not None
        meter.children.append(process.pid)
    cv2.setNumThreads(1)
    for _ in range(meter.total):
        image, found = drawn.get()
        meter.done(found, encode(image))
    for process in processes:
        process.kill()  # all frames came; the second still waits for more


def vidgear(clip: str, meter: Meter) -> None:
    """CamGear, a reading thread with a queue of 96 frames, and the loop."""
    with_peers()
    from vidgear.gears import CamGear

    stream = CamGear(source=clip, logging=False).start()
    _loop(meter, _until_none(stream.read))
    stream.stop()


def imutils(clip: str, meter: Meter) -> None:
    """FileVideoStream, a reading thread with a queue of 128 frames, and the loop."""
    with_peers()
    from imutils.video import FileVideoStream

    stream = FileVideoStream(clip).start()
    _loop(meter, _until_none(stream.read))
    stream.stop()


def pyav(clip: str, meter: Meter) -> None:
    """PyAV decodes, the loop does the rest."""
    with_peers()
    import av

    with av.open(clip) as container:
        _loop(meter, (f.to_ndarray(format="bgr24") for f in container.decode(video=0)))


def gstreamer(clip: str, meter: Meter) -> None:
    """GStreamer decodes and queues in its threads, Python works in one and encodes in another."""
    sys.path.append(DEBIAN)
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    from gi.repository import Gst

    cv2.setNumThreads(1)
    Gst.init(None)
    pipeline = Gst.parse_launch(
        f'filesrc location="{clip}" ! qtdemux ! h264parse ! avdec_h264 max-threads=1 ! '
        "videoconvert ! video/x-raw,format=BGR ! queue max-size-buffers=4 max-size-bytes=0 ! "
        "appsink name=sink sync=false max-buffers=4"
    )
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    drawn = Queue[Any](4)

    def encoder() -> None:
        while (item := drawn.get()) is not None:
            image, found = item
            meter.done(found, encode(image))

    thread = threading.Thread(target=encoder)
    thread.start()
    detect = Detector()
    for number in range(meter.total):
        image = _gst_image(sink.emit("pull-sample"), Gst)
        found = detect(image)
        draw(image, number, found)
        drawn.put((image, found))
    drawn.put(None)
    thread.join()
    pipeline.set_state(Gst.State.NULL)


def _loop(meter: Meter, frames: Iterator[Any]) -> None:
    detect = Detector()
    for number in range(meter.total):
        image = next(frames)
        found = detect(image)
        draw(image, number, found)
        meter.done(found, encode(image))


def _capture(clip: str) -> cv2.VideoCapture:
    return cv2.VideoCapture(clip, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])


def _frames(capture: cv2.VideoCapture) -> Iterator[Image]:
    while True:
        ok, image = capture.read()
        if not ok:
            return
        yield image  # type: ignore[misc]


def _until_none(read: Callable[[], Image | None]) -> Iterator[Image]:
    while (image := read()) is not None:
        yield image


def _read_apart(clip: str, total: int, read: Any) -> None:
    cv2.setNumThreads(1)
    frames = _frames(_capture(clip))
    for number in range(total):
        read.put((number, next(frames)))


def _detect_apart(read: Any, drawn: Any) -> None:
    cv2.setNumThreads(1)
    detect = Detector()
    while True:
        number, image = read.get()
        found = detect(image)
        draw(image, number, found)
        drawn.put((image, found))


def _gst_image(sample: Any, gst: Any) -> Image:
    """A copy: the buffer that GStreamer hands to Python cannot be drawn in."""
    import numpy as np

    shape = sample.get_caps().get_structure(0)
    buffer = sample.get_buffer()
    fine, mapped = buffer.map(gst.MapFlags.READ)
    if not fine:
        raise RuntimeError("a buffer could not be mapped")
    size = shape.get_value("height"), shape.get_value("width"), 3
    image = np.frombuffer(mapped.data, np.uint8).reshape(size).copy()
    buffer.unmap(mapped)
    return image

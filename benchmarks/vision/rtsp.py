"""A network camera that speaks RTSP: H.264, a key frame a second, by GStreamer's server.

    python -m benchmarks.vision.rtsp --port 0

Debian: python3-gst-1.0, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-ugly (x264). Each picture
carries its time of capture as a barcode. The server encodes once, for whoever looks.
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import time
from typing import Any

import cv2

from benchmarks.vision.camera import end_with_parent
from benchmarks.vision.peers import DEBIAN
from guide_vision.netcam import Newest
from guide_vision.pipeline.barcode import write_barcode
from guide_vision.pipeline.virtual import VirtualCamera

GOP = 30  # frames, and one second
_ENCODED = (
    "( appsrc name=source is-live=true format=time do-timestamp=true "
    "caps=video/x-raw,format=BGR,width={width},height={height},framerate=30/1 "
    "! videoconvert ! video/x-raw,format=I420 "
    "! x264enc tune=zerolatency speed-preset=ultrafast bitrate=4000 key-int-max={gop} threads=1 "
    "! rtph264pay name=pay0 pt=96 )"
)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    typed = parser.parse_args()
    sys.path.append(DEBIAN)
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    end_with_parent()
    cv2.setNumThreads(1)
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(_ENCODED.format(width=typed.width, height=typed.height, gop=GOP))
    factory.set_shared(True)

    newest = Newest()
    camera = VirtualCamera(width=typed.width, height=typed.height, fps=30.0, live=True)
    threading.Thread(target=_expose, args=(camera, newest), daemon=True).start()
    newest.after(0)

    def configured(_: Any, media: Any) -> None:
        source = media.get_element().get_by_name("source")
        threading.Thread(target=_push, args=(newest, source, Gst), daemon=True).start()

    factory.connect("media-configure", configured)
    server = GstRtspServer.RTSPServer()
    port = typed.port or _free_port()
    server.set_address("127.0.0.1")
    server.set_service(str(port))
    server.get_mount_points().add_factory("/cam", factory)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {port}")
    print(f"rtsp://127.0.0.1:{port}/cam", flush=True)
    GLib.MainLoop().run()


def _expose(camera: VirtualCamera, newest: Newest) -> None:
    """Take pictures, whether anybody looks or not: a camera does."""
    camera.open()
    image = None
    while (frame := camera.read(image)) is not None:
        image = frame.image
        write_barcode(image, time.perf_counter_ns() // 1_000_000)
        newest.put(image.tobytes())


def _push(newest: Newest, source: Any, gst: Any) -> None:
    """Give pictures to the encoder until the last client has gone."""
    number = newest.after(0)[0]
    while True:
        number, picture = newest.after(number)
        if source.emit("push-buffer", gst.Buffer.new_wrapped(picture)) != gst.FlowReturn.OK:
            return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()

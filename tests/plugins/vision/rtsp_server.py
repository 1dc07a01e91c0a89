"""A network camera that speaks RTSP: H.264 at 640 x 360, run by Debian's own Python.

It prints its address; each picture carries the time in ms (row 0) and its number (row 1) as the
barcode of `guide_vision.pipeline.barcode`, written here in bytes: that Python has no numpy.
"""

import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

WIDTH, HEIGHT, FPS, GOP, BLOCK = 640, 360, 30, 15, 8
LAUNCH = (
    f"( appsrc name=camera is-live=true do-timestamp=true format=time block=false "
    f"caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={FPS}/1 ! "
    f"x264enc tune=zerolatency speed-preset=ultrafast key-int-max={GOP} threads=1 bitrate=2000 ! "
    f"rtph264pay name=pay0 pt=96 config-interval=1 )"
)


def line(number):
    bits = b"".join((b"\xa0" if number >> k & 1 else b"\x60") * BLOCK for k in range(32))
    return bits + b"\x80" * (WIDTH - len(bits))


def picture(number):
    bottom = HEIGHT // BLOCK * BLOCK
    above = b"\x80" * (WIDTH * (bottom - 2 * BLOCK))
    band = line(number) * BLOCK + line(time.perf_counter_ns() // 1_000_000) * BLOCK
    luma = above + band + b"\x80" * (WIDTH * (HEIGHT - bottom))
    return luma + b"\x80" * (WIDTH * HEIGHT // 2)


class Camera:
    def __init__(self):
        self.number = 0
        self.source = None
        GLib.timeout_add(1000 // FPS, self.expose)

    def configure(self, _, media):
        self.source = media.get_element().get_child_by_name("camera")

    def expose(self):
        if self.source is not None:
            self.source.emit("push-buffer", Gst.Buffer.new_wrapped(picture(self.number)))
        self.number += 1
        return True


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(LAUNCH)
    factory.set_shared(True)
    camera = Camera()
    factory.connect("media-configure", camera.configure)
    server.get_mount_points().add_factory("/camera", factory)
    if not server.attach(None):
        sys.exit("cannot listen")
    sys.stdout.write(f"rtsp://127.0.0.1:{server.get_bound_port()}/camera\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()

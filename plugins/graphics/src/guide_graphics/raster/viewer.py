"""A renderer and all a person has around it: window, camera controls, figures, files.

    viewer = Viewer(run, (1280, 720), "software", title="my_scene")
    viewer.warm_up(scene, path(0.0))

    def step(self, tick):
        viewer.begin(tick)                              # what was typed, dragged, resized
        camera = viewer.camera(path(viewer.t_s))        # the path's, until somebody steers
        viewer.show(viewer.renderer.render(scene, camera, viewer.t_s))

Keys: Tab orbit or fly, W A S D Q E fly, Space pause, H figures, F12 screenshot (and S, while that
does not fly), V video, R back to the path, Escape end.
"""

from __future__ import annotations

import contextlib
import math
from typing import Literal

import numpy as np

from guide.clock import SystemClock
from guide.errors import GuideError
from guide.loop import Tick
from guide.run import Run
from guide_graphics.raster.both import BothRenderer
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.capture import Capture
from guide_graphics.raster.compare import Difference
from guide_graphics.raster.controls import Steering
from guide_graphics.raster.hud import Hud
from guide_graphics.raster.input import Input
from guide_graphics.raster.renderer import Frame, Renderer, open_renderer
from guide_graphics.raster.scene import U8, Scene
from guide_graphics.raster.window import WindowChoice, open_window

BackendChoice = Literal["software", "opengl", "both", "auto"]

_RESIZE_EVERY_NS = 300_000_000
_SAY_FRAMES = 180
_SIDES = 16, 8192


class SizeFollower:
    """Says when a renderer is to be reopened at the size of its window.

    At once where the last time was long ago, else when that is over: a border that is dragged
    passes a hundred sizes a second, and opening a renderer takes longer than a frame.

    Args:
        size: width and height as they are.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self._last_ns: int | None = None

    def follow(self, size: tuple[int, int] | None, now_ns: int) -> bool:
        """Whether to reopen now, at `size` as it then stands in `self.size`.

        Args:
            size: of the window; (0, 0) while it is minimised, and then nothing changes.
            now_ns: the time now.
        """
        if size is None or 0 in size:
            return False
        width, height = (min(max(side, _SIDES[0]), _SIDES[1]) for side in size)
        soon = self._last_ns is not None and now_ns - self._last_ns < _RESIZE_EVERY_NS
        if (width, height) == self.size or soon:
            return False
        self.size, self._last_ns = (width, height), now_ns
        return True


class Viewer:
    """See the module's docstring.

    Args:
        run: whose frames are shown; screenshots and videos go to its folder.
        size: width and height of a frame, until the window is resized.
        backend: as for `open_renderer`, or "both" for their difference.
        title: of the window.
        window: whether to open one.
        hud: whether the figures are shown to begin with.
        video: whether a video is written from the first frame on.
        gain: how many times the difference of "both" is amplified.
        threads: how many the software renderer uses; by default one per CPU.
        step_ns: time from frame to frame, instead of what passed on the loop's clock.
        preview: whether a window may show what `open_renderer` calls a preview, at first.

    Attributes:
        renderer: to draw with; another one after the window was resized.
        t_ns: time to animate by: it stands still while the animation is paused.

    Raises:
        GuideError: when the window or the backend that was asked for cannot be had.
    """

    renderer: Renderer
    _frame: Frame  # the newest, from `warm_up` on

    def __init__(
        self,
        run: Run,
        size: tuple[int, int],
        backend: BackendChoice = "auto",
        *,
        title: str = "",
        window: WindowChoice = "auto",
        hud: bool = True,
        video: bool = False,
        gain: int = 128,
        threads: int | None = None,
        step_ns: int | None = None,
        preview: bool = False,
    ) -> None:
        self._run, self._backend, self._gain = run, backend, gain
        self._video, self._threads = video, threads
        self._step_ns, self._preview = step_ns, preview
        self.t_ns = self._dt_ns = self._now_ns = 0
        self._given = Input()
        self._steering = Steering()
        self._size = SizeFollower(size)
        self._hud, self._figures = Hud(run.loop), hud
        self._paused = self._shoot = False
        self._said, self._said_frames = "", 0
        self._canvas = np.empty((0, 0, 4), np.uint8)
        self._apart = Difference(0, 0, math.inf)  # the worst there was
        self._capture = Capture(run.folder, min(run.loop.rate_hz or 60.0, 60.0), self._say)
        with contextlib.ExitStack() as opened:
            opened.callback(self._capture.close)
            self._window = open_window(size, title, window)
            if self._window:
                opened.callback(self._window.close)
            self._capture.waits = self._window is None
            self.renderer = self._open()
            self._described = self.renderer.description
            opened.callback(lambda: self.renderer.close())
            self._opened = opened.pop_all()
        run.fact("backend", self.renderer.backend)
        run.fact("renderer", self._described)
        run.fact("size", f"{size[0]}x{size[1]}")
        unwanted = "no" if window == "no" else "no: there is no display that gives one"
        run.fact("window", "yes" if self._window else unwanted)

    @property
    def t_s(self) -> float:
        """`t_ns` in seconds."""
        return self.t_ns / 1e9

    def warm_up(self, scene: Scene, camera: Camera) -> None:
        """Draw one frame that nobody sees: compilers and drivers are slow the first time.

        Its phases are on no timeline; from here on they are.
        """
        self._frame = self.renderer.render(scene, camera)
        self._run.fact("draw calls", len(scene.meshes))
        self.renderer.timeline = self._run.timeline
        self._run.picture(self._look, "The frame as last drawn.")
        if self._video:
            self._capture.start_video()

    def begin(self, tick: Tick) -> None:
        """Begin a frame: take what was typed, dragged and resized, and let time pass."""
        self._given = self._window.poll() if self._window else Input()
        if self._given.closed:
            self._run.stop("the window was closed")
        for key in self._given.pressed:
            self._press(key)
        self._now_ns, self._dt_ns = tick.start_ns, tick.dt_ns
        step_ns = tick.dt_ns
        if self._step_ns is not None:
            step_ns = self._step_ns if tick.index else 0
        if not self._paused:
            self.t_ns += step_ns
        if self._size.follow(self._given.size, tick.start_ns):
            with tick.span("resize"):
                self._reopen()

    def camera(self, path: Camera) -> Camera:
        """The camera of this frame: `path` until somebody steers, theirs from then on."""
        return self._steering.camera(path, self._given, self._dt_ns / 1e9)

    def show(self, frame: Frame) -> None:
        """End a frame: show it in the window, and hand it to whoever wants it in a file."""
        self._frame = frame
        self._said_frames = max(self._said_frames - 1, 0)
        if isinstance(self.renderer, BothRenderer):
            self._log(self.renderer.difference)
        if self.renderer.description != self._described:
            self._say(f"drawn by {self.renderer.description} from here on")
            self._described = self.renderer.description
        if not (self._window or self._shoot or self._capture.recording):
            return
        color, span = frame.color, self._run.timeline.span
        if self._figures:
            with span("hud"):
                color = self._with_figures(color)
        if self._shoot or self._capture.recording:
            with span("capture"):
                self._keep(color)
        if self._window:
            with span("present"):
                self._window.present(color)

    def close(self) -> None:
        """Finish what is being written, close renderer and window; a second call does nothing."""
        if isinstance(self.renderer, BothRenderer):
            apart = self._apart
            text = f"{apart.pixels:,} pixels at most, by {apart.worst} of 255 at most"
            text = f"{text}, PSNR {apart.psnr_db:.1f} dB at least"
            self._run.fact("difference", text)
            self._run.note(f"the two differ in a frame by {text}; black is equal")
        self._opened.close()

    def _open(self) -> Renderer:
        if self._backend == "both":
            return BothRenderer(self._size.size, threads=self._threads, gain=self._gain)
        # For eyes alone: a film and a replay are drawn by one renderer from end to end
        live = isinstance(self._run.loop.clock, SystemClock) and not self._video
        preview = self._preview and live and self._window is not None
        return open_renderer(self._size.size, self._backend, threads=self._threads, preview=preview)

    def _reopen(self) -> None:
        """Go on at the window's size."""
        try:
            renderer = self._open()
        except GuideError as error:
            self._say(str(error))
            return
        renderer.timeline = self._run.timeline
        self.renderer.close()
        self.renderer = renderer

    def _press(self, key: str) -> None:
        if key == "space":
            self._paused = not self._paused
        elif key == "h":
            self._figures = not self._figures
        elif key == "f12" or (key == "s" and not self._steering.flying):
            self._shoot = True
        elif key == "v" and self._capture.recording:
            self._capture.stop_video()
        elif key == "v":
            self._capture.start_video()

    def _keep(self, color: U8) -> None:
        if self._shoot:
            self._shoot = False
            self._capture.screenshot(color)
        # The film of a paused animation goes on: the camera may move
        self._capture.frame(color, self._now_ns / 1e9)

    def _with_figures(self, color: U8) -> U8:
        """A copy with figures: the frame itself stays as it was drawn."""
        if self._canvas.shape != color.shape:
            self._canvas = np.empty_like(color)
        np.copyto(self._canvas, color)
        self._draw_figures(self._canvas[::-1])
        return self._canvas

    def _draw_figures(self, image: U8) -> None:
        status = [self._steering.name]
        if self._window and self._steering.control is None:
            status = ["drag: orbit, tab: fly"]
        status += ["paused"] * self._paused
        lines = [", ".join(status)]
        if self._capture.recording:
            dropped = f", {self._capture.dropped:,} dropped" * bool(self._capture.dropped)
            lines.append(f"video{dropped}")
        if self._said_frames:
            lines.append(self._said)
        figure = ""
        if isinstance(self.renderer, BothRenderer):
            apart = self.renderer.difference
            figure = f"{apart.pixels:,} px off by <= {apart.worst}, {apart.psnr_db:.1f} dB"
        self._hud.draw(image, self.renderer.backend, lines, figure)

    def _look(self) -> U8:
        """The picture for the page of a live run; without figures for the report, at the end."""
        image = np.ascontiguousarray(self._frame.rgb)
        if self._figures and not self._run.stopping:
            self._draw_figures(image)
        return image

    def _log(self, apart: Difference) -> None:
        run, worst = self._run, self._apart
        run.log("differing_pixels", apart.pixels)
        run.log("worst_difference", apart.worst)
        run.log("psnr", apart.psnr_db, "dB")
        self._apart = Difference(
            max(worst.pixels, apart.pixels),
            max(worst.worst, apart.worst),
            min(worst.psnr_db, apart.psnr_db),
        )

    def _say(self, line: str) -> None:
        """Put a line into the report and, for a while, below the figures. From any thread."""
        self._run.note(line)
        self._said, self._said_frames = line, _SAY_FRAMES

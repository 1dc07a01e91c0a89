"""A real window on a virtual X server, in a process of its own."""

import os
import shutil
import subprocess
import sys

import pytest

from guide.errors import GuideError
from guide_graphics.raster.window import open_window

SHOW = """
import sys
import glfw
import numpy as np
from guide_graphics.raster import Material, Scene, open_renderer, orbit, teapot
from guide_graphics.raster.window import open_window

scene = Scene([teapot(1000)], [Material(double_sided=True)])
window = open_window((320, 180), "teapot", "auto")
for backend in ("opengl", "software", "opengl"):
    renderer = open_renderer((320, 180), backend)
    for azimuth in (0, 20, 40):
        frame = renderer.render(scene, orbit(azimuth, 20, 3))
        assert window.present(frame.color), backend
    glfw.make_context_current(window._handle)
    shown = window._context.screen.read(components=3, alignment=1)
    glfw.make_context_current(None)
    shown = np.frombuffer(shown, np.uint8).reshape(180, 320, 3)
    assert (shown == frame.color[..., :3]).all(), backend
    renderer.close()
glfw.set_window_should_close(window._handle, True)
assert not window.present(frame.color)
window.close()
window.close()
print("shown")
"""

RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import glfw
from guide.testing import run_task
from guide_project.task import Task

class Impatient(Task):
    def step(self, tick):
        if tick.index == 3:
            glfw.set_window_should_close(self._window._handle, True)
        super().step(tick)

small = {"triangles": 500, "width": 160, "height": 90}
record = run_task(Impatient(), ticks=50, rate_hz=100, options=small)
print(record.status, record.ended, record.ticks, record.facts["window"])
assert record.spans["present"].count == 4
"""


@pytest.fixture
def display():
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed (Debian: apt install xvfb)")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()  # it answers once it is ready
    if not number:
        server.wait()
        pytest.skip("Xvfb is installed but does not start here")
    yield f":{number}"
    server.terminate()
    server.wait()


def run(code, display, *arguments):
    env = {**os.environ, "DISPLAY": display}
    env.pop("WAYLAND_DISPLAY", None)
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=env, capture_output=True, text=True
    )


def test_frames_of_both_renderers_arrive_on_the_screen_bit_by_bit(display):
    done = run(SHOW, display)
    assert done.stdout == "shown\n", done.stderr


def test_closing_the_window_ends_the_run(display):
    import guide_graphics.plugin as plugin

    folder = plugin.guide_projects("graphics")[0].folder
    done = run(RUN, display, str(folder))
    assert done.stdout == "finished the window was closed 4 yes\n", done.stderr


def test_without_a_display_there_is_no_window(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert open_window((16, 16), "none", "auto") is None
    assert open_window((16, 16), "none", "no") is None
    with pytest.raises(GuideError, match="no display"):
        open_window((16, 16), "none", "yes")


@pytest.mark.skipif(sys.platform != "linux", reason="only there a display can be absent")
@pytest.mark.parametrize(
    ("dead", "other"), [("DISPLAY", "WAYLAND_DISPLAY"), ("WAYLAND_DISPLAY", "DISPLAY")]
)
def test_a_display_that_does_not_answer_is_no_window_either(dead, other):
    code = """
from guide.errors import GuideError
from guide_graphics.raster.window import open_window
print(open_window((16, 16), "none", "auto"))
try:
    open_window((16, 16), "none", "yes")
except GuideError as error:
    print(error)
"""
    env = {name: value for name, value in os.environ.items() if name != other}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**env, dead: ":987"}, capture_output=True, text=True
    )
    none, error = done.stdout.splitlines()
    assert none == "None"
    assert "window=no" in error
    assert not done.stderr

"""A real window on a virtual X server, in a process of its own."""

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

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
        window.present(frame.color)
        assert not window.poll().closed, backend
    glfw.make_context_current(window._handle)
    shown = window._context.screen.read(components=3, alignment=1)
    glfw.make_context_current(None)
    shown = np.frombuffer(shown, np.uint8).reshape(180, 320, 3)
    assert (shown == frame.color[..., :3]).all(), backend
    renderer.close()
glfw.set_window_should_close(window._handle, True)
assert window.poll().closed
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
            glfw.set_window_should_close(self._viewer._window._handle, True)
        super().step(tick)

small = {"triangles": 500, "width": 160, "height": 90}
record = run_task(Impatient(), ticks=50, rate_hz=100, options=small)
print(record.status, record.ended, record.ticks, record.facts["window"])
assert record.spans["present"].count == 4
"""

# Each line happens before the tick it names, and is looked at before the next that is named
STEERED = """
import json
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
import glfw
from guide.testing import run_task
from guide_project.task import Task
from x11_person import Person

person = Person()
window = lambda: task._viewer._window._handle
ACTS = [
    ("idle", lambda: person.move(160, 90)),
    ("pressed", lambda: person.button(Person.LEFT, True)),
    ("dragged", lambda: person.move(205, 90)),
    ("let go", lambda: person.button(Person.LEFT, False)),
    ("zoomed", lambda: person.click(Person.WHEEL_UP)),
    ("panned", lambda: [person.button(Person.RIGHT, True), person.move(160, 90),
                        person.button(Person.RIGHT, False)]),
    ("tab", lambda: person.type("Tab")),
    ("w", lambda: person.key("w", True)),
    ("let go of w", lambda: person.key("w", False)),
    ("h", lambda: person.type("h")),
    ("v", lambda: person.type("v")),
    ("F12", lambda: person.type("F12")),
    ("v again", lambda: person.type("v")),
    ("space", lambda: person.type("space")),
    ("resized", lambda: glfw.set_window_size(window(), 400, 300)),
    ("shrunk", lambda: glfw.set_window_size(window(), 10, 10)),
    ("minimised", lambda: glfw.iconify_window(window())),
    ("r", lambda: person.type("r")),
    ("escape", lambda: person.type("Escape")),
]
seen = {}

class Steered(Task):
    def step(self, tick):
        act, phase = divmod(tick.index, 25)
        if phase == 0:
            ACTS[act][1]()
        super().step(tick)
        if phase == 24 and act < len(ACTS):
            view = self._viewer
            control = view._steering.control
            seen[ACTS[act][0]] = {
                "control": control and vars(control), "name": view._steering.name,
                "figures": view._figures, "shape": self._frame.color.shape, "t_ns": view.t_ns,
                "recording": view._capture.recording,
            }

task = Steered()
folder = Path(sys.argv[3])
small = {"triangles": 500, "width": 320, "height": 180, "window": "yes"}
record = run_task(task, ticks=800, rate_hz=60, options=small, folder=folder)
assert record.error is None, record.error
print(json.dumps({"seen": seen, "ended": record.ended, "notes": record.notes}))
"""

SAME = """
import sys
sys.path.insert(0, sys.argv[1])
from guide.testing import VirtualClock, run_task
from guide_project.task import Task

class Kept(Task):
    def step(self, tick):
        super().step(tick)
        self.last = self._frame.color.copy()

for backend in ("software", "opengl"):
    frames = []
    for window in ("yes", "no"):
        task = Kept()
        options = {"triangles": 500, "width": 320, "height": 180, "window": window}
        options |= {"backend": backend, "hud": "yes"}
        record = run_task(
            task, ticks=20, rate_hz=60, options=options, clock=VirtualClock(), seed=5
        )
        assert record.error is None, record.error
        assert record.facts["window"] == window
        frames.append(task.last)
    assert (frames[0] == frames[1]).all(), backend
print("same")
"""


@pytest.fixture
def display():
    with x_server() as name:
        yield name


@contextmanager
def x_server():
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
    done = run(RUN, display, project_folder())
    assert done.stdout == "finished the window was closed 4 yes\n", done.stderr


def project_folder():
    import guide_graphics.plugin as plugin

    return str(plugin.guide_projects("graphics")[0].folder)


def test_frames_with_a_window_are_those_without_one_bit_by_bit(display):
    done = run(SAME, display, project_folder())
    assert done.stdout == "same\n", done.stderr


@pytest.fixture(scope="module")
def steered(tmp_path_factory):
    """A run that was steered by somebody at keyboard and mouse, and what came of it."""
    if not (ctypes.util.find_library("X11") and ctypes.util.find_library("Xtst")):
        pytest.skip("libXtst is not installed (Debian: apt install libxtst6)")
    folder = tmp_path_factory.mktemp("steered")
    with x_server() as display:
        done = run(STEERED, display, project_folder(), str(Path(__file__).parent), str(folder))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"folder": folder}


class TestSteered:
    def test_the_path_has_the_camera_until_somebody_drags(self, steered):
        seen = steered["seen"]
        assert seen["idle"]["name"] == seen["pressed"]["name"] == "path"
        assert seen["dragged"]["name"] == "orbit"

    def test_a_drag_turns_the_wheel_zooms_the_right_button_pans(self, steered):
        dragged, let_go, zoomed, panned = (
            steered["seen"][name]["control"] for name in ("dragged", "let go", "zoomed", "panned")
        )
        assert let_go == dragged
        assert zoomed["distance"] == pytest.approx(0.9 * dragged["distance"])
        assert zoomed["target"] == dragged["target"]
        assert panned["target"] != zoomed["target"]
        assert panned["azimuth_deg"] == zoomed["azimuth_deg"]

    def test_tab_flies_for_as_long_as_a_key_is_held(self, steered):
        tab, w, after, later = (
            steered["seen"][name]["control"] for name in ("tab", "w", "let go of w", "h")
        )
        flown = sum((a - b) ** 2 for a, b in zip(tab["eye"], w["eye"], strict=True)) ** 0.5
        assert flown > 0.2
        assert tab["azimuth_deg"] == w["azimuth_deg"]
        assert after["eye"] == later["eye"]

    def test_keys_switch_figures_video_and_animation(self, steered):
        seen = steered["seen"]
        assert [seen[name]["figures"] for name in ("let go of w", "h")] == [True, False]
        assert [seen[name]["recording"] for name in ("h", "v", "v again")] == [False, True, False]
        assert seen["space"]["t_ns"] == seen["minimised"]["t_ns"] > seen["h"]["t_ns"]

    def test_what_was_asked_for_lies_in_the_run_s_folder(self, steered):
        names = {path.stem for path in steered["folder"].iterdir()}
        assert {"screenshot-1", "video-1"} <= names
        assert len(steered["notes"]) >= 2, "the report says so"

    def test_frames_follow_the_size_of_the_window(self, steered):
        seen = steered["seen"]
        assert seen["space"]["shape"] == [180, 320, 4]
        assert seen["resized"]["shape"] == [300, 400, 4]
        assert seen["shrunk"]["shape"] == seen["minimised"]["shape"] == [16, 16, 4]

    def test_r_gives_the_camera_back_and_escape_ends_the_run(self, steered):
        assert steered["seen"]["r"]["name"] == "path"
        assert steered["ended"] == "the window was closed"


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

"""What the rules say of a renderer: planted faults are named, their clean twins are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.explain.loop_tasks import recorded
from guide.loop import Loop, Tick
from guide.run import Run
from guide_graphics.explain import device_waits, draw_calls, fine_mesh, idle_threads, limiting_stage
from guide_graphics.raster import Camera, Material, Mesh, Scene, orbit, teapot
from guide_graphics.raster.viewer import Viewer

SIZE = 160, 90
RULES = (device_waits, draw_calls, fine_mesh, limiting_stage, idle_threads)


class Drawn:
    """Some teapots, drawn again and again."""

    def __init__(self, backend: Any, triangles: int, count: int = 1) -> None:
        self.backend = backend
        self.scene = Scene([placed(teapot(triangles), i) for i in range(count)], [Material()])

    def start(self, run: Run) -> None:
        self.viewer = Viewer(run, SIZE, self.backend, window="no", threads=1)
        self.camera: Camera = orbit(25, 21, 4.0, (0.0, 0.4, 0.0))
        self.viewer.warm_up(self.scene, self.camera)
        run.fact("triangles", self.scene.triangle_count)

    def step(self, tick: Tick) -> None:
        self.viewer.begin(tick)
        self.viewer.show(self.viewer.renderer.render(self.scene, self.camera))

    def close(self) -> None:
        self.viewer.close()


def placed(mesh: Mesh, i: int) -> Mesh:
    transform = np.eye(4)
    transform[:3, 3] = i % 20 - 10, 0, -(i // 20)
    return mesh.moved(transform)


def drawn(backend: str, triangles: int, count: int = 1, ticks: int = 60) -> Any:
    return recorded(Drawn(backend, triangles, count), Loop(ticks=ticks), track="graphics")


@pytest.fixture(scope="module")
def fine() -> Any:
    return drawn("software", 60_000)


@pytest.fixture(scope="module")
def coarse() -> Any:
    return drawn("software", 1_400)


def test_a_mesh_finer_than_the_picture_is_named_and_a_coarse_one_is_not(
    fine: Any, coarse: Any
) -> None:
    (said,) = fine_mesh(fine)
    assert "for 14,400 pixels" in said.says
    assert said.remedy.endswith("--set triangles=1440")
    assert 0 < said.recoverable_ns < fine["tick_time"]["mean_ns"]
    assert fine_mesh(coarse) == []


def test_the_stage_that_limits_is_told_and_gives_nothing_back(coarse: Any) -> None:
    longest = max(coarse["spans"], key=lambda name: coarse["spans"][name]["total_ns"])
    for said in limiting_stage(coarse):
        assert said.says.startswith(longest)
        assert said.recoverable_ns == 0


def of_opengl(took_ms: float, cpu_ms: float, calls: int = 3, rate_hz: float | None = None) -> Any:
    """A record of OpenGL: what a frame's draw took, and what of it the CPU computed."""
    ms = 1_000_000
    asked = {"count": 9, "total_ns": round(9 * took_ms * ms), "cpu_ns": round(9 * cpu_ms * ms)}
    span = {"count": 100, "total_ns": 100 * took_ms * ms, "mean_ns": took_ms * ms, "beside": False}
    ticks = {"due_ns": [i * 16 * ms for i in range(100)]}
    ticks["end_ns"] = [t + round((took_ms + 2) * ms) for t in ticks["due_ns"]]
    used = dict.fromkeys(("others_ns", "run_delay_ns", "gc_ns", "forced", "major"), 0)
    return {
        "loop": {"ticks": 100, "rate_hz": rate_hz, "budget_ns": None},
        "tick_time": {"mean_ns": (took_ms + 2) * ms, "count": 100},
        "seconds": 1.6,
        "ticks": ticks,
        "spans": {"render/draw": span},
        "facts": {"backend": "opengl", "draw calls": calls, "renderer": "OpenGL on a device"},
        "usage": {
            "loop": {
                **used,
                "cpu_ns": round(100 * (cpu_ms + 2) * ms),
                "spans": {"render/draw": asked},
            }
        },
    }


def test_a_frame_that_waits_for_the_device_gives_back_the_shorter_of_the_two() -> None:
    (said,) = device_waits(of_opengl(took_ms=8, cpu_ms=1))
    assert said.says.startswith("render/draw waits 7 ms of 10 ms")
    assert said.recoverable_ns == 3_000_000
    assert device_waits(of_opengl(took_ms=8, cpu_ms=7)) == []
    # At a rate it keeps, nobody loses anything by waiting
    assert device_waits(of_opengl(took_ms=8, cpu_ms=1, rate_hz=60.0)) == []


def test_many_draw_calls_are_named_when_calling_takes_the_time() -> None:
    (said,) = draw_calls(of_opengl(took_ms=8, cpu_ms=7, calls=1_000))
    assert said.says.startswith("1,000 draw calls")
    assert said.recoverable_ns == pytest.approx(7e6 * 0.99)
    assert draw_calls(of_opengl(took_ms=8, cpu_ms=7, calls=9)) == []
    assert draw_calls(of_opengl(took_ms=8, cpu_ms=0.1, calls=1_000)) == []


def test_threads_that_do_nothing_are_said_not_to_pay(coarse: Any) -> None:
    assert idle_threads(coarse) == []  # it has one
    coarse["facts"]["renderer"] = "numba, 4 threads"
    (said,) = idle_threads(coarse)
    assert said.title == "threads that do not pay"


def test_a_record_of_something_else_says_nothing() -> None:
    for rule in RULES:
        assert rule({}) == []
        assert rule({"loop": {"ticks": 100}, "tick_time": {"mean_ns": 5, "count": 100}}) == []

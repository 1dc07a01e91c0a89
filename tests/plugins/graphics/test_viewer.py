"""What a viewer does without a window; with one, see test_window.py."""

import zlib

import pytest

from guide.errors import GuideError
from guide.testing import VirtualClock, run_task
from guide_graphics.raster import Material, Scene, benchmark, orbit, teapot
from guide_graphics.raster.viewer import SizeFollower, Viewer

MS = 1_000_000
SCENE = Scene([teapot(300)], [Material(double_sided=True)])


class Turning:
    def __init__(self, **about):
        self.about = about
        self.times = []

    def start(self, run):
        self.viewer = Viewer(run, (96, 54), "software", window="no", **self.about)
        self.viewer.warm_up(SCENE, orbit(0, 20, 3))

    def step(self, tick):
        self.viewer.begin(tick)
        self.times.append(self.viewer.t_ns)
        camera = self.viewer.camera(orbit(90 * self.viewer.t_s, 20, 3))
        self.frame = self.viewer.renderer.render(SCENE, camera, self.viewer.t_s)
        self.viewer.show(self.frame)

    def close(self):
        self.viewer.close()


def run(task, ticks=6, **about):
    return run_task(task, ticks=ticks, rate_hz=50, clock=VirtualClock(), **about)


class TestSizeFollower:
    def test_the_first_change_is_followed_at_once(self):
        follower = SizeFollower((640, 360))
        assert not follower.follow((640, 360), 0)
        assert follower.follow((800, 600), 1)
        assert follower.size == (800, 600)

    def test_a_border_that_is_dragged_is_followed_a_few_times_a_second(self):
        follower = SizeFollower((640, 360))
        sizes = [
            follower.size for ms in range(0, 3000, 4) if follower.follow((640 + ms, 360), ms * MS)
        ]
        assert len(sizes) == 10
        assert follower.follow((4000, 360), 3010 * MS), "the last size is not forgotten"

    @pytest.mark.parametrize("size", [None, (0, 0), (0, 300), (300, 0)])
    def test_without_an_area_nothing_changes(self, size):
        follower = SizeFollower((640, 360))
        assert not follower.follow(size, 0)
        assert follower.size == (640, 360)

    def test_a_size_that_no_renderer_has_is_brought_into_bounds(self):
        follower = SizeFollower((640, 360))
        assert follower.follow((3, 20_000), 0)
        assert follower.size == (16, 8192)
        assert not follower.follow((3, 20_000), 10_000 * MS)


def test_figures_cost_nothing_where_nobody_looks():
    record = run(Turning(hud=True))
    assert record.status == "finished", record.error
    assert not {"hud", "present", "capture"} & set(record.spans)


def test_whoever_looks_sees_figures_and_the_report_has_the_frame_alone():
    task = Turning(hud=True)
    looked = []

    class Watched(Turning):
        def step(self, tick):
            super().step(tick)
            looked.append(self.viewer._run.look().copy())

    task = Watched(hud=True)
    record = run(task)
    assert (looked[-1] != task.frame.rgb).any()
    assert (record.image == task.frame.rgb).all()


def test_time_is_the_loop_s_or_steps_of_its_own():
    task = Turning()
    run(task)
    assert task.times == [i * 20 * MS for i in range(6)]
    task = Turning(step_ns=5 * MS)
    run(task)
    assert task.times == [i * 5 * MS for i in range(6)]


def test_both_backends_log_what_they_differ_by():
    class Both(Turning):
        def start(self, run):
            self.viewer = Viewer(run, (96, 54), "both", window="no")
            self.viewer.warm_up(SCENE, orbit(0, 20, 3))

    record = run(Both())
    assert record.facts["backend"] == "both"
    assert {"differing_pixels", "worst_difference", "psnr"} == set(record.series)
    worst = max(value for _, value in record.series["worst_difference"])
    assert f"by {worst:.0f} of 255" in record.facts["difference"]
    assert record.spans["render/opengl/draw"].count == 6


def test_the_software_renderer_has_as_many_threads_as_asked_for():
    facts = [run(Turning(threads=n)).facts["renderer"] for n in (1, 3)]
    assert ["1 thread" in facts[0], "3 threads" in facts[1]] == [True, True]


def test_a_backend_that_cannot_be_had_leaves_nothing_open():
    class Wrong(Turning):
        def start(self, run):
            with pytest.raises(GuideError):
                Viewer(run, (96, 54), "vulkan", window="no")
            raise GuideError("as expected")

        def close(self):
            pass

    assert run(Wrong()).error.message == "as expected"


def test_a_benchmark_states_what_it_measured_and_what_it_drew():
    class Measured(Turning):
        def start(self, run):
            super().start(run)
            self.run = run
            benchmark.run_free(run)

        def close(self):
            benchmark.state_facts(self.run, self.frame)
            super().close()

    task = Measured(step_ns=benchmark.STEP_NS)
    facts = run(task).facts
    assert facts["benchmark frames"] == 6
    assert facts["benchmark checksum"] == f"{zlib.crc32(task.frame.color.tobytes()):08x}"
    assert {"benchmark median", "benchmark p99"} <= set(facts)


def test_a_benchmark_does_not_wait_for_the_grid():
    clock = VirtualClock()

    class Measured(Turning):
        def start(self, run):
            super().start(run)
            benchmark.run_free(run)

        def step(self, tick):
            super().step(tick)
            clock.advance(3 * MS)

    run_task(Measured(), ticks=10, rate_hz=50, clock=clock)
    assert clock.now_ns() == 30 * MS

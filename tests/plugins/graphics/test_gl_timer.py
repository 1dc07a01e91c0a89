"""When a device's timer is believed, and what is recorded with it and without."""

import pytest

from guide.timing import Timeline
from guide_graphics.raster import Material, Scene, orbit, teapot
from guide_graphics.raster.gl.renderer import GlRenderer
from guide_graphics.raster.gl.timer import DeviceTimer, doubt

SCENE = Scene([teapot(800)], [Material(double_sided=True)])


GOOD = (1_950_000, 2_000_000)


def test_a_timer_that_says_about_what_the_wall_clock_says_is_believed():
    assert doubt([GOOD, (2_010_000, 2_000_000), (2_500_000, 3_000_000)]) is None


def test_a_wall_clock_that_counted_somebody_elses_work_is_no_reason_to_doubt():
    assert doubt([GOOD, (2_000_000, 9_000_000), GOOD]) is None


@pytest.mark.parametrize("nonsense", [0, 40, 160, 90_000, 1_300_000])
def test_a_timer_that_mostly_says_too_little_is_doubted(nonsense):
    reason = doubt([(nonsense, 2_000_000), GOOD, (nonsense, 2_000_000)])
    assert reason == f"it says {nonsense:,} ns for a draw that took 2,000,000 ns"


@pytest.mark.parametrize("nonsense", [4_294_967_295, 2_400_000])
def test_one_answer_longer_than_the_wall_clocks_is_one_too_many(nonsense):
    reason = doubt([GOOD, GOOD, (nonsense, 2_000_000), GOOD, GOOD])
    assert reason == f"it says {nonsense:,} ns for a draw that took 2,000,000 ns"


@pytest.mark.parametrize("latency", [0, 2])
def test_the_renderer_says_what_it_times_with_and_does_so(latency):
    timeline = Timeline(keep=100)
    renderer = GlRenderer((640, 360), timeline, latency=latency)
    for tick in range(5):
        timeline.tick = tick
        renderer.render(SCENE, orbit(10 * tick, 20, 4))
    renderer.close()
    spans = [span for span in timeline.spans() if span.lane == "gpu"]
    if renderer.timing == "the device's own timer":
        assert [span.tick for span in spans] == list(range(5 - latency))
    else:  # Mesa's llvmpipe, at least up to 22.3
        assert renderer.timing.startswith("wall clock: the driver's timer is not to be trusted, it")
        assert spans == []


class Query:
    """A timer that can be believed, which the driver here may not have."""

    elapsed = 5_000_000

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def test_device_spans_begin_when_they_were_asked_for_and_do_not_overlap():
    timeline = Timeline(keep=100)
    timer = DeviceTimer([Query()] * 2)
    for slot in (0, 1):
        timeline.tick = slot
        with timer.measure(slot, timeline):
            pass
    for slot in (0, 1, 1):  # what has been reported is not again
        timer.report(slot)
    first, second = timeline.spans()
    assert (first.name, first.lane, first.tick, second.tick) == ("gpu/draw", "gpu", 0, 1)
    assert first.end_ns - first.start_ns == second.end_ns - second.start_ns == 5_000_000
    assert second.start_ns == first.end_ns


def test_a_timer_in_doubt_records_nothing():
    timeline = Timeline(keep=100)
    timer = DeviceTimer([Query()], "it says 40 ns for a draw that took 2,000,000 ns")
    with timer.measure(0, timeline):
        pass
    timer.report(0)
    assert timeline.spans() == []

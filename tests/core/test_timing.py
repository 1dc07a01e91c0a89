import math
import random
import threading
from fractions import Fraction

import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.timing import Histogram, Summary, Timeline


def nearest_rank(ordered, q):
    rank = max(math.ceil(Fraction(str(q)) * len(ordered) / 100), 1)
    return ordered[rank - 1]


def draw(rng):
    """Values of every size: few and many, tight and over all 63 bits."""
    n = rng.choice([1, 2, 3, 10, 99, 100, 1000])
    top = rng.choice([1, 63, 64, 65, 1000, 10**6, 10**9, 2**40, 2**63 - 1])
    kind = rng.randrange(3)
    if kind == 0:
        return [rng.randrange(top + 1) for _ in range(n)]
    if kind == 1:
        return [int(top ** rng.random()) for _ in range(n)]
    return [min(top, 2 ** rng.randrange(63) + rng.randrange(-1, 2)) for _ in range(n)]


class TestHistogram:
    @pytest.mark.parametrize("seed", range(60))
    def test_every_percentile_is_within_a_64th_of_the_exact_one(self, seed):
        rng = random.Random(seed)
        values = draw(rng)
        histogram = Histogram(values)
        ordered = sorted(values)
        for q in (0, 0.1, 1, 7, 10, 14, 25, 28, 50, 55, 57, 90, 99, 99.9, 100, rng.uniform(0, 100)):
            exact = nearest_rank(ordered, q)
            assert abs(histogram.percentile(q) - exact) * 64 <= exact, q

    @pytest.mark.parametrize("seed", range(20))
    def test_count_total_smallest_and_largest_are_exact(self, seed):
        values = draw(random.Random(seed))
        histogram = Histogram(values)
        assert (histogram.count, histogram.total) == (len(values), sum(values))
        assert (histogram.smallest, histogram.largest) == (min(values), max(values))
        assert histogram.percentile(100) == max(values)
        assert histogram.mean == sum(values) / len(values)

    @pytest.mark.parametrize("seed", range(20))
    def test_merging_is_the_same_as_recording_everything(self, seed):
        rng = random.Random(seed)
        one, two = draw(rng), draw(rng)
        merged = Histogram(one)
        merged.merge(Histogram(two))
        both = Histogram(one + two)
        for q in (0, 1, 50, 90, 99, 100):
            assert merged.percentile(q) == both.percentile(q)
        assert (merged.count, merged.total) == (both.count, both.total)
        assert (merged.smallest, merged.largest) == (both.smallest, both.largest)

    def test_merging_an_empty_one_changes_nothing_and_merging_into_one_copies(self):
        full, empty = Histogram([3, 5]), Histogram()
        full.merge(empty)
        empty.merge(full)
        for histogram in (full, empty):
            assert (histogram.count, histogram.smallest, histogram.largest) == (2, 3, 5)

    def test_values_below_64_are_exact(self):
        for value in range(64):
            assert Histogram([value, value, 63]).percentile(50) == value

    @pytest.mark.parametrize("q", [1, 3, 7, 14, 28, 29, 55, 56, 57, 58, 99])
    def test_a_percentile_is_the_nearest_rank_and_not_the_one_after_by_rounding(self, q):
        assert Histogram(range(1, 51)).percentile(q) == nearest_rank(range(1, 51), q)

    def test_of_nothing_everything_is_zero(self):
        empty = Histogram()
        assert (empty.percentile(50), empty.mean, empty.largest, empty.count) == (0, 0.0, 0, 0)

    def test_zero_is_a_value_like_any_other(self):
        histogram = Histogram([0, 0, 0, 8])
        assert (histogram.percentile(50), histogram.smallest, histogram.count) == (0, 0, 4)

    def test_what_does_not_fit_is_counted_at_the_ends(self):
        histogram = Histogram([-5, 2**70])
        assert (histogram.smallest, histogram.largest) == (0, 2**63 - 1)
        assert histogram.percentile(1) == 0

    @pytest.mark.parametrize("q", [-0.1, 100.1, float("nan")])
    def test_a_percentile_outside_0_to_100_is_refused(self, q):
        with pytest.raises(ValueError, match="between 0 and 100"):
            Histogram([1]).percentile(q)

    def test_a_summary_says_what_the_histogram_says(self):
        summary = Summary.of(Histogram(range(1, 11)))
        assert summary == Summary(10, 5.5, p50_ns=5, p90_ns=9, p99_ns=10, max_ns=10)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def timeline(clock):
    return Timeline(clock)


class TestTimeline:
    def test_a_span_lasts_from_entering_to_leaving(self, clock, timeline):
        clock.advance(10)
        with timeline.span("work"):
            clock.advance(25)
        (span,) = timeline.spans()
        assert (span.name, span.start_ns, span.end_ns, span.tick) == ("work", 10, 35, -1)
        assert span.lane == threading.get_ident()

    def test_nested_spans_each_have_their_own_time(self, clock, timeline):
        with timeline.span("outer"):
            clock.advance(1)
            with timeline.span("inner"):
                clock.advance(2)
            clock.advance(4)
        assert [(s.name, s.end_ns - s.start_ns) for s in timeline.spans()] == [
            ("inner", 2),
            ("outer", 7),
        ]

    def test_a_span_is_recorded_when_its_block_raises_and_lets_the_error_through(
        self, clock, timeline
    ):
        def work():
            with timeline.span("work"):
                clock.advance(3)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            work()
        assert [s.end_ns for s in timeline.spans()] == [3]

    def test_spans_of_all_threads_are_kept_each_on_its_lane(self, timeline):
        gate = threading.Barrier(4)

        def work(i):
            timeline.name_thread(f"worker {i}")
            gate.wait()
            for _ in range(500):
                with timeline.span("work", flow=i):
                    pass

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert timeline.stats()["work"].count == 2000
        of_flow = {}
        for span in timeline.spans():
            of_flow.setdefault(span.flow, set()).add(timeline.lanes[span.lane])
        assert of_flow == {i: {f"worker {i}"} for i in range(4)}

    def test_a_span_measured_elsewhere_is_added_as_it_is(self, timeline):
        timeline.tick = 5
        timeline.add("draw", 100, 250, lane="gpu", flow=3)
        timeline.add("draw", 300, 300, tick=2)
        first, second = timeline.spans()
        assert first == ("draw", 100, 250, "gpu", 5, 3)
        assert (second.tick, second.lane, second.flow) == (2, threading.get_ident(), None)

    def test_a_span_that_ends_before_it_starts_is_refused(self, timeline):
        with pytest.raises(ValueError, match="'draw' ends 1 ns before it starts"):
            timeline.add("draw", 2, 1)
        assert not timeline.spans()

    def test_memory_is_bounded_while_statistics_count_everything(self, clock):
        timeline = Timeline(clock, keep=100)
        for i in range(5_000):
            with timeline.span("a" if i % 5 else "b"):
                clock.advance(1 + i % 5)
            if i % 50 == 0:
                timeline.fold()
            assert len(timeline.spans()) <= 250
        stats = timeline.stats()
        assert (stats["a"].count, stats["b"].count) == (4_000, 1_000)
        assert stats["a"].total + stats["b"].total == clock.now_ns()
        assert timeline.dropped + len(timeline.spans()) == 5_000
        assert timeline.spans()[-1].end_ns == clock.now_ns()

    def test_statistics_asked_for_twice_count_each_span_once(self, clock, timeline):
        for expected in (1, 2, 3):
            with timeline.span("a"):
                clock.advance(1)
            assert timeline.stats()["a"].count == expected
            assert timeline.stats()["a"].count == expected

    def test_folding_from_one_thread_while_others_record_loses_nothing(self):
        timeline = Timeline(keep=50)
        done = threading.Event()

        def fold():
            while not done.is_set():
                timeline.fold()

        def work():
            for _ in range(3_000):
                with timeline.span("work"):
                    pass

        folder = threading.Thread(target=fold)
        workers = [threading.Thread(target=work) for _ in range(3)]
        for thread in [folder, *workers]:
            thread.start()
        for thread in workers:
            thread.join()
        done.set()
        folder.join()
        assert timeline.stats()["work"].count == 9_000
        assert timeline.dropped + len(timeline.spans()) == 9_000

    def test_marks_and_counters_are_stamped_and_bounded(self, clock):
        timeline = Timeline(clock, keep=10)
        for i in range(100):
            clock.advance(1)
            timeline.mark("frame")
            timeline.counter("queue", i)
        assert 10 <= len(timeline.marks()) <= 20
        assert 10 <= len(timeline.counters()) <= 20
        assert timeline.marks()[-1] == ("frame", 100)
        assert timeline.counters()[-1] == ("queue", 100, 99)

    def test_figures_of_numpy_are_kept_as_plain_ones(self, timeline):
        timeline.add("draw", np.int64(1), np.int64(4), tick=np.int64(2), flow=np.int64(9))
        timeline.counter("queue", np.float32(0.5))
        assert all(type(v) is int for v in (*timeline.spans()[0][1:3], *timeline.spans()[0][4:]))
        assert type(timeline.counters()[0].value) is float

import gc
import math
import mmap
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from guide.clock import VirtualClock
from guide.process import ProcessSample
from guide.resources import ProcessMeter, Reading, Sampler, ThreadStamps, Usage

PAGE = os.sysconf("SC_PAGE_SIZE")
PSI = "some avg10=0.00 avg60=0.00 avg300=0.00 total={us}\nfull avg10=0.00 total=7\n"
IO = "rchar: 900\nwchar: 800\nsyscr: 1\nsyscw: 1\nread_bytes: {r}\nwrite_bytes: {w}\ncancelled: 0\n"


def fresh(size):
    """Memory that this process did not have before, all of it written to."""
    held = mmap.mmap(-1, size)
    held.write(bytes(size))
    return held


def readings(meter):
    return {reading.name: reading for reading in meter.read().readings}


def burn(seconds=0.02):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class Proc:
    """A folder that looks like the root of a Linux system, as far as meters look."""

    def __init__(self, root):
        self.root = root

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def all(self):
        self.write("proc/self/statm", "9000 500 300 1 0 400 0\n")
        self.write("proc/self/io", IO.format(r=4096, w=8192))
        self.write("proc/self/cgroup", "3:cpu:/elsewhere\n0::/user/app\n")
        for what in ("cpu", "memory", "io"):
            self.write(f"proc/pressure/{what}", PSI.format(us=1_000_000))
        return self

    def process(self, pid, parent, name="python", ticks=(0, 0, 0, 0), pages=0):
        before = "S {parent} 1 1 0 -1 4194304 0 0 0 0"
        line = (
            f"{pid} ({name}) {before} {{ticks}} 20 0 1 0 77 123456 {pages} 18446744073709551615\n"
        )
        self.write(f"proc/{pid}/stat", line.format(parent=parent, ticks=" ".join(map(str, ticks))))


@pytest.fixture
def proc(tmp_path):
    return Proc(tmp_path)


class TestProcessMeter:
    def test_work_is_counted_from_start_on_and_only_grows(self):
        meter = ProcessMeter()
        meter.start()
        first = readings(meter)["cpu"]
        burn()
        second = readings(meter)["cpu"]
        assert second.value - first.value >= 0.02
        assert (first.unit, first.kind) == ("s", "total")

    def test_work_of_other_threads_counts(self):
        meter = ProcessMeter()
        meter.start()
        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()
        assert readings(meter)["cpu"].value >= 0.02

    def test_memory_that_is_touched_shows_now_and_in_the_peak_for_good(self):
        meter = ProcessMeter()
        before = readings(meter)
        held = fresh(40_000_000)
        during = readings(meter)
        assert during["memory"].value - before["memory"].value > 30_000_000
        assert (during["memory"].unit, during["memory"].kind) == ("B", "level")
        held.close()
        after = readings(meter)
        assert after["memory"].value < during["memory"].value
        assert after["memory.peak"].value >= during["memory"].value

    def test_the_peak_of_a_small_program_is_not_what_its_parent_held(self):
        code = "from guide.process import ProcessMeter; m = ProcessMeter(); print(m.raw().peak)"
        held = bytearray(b"x") * 400_000_000
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert len(held) == 400_000_000
        assert 1_000_000 < int(done.stdout) < 300_000_000

    def test_new_pages_are_minor_faults_and_waiting_is_a_voluntary_switch(self):
        meter = ProcessMeter()
        held = fresh(40_000_000)
        for _ in range(5):
            time.sleep(0.001)
        found = readings(meter)
        held.close()
        assert found["faults.minor"].value > 5  # huge pages may make them few
        assert found["switches.voluntary"].value >= 5
        assert found["cpu.user"].value + found["cpu.system"].value > 0

    def test_a_raw_sample_holds_the_same_figures_as_integers(self):
        meter = ProcessMeter()
        sample = meter.raw()
        assert all(type(value) is int for value in sample)
        assert sample._fields == ProcessSample._fields
        found = readings(meter)
        assert sample.resident == pytest.approx(found["memory"].value, rel=0.5)
        assert sample.peak >= sample.resident
        assert meter.raw().cpu_ns > sample.cpu_ns

    def test_each_reading_says_where_it_comes_from(self, proc):
        proc.all().write("sys/fs/cgroup/user/app/cpu.pressure", PSI.format(us=0))
        found = readings(ProcessMeter(root=proc.root))
        assert found["memory"].source == "statm"
        assert found["memory"].value == 500 * PAGE
        assert found["pressure.cpu"].source == "psi, this cgroup"
        assert found["pressure.io"].source == "psi, whole machine"
        assert all(reading.source for reading in found.values())

    def test_storage_and_pressure_are_counted_from_start(self, proc):
        meter = ProcessMeter(root=proc.all().root)
        proc.write("proc/self/io", IO.format(r=4196, w=8192))
        proc.write("proc/pressure/memory", PSI.format(us=1_250_000))
        found = readings(meter)
        assert (found["io.read"].value, found["io.written"].value) == (100, 0)
        assert (found["pressure.memory"].value, found["pressure.memory"].unit) == (0.25, "s")
        assert meter.absent == []
        meter.start()
        assert readings(meter)["io.read"].value == 0

    def test_what_is_absent_is_left_out_and_said(self, tmp_path):
        meter = ProcessMeter(root=tmp_path)
        found = readings(meter)
        assert found["memory"].source == "peak, getrusage"
        assert found["memory"].value == found["memory.peak"].value > 1_000_000
        assert not {"io.read", "io.written", "pressure.cpu"} & set(found)
        about = [line.partition(":")[0] for line in meter.absent]
        assert about == [
            "memory now, also of children",
            "io.read, io.written",
            "pressure.cpu",
            "pressure.memory",
            "pressure.io",
        ]
        assert all("No such file" in line for line in meter.absent)

    @pytest.mark.parametrize(
        ("path", "text", "gone"),
        [
            ("proc/self/io", "rchar: 900\nread_by", "io.read"),
            ("proc/pressure/io", "", "pressure.io"),
            ("proc/pressure/cpu", "some avg10=0.00 total=-5\n", "pressure.cpu"),
        ],
    )
    def test_a_line_that_is_cut_off_ends_that_reading_alone_and_is_said_once(
        self, proc, path, text, gone
    ):
        meter = ProcessMeter(root=proc.all().root)
        before = set(readings(meter))
        proc.write(path, text)
        after = [set(readings(meter)) for _ in range(3)]
        assert gone in before - after[0]
        assert after[0] == after[2]
        assert len(meter.absent) == 1

    @pytest.mark.parametrize("text", ["", "9000", "no numbers"])
    def test_memory_that_cannot_be_read_any_more_becomes_the_peak_and_is_said(self, proc, text):
        meter = ProcessMeter(root=proc.all().root)
        proc.write("proc/self/statm", text)
        for _ in range(3):
            sample = meter.raw()
        assert sample.resident == sample.peak
        assert readings(meter)["memory"].source == "peak, getrusage"
        assert len(meter.absent) == 1


class TestChildren:
    def child(self, code):
        return subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def test_a_child_counts_while_it_lives_and_after_it_has_died(self):
        meter = ProcessMeter(children=True)
        code = (
            "import time\nwhile time.process_time() < 0.1: pass\nprint('done', flush=True); input()"
        )
        child = self.child(code)
        assert child.stdout is not None
        child.stdout.readline()
        alive = readings(meter)
        child.communicate(b"\n")
        dead = readings(meter)
        assert alive["cpu.children"].value >= 0.08  # the kernel counts in hundredths
        assert alive["memory.children"].value > 1_000_000
        assert dead["cpu.children"].value >= alive["cpu.children"].value
        assert dead["memory.children"].value < alive["memory.children"].value
        assert alive["cpu"].value < 10

    def test_grandchildren_count_and_strangers_do_not(self, proc):
        proc.all()
        me = os.getpid()
        proc.process(11, me, ticks=(1, 2, 3, 4), pages=10)
        proc.process(12, 11, name="a) (b", ticks=(10, 0, 0, 0), pages=20)
        proc.process(13, 1, ticks=(500, 0, 0, 0), pages=30)
        proc.write("proc/14/stat", "14 (half")
        (proc.root / "proc/15").mkdir()
        empty = Proc(proc.root / "empty").all()
        base = ProcessMeter(children=True, root=empty.root)
        meter = ProcessMeter(children=True, root=proc.root)
        tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        assert meter._children()[0] - base._children()[0] == 20 * tick_ns
        assert readings(meter)["memory.children"].value == 30 * PAGE

    def test_a_child_that_nobody_waited_for_takes_nothing_back(self, proc):
        proc.all().process(11, os.getpid(), ticks=(5, 0, 0, 0))
        meter = ProcessMeter(children=True, root=proc.root)
        proc.process(11, os.getpid(), ticks=(30, 0, 0, 0))
        before = readings(meter)["cpu.children"].value
        (proc.root / "proc/11/stat").unlink()
        assert readings(meter)["cpu.children"].value == before == pytest.approx(0.25)

    def test_they_are_asked_for(self, proc):
        proc.all().process(11, os.getpid(), ticks=(30, 0, 0, 0), pages=10)
        meter = ProcessMeter(root=proc.root)
        assert not [name for name in readings(meter) if name.endswith(".children")]
        assert meter.cpu_ns() < ProcessMeter(children=True, root=proc.root).cpu_ns()


class TestThreadStamps:
    def test_it_counts_this_thread_and_no_other(self):
        stamps = ThreadStamps()
        before = stamps()
        thread = threading.Thread(target=burn, args=(0.05,))
        thread.start()
        thread.join()
        assert stamps().cpu_ns - before.cpu_ns < 50_000_000
        burn(0.05)
        assert stamps().cpu_ns - before.cpu_ns >= 50_000_000

    def test_waiting_faults_and_processor_time_show(self):
        stamps = ThreadStamps()
        before = stamps()
        time.sleep(0.001)
        fresh(40_000_000).close()
        after = stamps()
        assert after.voluntary > before.voluntary
        assert after.minor > before.minor
        assert stamps.known >= {"cpu_ns", "voluntary", "forced", "minor", "major"}

    def test_waiting_for_a_processor_shows(self):
        if not Path("/proc/thread-self/schedstat").exists():
            pytest.skip("this kernel keeps no schedstat")
        allowed = os.sched_getaffinity(0)
        found = []

        def compete():
            os.sched_setaffinity(0, {min(allowed)})  # of this thread alone
            stamps = ThreadStamps()
            before = stamps()
            burn(0.1)
            after = stamps()
            found.append((after.run_delay_ns - before.run_delay_ns, after.forced - before.forced))

        hog = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import os; os.sched_setaffinity(0, {{{min(allowed)}}})\n"
                "print(flush=True)\nwhile True: pass",
            ],
            stdout=subprocess.PIPE,
        )
        try:
            assert hog.stdout is not None
            hog.stdout.readline()
            thread = threading.Thread(target=compete)
            thread.start()
            thread.join()
        finally:
            hog.kill()
            hog.communicate()
        ((delay_ns, forced),) = found
        assert delay_ns > 5_000_000
        assert forced > 0

    @pytest.mark.parametrize("text", [None, "", "12", "a b c"])
    def test_without_schedstat_the_delay_is_zero_and_not_known(self, proc, text):
        if text is not None:
            proc.write("proc/thread-self/schedstat", text)
        stamps = ThreadStamps(proc.root)
        assert stamps().run_delay_ns == 0
        assert stamps().cpu_ns > 0
        assert "run_delay_ns" not in stamps.known


class Steps:
    """A meter that reads out a list; an exception in it is raised."""

    def __init__(self, values, start_error=None):
        self.values, self.start_error = list(values), start_error

    def start(self):
        if self.start_error:
            raise self.start_error

    def read(self):
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        if isinstance(value, Exception):
            raise value
        return Usage((Reading("steps", value, "J", "total", "list"),))


@pytest.fixture
def clock():
    return VirtualClock()


class TestSampler:
    def sampler(self, clock, *meters, **more):
        return Sampler(meters, clock.now_ns, every_s=60, **more)

    def test_each_sample_is_stamped_by_the_clock_it_was_given(self, clock):
        sampler = self.sampler(clock, Steps([1, 2]))
        sampler.sample()
        clock.advance(5)
        sampler.sample()
        assert [(t, r[0].value) for t, r in sampler.samples] == [(0, 1), (5, 2)]
        assert sampler.latest()[0].value == 2

    def test_before_the_first_there_is_nothing(self, clock):
        assert self.sampler(clock).latest() == ()

    def test_starting_takes_a_first_sample_and_stopping_a_last(self, clock):
        sampler = self.sampler(clock, Steps([1, 2]))
        sampler.start()
        clock.advance(9)
        sampler.stop()
        assert [t for t, _ in sampler.samples] == [0, 9]

    def test_stopping_what_never_started_does_nothing(self, clock):
        sampler = self.sampler(clock, Steps([1]))
        sampler.stop()
        assert len(sampler.samples) == 0

    def test_it_samples_by_itself_on_a_thread_of_its_own(self, clock):
        seen = threading.Semaphore(0)
        threads = set()

        def note():
            threads.add(threading.current_thread().name)
            seen.release()

        sampler = Sampler([Steps([1])], clock.now_ns, every_s=0.001, on_sample=note)
        sampler.start()
        for _ in range(4):
            assert seen.acquire(timeout=30)
        sampler.stop()
        assert "guide-sampler" in threads

    def test_a_meter_that_raises_is_left_out_and_said_and_the_others_go_on(self, clock):
        sampler = self.sampler(clock, Steps([1, RuntimeError("unplugged")]), Steps([5]))
        for _ in range(3):
            sampler.sample()
        assert [len(r) for _, r in sampler.samples] == [2, 1, 1]
        assert sampler.failed == ["meter Steps stopped: unplugged"]

    def test_a_meter_that_cannot_even_start_is_left_out_too(self, clock):
        sampler = self.sampler(clock, Steps([1], RuntimeError("no device")), Steps([5]))
        sampler.start()
        sampler.stop()
        assert [r.value for r in sampler.latest()] == [5]
        assert sampler.failed == ["meter Steps stopped: no device"]

    def test_a_meter_that_returns_nonsense_is_left_out(self, clock):
        class Nonsense(Steps):
            def read(self):
                return None

        sampler = self.sampler(clock, Nonsense([1]), Steps([math.nan]))
        sampler.sample()
        assert len(sampler.latest()) == 1
        assert math.isnan(sampler.samples[0][1][0].value)  # and not a made-up number
        assert len(sampler.failed) == 1

    def test_what_a_meter_leaves_out_is_said_once(self, clock):
        meter = Steps([1])
        meter.absent = ["io: not here"]
        sampler = self.sampler(clock, meter)
        sampler.sample()
        meter.absent.append("pressure: gone")
        sampler.sample()
        sampler.sample()
        assert sampler.failed == ["io: not here", "pressure: gone"]

    def test_readings_come_back_from_the_record_as_they_were(self, clock):
        given = (
            Reading("a", 1.5, "J", "total", "model", 1.0, 2.0),
            Reading("b", 7, "B", "level", "statm"),
        )

        class Both(Steps):
            def read(self):
                return Usage(given)

        sampler = self.sampler(clock, Both([1]))
        for _ in range(3):
            sampler.sample()
        assert list(sampler.samples) == [(0, given)] * 3
        assert sampler.samples[1:] == [(0, given)] * 2
        assert sampler.samples[-1] == (0, given)

    def test_a_day_of_samples_is_thinned_evenly_and_keeps_first_and_last(self, clock):
        sampler = self.sampler(clock, Steps([1]))
        for i in range(50_001):
            clock.sleep_until(i)
            sampler.sample()
        assert len(sampler.samples) <= 20_001
        assert sampler.samples[0][0] == 0
        assert sampler.samples[-1][0] == 50_000

    def test_what_it_holds_is_nothing_for_the_garbage_collector_to_walk_through(self, clock):
        sampler = self.sampler(clock, ProcessMeter())
        sampler.sample()
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(1000):
            sampler.sample()
        gc.collect()
        assert len(gc.get_objects()) - before < 200


class Slow(Steps):
    """A meter that needs some virtual time for each reading."""

    def __init__(self, clock, takes_ns):
        super().__init__([1])
        self.clock, self.takes_ns, self.count = clock, list(takes_ns), 0

    def read(self):
        self.clock.advance(self.takes_ns[min(self.count, len(self.takes_ns) - 1)])
        self.count += 1
        return Usage((Reading("slow", self.count, "", "level", "test"),))


class TestSlowMeters:
    def run(self, clock, meter, seconds=10):
        sampler = Sampler([meter, Steps([5])], clock.now_ns)
        for i in range(seconds * 10):
            clock.sleep_until(i * 100_000_000)
            sampler.sample()
        return sampler

    def test_a_quick_one_is_read_each_time(self, clock):
        meter = Slow(clock, [1_000_000])
        self.run(clock, meter)
        assert meter.count == 100

    def test_a_slow_one_takes_a_hundredth_of_the_time_and_stands_in_between(self, clock):
        meter = Slow(clock, [20_000_000])
        sampler = self.run(clock, meter)
        assert meter.count == 6  # twice at first, then every 2 s
        assert [len(r) for _, r in sampler.samples] == [2] * 100
        assert [r[0].value for _, r in sampler.samples][1:21] == [2] * 20

    def test_one_bad_moment_changes_nothing(self, clock):
        meter = Slow(clock, [10_000, 10_000, 50_000_000, 10_000])
        self.run(clock, meter)
        assert meter.count == 100

    def test_the_last_sample_reads_it_once_more(self, clock):
        meter = Slow(clock, [20_000_000])
        sampler = Sampler([meter], clock.now_ns, every_s=60)
        sampler.start()
        sampler.sample()
        sampler.sample()
        assert meter.count == 2
        sampler.stop()
        assert meter.count == 3

import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from guide.clock import VirtualClock
from guide.energy import (
    IDLE_HIGH,
    IDLE_LOW,
    ModelMeter,
    NvmlMeter,
    RaplMeter,
    open_energy_meters,
    total_energy,
)
from guide.resources import Reading, Unavailable


class Powercap:
    """A folder as Linux's powercap shows it."""

    def __init__(self, root):
        self.root = root

    def add(self, folder, name, energy_uj, wraps_at=1_000_000):
        domain = self.root / folder
        domain.mkdir()
        (domain / "name").write_text(f"{name}\n")
        (domain / "max_energy_range_uj").write_text(f"{wraps_at}\n")
        self.set(folder, energy_uj)

    def set(self, folder, energy_uj):
        (self.root / folder / "energy_uj").write_text(f"{energy_uj}\n")


@pytest.fixture
def powercap(tmp_path):
    return Powercap(tmp_path)


def joules(meter):
    return {r.name: r.value for r in meter.read().readings}


class TestRapl:
    def test_joules_are_counted_from_start(self, powercap):
        powercap.add("intel-rapl:0", "package-0", 500_000)
        meter = RaplMeter(powercap.root)
        powercap.set("intel-rapl:0", 750_000)
        assert joules(meter) == {"energy.package-0": 0.25}
        meter.start()
        assert joules(meter) == {"energy.package-0": 0.0}

    def test_a_counter_that_wraps_goes_on(self, powercap):
        powercap.add("intel-rapl:0", "package-0", 900_000, wraps_at=1_000_000)
        meter = RaplMeter(powercap.root)
        for value in (100_000, 950_000, 50_000):
            powercap.set("intel-rapl:0", value)
            last = joules(meter)
        assert last["energy.package-0"] == pytest.approx(0.2 + 0.85 + 0.1)

    def test_it_wraps_between_any_two_samples_and_never_counts_backwards(self, powercap):
        powercap.add("intel-rapl:0", "package-0", 0, wraps_at=1_000_000)
        meter = RaplMeter(powercap.root)
        seen = []
        for used in range(0, 5_000_000, 700_001):
            powercap.set("intel-rapl:0", used % 1_000_000)
            seen.append(joules(meter)["energy.package-0"])
        assert seen == [pytest.approx(used / 1e6) for used in range(0, 5_000_000, 700_001)]

    def test_the_same_package_seen_through_another_interface_counts_once(self, powercap):
        powercap.add("intel-rapl-mmio:0", "package-0", 0)
        powercap.add("intel-rapl:0", "package-0", 0)
        assert len(RaplMeter(powercap.root).read().readings) == 1

    @pytest.mark.parametrize("text", ["", "broken"])
    def test_a_counter_without_a_number_is_none(self, powercap, text):
        powercap.add("intel-rapl:0", "package-0", text)
        with pytest.raises(Unavailable, match="shows no RAPL"):
            RaplMeter(powercap.root)

    def test_each_package_counts_once_and_its_parts_do_not(self, powercap):
        powercap.add("intel-rapl:0", "package-0", 0)
        powercap.add("intel-rapl:0:0", "core", 0)
        powercap.add("intel-rapl:0:1", "dram", 0)
        powercap.add("intel-rapl:1", "package-1", 0)
        powercap.add("intel-rapl:2", "psys", 0)
        assert set(joules(RaplMeter(powercap.root))) == {"energy.package-0", "energy.package-1"}

    def test_the_figure_says_that_it_was_measured(self, powercap):
        powercap.add("intel-rapl:0", "package-0", 0)
        (reading,) = RaplMeter(powercap.root).read().readings
        assert (reading.source, reading.unit, reading.low) == ("rapl", "J", None)

    def test_a_machine_without_the_counter_is_told_so(self, tmp_path):
        with pytest.raises(Unavailable, match="shows no RAPL"):
            RaplMeter(tmp_path)
        with pytest.raises(Unavailable, match="shows no RAPL"):
            RaplMeter(tmp_path / "missing")

    def test_a_counter_that_only_root_may_read_comes_with_what_to_type(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            root.chmod(0o755)
            powercap = Powercap(root)
            powercap.add("intel-rapl:0", "package-0", 0)
            (root / "intel-rapl:0").chmod(0o755)
            (root / "intel-rapl:0" / "energy_uj").chmod(0o400)
            if os.geteuid() == 0:
                os.seteuid(65534)
            else:
                (root / "intel-rapl:0" / "energy_uj").chmod(0)
            try:
                with pytest.raises(Unavailable) as error:
                    RaplMeter(root)
            finally:
                os.seteuid(os.getuid())
        assert error.value.remedy.startswith("sudo chmod a+r ")


# What the driver's library exports, as far as it is used: two GPUs whose figures a test sets.
NVML = """
#include <stddef.h>
unsigned long long energy_mj[2], memory[2][3];
unsigned power_mw[2], busy[2];
int init_code, energy_code, power_code, busy_code, gpus = 1;
int nvmlInit_v2(void) { return init_code; }
const char *nvmlErrorString(int code) {
  return code == 3 ? "Not Supported" : code == 15 ? "GPU is lost" : "Unknown Error";
}
int nvmlDeviceGetCount_v2(unsigned *n) { *n = gpus; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **gpu) {
  *gpu = (void *)(size_t)(0x100000000ULL + i);
  return 0;
}
static int index_of(void *gpu) { return (int)((size_t)gpu - 0x100000000ULL); }
int nvmlDeviceGetTotalEnergyConsumption(void *gpu, unsigned long long *mj) {
  *mj = energy_mj[index_of(gpu)];
  return energy_code;
}
int nvmlDeviceGetPowerUsage(void *gpu, unsigned *mw) {
  *mw = power_mw[index_of(gpu)];
  return power_code;
}
int nvmlDeviceGetUtilizationRates(void *gpu, unsigned *rates) {
  rates[0] = busy[index_of(gpu)];
  rates[1] = 1;
  return busy_code;
}
int nvmlDeviceGetMemoryInfo(void *gpu, unsigned long long *total_free_used) {
  for (int i = 0; i < 3; i++) total_free_used[i] = memory[index_of(gpu)][i];
  return 0;
}
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to make a driver library with")
    source = tmp_path_factory.mktemp("nvml") / "nvml.c"
    source.write_text(NVML)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", source.with_suffix(".so"), source], check=True
    )
    return source.with_suffix(".so")


class Driver:
    """A driver's library of its own, through the real foreign function interface."""

    def __init__(self, path):
        self.path = str(path)
        self.library = ctypes.CDLL(self.path)
        self.clock = VirtualClock()

    def set(self, name, value, gpu=None):
        kind = ctypes.c_ulonglong if name in ("energy_mj", "memory") else ctypes.c_int
        if gpu is None:
            kind.in_dll(self.library, name).value = value
        else:
            (kind * 6).in_dll(self.library, name)[gpu] = value

    def meter(self):
        return NvmlMeter(self.path, self.clock.now_ns)


@pytest.fixture
def driver(compiled, tmp_path):
    own = tmp_path / "libnvml.so"  # loaded anew: figures of another test do not show
    shutil.copy(compiled, own)
    return Driver(own)


def by_name(meter):
    return {r.name: r for r in meter.read().readings}


class TestNvml:
    def test_joules_are_counted_from_start_with_what_the_counter_may_have_missed(self, driver):
        driver.set("energy_mj", 9_000_000, gpu=0)
        driver.set("power_mw", 50_000, gpu=0)
        meter = driver.meter()
        driver.set("energy_mj", 9_020_000, gpu=0)
        driver.set("power_mw", 300_000, gpu=0)
        energy = by_name(meter)["energy.gpu0"]
        assert (energy.value, energy.unit, energy.source) == (20.0, "J", "nvml")
        assert (energy.low, energy.high) == pytest.approx((20 - 50 * 0.1, 20 + 300 * 0.1))

    def test_before_the_counter_moves_it_may_be_nothing_or_a_little(self, driver):
        driver.set("power_mw", 300_000, gpu=0)
        energy = by_name(driver.meter())["energy.gpu0"]
        assert (energy.low, energy.value, energy.high) == (0, 0, pytest.approx(30))

    def test_over_a_long_time_it_is_a_plain_measurement(self, driver):
        driver.set("power_mw", 300_000, gpu=0)
        meter = driver.meter()
        driver.set("energy_mj", 60_000_000, gpu=0)
        energy = by_name(meter)["energy.gpu0"]
        assert (energy.value, energy.low, energy.high) == (60_000, None, None)

    def test_use_and_memory_of_each_gpu_are_levels(self, driver):
        driver.set("gpus", 2)
        driver.set("busy", 87, gpu=1)
        driver.set("memory", 5_000_000_000, gpu=3 + 2)
        found = by_name(driver.meter())
        assert (found["gpu1"].value, found["gpu1"].unit, found["gpu1"].kind) == (87, "%", "level")
        assert found["memory.gpu1"].value == 5e9
        assert found["gpu0"].value == 0

    def test_a_gpu_without_a_counter_has_its_power_summed_up_and_says_so(self, driver):
        driver.set("energy_code", 3)
        driver.set("power_mw", 100_000, gpu=0)
        meter = driver.meter()
        for watts in (100, 200, 200):
            driver.clock.advance(1_000_000_000)
            driver.set("power_mw", watts * 1000, gpu=0)
            energy = by_name(meter)["energy.gpu0"]
        assert energy.value == pytest.approx(100 + 150 + 200)
        assert energy.source == "nvml, power x time"
        assert meter.absent == ["gpu0: nvmlDeviceGetTotalEnergyConsumption: Not Supported"]
        meter.start()
        assert by_name(meter)["energy.gpu0"].value == 0

    def test_a_counter_that_begins_anew_takes_nothing_back(self, driver):
        driver.set("energy_mj", 9_000_000, gpu=0)
        meter = driver.meter()
        values = []
        for energy_mj in (9_005_000, 0, 2_000):
            driver.set("energy_mj", energy_mj, gpu=0)
            values.append(by_name(meter)["energy.gpu0"].value)
        assert values == [5, 5, 7]

    def test_a_gpu_that_is_lost_is_left_out_and_said_once(self, driver):
        meter = driver.meter()
        driver.set("energy_code", 15)
        driver.set("power_code", 15)
        driver.set("busy_code", 15)
        for _ in range(3):
            found = by_name(meter)
        assert set(found) == {"memory.gpu0"}
        assert len(meter.absent) == 3
        assert all(line.startswith("gpu0: ") and "GPU is lost" in line for line in meter.absent)

    def test_nothing_of_energy_is_said_when_it_shows_neither_counter_nor_power(self, driver):
        driver.set("energy_code", 3)
        driver.set("power_code", 3)
        meter = driver.meter()
        assert "energy.gpu0" not in by_name(meter)
        assert len(meter.absent) == 2

    def test_a_driver_that_does_not_answer_or_has_no_gpu_is_one_line(self, driver):
        driver.set("gpus", 0)
        with pytest.raises(Unavailable, match="no NVIDIA GPU"):
            driver.meter()
        driver.set("init_code", 9)
        with pytest.raises(Unavailable, match="does not answer"):
            driver.meter()

    def test_a_machine_without_the_driver_has_none(self):
        with pytest.raises(Unavailable, match="no NVIDIA driver"):
            NvmlMeter("libguide-there-is-no-such-library.so")


class TestModel:
    def test_it_is_a_range_and_says_that_it_is_a_model(self):
        meter = ModelMeter(low_w=2.0, high_w=6.0)
        sum(range(200_000))
        (reading,) = meter.read().readings
        assert reading.source == "model"
        assert 0 < reading.low < reading.value < reading.high
        assert reading.high == pytest.approx(3 * reading.low)
        assert reading.value == pytest.approx((reading.low + reading.high) / 2)

    def test_joules_are_cpu_seconds_times_watts_and_waiting_costs_nothing(self):
        cpu, wall = VirtualClock(7), VirtualClock()
        meter = ModelMeter(2.0, 6.0, cpu_ns=cpu.now_ns, now_ns=wall.now_ns)
        wall.advance(100 * 10**9)
        cpu.advance(5 * 10**9)
        (reading,) = meter.read().readings
        assert (reading.name, reading.low, reading.high) == ("energy.cpu", 10.0, 30.0)
        meter.start()
        assert meter.read().readings[0].high == 0

    def test_idle_power_is_a_component_of_its_own_and_only_when_asked(self):
        cpu, wall = VirtualClock(), VirtualClock()
        meter = ModelMeter(2.0, 6.0, cpu_ns=cpu.now_ns, idle=True, now_ns=wall.now_ns)
        wall.advance(10 * 10**9)
        busy, idle = meter.read().readings
        assert (busy.name, busy.high) == ("energy.cpu", 0)
        assert (idle.name, idle.source) == ("energy.idle", "model")
        threads = os.cpu_count()
        assert idle.low == pytest.approx(10 * threads * 2.0 * IDLE_LOW)
        assert idle.high == pytest.approx(10 * threads * 6.0 * IDLE_HIGH)


class TestTotal:
    def test_what_is_measured_and_what_is_modelled_stay_apart(self):
        totals = total_energy(
            [
                Reading("cpu", 3.0, "s", "total", "process clock"),
                Reading("energy.package-0", 10.0, "J", "total", "rapl"),
                Reading("energy.package-1", 5.0, "J", "total", "rapl"),
                Reading("energy.cpu", 4.0, "J", "total", "model", 2.0, 6.0),
            ]
        )
        assert {source: t.value for source, t in totals.items()} == {"rapl": 15.0, "model": 4.0}
        assert (totals["rapl"].low, totals["rapl"].high) == (None, None)
        assert (totals["model"].low, totals["model"].high) == (2.0, 6.0)

    def test_bounds_of_one_source_add_up(self):
        gpus = [
            Reading("energy.gpu0", 4.0, "J", "total", "nvml", 2.0, 6.0),
            Reading("energy.gpu1", 100.0, "J", "total", "nvml"),
        ]
        for order in (gpus, gpus[::-1]):
            (total,) = total_energy(order).values()
            assert (total.low, total.value, total.high) == (102, 104, 106)

    def test_of_nothing_it_is_nothing(self):
        assert total_energy([]) == {}


def test_the_cpu_is_measured_or_modelled_and_never_both():
    meters, absent = open_energy_meters()
    of_cpu = [m for m in meters if isinstance(m, RaplMeter | ModelMeter)]
    assert len(of_cpu) == 1
    assert isinstance(of_cpu[0], RaplMeter) or any(line.startswith("rapl: ") for line in absent)

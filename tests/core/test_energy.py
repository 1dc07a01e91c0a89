import os
import tempfile
from pathlib import Path

import pytest

from guide.energy import ModelMeter, NvmlMeter, RaplMeter, open_energy_meters
from guide.resources import Unavailable


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


def test_a_machine_without_the_driver_has_no_nvml():
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


def test_the_cpu_is_measured_or_modelled_and_never_both():
    meters, absent = open_energy_meters()
    of_cpu = [m for m in meters if isinstance(m, RaplMeter | ModelMeter)]
    assert len(of_cpu) == 1
    assert isinstance(of_cpu[0], RaplMeter) or any(line.startswith("rapl: ") for line in absent)

"""Meters of energy. Each figure names its source, and a model never poses as a measurement."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from pathlib import Path

from guide.resources import Meter, Reading, Unavailable, Usage

POWERCAP = Path("/sys/class/powercap")

# Watts of one busy hardware thread, as a range: rated power over hardware threads, from
# manufacturers' data sheets. EPYC 7763: 280 W / 128 = 2.2; Core i7-1185G7: 28 / 8 = 3.5;
# Ryzen 9 7950X: 170 / 32 = 5.3; Core i9-13900K: 253 / 32 = 7.9. Your machine lies in between,
# and a range says so where a single number would lie.
MODEL_LOW_W, MODEL_HIGH_W = 2.0, 8.0


class RaplMeter:
    """Energy of the CPU packages, counted by the CPU itself (RAPL, through Linux's powercap).

    Package domains only: core and DRAM domains are parts of them or overlap with them, so adding
    those would count joules twice. Counters wrap; `read` must be called at least once per wrap
    (minutes at full load).

    Source: Linux kernel, Documentation/power/powercap/powercap.rst.

    Raises:
        Unavailable: no such counter (virtual machines, most ARM), or only root may read it.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self._domains: list[tuple[str, Path, int]] = []
        for domain in sorted(root.glob("*-rapl:*")):
            try:
                name = (domain / "name").read_text().strip()
                if name.startswith("package"):
                    energy = domain / "energy_uj"
                    int(energy.read_text())
                    wraps_at = int((domain / "max_energy_range_uj").read_text())
                    self._domains.append((name, energy, wraps_at))
            except PermissionError:
                raise Unavailable(
                    f"only root may read {domain}/energy_uj", f"sudo chmod a+r {domain}/energy_uj"
                ) from None
            except (OSError, ValueError):
                continue
        if not self._domains:
            raise Unavailable("this machine shows no RAPL energy counter")
        self.start()

    def start(self) -> None:
        """Count from now."""
        self._last = [int(energy.read_text()) for _, energy, _ in self._domains]
        self._total_uj = [0] * len(self._domains)

    def read(self) -> Usage:
        """Joules of each package since start."""
        readings = []
        for i, (name, energy, wraps_at) in enumerate(self._domains):
            now = int(energy.read_text())
            delta = now - self._last[i]
            self._total_uj[i] += delta if delta >= 0 else delta + wraps_at
            self._last[i] = now
            readings.append(
                Reading(f"energy.{name}", self._total_uj[i] / 1e6, "J", "total", "rapl")
            )
        return Usage(tuple(readings))


class NvmlMeter:
    """Energy, use and memory of NVIDIA GPUs, from the driver's own library.

    The energy counter (Volta and later) is refreshed about every 100 ms, so joules over less
    than a second are coarse.

    Source: NVML API reference, nvmlDeviceGetTotalEnergyConsumption.

    Raises:
        Unavailable: no driver, or no GPU.
    """

    def __init__(self, library: str = "libnvidia-ml.so.1") -> None:
        try:
            self._nvml = ctypes.CDLL(library)
        except OSError:
            raise Unavailable("no NVIDIA driver") from None
        if self._nvml.nvmlInit_v2() != 0:
            raise Unavailable("the NVIDIA driver does not answer", "try nvidia-smi")
        count = ctypes.c_uint()
        self._nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        self._devices = []
        for index in range(count.value):
            device = ctypes.c_void_p()
            if self._nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) == 0:
                self._devices.append(device)
        if not self._devices:
            raise Unavailable("no NVIDIA GPU")
        self.start()

    def start(self) -> None:
        """Count energy from now."""
        self._start_mj = [self._energy_mj(device) for device in self._devices]

    def read(self) -> Usage:
        """Joules since start (where counted), percent of time busy, bytes in use, by GPU."""
        readings = []
        for i, device in enumerate(self._devices):
            energy_mj, start_mj = self._energy_mj(device), self._start_mj[i]
            if energy_mj is not None and start_mj is not None:
                joules = (energy_mj - start_mj) / 1e3
                readings.append(Reading(f"energy.gpu{i}", joules, "J", "total", "nvml"))
            busy = (ctypes.c_uint * 2)()  # nvmlUtilization_t: gpu, memory
            if self._nvml.nvmlDeviceGetUtilizationRates(device, busy) == 0:
                readings.append(Reading(f"gpu{i}", float(busy[0]), "%", "level", "nvml"))
            memory = (ctypes.c_ulonglong * 3)()  # nvmlMemory_t: total, free, used
            if self._nvml.nvmlDeviceGetMemoryInfo(device, memory) == 0:
                used = float(memory[2])
                readings.append(Reading(f"memory.gpu{i}", used, "B", "level", "nvml"))
        return Usage(tuple(readings))

    def _energy_mj(self, device: ctypes.c_void_p) -> int | None:
        energy = ctypes.c_ulonglong()
        answer = self._nvml.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(energy))
        return energy.value if answer == 0 else None


class ModelMeter:
    """Energy of the CPU as an interval, where nothing measures it.

    joules = CPU seconds of this process x watts of one busy hardware thread. The machine's idle
    power is not counted, and neither is what the display or the disk draw.
    """

    def __init__(self, low_w: float = MODEL_LOW_W, high_w: float = MODEL_HIGH_W) -> None:
        self._low_w, self._high_w = low_w, high_w
        self.start()

    def start(self) -> None:
        """Count from now."""
        self._start_ns = time.process_time_ns()

    def read(self) -> Usage:
        """Joules since start, as a range."""
        cpu_s = (time.process_time_ns() - self._start_ns) / 1e9
        low, high = cpu_s * self._low_w, cpu_s * self._high_w
        middle = (low + high) / 2
        return Usage((Reading("energy.cpu", middle, "J", "total", "model", low, high),))


def open_energy_meters() -> tuple[Sequence[Meter], Sequence[str]]:
    """The best meters of energy this machine has, and a line for each source that is absent.

    The CPU's energy is measured by RAPL or else modelled, never both.
    """
    meters: list[Meter] = []
    absent = []
    try:
        meters.append(RaplMeter())
    except Unavailable as why:
        absent.append(f"rapl: {why}")
        meters.append(ModelMeter())
    try:
        meters.append(NvmlMeter())
    except Unavailable as why:
        absent.append(f"nvml: {why}")
    return meters, absent

"""Meters of energy. Each figure names its source, and a model never poses as a measurement."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from guide.meter import Meter, Reading, Unavailable, Usage, summed
from guide.process import KeptOpen

POWERCAP = Path("/sys/class/powercap")

# Watts of one busy hardware thread beyond idle. At least: rated watts over hardware threads, of
# the thriftiest: EPYC 9965, 500 W / 384 = 1.3
# (https://www.amd.com/en/products/processors/server/epyc/9005-series/amd-epyc-9965.html).
# At most: turbo watts over cores, since a thread whose sibling idles has the core to itself, of
# the hungriest: Core i9-10900K, 250 W / 10 = 25 (https://www.anandtech.com/show/15785); EPYC 72F3,
# 180 W / 8 = 22.5 (https://www.anandtech.com/show/16529). A processor's name narrows this little:
# within the EPYC 7003 family alone it goes from 2.2 to 22.5, and a virtual machine hides the model.
MODEL_LOW_W, MODEL_HIGH_W = 1.0, 25.0

# Idle watts as a share of those under full load: yearly means of servers from 2006 to 2024
# (https://arxiv.org/abs/2411.07062).
IDLE_LOW, IDLE_HIGH = 0.15, 0.7

_REFRESH_S = 0.1  # how old NVML's energy counter may be


class RaplMeter:
    """Energy of the CPU packages, counted by the CPU itself (RAPL, through Linux's powercap).

    That is the energy of all that runs on them. Package domains only: core and DRAM domains are
    parts of them or overlap with them, so adding those would count joules twice. Counters wrap;
    `read` must be called at least once per wrap (minutes at full load), as the sampler does.

    Source: Linux kernel, Documentation/power/powercap/powercap.rst.

    Raises:
        Unavailable: no such counter (virtual machines, most ARM), or only root may read it.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self._domains: list[tuple[str, KeptOpen, int]] = []
        for domain in sorted(root.glob("*-rapl:*")):
            try:
                name = (domain / "name").read_text().strip()
                if name.startswith("package"):
                    energy = KeptOpen(domain / "energy_uj")
                    int(energy.read())
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
        self._last = [int(energy.read()) for _, energy, _ in self._domains]
        self._total_uj = [0] * len(self._domains)

    def read(self) -> Usage:
        """Joules of each package since start."""
        readings = []
        for i, (name, energy, wraps_at) in enumerate(self._domains):
            now = int(energy.read())
            self._total_uj[i] += (now - self._last[i]) % wraps_at
            self._last[i] = now
            joules = self._total_uj[i] / 1e6
            readings.append(Reading(f"energy.{name}", joules, "J", "total", "rapl"))
        return Usage(tuple(readings))


class _Gpu:
    """One GPU, what it has used since start, and what it said last."""

    def __init__(self, name: str, handle: ctypes.c_void_p) -> None:
        self.name, self.handle = name, handle
        self.joules = 0.0
        self.counter_mj: int | None = None
        self.power_w = self.first_w = 0.0
        self.read_ns = 0


class NvmlMeter:
    """Energy, use and memory of NVIDIA GPUs, from the driver's own library.

    That is the energy of the whole board, whoever uses it. The counter (Volta and later) is
    refreshed about every 100 ms, so joules come with bounds, until what it may have missed is
    less than 1 %. Older GPUs have no counter: their power is summed up over time, source
    "nvml, power x time". What a GPU does not show is left out, with a line in `absent`.

    Source: NVML API reference, nvmlDeviceGetTotalEnergyConsumption and nvmlDeviceGetPowerUsage;
    on the refresh
    https://ml.energy/blog/energy/measurement/thermally-stable-profiling-for-accurate-gpu-energy-measurement.

    Raises:
        Unavailable: no driver, or no GPU.
    """

    def __init__(
        self,
        library: str = "libnvidia-ml.so.1",
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        try:
            self._nvml = ctypes.CDLL(library)
        except OSError:
            raise Unavailable("no NVIDIA driver") from None
        if self._nvml.nvmlInit_v2() != 0:
            raise Unavailable("the NVIDIA driver does not answer", "try nvidia-smi")
        self._nvml.nvmlErrorString.restype = ctypes.c_char_p
        self._now_ns = now_ns
        self.absent: list[str] = []
        self._gpus: list[_Gpu] = []
        count = ctypes.c_uint()
        self._nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        for index in range(count.value):
            gpu = _Gpu(f"gpu{index}", ctypes.c_void_p())
            if self._nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(gpu.handle)) == 0:
                self._gpus.append(gpu)
        if not self._gpus:
            raise Unavailable("no NVIDIA GPU")
        self.start()

    def start(self) -> None:
        """Count energy from now."""
        for gpu in self._gpus:
            gpu.joules, gpu.counter_mj = 0.0, None
            self._energy(gpu)
            gpu.joules, gpu.first_w = 0.0, gpu.power_w

    def read(self) -> Usage:
        """Joules since start, percent of time busy, bytes in use, by GPU."""
        readings = []
        for gpu in self._gpus:
            readings += self._energy(gpu)
            busy = (ctypes.c_uint * 2)()  # nvmlUtilization_t: gpu, memory
            if self._ask(gpu, "nvmlDeviceGetUtilizationRates", busy):
                readings.append(Reading(gpu.name, float(busy[0]), "%", "level", "nvml"))
            memory = (ctypes.c_ulonglong * 3)()  # nvmlMemory_t: total, free, used
            if self._ask(gpu, "nvmlDeviceGetMemoryInfo", memory):
                used = float(memory[2])
                readings.append(Reading(f"memory.{gpu.name}", used, "B", "level", "nvml"))
        return Usage(tuple(readings))

    def _energy(self, gpu: _Gpu) -> list[Reading]:
        name = f"energy.{gpu.name}"
        counter, power = ctypes.c_ulonglong(), ctypes.c_uint()
        counts = self._ask(gpu, "nvmlDeviceGetTotalEnergyConsumption", counter)
        last_w, last_ns, gpu.read_ns = gpu.power_w, gpu.read_ns, self._now_ns()
        if powers := self._ask(gpu, "nvmlDeviceGetPowerUsage", power):
            gpu.power_w = power.value / 1e3
        if counts:
            if gpu.counter_mj is not None:  # never back: it begins anew with the driver
                gpu.joules += max(counter.value - gpu.counter_mj, 0) / 1e3
            gpu.counter_mj = counter.value
            low = max(gpu.joules - gpu.first_w * _REFRESH_S, 0.0)
            high = gpu.joules + gpu.power_w * _REFRESH_S
            if high - low <= 0.01 * gpu.joules:
                return [Reading(name, gpu.joules, "J", "total", "nvml")]
            return [Reading(name, gpu.joules, "J", "total", "nvml", low, high)]
        if powers and gpu.counter_mj is None:
            gpu.joules += (last_w + gpu.power_w) / 2 * (gpu.read_ns - last_ns) / 1e9
            return [Reading(name, gpu.joules, "J", "total", "nvml, power x time")]
        return []

    def _ask(self, gpu: _Gpu, call: str, answer: Any) -> bool:
        code = getattr(self._nvml, call)(gpu.handle, ctypes.byref(answer))
        if code != 0:
            line = f"{gpu.name}: {call}: {self._nvml.nvmlErrorString(code).decode()}"
            if line not in self.absent:
                self.absent.append(line)
        return bool(code == 0)


class ModelMeter:
    """Energy of the CPU as an interval, where nothing measures it.

    joules = CPU seconds of this process x watts of one busy hardware thread. The machine's idle
    power is not counted, and neither is what memory, display and disk draw.

    Args:
        low_w: watts of one busy hardware thread, at least ...
        high_w: ... and at most.
        cpu_ns: CPU time so far: `ProcessMeter.cpu_ns` where children are to count.
        idle: add `energy.idle`, which this process did not cause: wall time x the idle watts of
            as many threads as this machine shows.
        now_ns: the clock of that wall time.
    """

    def __init__(
        self,
        low_w: float = MODEL_LOW_W,
        high_w: float = MODEL_HIGH_W,
        *,
        cpu_ns: Callable[[], int] = time.process_time_ns,
        idle: bool = False,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._cpu_ns, self._now_ns = cpu_ns, now_ns
        self._busy_w = (low_w, high_w)
        threads = os.cpu_count() or 1
        self._idle_w = (threads * low_w * IDLE_LOW, threads * high_w * IDLE_HIGH) if idle else None
        self.start()

    def start(self) -> None:
        """Count from now."""
        self._first = self._cpu_ns(), self._now_ns()

    def read(self) -> Usage:
        """Joules since start, as ranges."""
        busy_s = (self._cpu_ns() - self._first[0]) / 1e9
        readings = [_modelled("energy.cpu", busy_s, self._busy_w)]
        if self._idle_w:
            wall_s = (self._now_ns() - self._first[1]) / 1e9
            readings.append(_modelled("energy.idle", wall_s, self._idle_w))
        return Usage(tuple(readings))


def _modelled(name: str, seconds: float, watts: tuple[float, float]) -> Reading:
    low, high = seconds * watts[0], seconds * watts[1]
    return Reading(name, (low + high) / 2, "J", "total", "model", low, high)


def total_energy(readings: Iterable[Reading]) -> dict[str, Reading]:
    """Joules by source: what was measured and what was modelled are never one figure."""
    by_source: dict[str, list[Reading]] = {}
    for reading in readings:
        if reading.unit == "J":
            by_source.setdefault(reading.source, []).append(reading)
    return {source: summed("energy", of, source) for source, of in by_source.items()}


def open_energy_meters(
    *, cpu_ns: Callable[[], int] = time.process_time_ns
) -> tuple[Sequence[Meter], Sequence[str]]:
    """The best meters of energy this machine has, and a line for each source that is absent.

    The CPU's energy is measured by RAPL or else modelled, never both; `cpu_ns` is the model's, see
    `ModelMeter`.
    """
    found: dict[str, Meter] = {}
    absent = []
    for source, meter in (("rapl", RaplMeter), ("nvml", NvmlMeter)):
        try:
            found[source] = meter()
        except Unavailable as why:
            absent.append(f"{source}: {why}")
    found.setdefault("rapl", ModelMeter(cpu_ns=cpu_ns))
    return list(found.values()), absent

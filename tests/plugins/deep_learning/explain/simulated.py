"""A host, a queue and a device, simulated: writes traces whose faults are known exactly.

The host's thread runs operators one after another, each of which may launch a kernel. A stream
runs what it is given in order. A wait holds the host until a stream is empty. What is written is
shaped as torch's profiler shapes it: of now, of torch 1.9, or of AMD's.

Nothing of the rules is used here, so that they can be tested by it. All times are in µs.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WAY = 5.0  # from a launch to the start of its kernel on an idle stream
BETWEEN = 1.0  # between two kernels of a stream
CALL = 4.0  # a launch, on the host
QUEUE = 1000  # launches that may be under way; one more has to wait
MAIN, BACKWARD, COMPUTE, EXCHANGE, COPY = 100, 101, 7, 20, 22

_OLD = {
    "cpu_op": "Operator",
    "user_annotation": "Operator",
    "cuda_runtime": "Runtime",
    "kernel": "Kernel",
    "gpu_memcpy": "Memcpy",
    "gpu_memset": "Memset",
    "python_function": "Operator",
}


class Machine:
    """A host and its devices; `now` is the host's clock."""

    def __init__(self, host: float = 12.0) -> None:
        self.host = host  # what an operator costs the host
        self.now = 1000.0
        self.thread = MAIN
        self.events: list[dict[str, Any]] = []
        self.free: dict[tuple[int, int], float] = {}
        self.under_way: list[float] = []
        self.blocking = False
        self.device = 0
        self._correlation = 0

    def work(
        self,
        name: str,
        us: float,
        stream: int = COMPUTE,
        call: str = "cudaLaunchKernel",
        category: str = "kernel",
        after: float = 0.0,
        bytes_: int = 0,
    ) -> float:
        """Launch work; returns when it will be done."""
        self._correlation += 1
        begin = self.now
        pending = [end for end in self.under_way if end > begin]
        if len(pending) >= QUEUE:
            self.now = sorted(pending)[len(pending) - QUEUE]
            pending = [end for end in pending if end > self.now]
        lane = (self.device, stream)
        start = max(self.now + WAY, self.free.get(lane, 0.0) + BETWEEN, after)
        end = start + us
        self.free[lane] = end
        self.under_way = [*pending, end]
        self.now += CALL
        if self.blocking:
            self.now = max(self.now, end + 3.0)
        args: dict[str, Any] = {"correlation": self._correlation, "device": self.device}
        args["stream"] = stream
        if bytes_:
            args["bytes"] = bytes_
        self._add("cuda_runtime", call, begin, self.now, {"correlation": self._correlation})
        self._add(category, name, start, end, args, (self.device, stream))
        return end

    def op(self, name: str, kernel: str = "", us: float = 0.0, host: float | None = None) -> float:
        """An operator, with a kernel or without."""
        cost = self.host if host is None else host
        with self.open("cpu_op", name):
            self.now += max(cost - CALL, 0.0) * 0.7
            end = self.work(kernel, us) if kernel else self.now
            self.now += max(cost - CALL, 0.0) * 0.3
        return end

    @contextlib.contextmanager
    def open(self, category: str, name: str) -> Iterator[None]:
        """Something that is open while something else goes on."""
        begin, index = self.now, len(self.events)
        yield
        self._add(category, name, begin, self.now)
        self.events.insert(index, self.events.pop())

    def spend(self, us: float) -> None:
        """Time of the host's in which nothing is recorded."""
        self.now += us

    def call(self, name: str, us: float) -> None:
        """A call of the runtime's that launches nothing."""
        self._add("cuda_runtime", name, self.now, self.now + us)
        self.now += us

    def wait(self, call: str = "cudaStreamSynchronize", until: float = 0.0) -> None:
        """Hold the host until all is done, or only until a moment."""
        begin = self.now
        done = until or max(self.free.values(), default=0.0)
        self.now = max(self.now, done) + 3.0
        self._add("cuda_runtime", call, begin, self.now)

    def item(self, operator: str = "aten::item") -> None:
        """Read a value: a copy of four bytes, and a wait for it."""
        with self.open("cpu_op", operator), self.open("cpu_op", "aten::_local_scalar_dense"):
            self.now += 4.0
            self.copy("back", 1.0, 4)
            self.wait()

    def copy(self, way: str, us: float, bytes_: int, pageable: bool = True) -> float:
        """A copy to, from or within a device; a large one from pageable memory holds the host."""
        kind = "Pageable" if pageable else "Pinned"
        name = f"Memcpy HtoD ({kind} -> Device)"
        if way == "back":
            name = f"Memcpy DtoH (Device -> {kind})"
        elif way == "within":
            name = "Memcpy DtoD (Device -> Device)"
        begin = self.now
        end = self.work(name, us, COMPUTE, "cudaMemcpyAsync", "gpu_memcpy", bytes_=bytes_)
        if pageable and bytes_ > 65536:
            self.now = max(self.now, end + 3.0)
            call = [e for e in self.events if e["name"] == "cudaMemcpyAsync"][-1]
            call["dur"] = round(self.now - begin, 3)
        return end

    def exchange(self, name: str, us: float) -> float:
        """Communication on a stream of its own, of what is computed by then."""
        with self.open("cpu_op", "c10d::allreduce_"):
            self.now += self.host
            ready = self.free.get((self.device, COMPUTE), 0.0)
            return self.work(name, us, EXCHANGE, after=ready + BETWEEN)

    def join(self) -> None:
        """Let the compute stream wait for the communication."""
        done = self.free.get((self.device, EXCHANGE), 0.0)
        lane = (self.device, COMPUTE)
        self.free[lane] = max(self.free.get(lane, 0.0), done)

    @property
    def begin(self) -> float:
        """When a device began."""
        return min(event["ts"] for event in self.events if event["args"].get("stream") is not None)

    @property
    def end(self) -> float:
        """When host and devices are done."""
        return max(self.now, *self.free.values())

    def _add(
        self,
        category: str,
        name: str,
        start: float,
        end: float,
        args: dict[str, Any] | None = None,
        lane: tuple[int, int] | None = None,
    ) -> None:
        pid, tid = lane or (1, self.thread)
        self.events.append(
            {
                "ph": "X",
                "cat": category,
                "name": name,
                "pid": pid,
                "tid": tid if lane is None else f"stream {tid}",
                "ts": round(start, 3),
                "dur": round(end - start, 3),
                "args": args or {},
            }
        )

    def write(
        self, file: Path, dialect: str = "", device: str = "NVIDIA A100", sm: int = 8
    ) -> Path:
        """Write what happened; `dialect` is "", "1.9" or "amd"."""
        about: dict[str, Any] = {"schemaVersion": 1}
        events = [dict(event) for event in self.events]
        if dialect == "1.9":
            for event in events:
                if event["cat"] == "cuda_runtime":  # a thread had two numbers then
                    event["tid"] = -5_000 - event["tid"]
                event["cat"] = _OLD.get(event["cat"], event["cat"])
        elif dialect == "amd":
            about["deviceProperties"] = [{"id": 0, "name": "AMD Instinct MI250X"}]
            for event in events:
                event["name"] = _amd(event["name"])
        else:
            major = {"computeMajor": sm, "computeMinor": 0}
            about["deviceProperties"] = [{"id": 0, "name": device, **major}]
        file.write_text(json.dumps({**about, "traceEvents": events}), encoding="utf-8")
        return file


def _amd(name: str) -> str:
    name = {
        "cudaMemcpyAsync": "hipMemcpyWithStream",
        "Memcpy DtoH (Device -> Pageable)": "CopyDeviceToHost",
        "Memcpy HtoD (Pageable -> Device)": "CopyHostToDevice",
    }.get(name, name)
    name = name.replace("cuda", "hip") if name.startswith("cuda") else name
    return name.replace("ampere_bf16_s16816gemm", "Cijk_Alik_Bljk_BBS_BH_MT128x128")

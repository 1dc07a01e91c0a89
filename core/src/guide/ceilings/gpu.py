"""The GPU's limits, through torch: only where a driver is, and a torch that can use it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from guide.ceilings.card import Figure, best, missing

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_SIDE = 8192  # of the square matrices: large enough for all of the largest chips
_ENOUGH_NS = 300_000_000


def gpus() -> Iterator[Figure]:
    """Every GPU, or one line on why there is none. torch is imported only to use one."""
    import ctypes

    why = ""
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        why = "none: no NVIDIA driver here"
    if not why and not find_spec("torch"):
        why = "not measured: torch is not installed"
    if not why:
        torch = import_module("torch")
        why = "" if torch.cuda.is_available() else "not measured: torch cannot use it"
    if why:
        yield missing("gpu", "GPU", why)
        return
    for i in range(torch.cuda.device_count()):
        try:
            yield from figures(torch, f"gpu{i}", torch.device("cuda", i))
        except RuntimeError as error:  # out of memory, mostly: somebody else is using it
            yield missing(f"gpu{i}", f"GPU {i}", f"not measured: {str(error).splitlines()[0]}")


def figures(torch: Any, id: str, device: Any, side: int = _SIDE) -> Iterator[Figure]:
    """One device's limits; `device` may be a CPU too, which has no pinned memory."""
    cuda, matmul = device.type == "cuda", torch.backends.cuda.matmul
    wait = partial(torch.cuda.synchronize, device) if cuda else lambda: None
    name = torch.cuda.get_device_name(device) if cuda else "CPU"
    source, target = torch.zeros(2, 4 * side * side, dtype=torch.uint8, device=device)
    trials = _trials(lambda: target.copy_(source), wait, 2 * source.numel())
    yield best(f"{id}.bandwidth", f"{id}, its memory", trials, "GB/s", f"{name}: a copy on it")
    tf32 = matmul.allow_tf32
    try:
        for kind, dtype in (("f32", "float32"), ("tf32", "float32"), ("bf16", "bfloat16")):
            matmul.allow_tf32 = kind == "tf32"
            a = torch.full((side, side), 0.5, dtype=getattr(torch, dtype), device=device)
            trials = _trials(partial(torch.mm, a, a, out=torch.empty_like(a)), wait, 2 * side**3)
            why = f"a matrix product of side {side}"
            yield best(f"{id}.{kind}", f"{id}, {kind}", trials, "GFLOP/s", why)
    finally:
        matmul.allow_tf32 = tf32
    one, count = torch.zeros(1, device=device), 1000

    def launch() -> None:
        for _ in range(count):
            one.add_(1)

    launches = [1 / rate for rate in _trials(launch, wait, count)]
    yield best(f"{id}.launch", f"{id}, launch", launches, "ns", "the smallest kernel, in a row")
    for kind in ("pinned", "pageable") if cuda else ("pageable",):
        host = torch.zeros(64 << 20, dtype=torch.uint8, pin_memory=kind == "pinned")
        there = torch.empty_like(host, device=device)
        for way, to, of in (("h2d", there, host), ("d2h", host, there)):
            trials = _trials(partial(to.copy_, of, non_blocking=True), wait, host.numel())
            label = f"{id}, {'to' if way == 'h2d' else 'from'} it, {kind}"
            yield best(f"{id}.{way}.{kind}", label, trials, "GB/s", f"64 MiB of {kind} memory")


def _trials(work: Callable[[], object], wait: Callable[[], object], amount: float) -> list[float]:
    """`amount` a nanosecond in each trial, from an idle device until it has done everything."""
    rates: list[float] = []
    begin_ns = time.perf_counter_ns()
    while len(rates) < 4 or (len(rates) < 11 and time.perf_counter_ns() - begin_ns < _ENOUGH_NS):
        wait()
        start_ns = time.perf_counter_ns()
        work()
        wait()
        rates.append(amount / (time.perf_counter_ns() - start_ns))
    return rates[2:]  # the first ones load the kernel and wake the clocks

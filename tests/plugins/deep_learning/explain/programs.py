"""A training's steps on the simulated machine, sound or with one fault planted.

Each program is the same small network: forward, backward on autograd's thread, an optimizer. The
twin of a faulty one is that program without its fault, and what the fault costs is known: the
difference of the two times.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .simulated import BACKWARD, MAIN, Machine

PRODUCT = "ampere_bf16_s16816gemm_bf16_128x128_ldg8_f2f_stages_32x5_tn"
ALIGNED = "cutlass_80_tensorop_bf16_s16816gemm_bf16_128x128_32x5_nn_align8"
SINGLE = "ampere_sgemm_128x64_tn"
PLAIN = "void at::native::vectorized_elementwise_kernel<4, at::native::CUDAFunctor_add<float>>"
REDUCE = "ncclDevKernel_AllReduce_Sum_f32_RING_LL(ncclDevKernelArgsStorage<4096ul>)"
SOFTMAX = "void (anonymous namespace)::softmax_warp_forward<c10::BFloat16, float, 10, false, false>"
FLASH = "void pytorch_flash::flash_fwd_kernel<Flash_fwd_kernel_traits<64, 128, 128, 4>>"
OTHER = "void my_library::scan_kernel<float>(float*, int)"
LOADER = "enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"


@dataclass(frozen=True, slots=True)
class Program:
    """A network and its faults; times in µs."""

    layers: int = 40
    product: float = 90.0  # a layer's matrix product
    plain: float = 25.0  # its elementwise kernel
    host: float = 12.0  # an operator on the host
    steps: int = 4
    marked: bool = True  # steps are named
    name: str = PRODUCT
    loader: float = 0.0
    item: int = 0  # reads of a value, at every so-manieth layer
    last_item: bool = False
    mask: int = 0
    fetch: int = 0  # .cpu() of a result, at every so-manieth layer
    input_us: float = 0.0  # the batch's copy
    pageable: bool = True
    synchronize: int = 0  # after every so-manieth operator
    blocking: bool = False
    python: float = 0.0
    cpu: float = 0.0
    layout: float = 0.0
    parameters: int = 0  # that the optimizer takes one by one
    compiling: float = 0.0
    malloc: int = 0
    exchange: float = 0.0  # each bucket's exchange
    buckets: int = 4
    late: bool = False  # exchange after backward, not within
    anomaly: bool = False
    scan: float = 0.0
    start_up: float = 0.0
    softmax: float = 0.0  # between two products of a layer's attention
    fused: float = 0.0  # that attention in one kernel
    clone: int = 0  # copies within the device, at every so-manieth layer
    output_us: float = 0.0  # a copy to the host that nobody waits for
    devices: int = 1
    slower: dict[str, float] = field(default_factory=dict)

    def run(self) -> Machine:
        """What happens."""
        machine = Machine(self.host)
        machine.blocking = self.blocking
        if self.start_up:
            machine.op("aten::mm", self.name, self.product)
            for _ in range(20):
                machine.call("cuModuleLoadData", self.start_up / 20)
                machine.op("aten::add", PLAIN, self.plain)
        for number in range(self.steps):
            named = machine.open("user_annotation", f"ProfilerStep#{number + 3}")
            with named if self.marked else contextlib.nullcontext():
                self._step(machine)
        return machine

    def _step(self, m: Machine) -> None:
        with m.open("user_annotation", LOADER):
            m.spend(60.0 + self.loader)
        if self.input_us:
            with m.open("cpu_op", "aten::to"), m.open("cpu_op", "aten::copy_"):
                m.spend(8.0)
                bytes_ = int(self.input_us * 6000)
                m.copy("in", self.input_us, bytes_, self.pageable)
        if self.cpu:
            m.op("aten::sort", host=self.cpu)
        if self.compiling:
            with m.open("cpu_op", "compile_inner (dynamo_timed)"):
                m.spend(self.compiling)
        for layer in range(self.layers):
            m.device = layer * self.devices // self.layers
            self._layer(m, layer)
            if self.devices > 1:
                for lane in list(m.free):
                    m.free[lane] = max(m.free.values())
        m.spend(40.0)
        self._backward(m)
        if self.exchange:
            if self.late:
                for _ in range(self.buckets):
                    m.exchange(REDUCE, self.exchange)
            m.join()
        self._optimizer(m)
        if self.output_us:
            with m.open("cpu_op", "aten::to"), m.open("cpu_op", "aten::copy_"):
                m.copy("back", self.output_us, int(self.output_us * 6000), pageable=False)
        if self.last_item:
            m.item()
        m.spend(20.0 + self.python)

    def _layer(self, m: Machine, layer: int) -> None:
        if self.layout:
            m.op("aten::convert", "cudnn::ops::nchwToNhwcKernel<__half>", self.layout)
        self._op(m, "aten::mm", self.name, self.product, layer)
        self._op(m, "aten::add", PLAIN, self.plain, layer)
        if self.softmax:
            m.op("aten::bmm", self.name, 15.0)
            m.op("aten::_softmax", SOFTMAX, self.softmax)
            m.op("aten::bmm", self.name, 15.0)
        if self.fused:
            m.op("aten::_flash_attention_forward", FLASH, self.fused)
        if self.clone and layer % self.clone == 0:
            with m.open("cpu_op", "aten::clone"), m.open("cpu_op", "aten::copy_"):
                m.spend(6.0)
                m.copy("within", 60.0, 60_000_000, pageable=False)
        if self.scan and layer % 10 == 0:
            m.op("my::scan", OTHER, self.scan)
        if self.item and layer % self.item == 0:
            m.item()
        if self.mask and layer % self.mask == 0:
            with m.open("cpu_op", "aten::index"), m.open("cpu_op", "aten::nonzero"):
                m.spend(6.0)
                m.copy("back", 1.0, 8)
                m.wait()
        if self.fetch and layer % self.fetch == 0:
            with m.open("cpu_op", "aten::to"), m.open("cpu_op", "aten::copy_"):
                m.copy("back", 3.0, 4096)
                m.wait()
        if self.malloc and layer % self.malloc == 0:
            m.wait("cudaFree")
            m.call("cudaMalloc", 300.0)
        m.spend(5.0)

    def _op(self, m: Machine, op: str, kernel: str, us: float, layer: int) -> None:
        m.op(op, kernel, us * self.slower.get(kernel, 1.0))
        if self.synchronize and layer % self.synchronize == 0:
            m.wait("cudaDeviceSynchronize")

    def _backward(self, m: Machine) -> None:
        m.thread = BACKWARD
        bucket = max(self.layers // self.buckets, 1)
        for layer in reversed(range(self.layers)):
            m.device = layer * self.devices // self.layers
            with m.open("cpu_op", "autograd::engine::evaluate_function: MmBackward0"):
                self._op(m, "aten::mm", self.name, self.product, layer)
                self._op(m, "aten::mm", self.name, self.product, layer)
                if self.anomaly:
                    m.op("aten::isnan", PLAIN, 4.0)
                    m.op("aten::any", PLAIN, 4.0)
                    m.item("aten::is_nonzero")
            if self.exchange and not self.late and layer % bucket == 0:
                m.exchange(REDUCE, self.exchange)
            if self.devices > 1:
                for lane in list(m.free):
                    m.free[lane] = max(m.free.values())
            m.spend(3.0)
        m.thread, m.device = MAIN, 0

    def _optimizer(self, m: Machine) -> None:
        with m.open("user_annotation", "Optimizer.step#AdamW.step"):
            m.spend(30.0)
            if self.parameters:
                for _ in range(self.parameters):
                    for op in ("aten::mul_", "aten::addcmul_", "aten::addcdiv_"):
                        m.op(op, PLAIN, 2.5)
            else:
                for _ in range(3):
                    m.op("aten::_fused_adamw_", "multi_tensor_apply_kernel", 150.0)


SOUND = Program()
SMALL = Program(product=8.0, plain=3.0, host=20.0)  # the host is slower than the device


@dataclass(frozen=True, slots=True)
class Case:
    """A program, what is wrong with it, and the same without."""

    name: str
    program: Program
    twin: Program
    causes: tuple[str, ...]  # titles that name it; none: nothing is wrong
    decoys: tuple[str, ...] = ()  # titles that must not be said to be worth mending
    predicted: bool = True  # whether what it gives back can be known from a trace
    written: dict[str, Any] = field(default_factory=dict)

    @property
    def gain_us(self) -> float:
        """What a step would be shorter by without the fault."""
        whole, sound = self.program.run(), self.twin.run()
        steps = self.program.steps
        if self.program.marked:
            return (whole.end - sound.end) / steps
        # Then a trace is known from its first kernel on, or from the first optimizer's end
        if steps == 1:
            return (whole.end - whole.begin) - (sound.end - sound.begin)
        one, other = (replace(each, steps=1).run() for each in (self.program, self.twin))
        return ((whole.end - one.end) - (sound.end - other.end)) / (steps - 1)

    def write(self, folder: Path) -> Path:
        """Write its trace."""
        return self.program.run().write(folder / f"{self.name}.json", **self.written)


def _planted(name: str, cause: str | tuple[str, ...], base: Program = SOUND, **fault: Any) -> Case:
    causes = (cause,) if isinstance(cause, str) else cause
    return Case(name, replace(base, **fault), base, causes)


_ITEM = ".item() stall"
LIGHT = replace(SOUND, product=30.0, plain=8.0)
PLANTED = (
    _planted("loader", "waiting for data", loader=15_000.0),
    _planted("items", _ITEM, LIGHT, item=1),
    _planted("mask", "data-dependent shape", LIGHT, mask=1),
    _planted("fetch", "a copy that is a wait", LIGHT, fetch=1),
    _planted("sync after every op", "explicit synchronize", LIGHT, synchronize=1),
    _planted("blocking", "launches that block", LIGHT, blocking=True),
    _planted("pageable", "unpinned copies", input_us=6_000.0),
    _planted("pinned in line", "exposed copies to the GPU", input_us=3_000.0, pageable=False),
    _planted("python", "Python-bound", python=14_000.0),
    _planted("cpu", "work on the CPU", cpu=16_000.0),
    _planted("optimizer", "optimizer loop", LIGHT, parameters=200),
    _planted("compiling", "recompiling", compiling=30_000.0),
    _planted("malloc", "allocator churn", LIGHT, malloc=4),
    _planted("anomaly", "debug left on", LIGHT, anomaly=True),
    _planted("exchange late", "exposed communication", exchange=1_500.0, late=True),
    _planted("exchange small", "many small exchanges", exchange=25.0, buckets=160, late=True),
    _planted("copies back", "exposed copies to the host", output_us=3_000.0),
    _planted("clones", "copies within the GPU", replace(SOUND, clone=2), clone=1),
    _planted(
        "compiling once",
        "compiling",
        replace(SOUND, steps=1, marked=False, input_us=50.0, pageable=False),
        compiling=30_000.0,
    ),
    Case(
        "misaligned",
        replace(SOUND, name=ALIGNED.replace("align8", "align1"), product=180.0),
        replace(SOUND, name=ALIGNED),
        ("misaligned products",),
    ),
    Case(
        "unfused",
        replace(SOUND, softmax=60.0),
        replace(SOUND, fused=42.0),
        ("unfused attention",),
    ),
    _planted("layout", "layout transforms", layout=20.0),
    Case("launches", SMALL, replace(SMALL, host=5.0), ("launch-bound",)),
    Case(
        "fp32",
        replace(SOUND, name=SINGLE, product=225.0),
        SOUND,
        ("no tensor cores",),
    ),
    Case("one kernel", replace(SOUND, scan=3_000.0), SOUND, ("one kernel dominates",), (), False),
    Case(
        "elementwise",
        replace(SOUND, plain=300.0),
        SOUND,
        ("memory-bound elementwise work", "one kernel dominates"),
        (),
        False,
    ),
    Case("in turn", replace(SOUND, devices=2), SOUND, ("devices take turns",), (), False),
    Case(
        "start",
        replace(SOUND, steps=1, marked=False, start_up=40_000.0),
        replace(SOUND, steps=1, marked=False, start_up=1.0),
        ("warm-up in the trace",),
    ),
    Case(
        "old loader",
        replace(SOUND, loader=15_000.0),
        SOUND,
        ("waiting for data",),
        (),
        True,
        {"dialect": "1.9"},
    ),
    Case("old items", replace(LIGHT, item=1), LIGHT, (_ITEM,), (), True, {"dialect": "1.9"}),
    Case(
        "amd launches",
        SMALL,
        replace(SMALL, host=5.0),
        ("launch-bound",),
        (),
        True,
        {"dialect": "amd"},
    ),
    Case("amd items", replace(LIGHT, item=1), LIGHT, (_ITEM,), (), True, {"dialect": "amd"}),
    Case(
        "no steps",
        replace(SMALL, marked=False),
        replace(SMALL, marked=False, host=5.0),
        ("launch-bound",),
    ),
    Case(
        "no steps, loader",
        replace(SOUND, marked=False, loader=15_000.0),
        replace(SOUND, marked=False),
        ("waiting for data",),
    ),
)
"""Every fault, each against its sound twin."""

HEALTHY = (
    Case("sound", SOUND, SOUND, ()),
    Case("light", LIGHT, LIGHT, ()),
    Case("old", SOUND, SOUND, (), (), True, {"dialect": "1.9"}),
    Case("amd", SOUND, SOUND, (), (), True, {"dialect": "amd"}),
    Case("no marks", replace(SOUND, marked=False), SOUND, ()),
    Case("hidden exchange", replace(SOUND, exchange=300.0), SOUND, (), ("exposed communication",)),
    Case("an item that costs nothing", replace(SOUND, last_item=True), SOUND, (), (_ITEM,)),
    Case(
        "a loader that is hidden",
        replace(SOUND, loader=3_000.0, steps=8),
        SOUND,
        (),
        ("waiting for data",),
    ),
    Case(
        "a wait for what had to be done",
        replace(SOUND, fetch=40),
        SOUND,
        (),
        ("a copy that is a wait",),
    ),
    Case(
        "an old device in fp32",
        replace(SOUND, name="maxwell_sgemm_128x64_nn"),
        SOUND,
        (),
        ("no tensor cores",),
        True,
        {"device": "Tesla P100", "sm": 6},
    ),
)
"""Nothing is wrong with these; some look as if."""

"""The GPU is busy, and what it does could be done better."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide.units import percent
from guide_deep_learning.explain.device import names
from guide_deep_learning.explain.device.facts import Facts, facts_of
from guide_deep_learning.explain.device.telling import ms, of_step, usual

_PRODUCTS = ("matrix product", "convolution")
_TENSOR_FACTOR = {7: 0.45, 8: 0.4, 9: 0.4}
"""What is left of an fp32 product's time on tensor cores, in practice: two to three times faster.
The data sheets say eight (V100, A100), of large products whose operands are already there."""


def no_tensor_cores(trace: Trace) -> list[Verdict]:
    """Products in fp32 on a device that has units for less, which are many times faster."""
    facts = facts_of(trace)
    if facts is None:
        return []
    device, major, minor = device_of(facts)
    if major < 7:
        return []
    precision = np.array([names.precision(facts.name(i)) for i in range(len(facts.work))])
    slow = facts.of(*_PRODUCTS) & (precision == "single")
    gain = facts.saved_ns(slow, _TENSOR_FACTOR.get(major, 0.4)) if slow.any() else 0
    if not facts.matters(gain):
        return []
    spent, products = facts.spent_ns(slow), facts.spent_ns(facts.of(*_PRODUCTS))
    tf32 = major >= 8
    remedy = "Automatic mixed precision: with torch.autocast('cuda', dtype=torch.float16)"
    if tf32:
        remedy = (
            "torch.set_float32_matmul_precision('high') keeps float32 and takes the tensor cores; "
            "more gives torch.autocast('cuda', dtype=torch.bfloat16)"
        )
    return [
        Verdict(
            "no tensor cores",
            f"{percent(spent, products)} of the time in matrix products and convolutions is in "
            f"float32 without tensor cores, {ms(facts, spent)} of {ms(facts, facts.window_ns)}. "
            f"On them it would be about {of_step(facts, gain)} less.",
            facts.per_step(gain),
            f"{device or 'This GPU'} has units that multiply small matrices in 16 bits (or TF32) "
            "several times faster than float32. In practice products become two to three times "
            "faster; what is limited by memory gains from half the bytes at most.",
            remedy + ".",
            "In the next trace kernel names hold s16816, h884, tensorop or tf32 instead of sgemm.",
            "likely",
            (),
            usual(
                facts,
                ("device", f"{device} {major}.{minor}".strip()),
                ("products in float32", ms(facts, spent)),
            ),
            Word("tensor core", "a unit of the GPU that multiplies small matrices in 16 bits"),
            ("m3/s11", "m3::e11"),
        )
    ]


def layout_thrash(trace: Trace) -> list[Verdict]:
    """Tensors turned from one memory layout into another and back."""
    facts = facts_of(trace)
    if facts is None:
        return []
    mine = facts.of("layout")
    gain = facts.saved_ns(mine, 0.0) if mine.any() else 0
    if not facts.matters(gain, 0.03):
        return []
    count = int(mine.sum()) / facts.steps
    return [
        Verdict(
            "layout transforms",
            f"{count:,.3g} kernels only turn tensors from one memory layout into another: "
            f"{of_step(facts, gain)}.",
            facts.per_step(gain),
            "The convolution's kernel wants channels last, the tensor has them first; so each is "
            "turned before and turned back after.",
            "model.to(memory_format=torch.channels_last), and the input too.",
            "In the next trace nchwToNhwc and nhwcToNchw are gone.",
            "sure",
            (),
            usual(facts, ("layout kernels", f"{count:,.3g}")),
            Word("channels last", "a pixel's channels lie side by side in memory: NHWC"),
            ("m1/s5",),
        )
    ]


def elementwise(trace: Trace) -> list[Verdict]:
    """A GPU that is busy with reading and writing, an addition in between."""
    facts = facts_of(trace)
    if facts is None or facts.busy < 0.85:
        return []
    mine = facts.of("elementwise", "norm", "softmax")
    plain = facts.of("elementwise")
    if facts.spent_ns(plain) < 0.4 * facts.busy_ns:
        return []
    gain = facts.saved_ns(mine, 0.5)
    return [
        Verdict(
            "memory-bound elementwise work",
            f"{percent(facts.spent_ns(plain), facts.busy_ns)} of the GPU's time goes to "
            "elementwise kernels, which read and write memory and hardly compute; fused by twos "
            f"they would take about {of_step(facts, gain)} less.",
            facts.per_step(gain),
            "Each operator reads its operands from memory and writes its result there, for the "
            "next one to read again.",
            "torch.compile fuses chains of them into one pass; so do fused norms and activations.",
            "In the next trace kernels are named triton_..., and there are far fewer.",
            "perhaps",
            (),
            usual(facts, ("elementwise", ms(facts, facts.spent_ns(plain)))),
            Word("memory-bound", "limited by the bytes moved, not by what is computed with them"),
            ("m1/s20", "m1::e8"),
        )
    ]


def device_of(facts: Facts) -> tuple[str, int, int]:
    """The device's name and compute capability; (.., 0, 0) where it is not known."""
    said = facts.trace.about.get("deviceProperties")
    for each in said if isinstance(said, list) else []:
        if isinstance(each, dict) and isinstance(each.get("computeMajor"), int):
            minor = each.get("computeMinor")
            name = str(each.get("name", ""))
            if "AMD" in name or "gfx" in name or "Radeon" in name or "Instinct" in name:
                return name, 0, 0
            return name, each["computeMajor"], minor if isinstance(minor, int) else 0
    used = sorted({facts.name(i) for i in range(len(facts.work))})
    return "", *names.capability(used)

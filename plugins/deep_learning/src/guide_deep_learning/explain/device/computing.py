"""The GPU is busy, and what it does could be done better."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide.units import percent
from guide_deep_learning.explain.device import names
from guide_deep_learning.explain.device.facts import Facts, facts_of
from guide_deep_learning.explain.device.telling import ms, of_step, usual

_AMD_FACTOR = 0.5  # its matrix cores take float32 too, at a quarter of the rate of 16 bits
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
    amd = is_amd(facts)
    if major < 7 and not amd:
        return []
    precision = facts.by_name(names.precision)
    slow = facts.of(*_PRODUCTS) & (precision == "single")
    factor = _AMD_FACTOR if amd else _TENSOR_FACTOR.get(major, 0.4)
    gain = facts.saved_ns(slow, factor) if slow.any() else 0
    if not facts.matters(gain):
        return []
    spent, products = facts.spent_ns(slow), facts.spent_ns(facts.of(*_PRODUCTS))
    tf32 = major >= 8
    remedy = "Automatic mixed precision: with torch.autocast('cuda', dtype=torch.float16)"
    if tf32 or amd:
        remedy = "torch.autocast('cuda', dtype=torch.bfloat16), which is the name on AMD too"
    if tf32 and not amd:
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
            f"{device or 'This GPU'} has units that multiply small matrices in 16 bits"
            f"{' (or TF32)' if tf32 else ''} several times faster than float32. In practice "
            "products become two to three times faster; what is limited by memory gains from "
            "half the bytes at most.",
            remedy + ".",
            "In the next trace kernel names hold s16816, h884, tensorop or tf32 instead of sgemm.",
            "perhaps" if amd else "likely",
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


def misaligned(trace: Trace) -> list[Verdict]:
    """Products in 16 bits whose sizes do not suit the tensor cores."""
    facts = facts_of(trace)
    if facts is None:
        return []
    odd = facts.by_name(lambda name: names.MISALIGNED.search(name) is not None)
    odd, half = facts.of(*_PRODUCTS) & odd, facts.by_name(names.precision) == "tensor"
    gain = facts.saved_ns(odd & half, 0.5) if (odd & half).any() else 0
    if not facts.matters(gain):
        return []
    spent = facts.spent_ns(odd & half)
    return [
        Verdict(
            "misaligned products",
            f"Products in 16 bits whose sizes are odd take {ms(facts, spent)}; with sizes that "
            f"are multiples of 8 they would take about {of_step(facts, gain)} less.",
            facts.per_step(gain),
            "Tensor cores fetch 16 bytes at a time, eight numbers of 16 bits. Where a row is no "
            "multiple of that, a slower kernel is taken (align1, align2).",
            "Pad to a multiple of 8, better of 64: the vocabulary, a head's width, the batch.",
            "In the next trace kernel names end in align8.",
            "likely",
            (),
            usual(facts, ("misaligned", ms(facts, spent))),
            Word("alignment", "whether data begins where the hardware likes to fetch it"),
            ("m1/s5", "m3/s11"),
        )
    ]


def unfused_attention(trace: Trace) -> list[Verdict]:
    """Attention as two products and a softmax between them, all written to memory."""
    facts = facts_of(trace)
    if facts is None or facts.of("attention").any():
        return []
    softmax = facts.of("softmax")
    products = trace.events.named("aten::bmm", "aten::baddbmm", among=trace.events.of("op"))
    if not softmax.any() or len(products) < int(softmax.sum()):
        return []
    gain = facts.saved_ns(softmax, 0.2)
    if not facts.matters(gain):
        return []
    spent, count = facts.spent_ns(softmax), int(softmax.sum()) / facts.steps
    return [
        Verdict(
            "unfused attention",
            f"{count:,.3g} softmax kernels between two products take {ms(facts, spent)}; fused, "
            f"attention would take at least {of_step(facts, gain)} less.",
            facts.per_step(gain),
            "The table of all pairs of positions is written to memory, read by the softmax, "
            "written again and read by the second product.",
            "torch.nn.functional.scaled_dot_product_attention does all of it in one kernel.",
            "In the next trace there is a flash or fmha kernel, and no softmax.",
            "likely",
            (),
            usual(facts, ("softmax", ms(facts, spent))),
            Word("flash attention", "keeps the pairs on the chip; never writes them to memory"),
            ("m1/s20", "m1::e8"),
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


def is_amd(facts: Facts) -> bool:
    """Whether the device is AMD's, by its runtime's calls."""
    return any(name.startswith("hip") for name in facts.trace.events.names)


def device_of(facts: Facts) -> tuple[str, int, int]:
    """The device's name and compute capability; (.., 0, 0) where it is not known."""
    trace = facts.trace
    said = trace.about.get("deviceProperties")
    for each in said if isinstance(said, list) else []:
        if isinstance(each, dict) and isinstance(each.get("computeMajor"), int):
            minor = each.get("computeMinor")
            name = str(each.get("name", ""))
            if is_amd(facts):
                return name, 0, 0
            return name, each["computeMajor"], minor if isinstance(minor, int) else 0
    used = [str(trace.events.names[i]) for i in np.unique(trace.events.name[facts.work.event])]
    return "", *names.capability(used)

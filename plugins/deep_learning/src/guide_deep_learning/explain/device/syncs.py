"""The host waits for the device where it need not, and the device then waits for the host.

The wait itself costs nothing: that work had to be done. What costs is afterwards, when the queue
is empty and the host has to fill it again. So a long wait may cost nothing, a short one much.
"""

from __future__ import annotations

from dataclasses import dataclass

from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.device.facts import Facts, facts_of
from guide_deep_learning.explain.device.telling import each, gaps_after, lines, ms, of_step, usual

_LOOKS_BAD = 0.05  # of the step, waiting on the host, that someone would point at
_COSTS_NOTHING = 0.02


@dataclass(frozen=True, slots=True)
class _Kind:
    cause: str
    waits: str
    title: str
    does: str  # what the program does, "reads a value of a tensor"
    remedy: str
    word: Word
    constructs: tuple[str, ...]


_SYNC = Word("synchronize", "the host stops until the GPU has done everything it was given")
_KINDS = (
    _Kind(
        "item",
        "item",
        ".item() stall",
        "reads a value of a tensor (.item(), float(t), bool(t), print)",
        "Keep the value on the GPU: add losses up there, and read them every hundredth step, or "
        "read this step's a step later.",
        Word(".item()", "fetches one number from the GPU; the host waits until it is computed"),
        (".item", ".tolist", "float", "int", "bool", "print", "if"),
    ),
    _Kind(
        "shape",
        "shape",
        "data-dependent shape",
        "asks for a result whose size only the GPU knows (t[mask], nonzero, unique)",
        "Keep the shape: torch.where(mask, t, 0), a sum weighted by the mask, or padding.",
        Word("data-dependent shape", "how many rows come out is known only once it is computed"),
        ("[mask]", ".nonzero", ".masked_select", ".unique", ".repeat_interleave"),
    ),
    _Kind(
        "copy back",
        "back",
        "a copy that is a wait",
        "copies a result to the host (.cpu(), .numpy(), .to('cpu'))",
        "Copy later, or less often; into pinned memory with non_blocking=True, and look at it a "
        "step later.",
        Word("DtoH memcpy", "a copy from the device to the host; it begins when the work is done"),
        (".cpu", ".numpy", ".tolist", ".to"),
    ),
    _Kind(
        "synchronize",
        "synchronize",
        "explicit synchronize",
        "says so: torch.cuda.synchronize(), or stream.synchronize()",
        "Take it out; where it is for timing, use torch.cuda.Event, which waits for nothing.",
        _SYNC,
        ("torch.cuda.synchronize", ".synchronize", ".wait"),
    ),
    _Kind(
        "blocking",
        "blocking",
        "launches that block",
        "runs with CUDA_LAUNCH_BLOCKING=1: every launch waits for its kernel",
        "unset CUDA_LAUNCH_BLOCKING: it is for finding a faulty kernel, not for running.",
        _SYNC,
        ("os.environ",),
    ),
)


def stalls(trace: Trace) -> list[Verdict]:
    """Waits of the host that cost the GPU time, and those that only look as if they did."""
    facts = facts_of(trace)
    if facts is None:
        return []
    return [verdict for kind in _KINDS for verdict in _stall(facts, kind)]


def _stall(facts: Facts, kind: _Kind) -> list[Verdict]:
    waits = facts.queue.waits
    mine = waits.of(kind.waits)
    gain = facts.shares.shared.get(kind.cause, 0)
    waited = int((waits.end_ns[mine] - waits.start_ns[mine]).sum())
    count = len(mine) / facts.steps
    where = each(facts)
    if facts.matters(gain):
        return [
            Verdict(
                kind.title,
                f"The program {kind.does} {count:.3g} times in {where}; the GPU then stands idle, "
                f"which costs {of_step(facts, gain)}.",
                facts.per_step(gain),
                "The host waits until the queue is empty, and only then goes on to fill it. Until "
                "the first new launches arrive the GPU has nothing to do.",
                kind.remedy,
                "In the next trace the host runs ahead: launches lie well before their kernels, "
                "and the gaps after the waits are gone.",
                "sure",
                lines(facts, waits.call[mine], *kind.constructs),
                usual(
                    facts,
                    (f"waits in {where}", f"{count:.3g}"),
                    ("the host waited", ms(facts, waited)),
                ),
                kind.word,
                ("m1/s1", "m1/s21"),
                gaps_after(facts, kind.waits),
            )
        ]
    alone = facts.shares.alone.get(kind.cause, 0)
    if facts.share(waited) >= _LOOKS_BAD and facts.share(alone) < _COSTS_NOTHING:
        return [
            Verdict(
                kind.title,
                f"The program {kind.does}: the host waits {ms(facts, waited)} in {where}, but the "
                f"GPU works meanwhile, and without it {where} would be {ms(facts, alone)} shorter. "
                "It is not worth mending.",
                sure="sure",
                evidence=usual(facts, ("the host waited", ms(facts, waited))),
                word=kind.word,
                teaches=("m1/s1",),
            )
        ]
    return []

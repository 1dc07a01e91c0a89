"""torch.compile at work within steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.explain.trace import Trace
from guide.plugin import Place, Verdict, Word
from guide_deep_learning.explain.host.facts import Host, host, is_own, on_cpu

_COMPILES = ("dynamo_timed", "compile_inner", "inductor_compile", "compile_fx")
_WORD = Word("guard", "what a compiled program relies on, such as a shape: else it is made anew")


def recompiling(trace: Trace) -> list[Verdict]:
    """Whether steps contain compiling, more than once."""
    if not on_cpu(trace):
        return []
    events, seen = trace.events, host(trace)
    found = events.named(*_COMPILES, among=events.of("annotation", "op", "other"))
    found = seen.outermost(found[seen.here[found]])
    times = len(events.named("compile_inner", among=found)) or len(found)
    if times < 2:
        return []
    took_ns = seen.each_step(seen.clean_ns[found].sum())
    again = _again(seen)
    guard = f" The guard that failed: {again['why']}." if again else ""
    return [
        Verdict(
            "compiling again and again",
            f"torch.compile compiles within the steps, {times} times in {len(trace.steps)}: "
            f"{took_ns / 1e6:.3g} ms a step, {seen.share(took_ns)} of it.",
            took_ns,
            why=f"What was compiled holds for the shapes it was compiled for; each new one is "
            f"compiled anew, up to a limit, and then not at all.{guard}",
            remedy="torch.compile(model, dynamic=True), torch._dynamo.mark_dynamic(x, 0) for the "
            "size that changes, or pad to a few sizes.",
            check="TORCH_LOGS=recompiles names each; the next trace has no compile_inner.",
            sure="sure",
            where=_where(seen, again),
            evidence=(
                ("compiled in these steps", f"{times} times"),
                ("compiling", f"{took_ns / 1e6:.3g} ms a step"),
            ),
            word=_WORD,
            teaches=("m1/s20", "m5/s3"),
            pins=seen.pins(found),
        )
    ]


def _again(seen: Host) -> Mapping[str, Any]:
    said = seen.about.get("recompiled")
    entries = [entry for entry in said if isinstance(entry, dict)] if isinstance(said, list) else []
    return max(entries, key=lambda entry: int(entry.get("times", 0)), default={})


def _where(seen: Host, again: Mapping[str, Any]) -> tuple[Place, ...]:
    file, line = str(again.get("file", "")), int(again.get("line") or 0)
    if file and is_own(f"{file}({line}): {again.get('name')}"):
        return (Place(file, line, str(again.get("name", ""))),)
    script = str(seen.about.get("script", ""))
    return (Place(script, 0, "torch.compile"),) if script else ()

"""Put together what is said of one function: stage by stage, the quick part first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from guide.errors import GuideError
from guide.explain.numba import facts, samples
from guide.explain.numba.allocations import allocations
from guide.explain.numba.cures import TYPED, Case
from guide.explain.numba.diagnosing import loops_of
from guide.explain.numba.harmless import Failed, NotTried
from guide.explain.numba.reasons import LoopReasons, Reason
from guide.explain.numba.target import typed
from guide.explain.numba.trial import Bench, Trial
from guide.explain.numba.words import WORDS
from guide.plugin import Place, Verdict
from guide.units import duration

Stage = tuple[list[Verdict], list[tuple[str, str]], int, str]
"""Verdicts, facts, the ns of a call (0: not timed), and why no verdicts would say nothing."""

# What part of (1 - 1/lanes) of a call might be won where nothing could be tried. A recurrence is
# the formula's: there is nothing to win by mending the code.
_HOPE = {"cost": 0.0, "carried": 0.0, "recurrence": 0.0, "moves": 0.0, "indirect": 0.3}
_HELPS = 1.05  # less is within what two runs of the same code differ by


class Explaining:
    """The explanation of one function."""

    def __init__(self, name: str, case: Case, sample: samples.Sample, *, cached: bool) -> None:
        self.name, self.case, self.sample, self.cached = name, case, sample, cached

    def stages(self, *, trial: bool) -> Iterator[Stage]:
        """What is known after compiling, then after each thing that was tried."""
        self._compile()
        loops = loops_of(self.case)
        found = [(loop, self._verdict(loop, loop.reasons[0])) for loop in loops if loop.reasons]
        seen = {place.line for _, verdict in found for place in verdict.where}
        beside = [self._allocates(one) for one in allocations(self.case) if one.line not in seen]
        beside += facts.beside(self, loops)
        said = facts.facts_of(self, loops)

        def stage(call_ns: int, unsettled: str = "") -> Stage:
            whole = [*(verdict for _, verdict in found), *beside]
            whole.sort(key=lambda one: (one.word != facts.RACE, -one.recoverable_ns))
            return whole, said, call_ns, unsettled

        yield stage(0)
        if not trial:
            return
        try:
            if facts.races(self):
                raise NotTried("several threads write one place; first the result must be right")
            bench = Bench(self.case)
            call_ns = bench.time()
        except NotTried as error:
            said = [*said, ("not tried", str(error))]
            yield stage(0, str(error) if isinstance(error, Failed) else "")
            return
        said = [*said, ("timed on", bench.size)]
        for i, (loop, verdict) in enumerate(found):
            found[i] = (loop, self._measured(loop, verdict, bench, call_ns))
            yield stage(call_ns)
        if any(one.title == WORDS["allocation"].title for one in beside):
            allocated_ns = min(bench.allocating(), call_ns)
            beside = [self._hoped(one, allocated_ns) for one in beside]
        yield stage(call_ns)

    def _compile(self) -> None:
        first: Exception | None = None
        given, guesses = self.case, self.sample.guesses
        for types in guesses:
            self.case = replace(given, signature=types)
            try:
                _ = self.case.base
            except Exception as error:  # Numba's own errors are not all NumbaErrors
                first = first or error
            else:
                if len(guesses) > 1:
                    self.sample = replace(self.sample, others=())
                return
        self.case = given
        raise GuideError(*facts.does_not_compile(self, first)) from first

    def _verdict(self, loop: LoopReasons, reason: Reason) -> Verdict:
        words, detail = WORDS[reason.key], reason.detail
        state = "is not vectorised" if loop.lanes == 1 else "is vectorised"
        says = f"The loop of line {loop.line} {state}: line {reason.line} {words.says}."
        if loop.lanes > 1:
            says = f"The loop of line {loop.line} {state}, but line {reason.line} {words.says}."
        evidence = [("LLVM", reason.llvm)] if reason.llvm else []
        later = [f"{WORDS[one.key].title} (line {one.line})" for one in loop.reasons[1:]]
        why = words.why + (f" Behind it stands: {', then '.join(later)}." if later else "")
        return Verdict(
            words.title,
            says.replace("{detail}", detail or "a function"),
            why=why.replace("{detail}", detail or "it"),
            remedy=words.remedy.replace("{detail}", detail or "it"),
            check=f"guide explain {self.name} says that the loop is vectorised.",
            sure="sure" if reason.cure else "likely",
            where=(self.place(reason.line),),
            evidence=tuple(evidence),
            word=words.word,
            teaches=words.teaches,
        )

    def _measured(self, loop: LoopReasons, verdict: Verdict, bench: Bench, call_ns: int) -> Verdict:
        if not loop.cures:
            share = _HOPE.get(loop.reasons[0].key, 0.5)
            gain = round(call_ns * share * (1 - 1 / max(facts.lanes(self.case), 2)))
            said = (("gain", "estimated, at most: not tried"),) if gain else ()
            evidence = (*verdict.evidence, *said)
            return replace(verdict, recoverable_ns=gain, evidence=evidence, at_most=True)
        try:
            trial = bench.compare(loop.cures)
        except NotTried as error:
            return replace(verdict, evidence=(*verdict.evidence, ("not tried", str(error))))
        how = " and ".join(
            TYPED[one.cure].replace("{detail}", one.detail) for one in loop.reasons if one.cure
        )
        last = loop.reasons[-1]
        if trial.faster < _HELPS and not last.cure:  # what is left is what it hangs on
            alone = replace(loop, reasons=(last,))
            return self._measured(alone, self._verdict(alone, last), bench, call_ns)
        return _with_trial(verdict, trial, how)

    def _allocates(self, reason: Reason) -> Verdict:
        words = WORDS["allocation"]
        return Verdict(
            words.title,
            f"Line {reason.line} {words.says} of the loop of line {reason.loop}.",
            why=words.why,
            remedy=words.remedy,
            check=f"guide explain {self.name} names the line no more.",
            where=(self.place(reason.line),),
            word=words.word,
            teaches=words.teaches,
        )

    def _hoped(self, verdict: Verdict, allocated_ns: int) -> Verdict:
        if verdict.title != WORDS["allocation"].title:
            return verdict
        said = ("the allocator takes", f"{duration(allocated_ns)} a call, all lines together")
        return replace(verdict, recoverable_ns=allocated_ns, evidence=(*verdict.evidence, said))

    def place(self, line: int) -> Place:
        """A line of the function's file."""
        file = typed(self.case.source.file)
        return Place(file, line, self.case.source.text(line))


def _with_trial(verdict: Verdict, trial: Trial, typed: str) -> Verdict:
    faster = f"{trial.faster:.1f}" if trial.faster < 10 else f"{trial.faster:,.0f}"
    if trial.faster < _HELPS:
        helps = f"Tried, {typed} does not help on {trial.size}: {trial.faster:.2f} times as fast."
    else:
        helps = f"Tried, {typed} is {faster} times as fast on {trial.size}"
        helps += f"; the result is {trial.same}."
        if trial.copy_ns:
            helps += f" The copy takes {duration(trial.copy_ns)}: make it once, not per call."
    gain = max(trial.before_ns - round(trial.before_ns / trial.faster), 0)
    times = f"{duration(trial.before_ns)} a call, {duration(trial.after_ns)} with it"
    return replace(
        verdict,
        recoverable_ns=gain if trial.faster >= _HELPS else 0,
        remedy=f"{verdict.remedy} {helps}",
        evidence=(*verdict.evidence, ("measured", times)),
    )

"""Put together what is said of one function: stage by stage, the quick part first."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from guide.errors import GuideError
from guide.explain.numba import reasons, samples
from guide.explain.numba.cures import TYPED, Case
from guide.explain.numba.reasons import LoopReasons, Reason
from guide.explain.numba.words import WORDS
from guide.plugin import Place, Verdict

Stage = tuple[list[Verdict], list[tuple[str, str]]]


class Explaining:
    """The explanation of one function."""

    def __init__(self, name: str, case: Case, sample: samples.Sample, *, cached: bool) -> None:
        self.name, self.case, self.sample, self.cached = name, case, sample, cached

    def stages(self, *, trial: bool) -> Iterator[Stage]:
        """What is known after compiling, then after trying."""
        self._compile()
        loops = reasons.loops_of(self.case)
        yield self._verdicts(loops), self._facts(loops)

    def _compile(self) -> None:
        errors = import_module("numba.core.errors")
        try:
            _ = self.case.base
        except errors.NumbaError as error:
            raise GuideError(*does_not_compile(self.case, error)) from error

    def _verdicts(self, loops: list[LoopReasons]) -> list[Verdict]:
        found = []
        for loop in loops:
            for reason in loop.reasons[:1]:
                found.append(self._verdict(loop, reason))
        return found

    def _verdict(self, loop: LoopReasons, reason: Reason) -> Verdict:
        words = WORDS[reason.key]
        place = self.place(reason.line)
        detail = reason.detail
        state = "is not vectorised" if loop.lanes == 1 else f"has {loop.lanes} lanes"
        says = f"The loop of line {loop.line} {state}: line {reason.line} " + words.says.format(
            detail=detail
        )
        return Verdict(
            words.title,
            f"{says}.",
            why=words.why.format(detail=detail),
            remedy=words.remedy.format(detail=detail),
            sure="sure" if reason.cure else "likely",
            where=(place,),
            evidence=(("LLVM says", reason.llvm),) if reason.llvm else (),
            word=words.word,
            teaches=words.teaches,
        )

    def place(self, line: int) -> Place:
        """A line of the function's file."""
        file = Path(self.case.source.file)
        if file.is_relative_to(Path.cwd()):
            file = file.relative_to(Path.cwd())
        return Place(str(file), line, self.case.source.text(line))

    def _facts(self, loops: list[LoopReasons]) -> list[tuple[str, str]]:
        types = ", ".join(f"{name}: {kind}" for name, kind in self.case.types.items())
        return [
            ("compiled for", f"{types or 'no arguments'} ({self.sample.source})"),
            ("compiling took", f"{self.case.base.seconds:.2f} s"),
        ]


def does_not_compile(case: Case, error: Exception) -> tuple[str, str]:
    """Numba's error in one line, and what to do."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    loc = getattr(error, "loc", None)
    line = getattr(loc, "line", 0)
    where = f"{Path(case.source.file).name}:{line}: {case.source.text(line)}" if line else ""
    plain = next((one for one in said if not one.startswith(("Failed in", "-", "["))), "")
    return f"Numba cannot compile it: {plain} {f'({where})' if where else ''}".strip(), ""


__all__ = ["TYPED", "Explaining"]

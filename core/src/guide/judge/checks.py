"""An exercise's check.py, on the judge's side: inputs, expected values, comparison, work.

make_input(rng, case) -> tuple       the arguments of one call
fresh(rng, arguments) -> tuple       optional: others like them, made cheaply; may change them
expected(*arguments)                 optional: without it, what solution.py returned
compare(got, want, *arguments)       optional: a sentence when wrong, "" when right
work(*arguments) -> dict             optional: "bytes" and "flops" that the task cannot avoid
smaller(*arguments)                  optional: smaller inputs to try when this one fails
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from guide.judge.compare import difference
from guide.judge.worker import import_file

Arguments = tuple[Any, ...]


class Check:
    """The check in a folder. Raises whatever its file raises: that is its author's to see."""

    def __init__(self, folder: Path) -> None:
        self._module: ModuleType = import_file(folder / "check.py", "guide_exercise_check")
        self.expects = hasattr(self._module, "expected")

    def inputs(self, rng: np.random.Generator, case: Any) -> Arguments:
        """Arguments for one call."""
        return tuple(self._module.make_input(rng, case))

    def fresh(self, rng: np.random.Generator, case: Any, last: Arguments | None) -> Arguments:
        """Arguments that no call has seen; `last` may be given up for them."""
        make = getattr(self._module, "fresh", None)
        return tuple(make(rng, last)) if make and last is not None else self.inputs(rng, case)

    def expected(self, arguments: Arguments) -> Any:
        """What is right."""
        return self._module.expected(*arguments)

    def wrong(self, got: Any, want: Any, arguments: Arguments) -> str:
        """What is wrong with `got`; "" when nothing is."""
        compare = getattr(self._module, "compare", None)
        if compare is None:
            return difference(got, want)
        try:
            return str(compare(got, want, *arguments) or "")
        except Exception as error:  # it met something that it did not foresee
            return f"what came back cannot be compared: {type(error).__name__}: {error}"

    def work(self, arguments: Arguments) -> dict[str, float]:
        """Bytes and operations that no way of doing it can avoid."""
        work = getattr(self._module, "work", None)
        return dict(work(*arguments)) if work else {}

    def smaller(self, arguments: Arguments) -> Iterable[Arguments]:
        """Smaller inputs, the smallest first."""
        make = getattr(self._module, "smaller", None)
        return (tuple(one) for one in make(*arguments)) if make else ()

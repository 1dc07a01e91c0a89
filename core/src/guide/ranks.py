"""Several processes of one run, as `torchrun` starts them: which of them this one is.

    torchrun --standalone --nproc-per-node=2 -m guide run

Rank 0 is the one that a person sees: its display, its record under runs/, its report. The others
keep theirs under runs/rank-1/, runs/rank-2/ and so on, where nobody takes one for the last run,
and say nothing but what went wrong.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from guide.errors import UsageError


class Ranks(NamedTuple):
    """One process among those of a run: `rank` of `size`, and its number on its own host."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return self.size > 1

    def runs(self, runs: Path) -> Path:
        """The folder under `runs` where this rank's records go."""
        return runs / f"rank-{self.rank}" if self.rank else runs

    def signed(self, message: str) -> str:
        """A message with the rank it comes from, where there are several."""
        return f"rank {self.rank}: {message}" if self.several else message


def here(environment: Mapping[str, str] = os.environ) -> Ranks:
    """What the environment says of this process; a process of its own where it says nothing.

    Raises:
        UsageError: when RANK, WORLD_SIZE and LOCAL_RANK do not fit together.
    """
    if "RANK" not in environment or "WORLD_SIZE" not in environment:
        return Ranks()
    words = [environment.get(name, "0") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")]
    if all(word.isdecimal() for word in words):
        found = Ranks(*map(int, words))
        if found.rank < found.size and found.local_rank < found.size:
            return found
    raise UsageError(
        f"RANK={words[0]} WORLD_SIZE={words[1]} LOCAL_RANK={words[2]} is no rank of a run",
        "let torchrun set them, or unset RANK and WORLD_SIZE",
    )


@contextlib.contextmanager
def silent(ranks: Ranks) -> Iterator[None]:
    """Within the block a rank above 0 prints nothing on stdout."""
    if not ranks.rank:
        yield
        return
    nowhere = Path(os.devnull)
    with nowhere.open("w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
        yield

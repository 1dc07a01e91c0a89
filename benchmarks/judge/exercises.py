"""Every exercise held against its own promises: its effect on this machine, its cheats."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.rows import Row
from guide.cli.dev import kept_promises
from guide.learn.contents import all_exercises
from guide.plugins import Plugins

_FEW = ("m0::e0", "m1::e0", "m1::e1")


def rows(quick: bool) -> Iterator[Row]:
    """What `guide dev check` says of each exercise, three times over."""
    runs = 1 if quick else 3
    for exercise in all_exercises(Plugins()):
        if quick and exercise.id not in _FEW:
            continue
        found = kept_promises(exercise, runs)
        files: dict[str, dict[str, object]] = found["files"]
        effects: list[float] = found["effect"]
        cheats = [name for name in files if name.startswith("cheats/")]
        failed = [name for name, file in files.items() if not file["ok"]]
        yield Row(
            f"{exercise.id} {exercise.title}",
            ", ".join(f"{effect:.1f}x" for effect in effects) or "no speed asked",
            f"{len(cheats)} cheats",
            None,
            f"all promises kept, {runs} times",
            bool(found["ok"]),
            ", ".join(failed),
        )

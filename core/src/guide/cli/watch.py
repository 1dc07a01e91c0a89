"""`guide watch`: check on every save, right first, fast once you have stopped typing."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guide.cli.shared import EXERCISE
from guide.errors import GuideError, UsageError
from guide.judge.manifest import read_manifest
from guide.learn import exercises as learn
from guide.learn.attempts import note
from guide.learn.contents import all_exercises, find_exercise, read_page
from guide.plugin import Exercise
from guide.plugins import Plugins

if TYPE_CHECKING:
    from guide.judge.judging import Judge, Result
    from guide.judge.workers import Nursery

IDLE_S = 2.0  # after the last save; a speed run for every keystroke would only warm the room
_LOOK_S = 0.05
_KEYS = "n next  p previous  h hint  s solution\nl list  r run now  q quit"


class _Interrupted(Exception):
    """A key or a save came in the middle of a speed run."""


@click.command("watch")
@click.argument("exercise", required=False, type=EXERCISE)
@click.option("--edit-cmd", default="", help="Open your file with this at the start.")
def watch(exercise: str | None, edit_cmd: str) -> None:
    """Check EXERCISE each time you save your file; without EXERCISE, the one you are in.

    At once: does it parse, and is it right? Two seconds after the last save: is it fast?
    """
    plugins = Plugins()
    known = all_exercises(plugins)
    if exercise is None:
        standings = learn.standing_of(known)
        left = [e for e in known if not standings[e.id].passed and not standings[e.id].skipped]
        begun = [e for e in left if standings[e.id].state != "new"]
        if not (begun or left):
            raise UsageError("you have passed all there are", "guide watch ID watches one again")
        chosen = (begun or left)[0]
    else:
        chosen = find_exercise(plugins, exercise)
    watching = Watching(known, chosen)
    if edit_cmd:
        subprocess.Popen([*shlex.split(edit_cmd), str(watching.file)])
    try:
        with _keyboard() as key:
            watching.run(key)
    except KeyboardInterrupt:
        pass
    finally:
        watching.close()
    click.echo(f"\nNext: guide check {watching.exercise.id}")


class Watching:
    """One terminal, one exercise at a time.

    Args:
        known: all exercises, in order.
        exercise: the one to begin with; its starter is copied where there is no file yet.
    """

    def __init__(self, known: Sequence[Exercise], exercise: Exercise) -> None:
        self._known = list(known)
        self._judge: Judge | None = None
        self._nursery: Nursery | None = None
        self._key: Callable[[], str] = lambda: ""
        self._open(exercise)

    def close(self) -> None:
        """End what was kept warm."""
        for warm in (self._judge, self._nursery):
            if warm is not None:
                warm.close()
        self._judge = self._nursery = None

    def run(self, key: Callable[[], str]) -> None:
        """Watch until q; `key` gives what was typed, or "" at once."""
        self._key = key
        while True:
            if self._saved():
                self._check(speed=False)
            elif self._owes_speed and time.monotonic() - self._seen_at > IDLE_S:
                self._check(speed=True)
            pressed = key()
            if pressed == "q":
                return
            if pressed:
                self._press(pressed)
            else:
                time.sleep(_LOOK_S)

    def _open(self, exercise: Exercise) -> None:
        self.close()
        self.exercise, self.manifest = exercise, read_manifest(exercise.folder)
        standing = learn.standing_of([exercise])[exercise.id]
        try:
            self.file = learn.own_file(exercise, standing)
        except GuideError:
            self.file = learn.attempt_file(exercise, Path.cwd())
            self.file.write_bytes(self.manifest.starter.read_bytes())
            note("start", exercise.id, file=str(self.file.resolve()))
        self._seen: object = None
        self._seen_at = 0.0
        self._owes_speed = False
        self._reveal = False

    def _stamp(self) -> object:
        try:
            stat = self.file.stat()
        except OSError:
            return self._seen  # between two steps of an editor that writes a new one
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _saved(self) -> bool:
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen, self._seen_at = stamp, time.monotonic()
        return True

    def _check(self, speed: bool) -> None:
        self._owes_speed = False
        try:
            compile(self.file.read_bytes(), self.file.name, "exec") if self._is_code else None
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", 0)
            self._draw([click.style(f"✗ {self.file.name}:{line}: {error}", fg="red")])
            return
        if speed:
            self._draw([click.style("✓ correct", fg="green") + "; is it fast? …"])
        try:
            result = self._judged(speed)
        except _Interrupted:
            return
        except GuideError as error:
            self._draw([click.style(f"✗ {error}", fg="red")])
            return
        learn.note_check(self.exercise, self.manifest, self.file, result)
        self._owes_speed = not speed and result.state == "correct" and not result.passed
        if self._owes_speed and not result.message:
            wait = f"{result.cases} inputs; is it fast? In {IDLE_S:g} s, if you save nothing"
            self._draw([click.style("✓ correct", fg="green"), f"  {wait}"])
            return
        from guide.cli.debrief import lines

        standing = learn.standing_of([self.exercise])[self.exercise.id]
        self._draw([*lines(self.exercise, self.manifest, result, standing)])

    @property
    def _is_code(self) -> bool:
        return self.file.suffix == ".py"

    def _judged(self, speed: bool) -> Result:
        if not self._is_code:
            return learn.judge(self.exercise, self.file)
        if not self.manifest.entry:
            from guide.judge.simple import judge_simply
            from guide.judge.workers import Nursery

            if sys.platform != "win32" and self._nursery is None:
                self._nursery = Nursery(self.manifest.needs, self.manifest.threads)
            return judge_simply(self.manifest, self.file.resolve(), self._nursery)
        from guide.judge.judging import Judge
        from guide.judge.lock import alone

        if self._judge is None:
            self._judge = Judge(self.manifest)
        if not speed:
            return self._judge.judge(self.file.resolve(), speed=False)
        with alone():
            return self._judge.judge(self.file.resolve(), progress=self._look_up)

    def _look_up(self, what: str) -> None:
        """Between two rounds: whoever saves or presses a key is not kept waiting."""
        if self._stamp() != self._seen:
            raise _Interrupted
        if pressed := self._key():
            self._owes_speed = True
            self._seen_at = time.monotonic()
            if pressed == "q":
                raise KeyboardInterrupt
            self._press(pressed)
            raise _Interrupted

    def _press(self, key: str) -> None:
        reveal, self._reveal = self._reveal, False
        if key in ("n", "p"):
            at = [e.id for e in self._known].index(self.exercise.id)
            self._open(self._known[(at + (1 if key == "n" else -1)) % len(self._known)])
        elif key == "h":
            self._hint()
        elif key == "s":
            self._solution(sure=reveal)
        elif key == "l":
            self._list()
        elif key == "r":
            self._check(speed=True)

    def _hint(self) -> None:
        from guide.cli.exercises import hints

        levels = hints(self.exercise.folder)
        if not levels:
            self._draw(["There are no hints for this one: read its task again."])
            return
        taken = learn.standing_of([self.exercise])[self.exercise.id].hints
        level = min(taken + 1, len(levels))
        note("hint", self.exercise.id, level=level)
        title, text = levels[level - 1]
        head = click.style(f"Hint {level} of {len(levels)}: {title}", bold=True)
        self._draw([head, *text.splitlines()])

    def _solution(self, sure: bool) -> None:
        passed = learn.standing_of([self.exercise])[self.exercise.id].passed
        if not (passed or sure):
            self._reveal = True
            self._draw(["Not passed yet. Press s once more to look anyway."])
            return
        note("solution", self.exercise.id)
        text = self.manifest.solution.read_text(encoding="utf-8").splitlines()
        why = self.exercise.folder / "solution.md"
        self._draw([*text, "", *(read_page(why).splitlines() if why.is_file() else [])])

    def _list(self) -> None:
        from guide.cli.exercises import SIGNS

        standings = learn.standing_of(self._known)
        self._draw(
            [
                f"{'→' if e.id == self.exercise.id else ' '} {SIGNS[standings[e.id].state]:2} "
                f"{e.id:7} {e.title}"
                for e in self._known
            ]
        )

    def _draw(self, lines: Sequence[str]) -> None:
        from guide.cli.debrief import fitted

        terminal = sys.stdout.isatty()
        if terminal:
            click.echo("\x1b[2J\x1b[H", nl=False)
        click.secho(f"{self.exercise.id}  {self.exercise.title}", bold=True)
        place = self.file.name if self.file.parent == Path.cwd() else str(self.file)
        click.echo(f"{place}\n")
        for line in lines:
            for part in fitted(line):
                click.echo(part)
        if terminal:
            click.echo(f"\n{click.style(_KEYS, dim=True)}")


@contextmanager
def _keyboard() -> Iterator[Callable[[], str]]:
    """Single keys from the terminal, as they are pressed; never any where there is none."""
    try:
        fd = sys.stdin.fileno()
        ours = sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(fd) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        yield lambda: ""
        return
    import termios
    import tty

    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)

    def key() -> str:
        ready, _, _ = select.select([fd], [], [], 0)
        if not ready:
            return ""
        data = os.read(fd, 1)
        return data.decode(errors="replace") if data else "q"  # the terminal has gone

    try:
        yield key
    finally:
        with suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)

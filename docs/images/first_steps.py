"""A newcomer's first steps on a real terminal, and a picture of them.

    python docs/images/first_steps.py      writes first-steps.svg beside this file

`tests/e2e/test_first_steps.py` walks the same way and holds the guide to it: whatever is typed here
was named by what the guide had said before.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

COLUMNS, ROWS = 76, 400  # rows enough that nothing waits for a pager
EXERCISE = "m0::e1"
MENDED = '''\
"""Kinetic energy of many particles, without a loop."""

import numpy as np


def energy(mass: np.ndarray, vx: np.ndarray, vy: np.ndarray) -> float:
    """Half the mass times the square of the speed, all in all."""
    return float(0.5 * (mass * (vx * vx + vy * vy)).sum())
'''

_COLOURS = ("#5c6370", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0")
_SGR = re.compile(r"\x1b\[([\d;]*)m")
_OTHER = re.compile(r"\x1b\[[\d;?]*[A-Za-ln-z]|\x1b[=>]")
_WIDE = re.compile("[\u1100-\u115f\u2e80-\u9fff\uff00-\uff60\U0001f300-\U0001faff]")


@dataclass(frozen=True)
class Step:
    """A command that was typed, what came, with its colours, and the exit code."""

    command: str
    output: str
    code: int

    @property
    def text(self) -> str:
        """What came, without colours."""
        return "\n".join("".join(text for text, _ in line) for line in screen(self.output))


def typed(command: str, folder: Path, answers: Mapping[str, str], env: Mapping[str, str]) -> Step:
    """Run `command`, a line that begins with guide, on a terminal of its own.

    Args:
        command: the line.
        folder: where it is typed.
        answers: what is typed when a text stands on the screen.
        env: the environment.
    """
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", *command.split()],
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen, left = b"", dict(answers)
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # how Linux says that nobody has the other end open any more
            data = b""
        if not data:
            break
        seen += data
        for question in [q for q in left if q.encode() in seen]:
            os.write(ours, left.pop(question).encode() + b"\n")
    os.close(ours)
    return Step(command, seen.decode("utf-8", "replace"), process.wait())


def walk(folder: Path, track: str = "") -> list[Step]:
    """The first steps, in `folder`, as somebody of whom nothing is known: none of it is made up.

    Raises:
        LookupError: when the guide did not say what is typed next.
    """
    env = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CACHE_HOME": str(folder / "cache")}
    for name in ("NO_COLOR", "COLUMNS", "LINES", "GUIDE_COURSE"):
        env[name] = ""
    env["COLUMNS"], env["LINES"] = str(COLUMNS), str(ROWS)
    steps: list[Step] = []

    def go(command: str, answers: Mapping[str, str] | None = None) -> Step:
        if steps and not any(re.search(rf"{re.escape(command)}\b", step.text) for step in steps):
            raise LookupError(f"nothing has said {command!r}:\n{steps[-1].text}")
        steps.append(typed(command, folder, answers or {}, env))
        return steps[-1]

    go("guide")
    go("guide track")
    if track:
        go(f"guide track {track}")
    go("guide read")
    go("guide read m0/s1")
    go(f"guide start {EXERCISE}", {"]: ": "20"})
    (folder / "m0_e1.py").write_text(MENDED, encoding="utf-8")
    for _ in range(3):
        if go(f"guide check {EXERCISE}").code != 2:  # 2: too busy to say, so once more
            break
    go("guide")
    return steps


Styled = tuple[str, str]


def screen(output: str) -> list[list[Styled]]:
    """The lines that stand there at the end, as pieces of text and the codes they are set in."""
    lines: list[list[Styled]] = []
    for raw in _OTHER.sub(lambda m: m[0] if m[0].endswith("K") else "", output).split("\n"):
        # What was written over is gone: a line of progress rewrites itself.
        kept = raw.rstrip("\r").split("\r")[-1].replace("\x1b[K", "")
        pieces: list[Styled] = []
        style, at = "", 0
        for match in _SGR.finditer(kept):
            if match.start() > at:
                pieces.append((kept[at : match.start()], style))
            style = "" if match[1] in ("", "0") else f"{style};{match[1]}".strip(";")
            at = match.end()
        if kept[at:]:
            pieces.append((kept[at:], style))
        lines.append(pieces)
    return lines


def picture(steps: Sequence[Step]) -> str:
    """An SVG of a terminal on which the steps were typed."""
    lines: list[list[Styled]] = []
    for step in steps:
        lines += [[("$ ", "32"), (step.command, "1")], *screen(step.output.strip("\r\n")), []]
    width, height = COLUMNS * 8.43 + 40, len(lines) * 19 + 50
    rows = [_row(line, 46 + 19 * i) for i, line in enumerate(lines)]
    dots = "".join(
        f'<circle cx="{20 + 18 * i}" cy="16" r="5.5" fill="{colour}"/>'
        for i, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}" font-family="ui-monospace, \'DejaVu Sans Mono\', '
        f'Menlo, Consolas, monospace" font-size="14" fill="#d7dae0">'
        f'<rect width="100%" height="100%" rx="9" fill="#21252b"/>{dots}\n'
        + "\n".join(rows)
        + "</svg>\n"
    )


def _row(line: Sequence[Styled], y: int) -> str:
    spans, at = [], 0
    for text, style in line:
        # Each piece between gaps has its place: spaces would collapse, and a font that is wider or
        # narrower shifts no column.
        for piece in re.findall(r" {2,}|^ | $|(?:[^ ]| (?=[^ ]))+", text):
            if piece.strip():
                x = 20 + at * 8.43
                spans.append(f'<tspan x="{x:.1f}"{_css(style)}>{escape(piece)}</tspan>')
            at += len(piece) + len(_WIDE.findall(piece))
    return f'<text y="{y}">{"".join(spans)}</text>'


def _css(style: str) -> str:
    said = ""
    for code in filter(None, style.split(";")):
        number = int(code)
        if number == 1:
            said += ' font-weight="bold"'
        elif number == 2:
            said += ' opacity="0.6"'
        elif number == 3:
            said += ' font-style="italic"'
        elif number == 4:
            said += ' text-decoration="underline"'
        elif 30 <= number <= 37 or 90 <= number <= 97:
            said = re.sub(r' fill="[^"]*"', "", said) + f' fill="{_COLOURS[number % 10]}"'
    return said


def main() -> None:
    """Walk, and draw the parts that one wants to see before one has begun."""
    with tempfile.TemporaryDirectory() as folder:
        steps = walk(Path(folder))
    checks = [step for step in steps if step.command.startswith("guide check")]
    shown = [steps[0], *(s for s in steps if s.command.startswith("guide start")), checks[-1]]
    Path(__file__).with_name("first-steps.svg").write_text(picture(shown), encoding="utf-8")


if __name__ == "__main__":
    main()

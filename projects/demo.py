"""The main job, end to end: look at this machine, start one project per track, run each, and show.

    python projects/demo.py build/demo [SECONDS]

Everything goes through the command line, as a person would type it. What it writes is made anew
each time; the last line printed is where the page is.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import guide
from guide.ceilings import Card
from guide.cli.doctor import examine
from guide.cli.doctor import show as show_findings
from guide.plot import Line, line_plot
from guide.readback import read_record
from guide.record import latest_run
from guide.report import bottleneck, headline

CLIPS = Path(__file__).parent.parent / "build" / "clips"

CSS = """
section .verdict { font-size: .95rem; padding: .2rem .8rem; }
section a:has(img, figure) { color: inherit; text-decoration: none; }
"""


@dataclass(frozen=True, slots=True)
class Show:
    """One project of the demo."""

    track: str
    name: str
    what: str
    seconds: float
    arguments: tuple[str, ...] = ()


SHOWS = (
    Show(
        "deep-learning",
        "my_gpt",
        "A byte-level GPT learns Python from the standard library's own source.",
        15,
    ),
    Show(
        "graphics",
        "my_teapot",
        "The Utah teapot, tessellated from its Bezier patches, drawn in software.",
        7,
    ),
    Show(
        "vision",
        "my_cam",
        "Points are tracked through a film clip, and their age is known to the millisecond.",
        6,
        ("--rate", "25", "--set", f"source={CLIPS / 'bikes.mp4'}"),
    ),
)


def main(folder: Path, seconds: float | None = None) -> None:
    """Run the demo into `folder`; each project for `seconds`, or as long as it is worth a look."""
    folder.mkdir(parents=True, exist_ok=True)
    say("This machine")
    print("$ guide doctor", flush=True)
    findings, machine = examine()
    show_findings(findings, machine)
    cards = []
    for show in SHOWS:
        project = folder / show.name
        shutil.rmtree(project, ignore_errors=True)
        say(f"{show.track}: {show.what}")
        call("new-project", show.track, str(project))
        call("run", str(project), "--seconds", str(seconds or show.seconds), *show.arguments)
        cards.append(card(show, folder))
    page = folder / "index.html"
    page.write_text(index(cards, machine), encoding="utf-8")
    say("Done: three systems, three reports")
    print(page.resolve(), flush=True)


def say(text: str) -> None:
    """A heading between the steps."""
    print(f"\n== {text}\n", flush=True)


def call(*arguments: str) -> None:
    """Type a command of guide's, and show it."""
    print(f"$ guide {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "guide", *arguments], check=True)


def card(show: Show, folder: Path) -> str:
    """A project's part of the page: its picture or its curve, how it went, its report."""
    run = latest_run(folder / show.name / "runs")
    if run is None:
        sys.exit(f"{show.name} left no run")
    record = read_record(run)
    text, mood = headline(record)
    report = (run / "report.html").relative_to(folder)
    return (
        f"<section><h2>{escape(show.track)}</h2><p class='why'>{escape(show.what)}</p>"
        f"<a href='{report}'>{picture(record, run)}</a>"
        f"<p class='verdict {mood}'>{escape(text)} {escape(bottleneck(record))}</p>"
        f"<p><a href='{report}'>The report</a> of <code>{escape(show.name)}</code></p></section>"
    )


def picture(record: dict[str, Any], run: Path) -> str:
    """The project's own picture; where it has none, its loss, or else its first series."""
    if record["picture"]:
        data = base64.b64encode((run / record["picture"]["file"]).read_bytes()).decode()
        return (
            f"<img alt='{escape(record['picture']['caption'])}' src='data:image/png;base64,{data}'>"
        )
    names = list(record["series"])
    stem = "loss" if "loss" in names else names[0].partition(".")[0]
    lines = [
        Line(name, series["ticks"], series["values"], f"c{i}", dots=len(series["values"]) < 4)
        for i, (name, series) in enumerate(
            (n, s) for n, s in record["series"].items() if n.partition(".")[0] == stem
        )
    ]
    return line_plot(lines, x_label="tick", y_label=stem, from_zero=False)


def index(cards: Sequence[str], machine: Card | None) -> str:
    """The page that links the three reports."""
    css = (Path(guide.__file__).parent / "report.css").read_text(encoding="utf-8")
    tiles = "".join(
        f'<div class="tile"><b>{escape(figure.text)}</b><span>{escape(figure.name)}</span></div>'
        for figure in (machine.main if machine else ())
        if figure.steady
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>guide: the demo</title><style>{css}{CSS}</style></head><body>"
        "<header><h1>Three real-time systems, on this machine</h1>"
        "<p class='sub'>Scaffolded, run and measured a moment ago. Each report says what every "
        "tick cost, which missed its deadline, and what it took in memory and joules.</p></header>"
        f"<div class='tiles'>{tiles}</div><div class='pair'>{''.join(cards)}</div>"
        "<footer><p>Now your own: <code>. .venv/bin/activate</code>, "
        "<code>guide new-project TRACK PATH</code>, <code>cd PATH</code>, "
        "<code>guide run</code>.</p></footer></body></html>\n"
    )


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv))
    main(
        Path(arguments.get(1, "build/demo")),
        float(arguments[2]) if 2 in arguments else None,
    )

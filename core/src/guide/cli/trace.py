"""`guide trace`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from guide.cli.report import find_run
from guide.errors import GuideError
from guide.trace import FILES
from guide.units import quantity


@click.command("trace")
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option(
    "--with",
    "profile",
    type=click.Path(path_type=Path),
    metavar="TORCH.JSON",
    help="A profile that torch exported: put both on one timeline.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.ZIP",
    help="Where that goes; trace-with-torch.zip in the run's folder by default.",
)
def trace(run: Path | None, profile: Path | None, output: Path | None) -> None:
    """Say where the trace of RUN is, the last one by default, and how to open it.

    RUN is a folder, or the name of one under runs/.
    """
    folder = find_run(run)
    file = next((folder / name for name in FILES if (folder / name).exists()), None)
    if file is None:
        raise GuideError(f"{folder} holds no trace", "a run that ends writes one: guide run")
    if profile is not None:
        file = _merged(file, profile, output or folder / "trace-with-torch.zip")
    elif output is not None:
        raise GuideError("-o says where an archive goes, and there is none", "--with TORCH.JSON")
    click.echo(f"trace  {file} ({_about(file)})")
    click.echo("open   https://ui.perfetto.dev and drag the file in: it stays on your machine")


def _merged(trace: Path, profile: Path, archive: Path) -> Path:
    from guide.trace.merge import merge

    if archive.exists():
        raise GuideError(f"{archive} is there already", "choose another: -o FILE.zip")
    merge(trace, profile, archive)
    return archive


def _about(file: Path) -> str:
    size = quantity(file.stat().st_size, "B")
    with file.open("rb") as source:
        slices = re.search(rb"\d+ slices?", source.read(4096))
    return f"{slices[0].decode()}, {size}" if slices else size

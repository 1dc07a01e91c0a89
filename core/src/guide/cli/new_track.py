"""`guide new-track`."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import click

import guide
from guide.cli.shared import ask
from guide.errors import UsageError
from guide.learn.contents import all_exercises, all_sections
from guide.plugin import Track
from guide.plugins import Plugins
from guide.scaffold import check_name, copy_package

_TEMPLATE = Path(guide.__file__).parent / "example_track"
_NUMBER = 9  # of the template's section and exercise: m1/s9, m1::e9


@click.command("new-track")
@click.argument("name", required=False)
@click.option(
    "--in", "folder", type=click.Path(path_type=Path), default=".", metavar="DIR", help="Where to."
)
def new_track(name: str | None, folder: Path) -> None:
    """Write a working plugin for the track NAME, in the new folder guide-NAME.

    It holds a section, an exercise, a real-time project and its tests, and all of them work:
    change one at a time. The folder goes to the current directory, or to DIR.
    """
    if name is None:
        name = ask("Name", "guide new-track NAME")
    plugins = Plugins()
    _check_track(name, plugins)
    target = folder / f"guide-{name}"
    title = name.replace("-", " ").capitalize()
    number = _free_number(plugins)
    # None of these words is found in another or in prose, so one pass each is exact. The track's
    # name with underscores also makes the package, guide_NAME, and the learner's my_NAME.
    renames = {
        "example_track": name.replace("-", "_"),
        "example-track": name,
        "Example Track": title,
        f"m1/s{_NUMBER}": f"m1/s{number}",
        f"m1::e{_NUMBER}": f"m1::e{number}",
        f"s{_NUMBER}.md": f"s{number}.md",
    }
    try:
        copy_package(_TEMPLATE, target, renames)
    except UsageError as error:
        raise UsageError(error.message, f"type: guide new-track {name} --in ANOTHER_DIR") from None
    count = sum(file.is_file() for file in target.rglob("*"))
    click.echo(f"{title} in {target}: {count} files, all yours.")
    install = 'pip install -e ".[test]"'
    click.echo(f"\nNext: cd {shlex.quote(str(target))} && {install} && guide tracks")


def _check_track(name: str, plugins: Plugins) -> None:
    try:
        Track(name, "", "")
    except ValueError as error:
        raise UsageError(str(error), f"type: guide new-track {_suggestion(name)}") from None
    other = f"type another name: guide new-track my-{name}"
    owners = {status.name: status for status in reversed(plugins.statuses)}
    owners |= {track.name: plugins.plugin_of(track.name) for track in plugins.tracks()}
    if name in owners:
        owner = f"{owners[name].distribution} {owners[name].version}"
        raise UsageError(f"{name!r} is a name that {owner} brings already", other)
    try:
        version = distribution(f"guide-{name}").version
    except PackageNotFoundError:
        pass
    else:
        raise UsageError(f"guide-{name} {version} is installed already", other)
    check_name(f"guide_{name.replace('-', '_')}", f"guide new-track my-{name}")


def _suggestion(name: str) -> str:
    """The nearest name that is one."""
    words = "-".join(re.findall("[a-z0-9]+", name.lower()))
    if not words:
        return "audio"
    return words if words[0].isalpha() else f"my-{words}"


def _free_number(plugins: Plugins) -> int:
    """From the template's on, the first number that no section or exercise of m1 has."""
    taken = {section.id for section in all_sections(plugins)}
    taken |= {exercise.id for exercise in all_exercises(plugins)}
    number = _NUMBER
    while f"m1/s{number}" in taken or f"m1::e{number}" in taken:
        number += 1
    return number

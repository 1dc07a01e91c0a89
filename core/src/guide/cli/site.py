"""`guide site`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guide.cli.shared import TRACK
from guide.errors import GuideError
from guide.plugins import Plugins

if TYPE_CHECKING:
    from guide.site.assemble import Course


@click.command("site")
@click.option("--serve", is_flag=True, help="Serve it to this machine until Ctrl-C.")
@click.option(
    "--track", "names", multiple=True, type=TRACK, help="For this track; may be repeated."
)
@click.option("--out", "target", type=click.Path(path_type=Path), default="guide-site")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="To serve at; 0: any.")
def site(serve: bool, names: tuple[str, ...], target: Path, port: int) -> None:
    """Make a web site of the sections and exercises, in the folder guide-site or --out DIR.

    It is for your track, or those you name; without either for all. It needs no network: search,
    figures and code are in it. Figures that you have measured stand beside the author's.
    """
    from guide.site.build import build

    pages = build(_course(names), target)
    click.echo(f"{pages} pages in {target}")
    if serve:
        _serve(target, port)
    else:
        page = target / "index.html"
        click.echo(f"\nNext: guide site --serve, or open {page} (which cannot search)")


def _course(names: tuple[str, ...]) -> Course:
    from guide.learn import choice
    from guide.learn.contents import all_exercises, all_sections
    from guide.learn.exercises import standing_of
    from guide.site.assemble import Course

    plugins = Plugins()
    tracks = [plugins.track(name) for name in names]
    if not tracks:
        own = choice.chosen()
        tracks = [t for t in plugins.tracks() if own is None or t.name == own]
        tracks = tracks or plugins.tracks()
    everything, wanted = all_sections(plugins), {track.name for track in tracks}
    sections = [s for s in everything if not s.tracks or wanted & set(s.tracks)]
    mine = {e.id for track in tracks for e in all_exercises(plugins, track.name)}
    exercises = [e for e in all_exercises(plugins) if e.id in mine or not tracks]
    standings = standing_of(exercises)
    passed = [e.id for e in exercises if standings[e.id].passed]
    return Course(tracks, sections, exercises, everything, choice.read_sections(), passed)


def _serve(folder: Path, port: int) -> None:
    """Serve `folder` to this machine alone, until Ctrl-C."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = partial(Quiet, directory=str(folder))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise GuideError(f"port {port} cannot be had: {error}", "type another: --port") from None
    click.echo(f"\nNext: open http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)")
    with contextlib.suppress(KeyboardInterrupt), server:
        server.serve_forever()

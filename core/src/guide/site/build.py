"""Build the site with zensical, strictly, and put it where it is wanted as a whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

from guide.errors import GuideError
from guide.site.assemble import Course, assemble

_SIGN = "guide.css"  # what a folder that holds a site of ours has


def build(course: Course, target: Path) -> int:
    """Build the site of `course` in `target`; returns how many pages it has.

    A site of ours that is there is replaced, and only once the new one is whole.

    Raises:
        GuideError: when zensical is missing, a section or a link is broken, or `target` holds
            something else.
    """
    if find_spec("zensical") is None:
        message = "the site is made by zensical, which is not installed"
        raise GuideError(message, "type: pip install 'guide-core[site]'")
    if target.exists() and not _is_ours(target):
        raise GuideError(f"{target} is there and holds no site", "type another: --out DIR")
    with tempfile.TemporaryDirectory(prefix="guide-site-") as name:
        source = Path(name)
        assemble(course, source)
        command = [sys.executable, "-m", "zensical", "build", "--strict", "-f", "mkdocs.yml"]
        done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
        if done.returncode:
            raise GuideError(f"the site could not be built: {_reason(done.stdout + done.stderr)}")
        site = source / "site"
        broken = list(broken_links(site))
        if broken:
            raise GuideError(f"the site has links that lead nowhere: {'; '.join(broken[:3])}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(site, target)
    return sum(1 for file in target.rglob("*.html") if file.name != "404.html")


def broken_links(site: Path) -> Iterator[str]:
    """Links and resources of the pages of `site` that lead nowhere inside it, or out to load.

    A link to elsewhere that a reader may click is fine; a script, style, font or picture from
    elsewhere is not: the site is for reading offline.
    """
    for file in sorted(site.rglob("*.html")):
        if file.name == "404.html":  # served for any address, so its links begin at the root
            continue
        found = _Links()
        found.feed(file.read_text(encoding="utf-8"))
        where = file.relative_to(site)
        for tag, link in found.links:
            if re.match(r"[a-z][a-z0-9+.-]*:|//", link):
                if tag != "a" and not link.startswith("data:"):
                    yield f"{where} loads {link}"
                continue
            path, _, _ = link.partition("#")
            if path and not (file.parent / path.partition("?")[0]).exists():
                yield f"{where} links to {link}"


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where the tag leads, or what it loads."""
        named = dict(attrs)
        if tag == "link" and named.get("rel") in ("canonical", "prev", "next", "alternate"):
            return
        for name in ("href", "src"):
            if link := named.get(name):
                self.links.append((tag, link))


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and ((folder / _SIGN).is_file() or not any(folder.iterdir()))


def _reason(output: str) -> str:
    """The first complaint in the builder's output, in one line and without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    lines = [line.strip() for line in plain.splitlines()]
    for i, line in enumerate(lines):
        if line.startswith(("Warning", "Error")):
            place = re.search(r"\[ (.+?) \]", " ".join(lines[i : i + 2]))
            return f"{line.partition(': ')[2]}" + (f" at {place[1]}" if place else "")
    return next((line for line in reversed(lines) if line), "zensical said nothing")

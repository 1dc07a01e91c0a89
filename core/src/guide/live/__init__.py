"""`guide run --live`: a page on this machine that shows a run as it goes on.

The picture and the figures are made by threads of their own, each once for all who look, and not
at all while nobody does (`newest.py`). What is asked of the loop's thread is a copy of its picture,
between ticks, in time that is left (`picture.py`). How it gets to a browser stands in `server.py`,
what the page draws in `stats.py` and `page.html`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guide.live.encoding import best_encoder
from guide.live.newest import Newest
from guide.live.picture import Pictures
from guide.live.server import Server, encoded
from guide.live.stats import Stats

if TYPE_CHECKING:
    from guide.resources import Sampler
    from guide.run import Run

_EVERY_S = 0.25
_LISTENS_S = 0.2  # before it looks whether it is to close
_ENDED = {
    "ticks": "all its ticks are done",
    "seconds": "its time is over",
    "interrupted": "somebody ended it",
}
_GOODBYE_S = 1.0  # how long the pages that are open have to learn how it ended


class Live:
    """The live view of one run.

    Listens from the moment it is made, so that a port that is taken is known before anything
    runs; answers from `show` on.

    Args:
        port: on 127.0.0.1; 0 for one that is free.

    Raises:
        UsageError: when the port is taken, or not granted.
    """

    stats: Stats
    pictures: Pictures

    def __init__(self, port: int = 0) -> None:
        self._server = Server(port)
        self._server.live = self
        self.port: int = self._server.server_port
        self.figures: Newest[bytes] = Newest()
        self._trouble = False

    @property
    def line(self) -> str:
        """Where it is, and how to get there from elsewhere."""
        line = f"live    http://127.0.0.1:{self.port}/"
        ssh = os.environ.get("SSH_CONNECTION", "").split()
        if len(ssh) == 4:  # client, its port, this machine, its port
            line += f"  (where you sit: ssh -L {self.port}:127.0.0.1:{self.port} {ssh[2]})"
        return line

    def show(
        self,
        project: str,
        track: str,
        run: Run,
        sampler: Sampler,
        budgets: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
    ) -> None:
        """Begin to answer. Before the loop runs: the encoder is imported here."""
        self._project, self._run = project, run
        self.stats = Stats(project, track, run, sampler, budgets)
        self.pictures = Pictures(run, best_encoder())
        self.pictures.start()
        for name, act in (
            ("guide-live-figures", self._compose),
            ("guide-live", lambda: self._server.serve_forever(poll_interval=_LISTENS_S)),
        ):
            threading.Thread(target=act, name=name, daemon=True).start()

    def page(self) -> bytes:
        """The page, as UTF-8: it holds all it needs, the report's colours too."""
        here = Path(__file__).parent
        css = (here.parent / "report.css").read_text(encoding="utf-8")
        page = (here / "page.html").read_text(encoding="utf-8")
        page = page.replace("/* report.css */", css).replace("PROJECT", escape(self._project))
        # Last, for figures may hold any text; what would end the script is written otherwise.
        figures = encoded(self.stats.now()).replace(b"<", b"\\u003c")
        return page.encode().replace(b"FIGURES", figures)

    @property
    def shows_picture(self) -> bool:
        """Whether there is a picture to be had."""
        return self._run.has_picture

    def between(self, left_ns: int) -> bool:
        """On the loop's thread, between two ticks, with the ns left to the next: use them or not.

        Returns whether they were used.
        """
        return self.pictures.between(left_ns)

    def trouble(self, text: str) -> None:
        """Note the first thing that went wrong with the page; the run goes on."""
        if not self._trouble:
            self._trouble = True
            self._run.note(f"live view: {text}")

    def end(self, report: Path) -> None:
        """Say to every page that is open how the run ended and where its report is, and close."""
        run = self._run
        state, text = "ended", f"The run has ended: {_ENDED.get(run.loop.ended, run.loop.ended)}."
        if run.failure is not None:
            why = run.failure
            where, remedy = (
                f"{why.where}: " * bool(why.where),
                f"; {why.remedy}" * bool(why.remedy),
            )
            state, text = "failed", f"The run failed: {where}{why.message}{remedy}"
        # Of a run that never got to its first tick there is nothing to report.
        where = "" if state == "failed" and not run.loop.log.count else str(report.resolve())
        self.stats.outcome = {"state": state, "text": text, "report": where}
        self.figures.close(encoded(self.stats.now()), _GOODBYE_S)
        self.close()

    def close(self) -> None:
        """Close, whatever state it is in; twice does no harm."""
        self.figures.close()
        if hasattr(self, "pictures"):
            self.pictures.close()
            self._server.shutdown()
        self._server.server_close()

    def _compose(self) -> None:
        while self.figures.wanted():
            try:
                data = encoded(self.stats.now())
            except Exception as error:  # the run is worth more than its page
                self.trouble(f"{type(error).__name__}: {error}")
            else:
                self.figures.put(data)
            time.sleep(_EVERY_S)

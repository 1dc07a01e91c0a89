"""Open a source whose driver may never come back from it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from guide.errors import GuideError
from guide_vision.pipeline.frame import Facts, Source

_SLICE_S = 0.1  # how often the wait looks whether the run is to end


class NotOpened(GuideError):
    """The source is still being opened: nobody may close it."""


def open_within(source: Source, timeout_s: float, stopping: Callable[[], bool]) -> Facts:
    """Open `source` on a thread of its own.

    Args:
        source: what is opened.
        timeout_s: how long that may take.
        stopping: asked during the wait; once it says yes, the wait is over.

    Raises:
        NotOpened: when it took longer, or the run is to stop; it may still open.
        GuideError: when it cannot be opened.
    """
    opened: list[Facts | BaseException] = []

    def open_it() -> None:
        try:
            opened.append(source.open())
        except BaseException as error:  # whatever it is, nobody listens here
            opened.append(error)

    thread = threading.Thread(target=open_it, name="open", daemon=True)
    thread.start()
    end_s = time.monotonic() + timeout_s
    while thread.is_alive():
        if stopping():
            raise NotOpened("stopped before the source was open", "run again")
        if time.monotonic() > end_s:
            raise NotOpened(
                f"the source did not open within {timeout_s:g} s",
                "check that it is on and reachable, or type --source virtual",
            )
        thread.join(_SLICE_S)
    if isinstance(found := opened[0], Facts):
        return found
    raise found

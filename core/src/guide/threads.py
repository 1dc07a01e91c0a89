"""Whether the threads of this process get the processors they are ready to use.

CPU time says what ran. A thread that is ready and waits for a processor shows nowhere in it, and
four threads on two cores look as busy as two. The kernel counts that wait, thread by thread.
Source: Linux Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from guide.meter import Reading, Unavailable, Usage

_SOURCE = "schedstat"


class ThreadsMeter:
    """How many threads there are, and how long they were ready while no processor was free.

    Looks at each thread of the process, about 10 µs for one. What a thread waited that began and
    ended between two readings is not counted.

    Args:
        root: where proc is.

    Raises:
        Unavailable: on a system that does not count it.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._folder = root / "proc/self/task"
        self._waited: dict[str, int] = {}  # by thread, also of those that have ended
        if not self._look():
            raise Unavailable("threads: this system does not show how long they wait", "")
        self.start()

    def start(self) -> None:
        """Count from now."""
        self._look()
        self._first = sum(self._waited.values())

    def read(self) -> Usage:
        """Since start, in s; and how many threads there are."""
        count = self._look()
        delay_s = (sum(self._waited.values()) - self._first) / 1e9
        return Usage(
            (
                Reading("threads", count, "", "level", _SOURCE),
                Reading("threads.delay", delay_s, "s", "total", _SOURCE),
            )
        )

    def _look(self) -> int:
        count = 0
        with contextlib.suppress(OSError):  # no such folder: another system
            for thread in self._folder.iterdir():
                try:
                    waited = int((thread / "schedstat").read_bytes().split()[1])
                except (OSError, ValueError, IndexError):  # it ended while we looked
                    continue
                count += 1
                self._waited[thread.name] = max(waited, self._waited.get(thread.name, 0))
        return count

"""The timeline as a file that Perfetto opens (https://ui.perfetto.dev): `guide trace`.

`recording` lays spans out in rows, `chrome` writes them as JSON for the small, `pftrace` as
protobuf for the large, `merge` puts a trace and a torch profile on one timeline.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guide.trace.recording import Recording

if TYPE_CHECKING:
    from guide.ticks import TickLog
    from guide.timing import Timeline

LARGE = 20_000  # slices, from which on protobuf is written
FILES = ("trace.pftrace", "trace.json")


def write_trace(
    folder: Path, name: str, timeline: Timeline, log: TickLog, unix_offset_ns: int
) -> Path:
    """Write what the timeline and the log hold as a trace, whole or not at all.

    Args:
        folder: of the run; a trace of the other form that is there goes.
        name: of the run's process in the trace.
        timeline: its spans, marks and counters.
        log: its ticks, and the deadlines that were missed.
        unix_offset_ns: Unix time is the timeline's clock plus this.

    Returns:
        The file: trace.pftrace, or trace.json with at most `LARGE` slices.

    Raises:
        OSError: when it could not be written.
    """
    from guide.record import write_atomically
    from guide.trace.chrome import dump_chrome
    from guide.trace.pftrace import dump_pftrace

    recording = Recording(
        name,
        timeline.columns(),
        log.columns(),
        timeline.marks(),
        timeline.counters(),
        timeline.lanes,
        unix_offset_ns,
    )
    if recording.slices > LARGE:
        file, other = (folder / form for form in FILES)
        write_atomically(file, lambda out: dump_pftrace(out, recording), "wb")
    else:
        other, file = (folder / form for form in FILES)
        write_atomically(file, lambda out: dump_chrome(out, recording))
    other.unlink(missing_ok=True)
    return file

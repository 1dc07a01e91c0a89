"""What was seen, as lines of a file: CSV, or one JSON object a line."""

from __future__ import annotations

import io
import json
from pathlib import Path

from guide.errors import GuideError
from guide_vision.pipeline.frame import Frame
from guide_vision.pipeline.observation import Observation

COLUMNS = ("seq", "epoch", "t_s", "id", "x", "y", "w", "h")


class Results:
    """One line for each thing of each frame: `COLUMNS`.

    `t_s` is the time of capture on the run's clock; x, y is the point of the thing (of a box its
    left upper corner), w and h the size of its box, empty or null where it has none. Pixels.
    The lines of a frame are handed to the system at once, so that a killed run leaves whole lines.

    Args:
        path: `.csv` or `.jsonl`, overwritten when it exists.

    Attributes:
        rows: lines written.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in (".csv", ".jsonl"):
            raise GuideError(f"cannot write results to {path.name}", "name it .csv or .jsonl")
        self.path = path
        self.rows = 0
        self._csv = path.suffix.lower() == ".csv"
        try:
            self._file: io.FileIO = io.FileIO(path, "w")
        except OSError as error:
            raise self._failed(error) from None
        if self._csv:
            self._append(",".join(COLUMNS) + "\n")

    def write(self, frame: Frame, seen: Observation) -> None:
        """Append what was seen in a frame. GuideError when the disk is full."""
        lines = []
        for row, number in enumerate(seen.ids.tolist()):
            if seen.boxes is None:
                x, y = seen.points[row].tolist()
                w = h = None
            else:
                x, y, w, h = seen.boxes[row].tolist()
            t_s = frame.t_capture_ns / 1e9
            values = (frame.seq, frame.epoch, round(t_s, 6), number, x, y, w, h)
            tidy = [round(value, 3) if isinstance(value, float) else value for value in values]
            tidy[2] = values[2]
            if self._csv:
                lines.append(",".join("" if value is None else str(value) for value in tidy))
            else:
                lines.append(json.dumps(dict(zip(COLUMNS, tidy, strict=True))))
        if lines:
            self._append("\n".join(lines) + "\n")
            self.rows += len(lines)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, text: str) -> None:
        data = text.encode()
        whole = self._file.tell()
        try:
            written = self._file.write(data)
            while written is not None and written < len(data):
                data = data[written:]
                written = self._file.write(data)
        except OSError as error:
            self._file.truncate(whole)  # no half line
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> GuideError:
        return GuideError(
            f"cannot write {self.path}: {(error.strerror or str(error)).lower()}",
            "check that the folder exists and that there is space on its disk (`df -h`)",
        )

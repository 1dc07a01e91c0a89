"""How long frames waited for each stage, how long it took, and how old they were after it."""

from __future__ import annotations

from guide.timing import Histogram
from guide_vision.pipeline.frame import Frame


class Ages:
    """Statistics over the stamps of frames, in fixed memory, exact in their maxima."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[Histogram, Histogram, Histogram]] = {}  # wait, busy, age
        self.end = Histogram()  # age as the consumer was handed the frame

    def add(self, frame: Frame, now_ns: int) -> None:
        """Count a frame that is done."""
        before_ns = None
        for name, began_ns, ended_ns in frame.stamps:
            stage = self.stages.get(name)
            if stage is None:
                stage = self.stages[name] = (Histogram(), Histogram(), Histogram())
            wait, busy, age = stage
            wait.record(0 if before_ns is None else began_ns - before_ns)
            busy.record(ended_ns - began_ns)
            # A source may stamp a frame with when it was due, which is before it woke for it
            age.record(max(ended_ns - frame.t_capture_ns, 0))
            before_ns = ended_ns
        self.end.record(max(frame.age_ns(now_ns), 0))

    def table(self) -> str:
        """Milliseconds, p50 / p99 / max: one row for each stage, the last for the consumer."""
        rows: list[tuple[str, ...]] = [("", "waited", "busy", "age after it")]
        for name, stage in self.stages.items():
            rows.append((name, *map(_cell, stage)))
        rows.append(("delivered", "", "", _cell(self.end)))
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if k else cell.ljust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )


def _cell(histogram: Histogram) -> str:
    if not histogram.count:
        return ""
    p50, p99 = histogram.percentiles([50, 99])
    return " / ".join(f"{ns / 1e6:.1f}" for ns in (p50, p99, histogram.largest))

"""Where in a tick its time lies in no span: behind which one, and before which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Gap(NamedTuple):
    """Time of a tick in no span.

    Attributes:
        after: the span before it; "": the tick begins with it.
        before: the span behind it; "": the tick ends with it.
        share: of all the time in no span.
    """

    after: str
    before: str
    share: float

    def __str__(self) -> str:
        if self.after and self.before:
            return f"after {self.after} and before {self.before}"
        return (
            f"before {self.before}, the first" if self.before else f"after {self.after}, the last"
        )


def gaps(record: Mapping[str, Any]) -> list[Gap]:
    """The gaps between the spans of the ticks that have a flight record, the longest first."""
    took: dict[tuple[str, str], int] = {}
    known: set[int] = set()
    for flight in record.get("flights") or ():
        names = flight["names"]
        spans = sorted(
            (start_ns, start_ns + ns, names[number])
            for number, lane, start_ns, ns in flight["spans"]
            if lane == 0 and names[number] != "gc"
        )
        for index, _, start_ns, end_ns in flight["ticks"]:
            if index in known:  # flights overlap
                continue
            known.add(index)
            at_ns, after = start_ns, ""
            for begins_ns, ends_ns, name in spans:
                if not start_ns <= begins_ns < end_ns:
                    continue
                if begins_ns > at_ns:
                    took[after, name] = took.get((after, name), 0) + begins_ns - at_ns
                if ends_ns > at_ns:
                    at_ns, after = ends_ns, name
            if after and end_ns > at_ns:
                took[after, ""] = took.get((after, ""), 0) + end_ns - at_ns
    whole = sum(took.values())
    found = [Gap(*names, ns / whole) for names, ns in took.items() if ns]
    return sorted(found, key=lambda gap: (-gap.share, gap))

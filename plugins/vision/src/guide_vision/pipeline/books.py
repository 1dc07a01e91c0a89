"""The books of a pipeline: every frame captured is delivered, dropped, unreadable or in flight."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Books:
    """Counts, each kept where its event happens, so that the balance can fail.

    >>> print(Books(300, delivered=290, dropped=Counter(replaced=7, sampled=2), in_flight=1))
    captured 300 = delivered 290 + dropped 9 (replaced 7, sampled 2) + in flight 1
    """

    captured: int = 0  # they came to the source
    delivered: int = 0  # the consumer got them
    # By cause: "replaced" by a newer one, "sampled" out, "failed" in a stage, "drained" after that
    dropped: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0  # neither yet
    unreadable: int = 0  # they came, but damaged: none could be decoded

    @property
    def balanced(self) -> bool:
        """Whether no frame is missing and none was counted twice."""
        accounted = self.delivered + self.dropped.total() + self.in_flight + self.unreadable
        return self.captured == accounted

    def __str__(self) -> str:
        sign = "=" if self.balanced else "is NOT"
        damaged = f" + unreadable {self.unreadable}" if self.unreadable else ""
        causes = ", ".join(f"{cause} {count}" for cause, count in self.dropped.items() if count)
        why = f" ({causes})" if causes else ""
        return (
            f"captured {self.captured} {sign} delivered {self.delivered} + "
            f"dropped {self.dropped.total()}{why} + in flight {self.in_flight}{damaged}"
        )

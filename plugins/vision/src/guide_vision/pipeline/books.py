"""The books of a link: every frame captured is delivered, dropped, unreadable, or in flight."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Books:
    """Counts, each kept where its event happens, so that the balance can fail.

    >>> print(Books(captured=300, delivered=290, dropped=9, in_flight=1))
    captured 300 = delivered 290 + dropped 9 + in flight 1
    """

    captured: int = 0  # they came to the source
    delivered: int = 0  # the consumer got them
    dropped: int = 0  # a newer one took their place
    in_flight: int = 0  # neither yet
    unreadable: int = 0  # they came, but damaged: none could be decoded

    @property
    def balanced(self) -> bool:
        """Whether no frame is missing and none was counted twice."""
        accounted = self.delivered + self.dropped + self.in_flight + self.unreadable
        return self.captured == accounted

    def __str__(self) -> str:
        sign = "=" if self.balanced else "is NOT"
        damaged = f" + unreadable {self.unreadable}" if self.unreadable else ""
        return (
            f"captured {self.captured} {sign} delivered {self.delivered} + "
            f"dropped {self.dropped} + in flight {self.in_flight}{damaged}"
        )

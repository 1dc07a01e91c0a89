"""Between a camera and whoever works on its frames."""

from collections import deque
from typing import Any


class Mailbox:
    """Holds frames until somebody has time for them."""

    def __init__(self) -> None:
        self.frames: deque[Any] = deque()
        self.dropped = 0

    def put(self, frame: Any) -> None:
        """A new frame has come."""
        self.frames.append(frame)

    def take(self) -> Any:
        """The frame to work on next; None when there is none."""
        return self.frames.popleft() if self.frames else None

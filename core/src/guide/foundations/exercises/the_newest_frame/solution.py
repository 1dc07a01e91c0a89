"""Between a camera and whoever works on its frames: one place, for the newest."""

from typing import Any


class Mailbox:
    """Holds the newest frame until somebody has time for it."""

    def __init__(self) -> None:
        self.newest: Any = None
        self.dropped = 0

    def put(self, frame: Any) -> None:
        """A new frame has come; one that nobody took is out of date."""
        self.dropped += self.newest is not None
        self.newest = frame

    def take(self) -> Any:
        """The frame to work on next; None when there is none."""
        frame, self.newest = self.newest, None
        return frame

"""Old frames get the time of new ones."""

from collections import deque


class Mailbox:
    def __init__(self):
        self.frames = deque()
        self.dropped = 0
        self.last = None

    def put(self, frame):
        self.last = frame
        self.frames.append(frame)

    def take(self):
        if not self.frames:
            return None
        frame = self.frames.popleft()
        frame["at_ms"] = self.last["at_ms"]
        return frame

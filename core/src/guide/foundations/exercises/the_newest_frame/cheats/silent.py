"""It drops and does not say so."""


class Mailbox:
    dropped = 0

    def __init__(self):
        self.newest = None

    def put(self, frame):
        self.newest = frame

    def take(self):
        frame, self.newest = self.newest, None
        return frame

"""A real browser, steered over its own debugging pipe: pages that never end loading, seen."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from contextlib import contextmanager

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--hide-scrollbars"]
_PATIENCE_S = 60


class Page:
    """One page of a browser.

    Source: Chrome DevTools Protocol; over a pipe, each message ends with a zero byte.
    """

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._data, self._id, self._session = b"", 0, None
        target = self("Target.createTarget", url="about:blank")["targetId"]
        attached = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def __call__(self, method, **parameters):
        """Call a method of the protocol; returns its result."""
        self._id += 1
        message = {"id": self._id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._id:
                assert "error" not in answer, answer
                return answer["result"]

    def _message(self):
        while b"\0" not in self._data:
            ready, _, _ = select.select([self._reader], [], [], _PATIENCE_S)
            assert ready, "the browser says nothing"
            self._data += os.read(self._reader, 1 << 20)
        message, _, self._data = self._data.partition(b"\0")
        return json.loads(message)

    def open(self, url, *, width=1200, height=1000, dark=False):
        size = {"width": width, "height": height}
        self("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", features=[scheme])
        self("Page.navigate", url=url)

    def get(self, expression):
        """What a JavaScript expression comes to on the page."""
        done = self("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def until(self, expression):
        """Wait until an expression is true on the page; returns what it came to."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (value := self.get(expression)):
            assert time.monotonic() < deadline, f"{expression} never came true"
            time.sleep(0.05)
        return value

    def screenshot(self, *, whole=False):
        """PNG of what is seen, or of the whole page."""
        shot = self("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])


@contextmanager
def browser(profile):
    """A headless Chromium with one page; it ends with the block."""
    to_read, to_write = os.pipe(), os.pipe()  # the browser reads at 3 and writes at 4

    def pass_on():
        given = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read[0], to_write[1])]
        os.dup2(given[0], 3)
        os.dup2(given[1], 4)

    process = subprocess.Popen(
        [CHROMIUM, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=pass_on,
        close_fds=False,
        start_new_session=True,
    )
    os.close(to_read[0])
    os.close(to_write[1])
    try:
        yield Page(to_write[0], to_read[1])
    finally:
        os.close(to_read[1])  # it ends when nobody steers it any more
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(to_write[0])

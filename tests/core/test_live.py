"""`guide run --live`: a real server on loopback, real clients, a real browser."""

import http.client
import importlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from guide.clock import VirtualClock
from guide.errors import UsageError
from guide.live import Live, encoding
from guide.live.encoding import Encoder, best_encoder
from guide.live.newest import Newest
from guide.live.picture import Pictures
from guide.live.server import Handler
from guide.loop import Loop
from guide.resources import Sampler
from guide.run import Failure, Run
from tests.core.browser import CHROMIUM, FLAGS, browser

MS = 1_000_000
NOISE = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)  # half a megabyte


def until(condition):
    """Wait for what another thread or process does."""
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return found


def make_run(tmp_path, take=None, rate_hz=10.0):
    run = Run(Loop(rate_hz, clock=VirtualClock()), project=tmp_path, folder=tmp_path)
    if take is not None:
        run.picture(take, "a caption")
    return run


class TestNewest:
    def test_who_is_slow_misses_values_and_gets_the_newest(self):
        newest = Newest()
        for value in "abc":
            newest.put(value)
        assert newest.get() == (3, "c")
        assert newest.get(3, timeout_s=0) == (3, None)

    def test_nobody_looks_before_somebody_does(self):
        newest = Newest()
        assert not newest.wanted(0)
        with newest.looking(), newest.looking():
            assert newest.lookers == 2
            assert newest.wanted()
        assert newest.lookers == 0

    def test_the_last_value_is_the_last(self):
        newest = Newest()
        newest.close("last")
        newest.put("late")
        assert newest.get() == (1, "last")
        assert newest.get(1) == (1, None)  # and nobody waits for another
        assert not newest.wanted()


class Eye:
    """Somebody who looks at a run's picture, with the loop's thread in the hands of the test."""

    def __init__(self, tmp_path, rate_hz=10.0, cost_ns=0):
        self.looks = 0
        self.cost_ns = cost_ns
        self.run = make_run(tmp_path, self.take, rate_hz)
        self.clock = self.run.clock
        self.pictures = Pictures(self.run, Encoder("test", "x/y", lambda image: image.tobytes()))
        self.pictures.start()

    def take(self):
        self.looks += 1
        self.clock.advance(self.cost_ns)
        return NOISE

    def asked(self):
        until(lambda: self.pictures.asked)
        return self


class TestTaking:
    """When the loop's thread gives a picture: exact, on a virtual clock."""

    def test_not_at_all_while_nobody_looks(self, tmp_path):
        eye = Eye(tmp_path)
        for _ in range(100):
            assert not eye.pictures.between(10**9)
            eye.clock.advance(100 * MS)
        assert (eye.looks, eye.pictures.encoded) == (0, 0)
        eye.pictures.close()

    def test_in_time_that_is_left(self, tmp_path):
        eye = Eye(tmp_path, cost_ns=3 * MS)
        with eye.pictures.newest.looking():
            eye.asked().pictures.between(50 * MS)
            number, data = eye.pictures.newest.get()
            assert (number, data) == (1, NOISE.tobytes())
        eye.pictures.close()

    def test_with_no_time_left_once_a_second(self, tmp_path):
        eye = Eye(tmp_path, cost_ns=3 * MS)
        with eye.pictures.newest.looking():
            assert eye.asked().pictures.between(0)  # the first at once: none was taken for long
            eye.asked()
            for _ in range(99):
                eye.clock.advance(10 * MS)
                assert not eye.pictures.between(1 * MS)
            eye.clock.advance(10 * MS)
            assert eye.pictures.between(1 * MS)
        assert eye.looks == 2
        eye.pictures.close()

    def test_a_loop_that_runs_free_gives_a_fiftieth_of_its_time(self, tmp_path):
        eye = Eye(tmp_path, rate_hz=None, cost_ns=6 * MS)
        with eye.pictures.newest.looking():
            assert eye.asked().pictures.between(0)
            eye.asked()  # it is taken to cost 4 ms: half of what was guessed, half of what it was
            eye.clock.advance(200 * MS - 1)
            assert not eye.pictures.between(0)
            eye.clock.advance(1)
            assert eye.pictures.between(0)
        eye.pictures.close()

    def test_what_is_encoded_is_a_copy(self, tmp_path):
        eye = Eye(tmp_path)
        image = np.zeros((4, 4, 3), np.uint8)
        eye.run.picture(lambda: image)
        handed = []
        done = threading.Event()

        def encode(picture):
            handed.append(picture)
            done.wait(10)
            return picture.tobytes()

        eye.pictures.encoder = Encoder("test", "x/y", encode)
        with eye.pictures.newest.looking():
            eye.asked().pictures.between(10**9)
            image[:] = 255  # the task goes on
            until(lambda: handed)
            done.set()
            assert eye.pictures.newest.get()[1] == bytes(48)
        eye.pictures.close()

    def test_a_picture_that_fails_is_a_note_and_not_asked_for_again(self, tmp_path):
        eye = Eye(tmp_path)
        eye.run.picture(lambda: 1 / 0)
        with eye.pictures.newest.looking():
            for _ in range(5):
                eye.pictures.between(10**9)
            eye.asked().pictures.between(10**9)
        assert len(eye.run.notes) == 1
        assert "ZeroDivisionError" in eye.run.notes[0]
        assert not eye.run.has_picture
        eye.pictures.close()

    def test_a_large_picture_is_copied_in_part(self, tmp_path):
        eye = Eye(tmp_path)
        eye.run.picture(lambda: np.zeros((2160, 3840, 3), np.uint8))
        shapes = []
        eye.pictures.encoder = Encoder("test", "x/y", lambda p: shapes.append(p.shape) or b"x")
        with eye.pictures.newest.looking():
            eye.asked().pictures.between(10**9)
            eye.pictures.newest.get()
        assert shapes == [(720, 1280, 3)]
        eye.pictures.close()


class TestEncoding:
    @pytest.mark.parametrize("missing", [(), ("cv2",), ("cv2", "PIL.Image")])
    @pytest.mark.parametrize("shape", [(720, 1280, 3), (720, 1280), (48, 64, 4), (2000, 10, 3)])
    def test_the_best_that_is_installed_makes_a_small_picture(self, monkeypatch, missing, shape):
        real = importlib.import_module

        def import_module(name):
            if name in missing:
                raise ImportError(name)
            return real(name)

        monkeypatch.setattr(encoding.importlib, "import_module", import_module)
        encoder = best_encoder()
        image = np.zeros(shape, np.uint8)
        image[..., : 1 if image.ndim == 3 else None] = 200  # red
        seen = Image.open(BytesIO(encoder.encode(image)))
        assert seen.get_format_mimetype() == encoder.mime
        assert encoder.mime == ("image/png" if "PIL.Image" in missing else "image/jpeg")
        assert seen.width <= 640
        assert seen.height <= 960
        assert seen.width <= shape[1]
        r, _, b = seen.convert("RGB").getpixel((0, 0))
        assert abs(r - 200) < 12
        assert (b < 12) == (image.ndim == 3)


class View:
    """A live view on a free port, with the test, or a thread, as its loop."""

    def __init__(self, tmp_path, take=lambda: NOISE, project="demo"):
        self.run = make_run(tmp_path, take)
        self.live = Live()
        self.port = self.live.port
        self.live.show(project, "vision", self.run, Sampler([], self.run.clock.now_ns))
        self.turns = 0
        self._done = threading.Event()
        self._loop = threading.Thread(target=self._turn)

    def _turn(self):
        while not self._done.wait(0.001):
            self.live.between(10**9)
            self.turns += 1

    def start(self):
        self._loop.start()
        return self

    def close(self):
        self._done.set()
        if self._loop.is_alive():
            self._loop.join()
        self.live.close()

    def ask(self, path="/", method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body

    def look(self):
        """Begin to watch the picture."""
        return Watching(self.port)


class Watching:
    """A client of /video that takes part after part."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(b"GET /video HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.file = self.socket.makefile("rb")
        assert b"200" in self.file.readline()
        self._head()
        assert self.file.readline() == b"--a-picture\r\n"

    def _head(self):
        lines = iter(self.file.readline, b"\r\n")
        return dict(line.decode().strip().split(": ", 1) for line in lines)

    def next(self):
        """The next picture; what ends it has come as well, so a browser would show it."""
        head = self._head()
        data = self.file.read(int(head["Content-Length"]))
        assert self.file.read(len(b"\r\n--a-picture\r\n")) == b"\r\n--a-picture\r\n"
        return head["Content-Type"], data

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def view(tmp_path, monkeypatch):
    monkeypatch.setattr("guide.live._LISTENS_S", 0.005)  # dozens of them are closed here
    opened = []

    def open_view(**about):
        opened.append(View(tmp_path, **about))
        return opened[-1]

    yield open_view
    for one in opened:
        one.close()


class TestServer:
    def test_the_page_holds_all_it_needs(self, view):
        answer, body = view(project="<demo>").ask()
        page = body.decode()
        assert answer.status == 200
        assert "<title>&lt;demo&gt;</title>" in page
        outside = re.sub(r"http://www\.w3\.org/2000/svg", "", page)
        assert "http:" not in outside
        assert "https:" not in outside
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        (first,) = re.findall(r'id="first">(.*?)</script>', page)
        assert json.loads(first)["project"] == "<demo>"

    def test_the_figures_are_json_whatever_was_logged(self, view):
        one = view()
        for value in (1.5, float("nan"), float("inf")):
            one.run.log("loss", value)
        one.run.log("age", 0.25, "s")
        for _ in one.run.loop:
            one.run.clock.advance(30 * MS)
            if one.run.loop.log.count == 3:
                one.run.clock.advance(100 * MS)
            if one.run.loop.log.count == 5:
                one.run.stop("done")
        answer, body = one.ask("/stats")
        figures = json.loads(body, parse_constant=lambda name: pytest.fail(name))
        assert answer.headers["Content-Type"] == "application/json"
        assert figures["budget"] == "100 ms"
        assert figures["verdict"][0].startswith("1 of 6 ticks")
        assert figures["ticks"]["ms"] == [30, 30, 30, 130, 30, 30]
        assert figures["ticks"]["missed"] == [0, 0, 0, 1, 0, 0]
        assert figures["spans"][0]["text"][1:] == ["130 ms", "30 ms"]
        assert sum(n for _, n in figures["causes"]) == 1
        loss, age = figures["series"]
        assert (loss["text"], loss["values"]) == ("inf", [1.5, None, None])
        assert (age["name"], age["text"]) == ("age", "250 ms")

    def test_many_ticks_are_drawn_in_few_columns_and_no_miss_is_lost(self, view):
        one = view()
        one.run.loop.log.budget_ns = 5 * MS
        for i in range(20_000):
            work = 9 * MS if i == 19_000 else 1 * MS
            one.run.loop.log.add(i * MS, i * MS, i * MS + work, 0)
        ticks = one.live.stats.now()["ticks"]
        assert len(ticks["ms"]) <= 241
        assert sum(ticks["missed"]) == 1
        assert max(ticks["ms"]) == 9

    @pytest.mark.parametrize("path", ["/nothing", "/../etc/passwd", "/stats/"])
    def test_there_is_nothing_else(self, view, path):
        assert view().ask(path)[0].status == 404

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
    def test_it_steers_nothing(self, view, method):
        answer, _ = view().ask("/", method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")

    @pytest.mark.parametrize("path", ["/", "/stats", "/video", "/events", "/picture"])
    def test_a_head_is_all_that_head_gets(self, view, path):
        answer, body = view().start().ask(path, "HEAD")
        assert (answer.status, body) == (200, b"")

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "localhost.evil:1"],
    )
    def test_a_name_that_is_not_this_machine_s_is_refused(self, view, host):
        assert view().ask(Host=host)[0].status == 403

    @pytest.mark.parametrize(
        "host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]", "[::1]:9"]
    )
    def test_any_port_of_this_machine_is_let_in_for_tunnels(self, view, host):
        assert view().ask(Host=host)[0].status == 200

    def test_another_site_s_page_cannot_take_the_picture(self, view):
        one = view()
        assert one.ask("/video", Sec_Fetch_Site="cross-site")[0].status == 403
        link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
        assert one.ask("/", **link)[0].status == 200

    def test_a_project_without_a_picture_has_figures(self, view):
        one = view(take=None)
        assert one.ask("/picture")[0].status == 404
        assert json.loads(one.ask("/stats")[1])["picture"] is False

    def test_a_port_that_is_taken_is_usage(self, view):
        port = view().port
        with pytest.raises(UsageError, match=f"port {port} is taken.*guide run --live"):
            Live(port)

    def test_it_says_how_to_get_there_from_where_one_sits(self, view, monkeypatch):
        one = view()
        monkeypatch.delenv("SSH_CONNECTION", raising=False)
        assert one.live.line == f"live    http://127.0.0.1:{one.port}/"
        monkeypatch.setenv("SSH_CONNECTION", "10.0.0.2 5000 10.0.0.1 22")
        assert one.live.line.endswith(f"ssh -L {one.port}:127.0.0.1:{one.port} 10.0.0.1)")


class TestManyWhoLook:
    def test_nothing_is_made_while_nobody_looks(self, view):
        one = view().start()
        composed = one.live.figures.number
        until(lambda: one.turns > 100)
        assert (one.live.pictures.taken, one.live.pictures.encoded) == (0, 0)
        assert one.live.figures.number == composed == 0

    def test_it_stops_when_the_last_one_has_gone(self, view):
        one = view().start()
        watching = one.look()
        watching.next()
        watching.close()
        until(lambda: one.live.pictures.newest.lookers == 0)
        until(lambda: one.live.pictures.asked or not one.live.pictures.newest.lookers)
        taken = one.live.pictures.taken
        turns = one.turns
        until(lambda: one.turns > turns + 100)
        assert one.live.pictures.taken == taken

    def test_two_get_the_same_bytes_encoded_once(self, view):
        one = view()
        watching = [one.look(), one.look()]
        until(lambda: one.live.pictures.newest.lookers == 2)
        until(lambda: one.live.pictures.asked)
        one.live.between(10**9)
        (kind, first), (_, second) = (w.next() for w in watching)
        assert kind == one.live.pictures.encoder.mime
        assert first == second
        assert Image.open(BytesIO(first)).size == (640, 480)
        assert one.live.pictures.encoded == 1
        for w in watching:
            w.close()

    def stalled(self, port):
        """A client that asks for the picture and takes nothing of it."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /video HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client

    def test_one_that_takes_nothing_holds_up_neither_the_loop_nor_another(self, view, monkeypatch):
        monkeypatch.setattr(Handler, "timeout", 600)  # it stays for all of the test
        one = view().start()
        stalled = self.stalled(one.port)
        until(lambda: one.live.pictures.newest.lookers == 1)
        watching = one.look()
        until(lambda: one.live.pictures.newest.lookers == 2)
        turns = one.turns
        pictures = [watching.next()[1] for _ in range(15)]
        # Far more than fits between server and client: the stalled one's thread waits since long.
        assert sum(map(len, pictures)) > 2_000_000
        assert one.live.pictures.newest.lookers == 2
        assert one.turns > turns + len(pictures)
        watching.close()
        stalled.close()
        until(lambda: one.live.pictures.newest.lookers == 0)

    def test_one_that_takes_nothing_is_let_go(self, view, monkeypatch):
        monkeypatch.setattr(Handler, "timeout", 0.2)
        one = view().start()
        stalled = self.stalled(one.port)
        until(lambda: one.live.pictures.newest.lookers == 1)
        until(lambda: one.live.pictures.newest.lookers == 0)
        assert one.run.notes == []
        stalled.close()

    def test_one_that_leaves_in_the_middle_of_a_picture_is_no_error(self, view, capfd):
        one = view().start()
        for _ in range(3):
            watching = one.look()
            watching.file.read(1000)
            watching.close()
        until(lambda: one.live.pictures.newest.lookers == 0)
        assert one.ask("/stats")[0].status == 200
        assert one.run.notes == []
        assert capfd.readouterr() == ("", "")

    def test_there_is_room_for_so_many(self, view):
        one = view()
        held = [socket.create_connection(("127.0.0.1", one.port), timeout=30) for _ in range(32)]
        for each in held:
            each.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: one.live.figures.lookers == 32)
        with pytest.raises((ConnectionError, http.client.BadStatusLine)):
            one.ask("/stats")
        for each in held:
            each.close()
        until(lambda: one.live.figures.lookers == 0)
        assert one.ask("/stats")[0].status == 200

    def test_all_learn_how_it_ended(self, view, tmp_path):
        one = view()
        streams = []
        for _ in range(2):
            connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=30)
            connection.request("GET", "/events")
            streams.append(connection.getresponse())
        until(lambda: one.live.figures.lookers == 2)
        one.run.stop("end of the clip")
        one.live.end(tmp_path / "report.html")
        for stream in streams:
            last = stream.read().decode().strip().split("\n\n")[-1]
            outcome = json.loads(last.removeprefix("data: "))["outcome"]
            assert outcome == {
                "state": "ended",
                "text": "The run has ended: end of the clip.",
                "report": str(tmp_path / "report.html"),
            }
        with pytest.raises(ConnectionError):
            one.ask()

    def test_a_run_that_never_began_has_no_report(self, view, tmp_path):
        one = view()
        one.run.failure = Failure("no camera", "", "plug it in", "")
        one.live.end(tmp_path / "report.html")
        assert one.live.stats.outcome == {
            "state": "failed",
            "text": "The run failed: no camera; plug it in",
            "report": "",
        }


PICTURE = """
run.picture(lambda: np.full((90, 160, 3), [200, 30, 30], np.uint8), "all red")
run.fact("backend", "<img src=x onerror=document.title=1>")
"""


class TestCommand:
    """The real command, in a process of its own."""

    def began(self, process):
        """Its port, once it has said where it is."""
        lines = iter(process.stdout.readline, "")
        said = next(line for line in lines if line.startswith("live"))
        assert re.fullmatch(r"live    http://127\.0\.0\.1:\d+/.*\n", said)
        port = int(re.search(r":(\d+)/", said)[1])
        threading.Thread(target=lambda: list(lines), daemon=True).start()
        return port

    def test_it_shows_the_run_and_its_end_and_a_browser_that_stays_keeps_nothing(
        self, make_project, start_guide
    ):
        step = "run.log('loss', tick.index)\nwith tick.span('work'):\n    pass"
        project = make_project(step, start_code=PICTURE, head="import numpy as np")
        process = start_guide("run", "--live", cwd=project.path, SSH_CONNECTION="")
        port = self.began(process)
        watching = Watching(port)
        events = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        events.request("GET", "/events")
        stream = events.getresponse()
        for _ in range(5):
            _, data = watching.next()
        r, g, b = Image.open(BytesIO(data)).convert("RGB").getpixel((80, 45))
        assert max(abs(r - 200), abs(g - 30), abs(b - 30)) < 12
        events_so_far = (line for line in iter(stream.readline, b"") if line.startswith(b"data: "))
        states = (json.loads(line.removeprefix(b"data: "))["state"] for line in events_so_far)
        assert next(state for state in states if state != "starting") == "running"
        process.send_signal(signal.SIGINT)
        last = [line for line in stream.read().splitlines() if line][-1]
        outcome = json.loads(last.removeprefix(b"data: "))["outcome"]
        assert outcome["text"] == "The run has ended: somebody ended it."
        assert outcome["report"] == str(project.runs[-1] / "report.html")
        assert process.wait(30) == 0  # `watching` is still connected
        assert project.record["status"] == "finished"
        assert "live picture" in project.record["spans"]
        watching.close()

    def test_a_run_that_is_paused_is_seen_from_the_start(self, make_project, start_guide):
        project = make_project(
            "run.loop.pause()", start_code=PICTURE, head="import numpy as np"
        )  # after its first tick, before anybody looks
        port = self.began(start_guide("run", "--live", cwd=project.path))
        until(lambda: json.loads(ask(port, "/stats"))["state"] == "paused")
        assert Image.open(BytesIO(ask(port, "/picture"))).size == (160, 90)
        assert json.loads(ask(port, "/stats"))["tick"] == "1"

    def test_a_run_that_fails_says_so(self, make_project, start_guide, tmp_path):
        go = tmp_path / "go"
        step = f"if Path({str(go)!r}).exists():\n    1 / 0  # here"
        project = make_project(step)
        process = start_guide("run", "--live", cwd=project.path)
        events = http.client.HTTPConnection("127.0.0.1", self.began(process), timeout=30)
        events.request("GET", "/events")
        stream = events.getresponse()
        stream.readline()
        go.touch()
        last = [line for line in stream.read().splitlines() if line][-1]
        figures = json.loads(last.removeprefix(b"data: "))
        assert figures["state"] == "failed"
        assert f"{project.line_of('# here')} in step: ZeroDivision" in figures["outcome"]["text"]
        assert process.wait(30) == 1

    def test_a_port_that_is_taken_or_none_is_one_line_and_nothing_runs(self, make_project, guide):
        project = make_project()
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            done = guide("run", "--live-port", port, "--ticks", 1, cwd=project.path)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"guide: port {port} is taken")
        assert line.endswith("guide run --live finds a free one")
        for port in ("70000", "0", "x"):
            done = guide("run", "--live-port", port, cwd=project.path)
            assert done.returncode == 2
            assert len(done.stderr.splitlines()) == 1
        assert project.runs == []
        assert not (project.path / "runs").exists()

    def test_a_port_that_was_chosen_is_the_one(self, make_project, guide):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            port = other.getsockname()[1]
        done = guide("run", "--live-port", port, "--ticks", 2, cwd=make_project().path)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"live    http://127.0.0.1:{port}/" in done.stdout

    def test_who_does_not_ask_for_it_imports_no_server(self):
        code = "import guide.cli.run, sys; print({'http.server', 'guide.live'} & {*sys.modules})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.skipif(not CHROMIUM, reason="no chromium here to look at the page with")
class TestInABrowser:
    @pytest.fixture
    def page(self, tmp_path):
        with browser(tmp_path / "profile") as page:
            yield page

    @pytest.fixture
    def running(self, make_project, start_guide):
        step = "run.log('age', tick.index, 'ms')\nwith tick.span('<b>work</b>'):\n    pass"
        project = make_project(step, start_code=PICTURE, head="import numpy as np")
        process = start_guide("run", "--live", cwd=project.path)
        port = TestCommand().began(process)
        until(lambda: json.loads(ask(port, "/stats"))["tick"] != "0")
        return process, f"http://127.0.0.1:{port}/", project

    def colours(self, png):
        seen = np.asarray(Image.open(BytesIO(png)).convert("RGB"))
        return len(np.unique(seen.reshape(-1, 3), axis=0)), seen

    def test_it_shows_picture_and_figures_as_they_come_and_the_end(self, page, running):
        process, url, project = running
        page.open(url)
        page.until("document.getElementById('state')?.textContent == 'running'")
        page.until("document.querySelector('#see img').naturalWidth == 160")
        before = page.get("document.getElementById('sub').textContent")
        page.until(f"document.getElementById('sub').textContent != {before!r}")
        assert page.get("document.title") == "demo"
        text = page.get("document.body.innerText")
        for words in ("all red", "<b>work</b>", "age", "of 200 Hz", "<img src=x"):
            assert words in text
        count, seen = self.colours(page.screenshot())
        assert count > 50
        red = (np.abs(seen.astype(int) - [200, 30, 30]).max(axis=2) < 12).mean()
        assert red > 0.05  # the picture itself, not the place for it
        process.send_signal(signal.SIGINT)
        page.until("document.getElementById('state').textContent == 'ended'")
        assert process.wait(30) == 0
        text = page.get("document.body.innerText")
        assert str(project.runs[-1] / "report.html") in text
        assert page.get("document.querySelector('#see img').src").startswith("data:image/png")

    def test_it_says_that_a_run_was_killed(self, page, running):
        process, url, _ = running
        page.open(url)
        page.until("document.getElementById('state')?.textContent == 'running'")
        process.kill()
        page.until("document.getElementById('state').textContent == 'no answer'")

    @pytest.mark.parametrize("dark", [False, True])
    def test_it_fits_a_telephone_by_day_and_by_night(self, page, running, dark):
        page.open(running[1], width=380, height=800, dark=dark)
        page.until("document.querySelector('#see img')?.naturalWidth == 160")
        assert page.get("document.documentElement.scrollWidth") <= 380
        _, seen = self.colours(page.screenshot())
        assert (seen[2, 2].mean() < 60) == dark

    def test_still_it_ends_loading(self, running, tmp_path):
        flags = [*FLAGS, f"--user-data-dir={tmp_path / 'p'}"]
        url = f"{running[1]}?still"
        command = [CHROMIUM, *flags, "--dump-dom", url]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
        assert 'class="state running"' in dom
        assert "&lt;b&gt;work&lt;/b&gt;" in dom
        shot = tmp_path / "shot.png"
        command = [CHROMIUM, *flags, f"--screenshot={shot}", url]
        subprocess.run(command, capture_output=True, timeout=120, check=True)
        assert self.colours(shot.read_bytes())[0] > 50


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    try:
        return connection.getresponse().read()
    finally:
        connection.close()

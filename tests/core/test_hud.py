import re

import pytest

from guide.clock import VirtualClock
from guide.hud import Screen, Watcher, bar, budget_bar, cells, cut
from guide.keys import HINT
from guide.loop import Loop
from guide.resources import Reading, Sampler, Usage
from guide.run import Run, drive

SGR = re.compile(r"\x1b\[[0-9;]*m")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class TestBars:
    @pytest.mark.parametrize(
        ("share", "text"),
        [(0, "    "), (1, "████"), (0.5, "██  "), (1 / 32, "▏   "), (-1, "    "), (9, "████")],
    )
    def test_a_bar_is_filled_to_its_share_in_eighths(self, share, text):
        assert bar(share, 4) == text

    def test_without_blocks_it_is_drawn_in_ascii(self):
        assert bar(0.5, 4, unicode=False) == "##  "
        assert budget_bar(8, 12, 16, 20, unicode=False).isascii()

    @pytest.mark.parametrize("width", [0, 1, 6, 40])
    @pytest.mark.parametrize(
        "times", [(0, 0, 1), (1, 2, 4), (10**12, 10**13, 1), (0, 10**9, 10**9)]
    )
    def test_no_bar_is_wider_than_it_was_told(self, width, times):
        assert len(bar(times[0] / times[2], width)) == width
        if width:
            assert len(budget_bar(*times, width)) == width


class Task:
    def __init__(self, cost_ns, names=("work",), series=None):
        self.cost_ns, self.names, self.series = cost_ns, names, series or {}

    def start(self, run):
        self.run = run

    def step(self, tick):
        for name in self.names:
            with tick.span(name):
                self.run.clock.advance(self.cost_ns)
        for name, (value, unit) in self.series.items():
            self.run.log(name, value, unit)

    def close(self):
        pass


class Machine:
    def __init__(self):
        self.n = 0.0

    def start(self):
        pass

    def read(self):
        self.n += 0.5
        return Usage(
            (
                Reading("cpu", self.n, "s", "total", "clock"),
                Reading("memory", 212e6, "B", "level", "statm"),
                Reading("energy.cpu", self.n, "J", "total", "model", self.n / 2, self.n * 2),
                Reading("energy.package-0", self.n, "J", "total", "rapl"),
            )
        )


@pytest.fixture
def screen(tmp_path):
    def make(
        task, *, colour=False, unicode=True, meters=(), samples=3, keys=False, budgets=tuple, **loop
    ):
        clock = VirtualClock()
        run = Run(
            Loop(**{"rate_hz": 60, "ticks": 20, "clock": clock, **loop}),
            project=tmp_path,
            folder=tmp_path,
        )
        drive(task, run)
        sampler = Sampler(meters, clock.now_ns)
        for _ in range(samples):
            clock.advance(500_000_000)
            sampler.sample()
        return Screen(
            "demo, none",
            run,
            sampler,
            colour=colour,
            unicode=unicode,
            keys=keys,
            budgets=budgets,
        )

    return make


def widths(lines):
    return [len(SGR.sub("", line)) for line in lines]


@pytest.mark.parametrize("width", [10, 20, 30, 39, 60, 79, 120, 300])
@pytest.mark.parametrize("cost_ns", [0, 1_234, 999_600_000, 3_600 * 10**9])
@pytest.mark.parametrize("colour", [True, False])
def test_no_line_is_wider_than_it_was_told(screen, width, cost_ns, colour):
    names = ["a", "a name that is longer than its column"]
    series = {f"series {i}": (123456.789, "tokens/s") for i in range(9)}
    made = screen(Task(cost_ns, names, series), colour=colour, meters=[Machine()])
    lines = made.lines(width)
    assert max(widths(lines)) <= width
    for line in lines:  # what is switched on is switched off, also where a line was cut
        assert not SGR.findall(line) or SGR.findall(line)[-1] == "\x1b[0m"
        assert "\x1b" not in SGR.sub("", line)


def test_it_says_rate_deadline_spans_machine_and_values(screen):
    task = Task(5_000_000, ["detect", "draw"], {"loss": (2.5, ""), "latency": (12.0, "ms")})
    text = "\n".join(screen(task, meters=[Machine()]).lines(100))
    for words in (
        "demo, none  tick 20",
        "of 60 Hz",
        "p50 10",
        "of 16.7 ms",
        "0 of 20",
        "detect",
        "draw",
        "cpu 100 %",
        "memory 212 MB",
        "0.5 to 2.0 W (model)",
        "1 W (rapl)",
        "loss 2.50, latency 12 ms",
        "Ctrl-C ends the run",
    ):
        assert words in text


def test_missed_deadlines_and_skipped_slots_are_said(screen):
    lines = screen(Task(40_000_000)).lines(100)
    assert any("20 of 20: over budget: work 20; 38 slots skipped" in line for line in lines)


def test_the_log_line_says_why_deadlines_were_missed(screen):
    assert "missed 20 (over budget: work 20)" in screen(Task(40_000_000)).log_line()


def budget(used, low=None, high=None, name="energy"):
    bounds = {"low": low, "high": high}
    return {"name": name, "limit": 100.0, "unit": "J", "used": used, "source": "model", **bounds}


@pytest.mark.parametrize(
    ("used", "colour"), [(79, "32"), (80, "33"), (99, "33"), (100, "31"), (150, "31")]
)
def test_a_budget_is_amber_from_80_percent_and_red_when_it_is_spent(screen, used, colour):
    made = screen(Task(1_000), colour=True, budgets=lambda: [budget(used)])
    (line,) = [line for line in made.lines(100) if "of 100 J" in line]
    assert f"\x1b[{colour}m" in line
    assert f"{used} J of 100 J" in line


def test_of_a_budget_that_is_only_bounded_the_bounds_are_shown_and_the_upper_one_counts(screen):
    made = screen(Task(1_000), colour=True, budgets=lambda: [budget(50, 20, 90)])
    (line,) = [line for line in made.lines(100) if "of 100 J" in line]
    assert "20 to 90 J of 100 J" in line
    assert "\x1b[33m" in line


def test_a_pause_and_another_speed_are_said(screen):
    made = screen(Task(1_000))
    assert "paused" not in made.lines(100)[0]
    made._run.loop.speed = 0.5
    assert "time at 0.5 x" in made.lines(100)[0]
    made._run.loop.pause()
    assert "paused" in made.lines(100)[0]


def test_the_keys_are_named_where_somebody_reads_them(screen):
    assert screen(Task(1_000), keys=True).lines(100)[-1] == HINT
    assert "Ctrl-C" in screen(Task(1_000)).lines(100)[-1]


@pytest.mark.parametrize(
    ("text", "wide"),
    [("abc", 3), ("µs", 2), ("█▏", 2), ("検出", 4), ("e\u0301", 1), ("🦆", 2), ("", 0)],
)
def test_a_wide_character_takes_two_cells_and_a_combining_one_none(text, wide):
    assert cells(text) == wide


@pytest.mark.parametrize("width", [-1, 0, 1, 2, 3, 7, 100])
@pytest.mark.parametrize("text", ["plain", "検出 detect", "e\u0301" * 9, "a\nb\x1b[2Jc", "🦆🦆🦆"])
def test_what_is_cut_fits_and_cannot_move_the_cursor(text, width):
    shown = cut(text, width)
    assert cells(shown) <= max(width, 0)
    assert shown.isprintable()


@pytest.mark.parametrize("width", [10, 25, 40, 80])
def test_names_in_any_script_do_not_make_a_line_too_wide(screen, width):
    names = ["検出と追跡と描画の段階", "line\nend", "🦆" * 20]
    made = screen(
        Task(40_000_000, names, {"損失": (1.5, "")}), budgets=lambda: [budget(9, name="🦆" * 9)]
    )
    for line in made.lines(width):
        assert cells(line) <= width
        assert line.isprintable()


def test_running_free_no_deadline_is_made_up(screen):
    text = "\n".join(screen(Task(1_000), rate_hz=None).lines(80))
    assert "free-running" in text
    assert "no deadline set" in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_any_more_is_shown(screen, value):
    made = screen(Task(1_000, series={"loss": (value, "")}))
    assert f"loss {value}" in "\n".join(made.lines(100))
    assert f"loss {value}" in made.log_line()


@pytest.mark.parametrize("samples", [0, 1])
def test_before_there_are_two_samples_it_says_that_it_measures(screen, samples):
    made = screen(Task(1_000), meters=[Machine()], samples=samples)
    assert "measuring ..." in made.log_line()


def test_without_blocks_the_bars_are_ascii(screen):
    lines = screen(Task(1_000_000), unicode=False).lines(80)
    assert not any(c in "".join(lines) for c in "█▏▒│")


def test_the_log_line_has_no_escape_codes_and_no_line_ends(screen):
    line = screen(Task(1_000_000, series={"a": (1.0, "")}), colour=True).log_line()
    assert "\x1b" not in line
    assert "\n" not in line


def test_a_reader_that_has_gone_ends_the_display_and_not_the_run(screen):
    class Gone:
        def isatty(self):
            return False

        def write(self, text):
            raise BrokenPipeError

    watcher = Watcher(screen(Task(1_000)), Gone())
    watcher.start()
    watcher.stop()


STEP = """
with tick.span("a span of a very long name"):
    time.sleep(0.002)
run.log("loss", 1.5)
run.log("a series of a very long name", 123456.7, "tokens/s")
"""


def painted(output):
    """The lines that were painted, without their escape codes."""
    return [ESCAPE.sub("", line).rstrip("\r") for line in output.split("\n")]


class TestOnATerminal:
    @pytest.mark.parametrize("columns", [80, 40])
    def test_no_line_of_the_display_is_wider_than_the_terminal(
        self, make_project, terminal, columns
    ):
        project = make_project(STEP)
        shown = terminal("run", "--seconds", "0.7", cwd=project.path, columns=columns)
        live = shown.read_until().partition("starting ...")[2].rpartition("machine  ")[0]
        assert live.count("rate") >= 2
        assert max(map(len, painted(live))) < columns
        assert shown.process.wait() == 0

    def test_it_is_painted_over_and_not_scrolled(self, make_project, terminal):
        project = make_project(STEP)
        shown = terminal("run", "--seconds", "0.7", cwd=project.path)
        live = shown.read_until().partition("starting ...")[2].rpartition("machine  ")[0]
        frames = re.split(r"\x1b\[\d+F", live)
        ups = [int(n) for n in re.findall(r"\x1b\[(\d+)F", live)]
        assert len(ups) >= 2
        for up, frame in zip(ups, frames, strict=False):
            assert frame.lstrip("\r\n").count("\n") == up

    def test_on_a_low_terminal_it_shows_no_more_lines_than_there_are(self, make_project, terminal):
        project = make_project(STEP)
        shown = terminal("run", "--seconds", "0.5", cwd=project.path, rows=5)
        ups = [int(n) for n in re.findall(r"\x1b\[(\d+)F", shown.read_until())]
        assert ups
        assert max(ups) <= 4

    def test_colours_are_used_and_no_color_is_honoured(self, make_project, terminal):
        project = make_project(STEP)
        plain = terminal("run", "--seconds", "0.5", cwd=project.path, NO_COLOR="1").read_until()
        assert "\x1b[" in plain
        assert not SGR.search(plain)
        assert SGR.search(terminal("run", "--seconds", "0.3", cwd=project.path).read_until())

    @pytest.mark.parametrize("command", ["tracks", "contents", "doctor --quick", "nonsense", ""])
    def test_no_color_is_honoured_by_every_command(self, terminal, command):
        assert not SGR.search(terminal(*command.split(), NO_COLOR="1").read_until())

    def test_a_dumb_terminal_gets_plain_lines(self, make_project, terminal):
        project = make_project(STEP)
        shown = terminal("run", "--seconds", "0.3", cwd=project.path, TERM="dumb", NO_COLOR="1")
        assert "\x1b" not in shown.read_until()

    def test_ctrl_c_on_the_keyboard_ends_the_run_and_makes_its_report(self, make_project, terminal):
        project = make_project(STEP)
        shown = terminal("run", cwd=project.path)
        shown.read_until("machine  ")
        shown.type("\x03")
        assert "report.html" in shown.read_until()
        assert shown.process.wait() == 0
        assert project.record["ended"] == "interrupted"

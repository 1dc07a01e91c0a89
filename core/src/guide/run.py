"""A run: what a task is handed, and the driver that turns a task and a loop into a record."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from guide.clock import unix_anchor
from guide.errors import GuideError
from guide.loop import Loop, Tick, warm_up

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from guide.clock import Clock
    from guide.timing import Timeline

T = TypeVar("T")

_KEEP = 50_000  # values of a series held at full resolution before it is thinned


class Task(Protocol):
    """What a project supplies: one object that is started, stepped once a tick, and closed."""

    def start(self, run: Run) -> None:
        """Open what is needed, load, compile, warm up: the clock of the loop does not run yet."""
        ...

    def step(self, tick: Tick) -> None:
        """Do the work of one tick: one frame, one training step."""
        ...

    def close(self) -> None:
        """Release everything. Called once, also when `start` got only half-way or `step` raised."""
        ...


class Series:
    """Values of one quantity over the ticks of a run, or over steps that its task counts."""

    def __init__(self, unit: str, axis: str = "tick") -> None:
        self.unit = unit
        self.axis = axis  # what `ticks` counts: "tick" or "step"
        self.ticks: list[int] = []
        self.values: list[float] = []
        self.stride = 1  # every how many-th value is kept: doubled when the series is full
        self.seen = 0

    def add(self, tick: int, value: float) -> None:
        """Append a value; past 50,000 every second one is let go, and so on."""
        if self.seen % self.stride == 0:
            self.ticks.append(tick)
            self.values.append(value)
            if len(self.values) >= _KEEP:
                del self.ticks[1::2], self.values[1::2]
                self.stride *= 2
        self.seen += 1


class Failure(NamedTuple):
    """Why a run failed, for a person: one line, and the traceback for whoever wants it."""

    message: str
    where: str  # "my_cam/task.py:41 in step", or empty
    remedy: str
    traceback: str
    exit_code: int = 1  # what `guide run` exits with


class Run:
    """What a task sees of the run it is part of.

    Attributes:
        project: the project's folder.
        folder: where this run's record goes; a task may write files of its own there.
        options: `[tool.guide.options]` overlaid with what was typed after `--set`.
        seed: for every random choice that should come out the same again.
        clock: the loop's clock.
        timeline: where spans go; those of other threads and devices too.
    """

    def __init__(
        self,
        loop: Loop,
        *,
        project: Path,
        folder: Path,
        options: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        self.project = project
        self.folder = folder
        self.options: Mapping[str, Any] = dict(options or {})
        self.seed = seed
        self.clock: Clock = loop.clock
        self.timeline: Timeline = loop.timeline
        self.loop = loop
        self.series: dict[str, Series] = {}
        self.facts: dict[str, str | int | float] = {}
        self.notes: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.checks: dict[str, dict[int, int]] = {}  # name -> tick -> digest
        self.work: dict[str, dict[str, Any]] = {}  # span -> what it moves and computes
        self.image: NDArray[Any] | None = None  # H x W x 3 uint8, the picture as last taken
        self.caption = ""
        self.started_ns = self.ended_ns = 0  # first and last moment of the loop
        self.unix_offset_ns = 0  # what makes the clock's ns Unix time
        self.failure: Failure | None = None
        self._take: Callable[[], NDArray[Any]] | None = None

    def configure(self, cls: type[T]) -> T:
        """The options as an instance of your frozen dataclass `cls`.

        Raises:
            UsageError: for a name `cls` does not have or a value that does not fit.
        """
        from guide.options import configure

        return configure(cls, self.options)

    def log(self, name: str, value: float, unit: str = "", *, step: int | None = None) -> None:
        """Record `value` at the current tick: a loss, a latency.

        The live display shows the newest value, the report plots all of them. Series whose
        names share what stands before the dot ("loss", "loss.val") share one plot.

        Args:
            name: what it is.
            value: the value; NaN leaves a gap.
            unit: its unit, for a person.
            step: where it belongs, for a task that counts by itself: a training that went on from
                step 700 is plotted from there. A series has steps or ticks, not both.
        """
        series = self.series.get(name)
        if series is None:
            series = self.series[name] = Series(unit, "tick" if step is None else "step")
        series.add(self.timeline.tick if step is None else step, float(value))

    def check(self, name: str, value: Any) -> None:
        """Keep a digest of what this tick computed, to hold a replay to it.

        Args:
            name: what it is.
            value: a number, text, bytes, or an array of numpy; the same bits give the same digest.
        """
        kept = self.checks.setdefault(name, {})
        if len(kept) < _KEEP:
            if isinstance(value, int | float | str):
                value = repr(value).encode()
            elif hasattr(value, "tobytes"):
                value = value.tobytes()  # of an array that is not contiguous, too
            kept[self.timeline.tick] = zlib.crc32(value)

    def cost(
        self,
        span: str,
        *,
        bytes: float | None = None,
        flops: float | None = None,
        dtype: str = "f32",
    ) -> None:
        """State what one span `span` moves and computes at least; the report sets it in relation.

        "41 % of this machine's bandwidth" is this, over the time the span took, over what
        `guide machine` measured.

        Args:
            span: its name.
            bytes: read from memory and written to it.
            flops: floating-point operations; a multiply-add is two.
            dtype: "f32" or "f64", for the peak to compare with.
        """
        self.work[span] = {"bytes": bytes, "flops": flops, "dtype": dtype}

    def fact(self, name: str, value: str | int | float) -> None:
        """State something that holds for the whole run: a backend, a count of parameters."""
        self.facts[name] = value

    def note(self, text: str) -> None:
        """Say one sentence that belongs in the report."""
        self.notes.append(str(text))

    def text(self, title: str, body: str) -> None:
        """Keep a block of text for the report: a generated sample, a table."""
        self.texts.append((str(title), str(body)))

    def picture(self, take: Callable[[], NDArray[Any]], caption: str = "") -> None:
        """Name what this project has to show.

        Args:
            take: returns H x W x 3 uint8, RGB, top row first. Called on the loop's thread,
                between ticks, when somebody looks, and once before `close`.
            caption: one line that stands under it.
        """
        self._take, self.caption = take, caption

    @property
    def has_picture(self) -> bool:
        """Whether the project has something to show."""
        return self._take is not None

    def look(self) -> NDArray[Any] | None:
        """The picture as it is now, in the task's own memory, which it may reuse: copy it at once.

        On the loop's thread, between ticks. A picture that fails is a note, not a failed run, and
        is not asked for again.
        """
        if self._take is None:
            return None
        from guide.picture import checked_picture

        try:
            image = self._take()
            return None if image is None else checked_picture(image)
        except Exception as error:
            self.note(f"no picture: {type(error).__name__}: {error}")
            self._take = None
            return None

    def take_picture(self) -> None:
        """Keep the picture as it is now in `image`."""
        if self._take is not None:
            image = self.look()
            self.image = self.image if image is None else image.copy()

    @property
    def stopping(self) -> bool:
        """Whether the run is to end after this tick: whoever waits for long looks here."""
        return bool(self.loop.ended)

    def stop(self, reason: str, *, agreed: bool = False) -> None:
        """End the run after this tick; of several processes, once all of them know.

        `agreed` where all of them stop in this very tick, at the last step say.
        """
        self.loop.stop(reason, agreed=agreed)


def drive(task: Task, run: Run, *, on_start: Callable[[], Any] | None = None) -> None:
    """Start the task, step it through the loop, and close it, whatever happens.

    An error of the task does not leave this function: it is kept in `run.failure`, and all that
    was recorded up to it stays. `on_start` is called between `start` and the first tick.
    """
    run.timeline.loop_lane = run.timeline.here()  # what `start` warms up is not beside the loop
    with _kept(run, "step"):
        # Inside: an interrupt that comes in the instant between the two is kept as well.
        with _kept(run, "start"):
            task.start(run)
        if run.failure is None:
            warm_up()
            if on_start is not None:
                on_start()
            at_ns, unix_ns = unix_anchor(run.clock)
            run.unix_offset_ns = unix_ns - at_ns
            run.started_ns = run.clock.now_ns()
            try:
                # Closed by hand: the tick that raised is then logged before the record is made.
                with contextlib.closing(iter(run.loop)) as ticks:
                    for tick in ticks:
                        task.step(tick)
            except BaseException:
                run.loop.misses.keep_flight(run.loop.log.count - 1, "error")
                raise
            finally:
                run.ended_ns = run.clock.now_ns()
    with _kept(run, "close"):
        run.take_picture()
        task.close()


@contextlib.contextmanager
def _kept(run: Run, phase: str) -> Iterator[None]:
    """Keep what a phase raises; the first failure is the one that counts."""
    try:
        yield
    except KeyboardInterrupt:
        run.loop.stop("interrupted", agreed=True)  # there is no next tick to agree in
    except (Exception, SystemExit) as error:
        if phase == "start" and run.loop.ended == "interrupted":
            return  # Ctrl-C broke something off, a compiler say, that reports it in its own way
        if run.failure is None:
            run.failure = describe(error, run.project, phase)


def describe(error: BaseException, project: Path, phase: str) -> Failure:
    """Put an exception in one line, with file and line of the project's own code."""
    import traceback
    from pathlib import Path

    trace = "".join(traceback.format_exception(error))
    if isinstance(error, GuideError):
        return Failure(error.message, "", error.remedy, trace, error.exit_code)
    where = ""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(traceback.FrameSummary(error.filename, error.lineno or 0, phase))
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_absolute() and path.is_relative_to(project.resolve()):
            where = f"{path.relative_to(project.resolve())}:{frame.lineno} in {frame.name}"
            break
    text = (str(error) or "no message").splitlines()[0]
    return Failure(f"{type(error).__name__}: {text}", where, "", trace)

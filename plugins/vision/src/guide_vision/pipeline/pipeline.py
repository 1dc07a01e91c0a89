"""A pipeline: frames from a source, through stages, to whoever takes them.

    pipeline = Pipeline(source, [Detect(), Draw()], workers=2)
    pipeline.open()
    while (frame := pipeline.take()) is not None:
        show(frame.image, frame.results["detect"])
    print(pipeline.close())

A pool of slots bounds it, whatever happens: no frame is copied between stages, and nothing queues
up outside of the slots. What is done next is for `schedule.py` to say; here are the threads that
do it, the source they take turns to read, and the end of it all, which may come from five sides:
the recording ends, the camera dies, a stage raises, somebody stops the run, the consumer leaves.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence

import cv2

from guide.errors import GuideError
from guide.timing import Timeline
from guide_vision.pipeline.ages import Ages
from guide_vision.pipeline.books import Books
from guide_vision.pipeline.frame import Facts, Frame, Source
from guide_vision.pipeline.link import Link, Sample, link_for
from guide_vision.pipeline.observation import Step
from guide_vision.pipeline.opening import NotOpened, open_within
from guide_vision.pipeline.pool import Pool
from guide_vision.pipeline.process import InProcess
from guide_vision.pipeline.reconnect import Reconnecting
from guide_vision.pipeline.schedule import Job, Schedule

# What the consumer grants on top of the source's own time-out before it gives up on a thread.
_GRACE_S = 0.5

# How often a wait looks whether the run is to end, and how long the end may then take.
_SLICE_S = 0.1
_PATIENCE_S = 2.0


def _never() -> bool:
    return False


class Pipeline:
    """Frames of one source, worked on by threads that share all stages.

    Records each stage as a span with the frame's number as its flow, "capture" for the source,
    and "wait" for the consumer that had nothing to take.

    Args:
        source: where frames come from. A live one is read by a thread at any moment.
        stages: what each frame goes through, in order.
        link: what happens to frames that come while we are busy; by default as the source is.
        workers: threads for the stages. 0: they run in `take`, on the consumer's thread, which is
            the least latency as long as the work fits the period. By default one for each core
            when there are stages and the source does not keep the time itself, else 0.
        slots: of the pool, which bounds the memory and the frames under way; by default as few
            as keep everybody busy.
        timeline: where the spans go.
        stopping: asked during every wait; once it says yes, the wait is over.

    Attributes:
        books: what became of every frame.
        ages: how long frames waited and were worked on, for those that were delivered.
        abandoned: a thread was still inside a driver when the pipeline closed.
        broken: the name of the stage that raised, and the frame it raised on.
        cv_threads: how many threads one OpenCV call might use as it closed; 0 before.

    Raises:
        ValueError: for fewer slots than can carry the frames, or two stages of one name.
    """

    def __init__(
        self,
        source: Source,
        stages: Sequence[Step] = (),
        *,
        link: Link | None = None,
        workers: int | None = None,
        slots: int | None = None,
        timeline: Timeline | None = None,
        stopping: Callable[[], bool] = _never,
    ) -> None:
        names = [stage.name for stage in stages]
        if len(set(names)) < len(names):
            raise ValueError(f"two stages have one name: {', '.join(names)}")
        self.link = link_for(source) if link is None else link
        if workers is None:
            workers = (os.cpu_count() or 1) if stages and not source.live else 0
        latest = self.link == "latest"
        # Who is read all the time needs a thread that does nothing else while the others work.
        threads = workers + (source.live or latest)
        # Each thread has a frame in hand, the consumer another; then one that waits at the
        # entrance, and at the exit one that is ready: fewer, and somebody stands idle.
        least = threads + 3 if latest else 2
        if slots is None:
            slots = max(least, 2 * threads + 2) if threads else 1
        if slots < (least if threads else 1):
            raise ValueError(f"{slots} slots cannot carry the frames: at least {least}")
        self.workers = workers
        self.slots = slots
        self.books = Books()
        self.ages = Ages()
        self.abandoned = False
        self.broken: tuple[str, int] | None = None
        self.cv_threads = 0
        self._source, self._stages = source, list(stages)
        self._sample = self.link.n if isinstance(self.link, Sample) else 1
        self._timeline = timeline or Timeline()
        self._stopping = stopping
        self._facts: Facts | None = None
        self._pool: Pool | None = None
        self._schedule = Schedule(stages, latest=latest)
        self._lent: Frame | None = None
        self._error: BaseException | None = None
        self._came = 0  # frames that were handed in, the unreadable not counted
        self._reading = self._ended = self._stop = False
        lock = threading.Lock()
        self._work = threading.Condition(lock)  # something may be begun
        self._news = threading.Condition(lock)  # the consumer may have something
        self._idle = 0
        self._heard_s = 0.0  # when the source last gave a sign, on `time.monotonic`
        self._cv_threads = 0
        # Daemons: a driver that never returns must not hold up the end of the program.
        self._threads = [
            threading.Thread(target=self._run, name=f"worker {k}", daemon=True)
            for k in range(threads)
        ]

    @property
    def reallocated(self) -> int:
        """Frames that came in memory which was not the pool's."""
        return self._pool.reallocated if self._pool else 0

    @property
    def live(self) -> bool:
        """Whether the source goes on whether we read or not."""
        return self._source.live

    @property
    def stages(self) -> Sequence[Step]:
        """What each frame goes through, in order."""
        return tuple(self._stages)

    @property
    def reconnects(self) -> int:
        """How often a live source was lost and came back."""
        return int(getattr(self._source, "reconnects", 0))

    def open(
        self, timeout_s: float = 15.0, *, warm_up: Callable[[Facts], object] | None = None
    ) -> Facts:
        """Open the source, take the memory, start the threads.

        Args:
            timeout_s: how long a live source may take.
            warm_up: called before the first frame is read: first calls build tables and load
                fonts, and the first frame would wait for it.

        Raises:
            GuideError: when the source cannot be opened, or not in that time.
        """
        try:
            if self._source.live:
                facts = open_within(self._source, timeout_s, self._stopping)
            else:
                facts = self._source.open()
        except NotOpened:
            self._reading = True  # a thread is in it still
            raise
        self._facts = facts
        elsewhere = [stage for stage in self._stages if isinstance(stage, InProcess)]
        self._pool = pool = Pool(facts.shape, self.slots, shared=bool(elsewhere))
        try:
            for stage in elsewhere:
                stage.attach(pool)
        finally:
            pool.seal()
        # Calls that split their work over all cores leave none to the stages beside them: the
        # same frame costs a fifth more CPU time, and comes no sooner.
        self._cv_threads = cv2.getNumThreads()
        if self._threads:
            cv2.setNumThreads(1)
        if warm_up is not None:
            warm_up(facts)
        self._heard_s = time.monotonic()
        for thread in self._threads:
            thread.start()
        return facts

    def wait(self) -> int | None:
        """Wait for a frame to take: what a loop follows, so that each tick begins as one comes.

        Returns:
            When the frame was captured, in ns on the timeline's clock. None when none came for a
            tenth of a second. At the end, or when something broke, now: `take` tells the rest.
        """
        with self._news:
            for again in (True, False):
                frame = self._schedule.peek(done=self.workers > 0)
                if frame is not None:
                    return frame.t_capture_ns
                if not self._threads or self._over() or self._stopping() or self._is_silent():
                    return self._timeline.now_ns()
                if again:
                    self._news.wait(_SLICE_S)
        return None

    def take(self) -> Frame | None:
        """Wait for the next finished frame.

        Returns:
            It, valid until the next call; None at the end of a recording, or when the run stops.

        Raises:
            GuideError: when the source broke or went silent. Frames before come first.
            Exception: what a stage raised. Frames before come first.
        """
        if self._facts is None:
            raise RuntimeError("open() the pipeline before you take() from it")
        self._give_back()
        frame = self._take_here() if not self._threads else self._take_there()
        if frame is not None:
            self.books.delivered += 1
            self._heard_s = time.monotonic()
            self._lent = frame
            self.ages.add(frame, self._timeline.now_ns())
        return frame

    def close(self) -> Books:
        """Stop the threads, release the source, settle the books. Tolerates one never opened."""
        with self._work:
            self._stop = True
            self._work.notify_all()
        if isinstance(self._source, Reconnecting):
            self._source.cancel()  # whoever waits in it for a camera need not wait any longer
        allowed_s = _GRACE_S + min(self._facts.stall_s if self._facts else 0, _PATIENCE_S)
        end_s = time.monotonic() + allowed_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(end_s - time.monotonic(), 0))
        with self._work:
            # Releasing a driver while another thread sits in it crashes inside OpenCV: leave it.
            self.abandoned = self._reading
            self._settle()
            self.books.in_flight = self._schedule.in_flight
        if not self.abandoned:
            self._source.close()
        for stage in self._stages:
            if isinstance(stage, InProcess):
                stage.close()
        self.cv_threads = self.cv_threads or cv2.getNumThreads()
        if self._threads and self._cv_threads:
            cv2.setNumThreads(self._cv_threads)
        return self.books

    def _give_back(self) -> None:
        """The consumer is done with the frame it has."""
        if self._lent is None or self._pool is None:
            return
        with self._work:
            self._pool.give(self._lent.slot)
            self._lent = None
            self._work.notify()

    def _take_here(self) -> Frame | None:
        """Without any thread: read, work, and hand over."""
        schedule = self._schedule
        while self._error is None:
            if (frame := schedule.take()) is not None:
                return frame
            job = schedule.next_job()
            if job is not None:
                self._do(job)
            elif self._ended or self._stopping():
                return None
            else:
                self._read()
        raise self._error

    def _take_there(self) -> Frame | None:
        """Wait for the threads; without workers, only for the one that reads."""
        schedule = self._schedule
        since_ns: int | None = None  # we wait
        while True:
            with self._news:
                while True:
                    frame = schedule.take()
                    job = schedule.next_job() if frame is None and not self.workers else None
                    if frame is not None or job is not None or self._over() or self._stopping():
                        break
                    if self._is_silent():
                        raise self._silent()
                    since_ns = self._timeline.now_ns() if since_ns is None else since_ns
                    self._news.wait(_SLICE_S)
            if since_ns is not None:
                self._timeline.add("wait", since_ns, self._timeline.now_ns())
                since_ns = None
            if job is not None:
                self._do(job)
            elif frame is None and self._error is not None and not self._stopping():
                raise self._error
            else:
                return frame

    def _over(self) -> bool:
        """Whether nothing will come any more, and nothing is under way."""
        return self._ended and not self._reading and not self._schedule.in_flight

    @property
    def _allowed_s(self) -> float:
        """For how long a live source may show nothing."""
        assert self._facts is not None
        facts = self._facts
        return (facts.stall_s if self.books.delivered else facts.first_frame_s) + _GRACE_S

    def _is_silent(self) -> bool:
        """Whether a live source has shown nothing for too long; not while it is we who are slow."""
        if self._schedule.in_flight:
            self._heard_s = time.monotonic()
        return self._source.live and time.monotonic() - self._heard_s > self._allowed_s

    def _silent(self) -> GuideError:
        assert self._facts is not None
        return GuideError(
            f"{self._facts.name} has shown nothing for {self._allowed_s:g} s, "
            "its driver does not answer",
            "unplug it and plug it in again, or type --source virtual",
        )

    def _run(self) -> None:
        """A thread: read while a slot is free and nobody reads, else do what is nearest the end."""
        self._timeline.name_thread(threading.current_thread().name)
        try:
            self._work_on()
        except BaseException as error:  # no stage's and no source's: the consumer must not wait
            with self._work:
                self._ended, self._error = True, error
            raise

    def _work_on(self) -> None:
        fresh = False  # this thread has just read a frame
        while True:
            with self._work:
                while True:
                    if self._stop or self._over():
                        self._news.notify()
                        self._work.notify_all()
                        return
                    # Read first: a live source must not wait, and a file's key frame takes ten
                    # times as long as its others, which a stock of frames bridges. Except by
                    # whoever has just read a frame while another is free to take over: it stays
                    # with its frame, in a warm cache.
                    read = self._can_read()
                    stay = fresh and self._idle
                    job = None if read and not stay else self._next_job()
                    if job is not None:
                        if read and self._idle:
                            self._work.notify()
                        break
                    if read:
                        break
                    fresh = False
                    self._idle += 1
                    self._work.wait()
                    self._idle -= 1
                if job is None:
                    self._reading = True
            if job is not None:
                self._do(job)
                fresh = False
            else:
                self._read()
                fresh = True

    def _next_job(self) -> Job | None:
        return self._schedule.next_job() if self.workers else None

    def _can_read(self) -> bool:
        taken = self._reading or self._ended or self._stop
        return not taken and self._pool is not None and self._pool.free > 0

    def _read(self) -> None:
        """Read a frame into a free slot and let it in."""
        pool = self._pool
        assert pool is not None
        with self._work:
            slot = pool.take()
        assert slot is not None
        began_ns = self._timeline.now_ns()
        frame, error = None, None
        try:
            with self._timeline.within("capture"):
                frame = self._source.read(pool.images[slot])
        except BaseException as raised:  # whatever it is, the consumer must hear of it
            error = raised
        ended_ns = self._timeline.now_ns()
        flow = None if frame is None else frame.seq
        self._timeline.add("capture", began_ns, ended_ns, flow=flow)
        with self._work:
            self._reading = False
            if frame is None or self._stop:  # the books may be closed already
                pool.give(slot)
                self._ended, self._error = True, self._error or error
            else:
                frame.stamps.append(("capture", max(began_ns, frame.t_capture_ns), ended_ns))
                self._let_in(frame, slot)
            self._settle()
            self._news.notify()
            if self._idle and (not self.workers or self._source.live or self._ended):
                self._work.notify_all()

    def _let_in(self, frame: Frame, slot: int) -> None:
        assert self._pool is not None
        self.books.captured += 1 + frame.unreadable
        self.books.unreadable += frame.unreadable
        self._pool.adopt(frame, slot)
        number, self._came = self._came, self._came + 1
        if number % self._sample:
            self.books.dropped["sampled"] += 1
            self._pool.give(slot)
        else:
            self._schedule.enter(frame)

    def _do(self, job: Job) -> None:
        """Run a stage on a frame."""
        number, _, frame = job
        stage = self._stages[number]
        error: BaseException | None = None
        began_ns = self._timeline.now_ns()
        try:
            with self._timeline.within(stage.name):
                frame.results[stage.name] = stage.process(frame)
        except BaseException as raised:
            error = raised
        ended_ns = self._timeline.now_ns()
        self._timeline.add(stage.name, began_ns, ended_ns, flow=frame.seq)
        frame.stamps.append((stage.name, began_ns, ended_ns))
        with self._work:
            if error is None:
                self._schedule.done(job)
            else:
                self._fail(job, error)
            self._settle()
            self._news.notify()
            if self._idle:
                self._work.notify()

    def _fail(self, job: Job, error: BaseException) -> None:
        stage, _, frame = job
        self._schedule.failed(job)
        self._ended = True
        if self._error is None:
            self.broken = (self._stages[stage].name, frame.seq)
            error.add_note(f"in the stage {self.broken[0]}, on frame {frame.seq}")
            self._error = error

    def _settle(self) -> None:
        """Give back the slots of frames that went no further, and book them."""
        schedule = self._schedule
        if self._pool is not None:
            while schedule.released:
                self._pool.give(schedule.released.pop())
        self.books.dropped += schedule.dropped
        schedule.dropped.clear()

"""A stage in a process of its own, for work that holds the GIL: pure Python, many small arrays.

The frame stays where it is: the process has mapped the pool's memory, and is sent a slot's
number. What a stage returns comes back pickled, so it should be small. A stage whose time goes
to OpenCV or nogil kernels gains nothing here: threads run those side by side already.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from guide.errors import GuideError
from guide_vision.pipeline.frame import Frame
from guide_vision.pipeline.observation import Step
from guide_vision.pipeline.pool import Pool, mapped

_PATIENCE_S = 2.0  # how long a process may take to end


class InProcess:
    """Runs a stage elsewhere; put it in a pipeline's `stages` in place of the stage.

    Args:
        make: makes the stage, in the other process: a class, or a function of a module.
        name: of the stage.
    """

    def __init__(self, make: Callable[[], Step], name: str) -> None:
        self.name = name
        self._make = make
        self._pool: Pool | None = None
        self._ours: Connection | None = None
        self._process: multiprocessing.process.BaseProcess | None = None

    def attach(self, pool: Pool) -> None:
        """Start the process on a pool that is shared, and wait until its stage is made."""
        # Spawned: a fork would take the locks of this process's threads along, as they are
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        about = (str(pool.path), pool.shape, pool.slots)
        self._process = context.Process(
            target=_serve, args=(theirs, self._make, about), name=self.name, daemon=True
        )
        self._process.start()
        theirs.close()
        self._pool = pool
        self._answer()

    def process(self, frame: Frame) -> Any:
        """Have the frame worked on, and wait for what comes of it. On one thread at a time."""
        if self._pool is None or self._ours is None:
            raise RuntimeError("a stage in a process runs within a Pipeline")
        if frame.image.shape != self._pool.shape:
            raise GuideError(
                f"the picture changed its size to {frame.image.shape[1]} x {frame.image.shape[0]}, "
                f"and the process of the stage {self.name} has memory for one size",
                "run again, or let that stage run in a thread",
            )
        image, pool = frame.image, self._pool
        frame.image = pool.images[frame.slot][:0]  # the pixels are there already: send none
        try:
            self._ours.send((frame.slot, frame))
        except (BrokenPipeError, ConnectionResetError):
            raise self._died() from None
        finally:
            frame.image = image
        return self._answer()

    def close(self) -> None:
        """End the process."""
        if self._ours is not None:
            self._ours.close()
        if self._process is not None:
            self._process.join(_PATIENCE_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()

    def _answer(self) -> Any:
        assert self._ours is not None
        try:
            fine, answer = self._ours.recv()
        except (EOFError, ConnectionResetError):
            raise self._died() from None
        if fine:
            return answer
        error, trace = answer
        error.add_note(f"in the process of the stage {self.name}:\n{trace}")
        raise error

    def _died(self) -> GuideError:
        assert self._process is not None
        self._process.join(_PATIENCE_S)
        code = self._process.exitcode
        how = f"killed by signal {-code}" if code and code < 0 else f"exit code {code}"
        return GuideError(
            f"the process of the stage {self.name} is gone ({how})",
            "look for a lack of memory (`dmesg`), or let that stage run in a thread",
        )


def _serve(line: Connection, make: Callable[[], Step], about: tuple[Any, ...]) -> None:
    """The other process: a stage, and the frames it is told of."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    with contextlib.suppress(BrokenPipeError, EOFError, ConnectionResetError):
        try:
            path, shape, slots = about
            images = mapped(Path(path), shape, slots)
            stage = make()
        except Exception as error:
            line.send((False, (_sendable(error), traceback.format_exc())))
            return
        line.send((True, None))
        while True:
            slot, frame = line.recv()
            frame.image = images[slot]
            try:
                answer = (True, stage.process(frame))
            except Exception as error:
                answer = (False, (_sendable(error), traceback.format_exc()))
            line.send(answer)


def _sendable(error: Exception) -> Exception:
    """The error itself where it survives the way, else its words."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error

"""Takes a trace of torch's work: of any Python program, and of a project's task.

    python -m guide_deep_learning.explain.profiling --out torch.json.gz -- train.py --epochs 1

The program is run as Python itself would run it, and is not changed. Once enough of its steps were
recorded it is ended, in order: what it has opened is closed, and what it registered with atexit is
called, as if it had called sys.exit.
"""

from __future__ import annotations

import argparse
import contextlib
import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from guide.errors import GuideError
from guide_deep_learning.explain.ending import Ending, Enough, end_process, wait_for_threads
from guide_deep_learning.explain.interrupts import held

if TYPE_CHECKING:
    import torch

    from guide.loop import Tick
    from guide.run import Run, Task
    from guide_deep_learning.explain.recorder import Recorder

# What the program below exits with
FAILED, NOT_WRITTEN, INTERRUPTED = 1, 4, 130
NO_STEPS, MOST_SEEN = 64, 50  # the number of steps that were seen, up to so many, is added


class ProfiledTask:
    """A task whose steps are recorded; the run is stopped once they are.

    Args:
        task: what to run.
        folder: where torch.json.gz goes.
        warm: steps to time before; None: as many as it takes.
        steps: steps to record.
    """

    def __init__(self, task: Task, folder: Path, *, warm: int | None, steps: int) -> None:
        from guide_deep_learning.explain.recorder import Recorder  # it loads torch

        self._task = task
        self._recorder = Recorder(
            folder / "torch.json.gz", warm=warm, steps=steps, found="a tick of the run"
        )
        self._run: Run | None = None
        self._optimizers = contextlib.ExitStack()

    def start(self, run: Run) -> None:
        """Start the task, and note its optimizer when it steps."""
        from torch.optim.optimizer import register_optimizer_step_post_hook

        self._run = run

        def used(optimizer: torch.optim.Optimizer, *_: object) -> None:
            self._recorder.optimizer = optimizer

        self._optimizers.callback(register_optimizer_step_post_hook(used).remove)
        self._task.start(run)

    def step(self, tick: Tick) -> None:
        """One step of the task."""
        self._task.step(tick)
        if self._recorder.beat() and self._run is not None:
            self._run.stop("profiled")

    def close(self) -> None:
        """Write what there is, and close the task."""
        self._optimizers.close()
        try:
            self._recorder.finish()
        finally:
            self._task.close()
        if self._recorder.wrong:
            what = f"the trace could not be written: {self._recorder.wrong}"
            raise GuideError(what, "make room on the disk")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run somebody's program and write a trace of some of its steps.

    Exits with 0 when there is one, and else with a number above: too few steps, a file that could
    not be written, Ctrl-C before there was anything, or a program that failed, after its own
    traceback.
    """
    asked = _parser().parse_args(arguments)
    out = asked.out.absolute()  # a program may go to another folder
    script, *rest = asked.script[1:] if asked.script[:1] == ["--"] else asked.script
    try:
        with held():
            from guide_deep_learning.explain.beats import Beats
            from guide_deep_learning.explain.recorder import Recorder
    except ImportError as error:
        sys.exit(f"guide: torch cannot be imported: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    from guide.explain.whole import SUFFIX, WholeProgram

    # Until a step is seen, for the case that there is none
    whole = WholeProgram(script, "torch", module=asked.module)
    recorder = Recorder(
        out,
        warm=asked.warm,
        steps=asked.steps,
        may_mend=not asked.to_the_end,
        begun=whole.stop,
    )
    ending = Ending(lambda: end_process(_code(recorder, FAILED), early=True))

    def ended() -> None:
        if not asked.to_the_end:
            ending.now()

    beats = Beats(recorder, ended, asked.patience, whole.uses)
    failed = early = interrupted = False
    try:
        try:
            with beats.listening():
                whole.start()
                _run(script, rest, asked.module)
                wait_for_threads()
        finally:
            ending.over()
    except Enough:
        early = True
    except SystemExit as left:
        failed = left.code not in (None, 0)
        if isinstance(left.code, str):
            sys.stderr.write(f"{left.code}\n")
    except KeyboardInterrupt:
        early = interrupted = True
    except BaseException as error:
        failed = True
        _show(error)
    with contextlib.suppress(KeyboardInterrupt):
        whole.stop()
        recorder.finish()
        if not (recorder.seen or failed):
            whole.write(out.with_name(out.name + SUFFIX))
    if interrupted and recorder.written:
        sys.stderr.write("\ninterrupted: this is what was recorded by then\n")
    otherwise = INTERRUPTED if interrupted else NO_STEPS + min(recorder.seen, MOST_SEEN)
    end_process(FAILED if failed else _code(recorder, otherwise), early=early)


def _code(recorder: Recorder, otherwise: int) -> int:
    """What is exited with when the program has not failed."""
    return 0 if recorder.written else NOT_WRITTEN if recorder.wrong else otherwise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--warm", type=int)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--patience", type=float, default=10.0, metavar="S")
    parser.add_argument("--to-the-end", action="store_true")
    parser.add_argument("--module", action="store_true", help="SCRIPT is a module: python -m")
    parser.add_argument("script", nargs=argparse.REMAINDER, metavar="-- SCRIPT ARGUMENTS")
    return parser


def _run(script: str, arguments: list[str], module: bool) -> None:
    sys.argv = [script, *arguments]
    # `python -m` puts the folder one is in first, `python FILE` that of the file
    sys.path[0] = str(Path.cwd() if module else Path(script).resolve().parent)
    if module:
        runpy.run_module(script, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(script, run_name="__main__")


def _show(error: BaseException) -> None:
    """The program's own traceback, without the lines that ran it."""
    frames = error.__traceback__
    own = (__file__, runpy.__file__)
    while frames is not None and (
        frames.tb_frame.f_code.co_filename in own
        or "runpy" in frames.tb_frame.f_code.co_filename
        or frames.tb_frame.f_code.co_filename.endswith("contextlib.py")
    ):
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames or error.__traceback__)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # before the program was begun
        sys.exit(INTERRUPTED)

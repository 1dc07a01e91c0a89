"""Finds the steps of a program that nobody prepared for it.

A step of a training ends with its optimizer's `step`, which torch tells of by itself. Where none
comes, a step is a call of the outermost module, and where none of those comes either, a stretch of
time.
"""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.modules import module as modules
from torch.optim import optimizer as optimizers

from guide_deep_learning.explain.recorder import Recorder

_WINDOW_S = 0.25  # a stretch of time that stands for a step


class Beats:
    """Listens for steps while a program runs, and tells a recorder of them.

    Args:
        recorder: whom to tell.
        ended: called when no more steps are needed; may raise, to end the program.
        patience_s: how long to wait for an optimizer before another kind of step is looked for.
    """

    def __init__(
        self, recorder: Recorder, ended: Callable[[], object], patience_s: float = 10.0
    ) -> None:
        self._recorder, self._ended, self._patience_s = recorder, ended, patience_s
        self._beat_of: torch.optim.Optimizer | None = None
        self._others = 0
        self._depth = threading.local()
        self._handles: list[Any] = []
        self._timing = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block, steps are heard."""
        self._handles.append(optimizers.register_optimizer_step_post_hook(self._stepped))
        with self._alarm():
            try:
                yield
            finally:
                for handle in self._handles:
                    handle.remove()

    def _stepped(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """An optimizer made its step. The first one is told after it, the others from outside."""
        if self._beat_of is None:
            self._drop_others()
            self._recorder.found = "an optimizer's step"
        elif optimizer is self._beat_of:
            self._others = 0
            return
        else:  # of several the first one counts, for as long as it is used
            self._others += 1
            if self._others < 20:
                return
        self._beat_of = self._recorder.optimizer = optimizer
        self._others = 0
        self._follow(optimizer)
        self._recorder.beat()

    def _follow(self, optimizer: torch.optim.Optimizer) -> None:
        """Hear of the end of each step from outside of it: what torch records of it is closed."""
        inner = optimizer.step

        @functools.wraps(inner)
        def step(*args: Any, **kwargs: Any) -> Any:
            result = inner(*args, **kwargs)
            if self._beat_of is optimizer and self._recorder.beat():
                self._ended()
            return result

        optimizer.step = step  # type: ignore[method-assign]

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        """Look for another kind of step when none has come."""
        number = getattr(signal, "SIGALRM", None)
        if number is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(number, self._nobody_came)
        signal.setitimer(signal.ITIMER_REAL, self._patience_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(number, before)

    def _nobody_came(self, *_: Any) -> None:
        """On the main thread, between two of its instructions."""
        if self._beat_of is not None or self._recorder.state == "done":
            return
        if self._timing:
            self._recorder.found = f"a stretch of {_WINDOW_S:g} s: no step was found"
            signal.setitimer(signal.ITIMER_REAL, _WINDOW_S)
            if self._recorder.beat():
                signal.setitimer(signal.ITIMER_REAL, 0)
                self._ended()
        elif len(self._handles) == 1:
            self._handles.append(modules.register_module_forward_pre_hook(self._entered))
            self._handles.append(modules.register_module_forward_hook(self._left, always_call=True))
            signal.setitimer(signal.ITIMER_REAL, self._patience_s)
        elif not self._recorder.found:
            self._timing = True
            self._drop_others()
            self._nobody_came()

    def _drop_others(self) -> None:
        for handle in self._handles[1:]:
            handle.remove()
        del self._handles[1:]

    def _entered(self, *_: Any) -> None:
        self._depth.value = getattr(self._depth, "value", 0) + 1

    def _left(self, module: torch.nn.Module, *_: Any) -> None:
        # Hooks may have been put in while a module was running
        self._depth.value = max(getattr(self._depth, "value", 0) - 1, 0)
        if self._depth.value or self._beat_of is not None:
            return
        self._recorder.found = f"a call of {type(module).__name__}"
        if self._recorder.beat():
            self._ended()

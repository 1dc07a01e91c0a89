"""Finds the steps of a program that nobody prepared for it.

A step of a training ends with its optimizer's `step`, which torch tells of by itself. Where none
comes, a step is a call of the outermost module, and where none of those comes either, a stretch of
time.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import functools
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
        uses: whether the program uses torch at all; where it does not, there is no use in waiting
            for more, and no stretch of time is recorded.
    """

    def __init__(
        self,
        recorder: Recorder,
        ended: Callable[[], object],
        patience_s: float = 10.0,
        uses: Callable[[], bool] = lambda: True,
    ) -> None:
        self._uses = uses
        self._recorder, self._ended, self._patience_s = recorder, ended, patience_s
        self._beat_of: torch.optim.Optimizer | None = None
        self._others = 0
        self._depth = threading.local()
        self._handles: list[Any] = []
        self._lock = threading.Lock()  # of which steps are heard
        # Kept, for the interpreter may call it at any later time
        self._on_main = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(self._stretch)
        self._asked = self._last = self._interrupted = False
        self._over = threading.Event()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block, steps are heard."""
        self._handles.append(optimizers.register_optimizer_step_post_hook(self._stepped))
        threading.Thread(target=self._watch, name="guide", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()
            with self._lock:
                for handle in self._handles:
                    handle.remove()

    def _stepped(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """An optimizer made its step. The first one is told after it, the others from outside."""
        if self._beat_of is None:
            with self._lock:
                if not self._recorder.again():
                    return  # too late: others are recorded already
                self._drop_others()
                self._beat_of = optimizer
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

    def _watch(self) -> None:
        """Look for another kind of step when none has come; on a thread of its own.

        The program's clocks and signals are its own: it may use the only alarm there is.
        """
        if self._over.wait(self._patience_s):
            return
        with self._lock:
            if self._beat_of is not None or self._over.is_set():
                return
            self._handles.append(modules.register_module_forward_pre_hook(self._entered))
            self._handles.append(modules.register_module_forward_hook(self._left, always_call=True))
        if self._over.wait(self._patience_s):
            return
        with self._lock:
            if self._recorder.found:
                return
            if not self._uses():
                self._ended()
                return
            self._drop_others()
        while not self._over.wait(_WINDOW_S) and self._beat_of is None:
            if self._last:
                self._ended()
                return
            if self._interrupted:
                self._interrupted = False
                _thread.interrupt_main()
            # What is recorded is what the thread does that begins it: so that must be the main one.
            # One at a time: with a second one waiting, Python 3.11 would not get on with the first
            if not self._asked:
                self._asked = True
                ctypes.pythonapi.Py_AddPendingCall(self._on_main, None)

    def _stretch(self, _: object) -> int:
        """Called by the interpreter: on the main thread, between two of its instructions."""
        try:
            if self._beat_of is None and not self._over.is_set():
                self._recorder.found = f"a stretch of {_WINDOW_S:g} s: no step was found"
                self._last = self._recorder.beat()
        except KeyboardInterrupt:  # no error leaves such a call: it is passed on from outside
            self._interrupted = True
        except Exception:  # between any two instructions, not all is in order: the next one may do
            pass
        finally:
            self._asked = False
        return 0

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

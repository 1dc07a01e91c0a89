"""Saving beside the training: a copy in memory now, the disk's time on another thread.

A save takes as long as the disk does. The training need not wait for that, only for the copy: it
goes on changing the tensors in place, and the copy stays as it was. At most one save is under
way, so that a slow disk costs time and not memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from guide.errors import GuideError
from guide.timing import Timeline

LANE = "saver"  # the row of the trace that shows what the writer does


class Snapshot:
    """A copy of a state, on the CPU, made each time in the same memory.

    New memory for each copy would have to be mapped page by page, which takes longer than the
    copying. So a copy is good until the next `take`.
    """

    def __init__(self) -> None:
        self._buffers: dict[tuple[Any, ...], Tensor] = {}  # by the way to them

    def take(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of the tensors in `state`, and of the dicts and lists that hold them.

        Tensors that are one (tied weights) are one in the copy too. From a GPU the copies go to
        page-locked memory all at once, and the device is waited for once.

        Args:
            state: tensors, numbers, text, and dicts, lists and tuples of them.
        """
        copied: dict[tuple[Any, ...], Tensor] = {}
        used: dict[tuple[Any, ...], Tensor] = {}
        devices: set[torch.device] = set()

        def copy(value: Any, way: tuple[Any, ...]) -> Any:
            if isinstance(value, Tensor):
                same = (value.device, value.data_ptr(), value.shape, value.stride(), value.dtype)
                if same not in copied:
                    copied[same] = used[way] = self._copy(value.detach(), way)
                    devices.add(value.device)
                return copied[same] if value.numel() else value.detach().cpu().clone()
            if isinstance(value, Mapping):
                return {name: copy(part, (*way, name)) for name, part in value.items()}
            if isinstance(value, list | tuple):
                return type(value)(copy(part, (*way, i)) for i, part in enumerate(value))
            return value

        whole: dict[str, Any] = copy(state, ())
        self._buffers = used  # those of a state that is gone go too
        for device in devices:
            if device.type == "cuda":
                torch.cuda.current_stream(device).synchronize()
        return whole

    def _copy(self, value: Tensor, way: tuple[Any, ...]) -> Tensor:
        buffer = self._buffers.get(way)
        if buffer is None or buffer.shape != value.shape or buffer.dtype != value.dtype:
            pinned = value.device.type == "cuda"
            buffer = torch.empty_like(value, device="cpu", pin_memory=pinned)
        return buffer.copy_(value, non_blocking=True)


class Saver:
    """One thing at a time, done on a thread beside the training.

    The thread is not a daemon: Python itself waits for it, however the program ends, so that what
    was begun is also written after an error.

    Args:
        timeline: where the span "save" goes, on a lane of its own.
    """

    def __init__(self, timeline: Timeline | None = None) -> None:
        self._timeline = timeline
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def start(self, write: Callable[[], object]) -> None:
        """Call `write` on the other thread; first waits for what is under way there.

        Raises:
            GuideError: as `wait`; `write` is then not called.
        """
        self.wait()
        self._thread = threading.Thread(target=self._run, args=(write,), name=LANE)
        self._thread.start()

    def wait(self) -> None:
        """Wait until nothing is under way.

        Raises:
            GuideError: what went wrong there, once.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.check()

    def check(self) -> None:
        """Raise what went wrong so far, without waiting; costs next to nothing.

        Raises:
            GuideError: as `wait`.
        """
        error = self._error
        if error is None:
            return  # and nothing is set: the other thread may be about to
        self._error = None
        if isinstance(error, GuideError):
            raise error
        raise GuideError(
            f"cannot save the checkpoint: {type(error).__name__}: {error}",
            "go on from the one before with --set resume=true",
        ) from error

    def _run(self, write: Callable[[], object]) -> None:
        timeline = self._timeline
        began_ns = timeline.now_ns() if timeline else 0
        try:
            write()
        except Exception as error:  # it is the other thread's to raise
            self._error = error
        finally:
            if timeline:
                timeline.add("save", began_ns, timeline.now_ns(), lane=LANE)

"""What the ranks of a training send each other, and how much of the step waits for it.

DistributedDataParallel hands over gradients in buckets while backward still computes others, so
most of the sending costs no time. What does is the rest: from the moment when the last bucket was
handed over, backward only waits. That part is called exposed. It is the time on the wire, and on
all ranks but the slowest also the time until the slowest came: the least of all ranks is the
network's own.

The sharded model gathers parameters before a layer and scatters gradients after it. On the CPU
torch waits for each of these on the spot, so all of it is exposed.

On a GPU the host hands over work and goes on; its clock says nothing of the network, and only bytes
are counted here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.futures import Future

from guide.timing import SpanColumns, Timeline

if TYPE_CHECKING:
    from torch._C._distributed_c10d import GradBucket

LANE = "network"
EXPOSED = "exposed communication"
_SENT = "all-reduce"
_BLOCKING = ("all-gather", "reduce-scatter")


class Communication:
    """Measures what one rank sends; for `World.wrap`.

    Args:
        timeline: where the spans go, on the lane "network".
        half: send gradients as 16-bit floats: half the bytes, and less exact.

    Attributes:
        sent_bytes: payload handed over so far. A ring of w ranks moves 2 (w - 1) / w times that
            of an all-reduce, (w - 1) / w times that of the others.
    """

    def __init__(self, timeline: Timeline, *, half: bool = False) -> None:
        self.sent_bytes = 0
        self._timeline = timeline
        self._send = default_hooks.fp16_compress_hook if half else default_hooks.allreduce_hook
        self._itemsize = 2 if half else 0

    def exchange(self, group: dist.ProcessGroup | None, bucket: GradBucket) -> Future[Tensor]:
        """The hook that DistributedDataParallel calls with every bucket: averages it, timed."""
        timeline, gradients = self._timeline, bucket.buffer()
        began_ns, tick = timeline.now_ns(), timeline.tick
        self.sent_bytes += gradients.numel() * (self._itemsize or gradients.element_size())
        sent = self._send(group, bucket)  # type: ignore[arg-type]
        if gradients.device.type != "cpu":
            return sent

        def arrived(future: Future[Tensor]) -> Tensor:
            # On the network library's thread. An error in it is raised here, and in backward.
            averaged = future.value()
            timeline.add(_SENT, began_ns, timeline.now_ns(), lane=LANE, tick=tick)
            return averaged

        return sent.then(arrived)

    def watch_shards(self, model: nn.Module) -> None:
        """Measure the exchanges of a model that `fully_shard` made, where torch lets one."""
        module: Any
        for module in model.modules():
            if hasattr(module, "set_custom_all_gather"):
                module.set_custom_all_gather(_Timed(self, "all-gather", _all_gather))
                module.set_custom_reduce_scatter(_Timed(self, "reduce-scatter", _reduce_scatter))

    def timed(self, name: str, send: Callable[[], Any], moved: Tensor) -> Any:
        """Call `send`, which exchanges `moved`, as a span; on a GPU only its bytes are counted."""
        self.sent_bytes += moved.numel() * moved.element_size()
        began_ns = self._timeline.now_ns()
        work = send()
        if moved.device.type == "cpu":
            self._timeline.add(name, began_ns, self._timeline.now_ns(), lane=LANE)
        return work

    def add_exposed(self) -> NDArray[np.int64]:
        """Put the exposed part of each step on the timeline; once, when the run has ended.

        Returns:
            The same as `exposed`.
        """
        columns = self._timeline.columns()
        found = exposed(columns)
        for tick, start_ns, took_ns in found.tolist():
            self._timeline.add(EXPOSED, start_ns, start_ns + took_ns, lane=LANE, tick=tick)
        return found


def exposed(columns: SpanColumns) -> NDArray[np.int64]:
    """The part of each step in which it only waited for the network.

    Args:
        columns: a timeline's spans: "backward", and those on the lane "network".

    Returns:
        (steps, 3): tick, when it began, how long it took, in ns. Empty where nothing was timed.
    """
    names = {name: number for number, name in enumerate(columns.names)}
    network = columns.lane == (columns.lanes.index(LANE) if LANE in columns.lanes else -1)
    in_tick = columns.tick >= 0
    blocking = network & in_tick & np.isin(columns.name, [names.get(n, -1) for n in _BLOCKING])
    if blocking.any():
        took = (columns.end_ns - columns.start_ns)[blocking]
        ticks, where = np.unique(columns.tick[blocking], return_inverse=True)
        total, first = np.zeros(len(ticks), np.int64), np.full(len(ticks), 2**62)
        np.add.at(total, where, took)
        np.minimum.at(first, where, columns.start_ns[blocking])
        return np.stack((ticks, first, total), axis=1).astype(np.int64)
    sent = network & in_tick & (columns.name == names.get(_SENT, -1))
    backward = in_tick & (columns.name == names.get("backward", -1))
    handed = _latest(columns.tick[sent], columns.start_ns[sent])
    ended = _latest(columns.tick[backward], columns.end_ns[backward])
    rows = [(t, handed[t], ended[t] - handed[t]) for t in handed if ended.get(t, 0) > handed[t]]
    return np.array(rows, np.int64).reshape(-1, 3)


def _latest(ticks: NDArray[np.int32], t_ns: NDArray[np.int64]) -> dict[int, int]:
    """Of each tick the latest of its times."""
    found: dict[int, int] = {}
    for tick, at_ns in zip(ticks.tolist(), t_ns.tolist(), strict=True):
        found[tick] = max(at_ns, found.get(tick, 0))
    return found


@dataclass(frozen=True, slots=True)
class _Timed:
    """An exchange as `fully_shard` wants it: it makes its buffers, and is called to send them."""

    communication: Communication
    name: str
    send: Callable[..., Any]

    def allocate(self, size: Any, *, dtype: torch.dtype, device: torch.device) -> Tensor:
        """An empty buffer."""
        return torch.empty(*size, dtype=dtype, device=device)

    def __call__(self, output_tensor: Tensor, input_tensor: Tensor, **how: Any) -> Any:
        """Exchange, as torch would."""
        larger = max(output_tensor, input_tensor, key=Tensor.numel)
        return self.communication.timed(
            self.name, lambda: self.send(output_tensor, input_tensor, **how), larger
        )


# They had other names before torch 2.13.
_all_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
_reduce_scatter = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor

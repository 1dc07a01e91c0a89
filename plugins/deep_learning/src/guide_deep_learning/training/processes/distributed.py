"""The same training on several processes, through torch's own engine.

`torchrun` starts the processes and says in the environment which is which; here they find each
other and the model is wrapped: in DistributedDataParallel, where each rank holds all of it and the
gradients are averaged, or by `fully_shard` (FSDP2), where each holds a part. A process of its own
goes through the same calls, and none of them does anything.

See Li et al., "PyTorch Distributed" (2020), and Zhao et al., "PyTorch FSDP" (2023).
"""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from guide.errors import GuideError, UsageError
from guide.ranks import Ranks, here
from guide_deep_learning.training.checkpointing import randomness

if TYPE_CHECKING:
    from guide_deep_learning.training.processes.communication import Communication

T = TypeVar("T")

How = Literal["ddp", "fsdp"]

# How long one rank waits for another. One that died is noticed at once, by its closed connection;
# this is for one that hangs, and must outlast what a single rank does alone: it may compile.
TIMEOUT_S = 180.0
_LAST_WORDS_S = 1.0
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: neighbours' seeds share no bits
_LOST = ("connection", "broken pipe", "timed out", "timeout", "socket", "gloo", "nccl", "peer")


@dataclass(frozen=True, slots=True)
class World:
    """All ranks of a training, seen from one of them; alone by default.

    Attributes:
        rank: which one this is, 0 to size - 1.
        size: how many there are.
        device: where this rank computes.
        control: a group on the CPU for what must not wait for a device, nor make it wait.
        store: where a rank that ends says why.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    control: dist.ProcessGroup | None = None
    store: Store | None = None

    @property
    def alone(self) -> bool:
        """Whether there is no other."""
        return self.size == 1

    def wrap(
        self, model: nn.Module, how: How = "ddp", communication: Communication | None = None
    ) -> nn.Module:
        """What to call in place of `model` in a step, so that all ranks train the same one.

        The model's own state stays that of a process of its own: its names, and with "ddp" its
        values. The optimizer is to be made after this: "fsdp" gives the model other parameters.

        Args:
            model: on `device`; with the same weights on all ranks.
            how: "ddp", each rank holds all of it; "fsdp", each holds a part of every parameter.
            communication: what measures it.
        """
        if self.alone:
            return model
        with self.in_touch():
            if how == "fsdp":
                return self._shard(model, communication)
            ids = [self.device] if self.device.type == "cuda" else None
            wrapped = DistributedDataParallel(model, device_ids=ids, gradient_as_bucket_view=True)
        if communication is not None:
            group, exchange = dist.group.WORLD, communication.exchange
            # torch reads annotations, and takes none that are text: a lambda has none.
            wrapped.register_comm_hook(None, lambda _, bucket: exchange(group, bucket))
        return wrapped

    def own_randomness(self, seed: int) -> None:
        """Let each rank draw its own numbers from here on: dropout must not be the same in all.

        After the model was made, which must be. Rank 0 draws what a process of its own would.
        """
        if self.rank:
            randomness.seed((seed + self.rank * _GOLDEN) % 2**63)

    def gather(self, thing: T) -> list[T]:
        """What every rank gives, by rank; on all of them. Waits for all."""
        if self.alone:
            return [thing]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, thing, group=self.control)
        return cast("list[T]", found)

    def from_first(self, thing: T) -> T:
        """What rank 0 gives, on all of them."""
        if self.alone:
            return thing
        held: list[Any] = [thing if self.rank == 0 else None]
        dist.broadcast_object_list(held, src=0, group=self.control)
        return cast(T, held[0])

    def mean(self, value: float) -> float:
        """The mean over all ranks, in double precision; the same bits on all of them."""
        values = self.gather(value)
        return sum(values) / len(values)

    @contextlib.contextmanager
    def in_touch(self) -> Iterator[None]:
        """Within the block: a rank that fails says why, and one that lost another says so.

        Raises:
            GuideError: in place of what the network's library raises when a rank is gone.
        """
        try:
            yield
        except GuideError as error:
            self._say(error.message)
            raise
        except RuntimeError as error:  # all of torch.distributed's errors are
            if self.alone or not _is_loss(error):
                self._say(f"{type(error).__name__}: {_brief(error)}")
                raise
            raise GuideError(
                self._last_words() or f"another rank is gone: {_brief(error)}",
                "start all of them again and go on with --set resume=true",
            ) from error
        except Exception as error:
            self._say(f"{type(error).__name__}: {_brief(error)}")
            raise

    def leave(self) -> None:
        """Let go of the others; those that still wait for this rank are told at once."""
        if not self.alone and dist.is_initialized():
            with contextlib.suppress(RuntimeError):  # it may be them who are gone
                dist.destroy_process_group()

    def _shard(self, model: nn.Module, communication: Communication | None) -> nn.Module:
        """Every layer of a list is a unit, the rest is another: one is whole at a time."""
        try:
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.fsdp import fully_shard
        except ImportError as error:
            raise GuideError(
                f"torch {torch.__version__} has no fully_shard", "install torch 2.6 or newer"
            ) from error
        mesh = init_device_mesh(self.device.type, (self.size,))
        for layers in [m for m in model.modules() if isinstance(m, nn.ModuleList)]:
            for layer in layers:
                fully_shard(layer, mesh=mesh)
        sharded = cast(nn.Module, fully_shard(model, mesh=mesh))
        if communication is not None:
            communication.watch_shards(sharded)
        return sharded

    def _say(self, why: str) -> None:
        if self.store is not None:
            with contextlib.suppress(RuntimeError):
                self.store.set(f"ended/{self.rank}", why)

    def _last_words(self) -> str:
        """Why another rank ended, if it said so; it may be about to."""
        if self.store is None:
            return ""
        until_s = time.monotonic() + _LAST_WORDS_S
        with contextlib.suppress(RuntimeError):
            while time.monotonic() < until_s:
                for other in range(self.size):
                    if other != self.rank and self.store.check([f"ended/{other}"]):
                        why = self.store.get(f"ended/{other}").decode(errors="replace")
                        return f"rank {other} ended: {why}"
                time.sleep(0.05)
        return ""


def join(device: torch.device, *, timeout_s: float = TIMEOUT_S) -> World:
    """Find the other ranks, where torchrun has started several; waits until all are there.

    Args:
        device: where to compute; "cuda" without a number becomes the GPU of this rank's own.
        timeout_s: how long a rank waits for another before it gives up.

    Raises:
        GuideError: when the others cannot be reached.
        UsageError: when there are more ranks than GPUs, or the environment makes no sense.
    """
    ranks = here()
    device = _own_device(device, ranks)
    if not ranks.several:
        return World(device=device)
    limit = datetime.timedelta(seconds=timeout_s)
    where = f"{os.environ.get('MASTER_ADDR', '?')}:{os.environ.get('MASTER_PORT', '?')}"
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        store, rank, size = next(rendezvous("env://", timeout=limit))
        store.set_timeout(limit)
        own = PrefixStore(f"guide/{_attempt()}", store)
        dist.init_process_group(backend, store=own, rank=rank, world_size=size, timeout=limit)
        control = dist.new_group(backend="gloo", timeout=limit)
    except (RuntimeError, ValueError) as error:
        raise GuideError(
            f"rank {ranks.rank} of {ranks.size} cannot reach the others at {where}: "
            f"{_brief(error)}",
            "let torchrun start it; on several hosts GLOO_SOCKET_IFNAME names the network card",
        ) from error
    return World(rank, size, device, cast(dist.ProcessGroup, control), own)


@contextlib.contextmanager
def synced(model: Any, now: bool) -> Iterator[None]:
    """Within the block, backward exchanges gradients, or where not `now` keeps them to add to.

    For a step of several batches: the ranks have to hear of the sum alone. A model of one process
    has nothing to exchange; of a compiled one, what is inside is asked.
    """
    if hasattr(model, "set_requires_gradient_sync"):  # in shards
        model.set_requires_gradient_sync(now)
    with contextlib.nullcontext() if now or not hasattr(model, "no_sync") else model.no_sync():
        yield


def _own_device(device: torch.device, ranks: Ranks) -> torch.device:
    if device.type != "cuda":
        return device
    if not ranks.several:
        return device
    if ranks.local_rank >= torch.cuda.device_count():
        raise UsageError(
            f"rank {ranks.rank} has no GPU of its own: this host has {torch.cuda.device_count()}",
            f"type --nproc-per-node={torch.cuda.device_count()}, or --set device=cpu",
        )
    torch.cuda.set_device(ranks.local_rank)
    return torch.device("cuda", ranks.local_rank)


def _attempt() -> str:
    """Which start of the ranks this is, after `torchrun --max-restarts`.

    torchrun's store outlives them, and a new rank must not call at a dead one's address. Between
    hosts the count may differ, so it says nothing there.
    """
    if os.environ.get("LOCAL_WORLD_SIZE") != os.environ.get("WORLD_SIZE"):
        return ""
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "")


def _brief(error: BaseException) -> str:
    """What went wrong, without the place in torch's sources and the advice that follow it."""
    text = " ".join(str(error).split()) or "no message"
    text = re.sub(r"^(Got the following error when running the callback: \w+: )+", "", text)
    return re.sub(r"^\[\S*\.(cpp|cc|h):\d+\]\s*", "", text).partition(". ")[0][:200]


def _is_loss(error: RuntimeError) -> bool:
    """Whether it says that another rank cannot be reached, and not that this one has a bug."""
    text = str(error).lower()
    return isinstance(error, dist.DistError) or any(word in text for word in _LOST)

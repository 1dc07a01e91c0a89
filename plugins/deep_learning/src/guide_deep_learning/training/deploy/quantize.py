"""Weights as int8: a quarter of the bytes of float32, for a desktop's memory to carry.

To write one byte, a model reads every weight once and does two operations with it: where weights
do not fit the caches, memory sets the pace, and fewer bytes are less time. Each output channel
(a row of the matrix) has one float scale; a weight is a whole number from -127 to 127 times it.

How a matrix multiplies is chosen by its shape and by what this processor does exactly:

    packed      weights stay whole numbers in memory and become bfloat16 inside the processor;
                inputs are rounded to bfloat16, sums are float32. torch's kernel for float32
                inputs is a plain loop, ten times slower: it is not used.
    integers    inputs become int8 as well, one scale a row; sums are exact. From 512 KiB a matrix
                the faster of the two, with VNNI. Without it oneDNN's sums saturate at 16 bits,
                silently: tried out once, and never used where they do.
    expanded    weights become floats at each call: right everywhere, faster nowhere.

Where the weights fit the processor's caches (four layers of width 128 are 3 MB as float32) little
is gained but their size. See Dettmers et al., "LLM.int8()" (2022) for what it does to large models.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import itertools
import pickle
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from guide.errors import GuideError

How = Literal["packed", "integers", "expanded"]

_LARGE = 2**19  # weights; below it rounding the inputs to int8 costs more than it saves
_BLOCK = 32  # the packed kernel reads beyond the end of rows that are no multiple of 16


class Int8Linear(nn.Module):
    """A Linear whose weights are whole numbers.

    Args:
        integers: (out, in) of int8.
        scale: (out,) of float32; a weight is its integer times the scale of its row.
        bias: (out,), or None.
        how: how to multiply; by default `fastest` for this shape.
    """

    integers: Tensor
    scale: Tensor

    def __init__(
        self, integers: Tensor, scale: Tensor, bias: Tensor | None = None, how: How | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("integers", integers)
        self.register_buffer("scale", scale)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
        self.how: How = how or fastest(integers)
        if self.how == "packed" and not _can_be_packed(integers):
            raise GuideError(
                f"rows of {integers.shape[1]} weights cannot be packed",
                f"take a width that is a multiple of {_BLOCK}, or how='expanded'",
            )
        # No buffer: the kernel is the CPU's, and wants bfloat16 whatever becomes of the model.
        self._ones = torch.ones(len(scale), dtype=torch.bfloat16)

    @property
    def weight(self) -> Tensor:
        """The weights as floats, for who wants to read them."""
        return self.integers * self.scale[:, None]

    def forward(self, x: Tensor) -> Tensor:
        """Multiply: (..., in) to (..., out)."""
        how = self.how if x.device.type == "cpu" else "expanded"
        if how == "expanded":
            return F.linear(x, self.weight.to(x.dtype), self.bias)
        rows = x.reshape(-1, x.shape[-1])
        if how == "packed":
            # Scales of one: theirs would be rounded to bfloat16.
            y = torch._weight_int8pack_mm(rows.bfloat16(), self.integers, self._ones) * self.scale
        else:
            # A row of zeros has no largest; NaN stays NaN.
            size = rows.abs().amax(dim=-1, keepdim=True).clamp_min(1e-30) / 127
            near = (rows / size).round_().to(torch.int8)
            y = torch._int_mm(near, self.integers.t()) * (self.scale * size)
        if self.bias is not None:
            y = y + self.bias
        return y.view(*x.shape[:-1], -1)


class Int8Embedding(nn.Module):
    """An Embedding whose weights are whole numbers; (...) of int64 to (..., width)."""

    integers: Tensor
    scale: Tensor

    def __init__(self, integers: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("integers", integers)
        self.register_buffer("scale", scale)

    @property
    def weight(self) -> Tensor:
        """The weights as floats, for who wants to read them."""
        return self.integers * self.scale[:, None]

    @property
    def num_embeddings(self) -> int:
        """How many rows there are, under the name that torch gives it."""
        return len(self.integers)

    def forward(self, numbers: Tensor) -> Tensor:
        """Look up rows."""
        return self.integers[numbers] * self.scale[numbers].unsqueeze(-1)


def quantized(
    model: nn.Module, *, how: How | None = None, keep: Collection[str] = ("position",)
) -> nn.Module:
    """A copy of `model`, to compute with and not to train, whose matrices are int8.

    Every `Linear` and `Embedding` is replaced; one weight that two of them share stays shared.

    Args:
        model: left as it is; the copy computes in float32.
        how: how to multiply; by default the fastest for each shape.
        keep: names of modules that stay floats: positions are read as a table, a few rows each.

    Raises:
        GuideError: when there is nothing to quantise, or a weight is not finite.
    """
    rounded: dict[int, tuple[Tensor, Tensor]] = {}
    instead: dict[int, nn.Module] = {}
    for name, module in model.named_modules():
        if type(module) not in (nn.Linear, nn.Embedding) or name in keep:
            continue
        weight = module.weight
        if id(weight) not in rounded:
            rounded[id(weight)] = _rounded(weight.detach(), name)
        if isinstance(module, nn.Linear):
            bias = None if module.bias is None else module.bias.detach().float().clone()
            instead[id(module)] = Int8Linear(*rounded[id(weight)], bias, how)
        else:
            instead[id(module)] = Int8Embedding(*rounded[id(weight)])
    if not instead:
        raise GuideError(f"{type(model).__name__} has no Linear and no Embedding to quantise")
    # What stands in the memo is taken as copied already: the floats never are.
    made: nn.Module = copy.deepcopy(model, {**instead})
    return made.float().eval().requires_grad_(False)


def fastest(integers: Tensor) -> How:
    """How to multiply by weights of this shape, on this processor."""
    if integers.numel() >= _LARGE and sums_are_exact():
        return "integers"
    return "packed" if _can_be_packed(integers) else "expanded"


@functools.cache
def sums_are_exact() -> bool:
    """Whether torch's product of int8 matrices is what it should be on this processor.

    Without VNNI (most desktops before 2021) oneDNN adds pairs of products in 16 bits: large ones
    saturate, and nothing says so.
    """
    try:
        most = torch.full((1, 512), 127, dtype=torch.int8)
        found = torch._int_mm(most, torch.stack((most[0], -most[0])).t().contiguous())
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    exact = 127 * 127 * 512
    return bool(found.tolist() == [[exact, -exact]])


@contextlib.contextmanager
def portable(model: nn.Module) -> Iterator[None]:
    """Within the block it multiplies as is right on every processor: for what goes to another."""
    fast = [m for m in model.modules() if isinstance(m, Int8Linear) and m.how == "integers"]
    try:
        for module in fast:
            module.how = "packed" if _can_be_packed(module.integers) else "expanded"
        yield
    finally:
        for module in fast:
            module.how = "integers"


@functools.cache
def packing_works() -> bool:
    """Whether torch has the packed kernel on this processor, and it multiplies."""
    try:
        integers = torch.arange(-64, 64, dtype=torch.int8).view(4, 32)
        ones = torch.ones(4, dtype=torch.bfloat16)
        found = torch._weight_int8pack_mm(torch.ones(1, 32, dtype=torch.bfloat16), integers, ones)
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    return torch.allclose(found.float(), integers.sum(dim=1).float(), rtol=0.01)


def weight_bytes(model: nn.Module) -> int:
    """Bytes of all weights; one that is shared counts once."""
    each = {t.data_ptr(): t.nbytes for t in itertools.chain(model.parameters(), model.buffers())}
    return sum(each.values())


def save(model: nn.Module, file: Path) -> int:
    """Write the weights of any model, quantised or not; returns the bytes of the file.

    Raises:
        GuideError: when it cannot be written.
    """
    content = io.BytesIO()
    torch.save(model.state_dict(), content)
    part = file.with_name(file.name + ".tmp")
    try:
        part.write_bytes(content.getbuffer())
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise GuideError(
            f"cannot write {file}: {error.strerror or error}", "make room, or name another place"
        ) from error
    return content.tell()


def load(file: Path, into: nn.Module) -> None:
    """Read what `save` wrote; runs no code from the file.

    Args:
        file: where it is.
        into: a model of the same shape: for one that is quantised, `quantized(build())`. It may
            have been quantised on another processor.

    Raises:
        GuideError: when it is not there, is damaged, or is of another shape.
    """
    try:
        into.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except (
        OSError,
        RuntimeError,
        ValueError,
        TypeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        why = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
        raise GuideError(
            f"{file} does not hold the weights of this model: {why}",
            "save it again from the model it is to be of",
        ) from error


def _rounded(weight: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Whole numbers (out, in) of int8 and scales (out,) of float32."""
    weight = weight.float()
    largest = weight.abs().amax(dim=1)
    if not torch.isfinite(largest).all():
        raise GuideError(f"{name}.weight is not finite", "take an older checkpoint")
    scale = largest.clamp_min(1e-30) / 127
    return (weight / scale[:, None]).round_().to(torch.int8), scale


def _can_be_packed(integers: Tensor) -> bool:
    return integers.shape[1] % _BLOCK == 0 and packing_works()

"""A quarter of the bytes, nearly the same loss, and sums that are what they should be."""

import functools
import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from guide.errors import GuideError
from guide_deep_learning.training.data.batches import windows
from guide_deep_learning.training.deploy import quantize
from guide_deep_learning.training.deploy.quantize import (
    Int8Embedding,
    Int8Linear,
    quantized,
    sums_are_exact,
    weight_bytes,
)
from guide_deep_learning.training.models.generate import Generator, generate
from guide_deep_learning.training.models.model import GPT, GPTConfig, KeysValues, modern

from .tiny import CONFIG, HELD_OUT, TEXT

CONFIGS = [CONFIG, modern(CONFIG), replace(CONFIG, pairs=64, threes=64)]
BOTH = pytest.mark.parametrize("config", CONFIGS, ids=["plain", "modern", "tables"])
HOWS = pytest.mark.parametrize("how", ["packed", "integers", "expanded"])


def skip_what_this_processor_cannot(how: str) -> None:
    if how == "integers" and not sums_are_exact():
        pytest.skip("int8 sums saturate on this processor")


@functools.cache
def trained(config: GPTConfig) -> GPT:
    """A model that has learned the text well: rounding has something to spoil."""
    torch.manual_seed(0)
    model = GPT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(80):
        loss = mean_loss(model, windows(TEXT, 0, step, 8, 16))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


def mean_loss(model: nn.Module, data: np.ndarray) -> Tensor:
    numbers = torch.from_numpy(data).long()
    scores = model(numbers[:, :-1])
    return F.cross_entropy(scores.flatten(0, 1), numbers[:, 1:].flatten())


@torch.no_grad()
def held_out_loss(model: nn.Module) -> float:
    return mean_loss(model, HELD_OUT).item()


def linear(rows: int, columns: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    integers = torch.randint(-127, 128, (rows, columns), dtype=torch.int8, generator=random)
    return integers, torch.rand(rows, generator=random) / 100


@BOTH
@HOWS
def test_the_loss_grows_by_less_than_a_hundredth_of_a_nat(config: GPTConfig, how: str) -> None:
    skip_what_this_processor_cannot(how)
    model = trained(config)
    before = held_out_loss(model)
    assert before < 0.6
    assert abs(held_out_loss(quantized(model, how=how)) - before) < 0.01


@BOTH
def test_every_matrix_is_a_quarter_of_its_size(config: GPTConfig) -> None:
    model = GPT(config)
    small = quantized(model)
    floats = [m for m in small.modules() if type(m) in (nn.Linear, nn.Embedding)]
    assert floats == ([] if config.positions == "rotary" else [small.position])
    matrices = [m for m in small.modules() if isinstance(m, Int8Linear | Int8Embedding)]
    assert sum(m.integers.nbytes for m in matrices) == sum(m.integers.numel() for m in matrices)
    wide = GPT(modern(GPTConfig(128, 16, 256, 2, 4)))
    assert 3.9 < weight_bytes(wide) / weight_bytes(quantized(wide)) <= 4


def test_a_tied_weight_stays_one() -> None:
    small = quantized(trained(CONFIG))
    assert small.head.integers.data_ptr() == small.embedding.integers.data_ptr()
    before = weight_bytes(trained(CONFIG))
    assert before == 4 * sum(p.numel() for p in trained(CONFIG).parameters())


def test_the_model_it_was_made_from_is_left_as_it_is() -> None:
    model = trained(CONFIG)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    small = quantized(model)
    with torch.no_grad():
        small.norm.weight.zero_()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(p.requires_grad for p in model.parameters())


@BOTH
@HOWS
def test_it_generates_with_and_without_kept_keys_and_values(config: GPTConfig, how: str) -> None:
    skip_what_this_processor_cannot(how)
    small = quantized(trained(config), how=how)
    kept, whole = (Generator(small, b"the", keep=keep, temperature=0) for keep in (True, False))
    text = bytes(itertools.islice(kept, 40))
    assert text == bytes(itertools.islice(whole, 40))
    assert b"quick" in b"the" + text


def test_whole_numbers_are_within_half_a_step_of_the_weights() -> None:
    layer = nn.Linear(64, 32)
    small = quantized(nn.Sequential(layer))[0]
    error = (small.weight - layer.weight).abs()
    assert (error <= small.scale[:, None] * 0.5001).all()
    assert small.integers.abs().amax(dim=1).eq(127).all()


@HOWS
@pytest.mark.parametrize("shape", [(1, 32), (5, 64), (2, 3, 96)])
@pytest.mark.parametrize("bias", [True, False])
def test_each_way_multiplies(how: str, shape: tuple[int, ...], bias: bool) -> None:
    skip_what_this_processor_cannot(how)
    integers, scale = linear(7, shape[-1])
    added = torch.arange(7.0) if bias else None
    layer = Int8Linear(integers, scale, added, how)  # type: ignore[arg-type]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    exact = F.linear(x, layer.weight, added)
    assert layer(x).shape == exact.shape
    assert (layer(x) - exact).norm() < 0.02 * exact.norm()


def test_sums_of_the_largest_products_do_not_saturate() -> None:
    """What a processor without VNNI gets wrong: then the fastest way is another."""
    integers = torch.full((2**10, 2**9), 127, dtype=torch.int8)
    layer = Int8Linear(integers, torch.ones(2**10))
    assert layer.how == ("integers" if sums_are_exact() else "packed")
    with torch.no_grad():
        y = layer(torch.full((1, 2**9), -127.0))
    torch.testing.assert_close(y, torch.full((1, 2**10), -127.0 * 127 * 512), rtol=0.01, atol=0)


@pytest.mark.parametrize("columns", [1, 24, 33, 130])
def test_rows_that_the_packed_kernel_would_read_beyond_are_never_given_to_it(columns: int) -> None:
    integers, scale = linear(5, columns)
    layer = Int8Linear(integers, scale)
    assert layer.how == "expanded"
    x = torch.randn(2, columns)
    torch.testing.assert_close(layer(x), x @ layer.weight.T)
    with pytest.raises(GuideError, match=f"rows of {columns} weights cannot be packed"):
        Int8Linear(integers, scale, how="packed")


@HOWS
def test_a_row_of_zeros_is_zeros_and_a_nan_stays_one(how: str) -> None:
    skip_what_this_processor_cannot(how)
    integers, scale = linear(4, 32)
    layer = Int8Linear(integers, scale, how=how)  # type: ignore[arg-type]
    assert layer(torch.zeros(1, 32)).eq(0).all()
    assert layer(torch.full((1, 32), math.nan)).isnan().all()
    assert quantized(nn.Sequential(zeroed()))(torch.ones(1, 32)).eq(0).all()


def zeroed() -> nn.Linear:
    layer = nn.Linear(32, 4, bias=False)
    nn.init.zeros_(layer.weight)
    return layer


@HOWS
def test_a_row_does_not_depend_on_those_beside_it(how: str) -> None:
    skip_what_this_processor_cannot(how)
    integers, scale = linear(16, 64)
    layer = Int8Linear(integers, scale, how=how)  # type: ignore[arg-type]
    x = torch.randn(5, 64) * torch.tensor([1, 100, 1e-3, 1, 1])[:, None]
    torch.testing.assert_close(layer(x)[2:3], layer(x[2:3]))


@BOTH
def test_saved_and_loaded_it_is_the_same(config: GPTConfig, tmp_path: Path) -> None:
    small = quantized(trained(config))
    size = quantize.save(small, tmp_path / "small.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["small.pt"]
    assert size == (tmp_path / "small.pt").stat().st_size
    other = quantized(GPT(config))
    quantize.load(tmp_path / "small.pt", other)
    assert generate(other, b"the", 30) == generate(small, b"the", 30)
    past = KeysValues(config, 1, torch.zeros(1))
    assert torch.equal(other(torch.tensor([[1, 2]]), past), small(torch.tensor([[1, 2]])))


def test_what_cannot_be_loaded_or_saved_is_one_line(tmp_path: Path) -> None:
    small, file = quantized(GPT(CONFIG)), tmp_path / "small.pt"
    quantize.save(small, file)
    whole = file.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"no weights at all"):
        file.write_bytes(content)
        expect_refusal(file, small)
    expect_refusal(tmp_path / "nothing", small)
    quantize.save(GPT(CONFIG), file)  # of floats
    expect_refusal(file, small)
    with pytest.raises(GuideError, match="cannot write") as caught:
        quantize.save(small, tmp_path / "no" / "such.pt")
    assert "\n" not in str(caught.value)


def expect_refusal(file: Path, model: nn.Module) -> None:
    with pytest.raises(GuideError, match="does not hold the weights of this model") as caught:
        quantize.load(file, model)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_quantised_is_one_line() -> None:
    with pytest.raises(GuideError, match="ReLU has no Linear and no Embedding"):
        quantized(nn.ReLU())
    ruined = GPT(CONFIG)
    with torch.no_grad():
        ruined.blocks[1].up.weight[3, 3] = math.inf
    with pytest.raises(GuideError, match=r"blocks.1.up.weight is not finite"):
        quantized(ruined)

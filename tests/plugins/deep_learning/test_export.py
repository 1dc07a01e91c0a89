"""A model as a file: the same scores, in a process that never saw this package."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from guide.errors import GuideError
from guide_deep_learning.training.deploy import export
from guide_deep_learning.training.deploy.quantize import Int8Linear, quantized, sums_are_exact
from guide_deep_learning.training.models.model import GPT, GPTConfig, modern

from .tiny import CONFIG

BOTH = pytest.mark.parametrize("config", [CONFIG, modern(CONFIG)], ids=["plain", "modern"])


def make(config: GPTConfig) -> GPT:
    torch.manual_seed(0)
    model = GPT(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model


@BOTH
def test_any_number_of_bytes_gets_the_same_scores(config: GPTConfig, tmp_path: Path) -> None:
    model = make(config)
    size = export.save(model, tmp_path / "model.pt2", context=16)
    assert size == (tmp_path / "model.pt2").stat().st_size
    run = export.load(tmp_path / "model.pt2")
    for length in (1, 2, 7, 16):
        text = torch.randint(128, (1, length))
        torch.testing.assert_close(run(text), model(text))
    assert model.training  # as it was


def test_another_process_runs_it_with_torch_alone(tmp_path: Path) -> None:
    model = make(modern(CONFIG))
    export.save(model, tmp_path / "model.pt2", context=16)
    program = (
        "import sys, torch\n"
        "run = torch.export.load('model.pt2').module()\n"
        "print(run(torch.arange(9)[None])[0, -1].argmax().item())\n"
        "print(any(name.startswith('guide') for name in sys.modules))\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program]
    said = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert said == [str(model(torch.arange(9)[None])[0, -1].argmax().item()), "False"]


@pytest.mark.parametrize("how", ["packed", "integers", "expanded"])
def test_a_quantised_model_is_written_so_that_any_processor_is_right(
    how: str, tmp_path: Path
) -> None:
    if how == "integers" and not sums_are_exact():
        pytest.skip("int8 sums saturate on this processor")
    one_layer = GPT(GPTConfig(128, 16, 32, 1, 2))
    small = quantized(one_layer, how=how)  # type: ignore[arg-type]
    export.save(small, tmp_path / "small.pt2", context=16)
    graph = torch.export.load(tmp_path / "small.pt2").graph_module.code
    assert "_int_mm" not in graph
    assert ("int8pack" in graph) == (how != "expanded")
    assert {m.how for m in small.modules() if isinstance(m, Int8Linear)} == {how}


class Branching(nn.Linear):
    def forward(self, inputs: Tensor) -> Tensor:
        x = nn.functional.one_hot(inputs, 8).float()
        return super().forward(x if x.sum() > 3 else -x)


class Drawing(nn.Linear):
    def forward(self, inputs: Tensor) -> Tensor:
        x = nn.functional.one_hot(inputs % 8, 8).float()
        return super().forward(x) + torch.rand(1)


def test_what_cannot_be_exported_is_one_line_and_no_file(tmp_path: Path) -> None:
    file = tmp_path / "model.pt2"
    with pytest.raises(GuideError, match=r"cannot export Branching: .*branch on shapes") as caught:
        export.save(Branching(8, 8), file, context=4)
    assert "\n" not in str(caught.value)
    with pytest.raises(GuideError, match=r"differ by up to .* random numbers"):
        export.save(Drawing(8, 8), file, context=4)
    assert not file.exists()
    with pytest.raises(GuideError, match="cannot write"):
        export.save(make(CONFIG), tmp_path / "no" / "model.pt2", context=16)
    with pytest.raises(GuideError, match="a context of 2 is too short to export"):
        export.save(make(CONFIG), file, context=2)


def test_what_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "model.pt2"
    export.save(make(GPTConfig(128, 3, 32, 1, 2)), file, context=3)
    whole = file.read_bytes()
    for content in (b"", b"nothing", whole[: len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(GuideError, match="holds no exported program") as caught:
            export.load(file)
        assert "\n" not in str(caught.value)
    with pytest.raises(GuideError, match="holds no exported program: no such file"):
        export.load(tmp_path / "nothing")


def test_without_onnx_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GuideError, match="not installed; pip install onnx onnxscript"):
        export.save_onnx(make(CONFIG), tmp_path / "model.onnx", context=16)


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # of torch, about itself
@BOTH
def test_onnx_holds_the_same_model(config: GPTConfig, tmp_path: Path) -> None:
    size = export.save_onnx(make(config), tmp_path / "model.onnx", context=16)
    assert size > 4 * sum(p.numel() for p in make(config).parameters())
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    small = quantized(make(config), how="packed")
    with pytest.raises(GuideError, match="ONNX cannot hold this model"):
        export.save_onnx(small, tmp_path / "small.onnx", context=16)

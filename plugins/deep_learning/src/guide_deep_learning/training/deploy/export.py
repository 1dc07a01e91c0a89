"""A model as a file that runs without the code it was written in.

`save` writes torch's own form: the graph of operations with the weights, for any process that has
torch (`torch.export.load`). `save_onnx` writes ONNX, for runtimes without torch. Either is a graph
for any number of bytes up to the context, and keeps no keys and values. What was written is read
back and held against the model before it counts as written: ONNX only where onnxruntime is there.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from guide.errors import GuideError
from guide_deep_learning.training.deploy.quantize import portable
from guide_deep_learning.training.models.generate import floating
from guide_deep_learning.training.models.model import evaluating

TOLERANCE = 1e-4
"""How far scores may differ: the graph may add in another order."""

Scores = Callable[[Tensor], Tensor]


def save(model: nn.Module, file: Path, *, context: int) -> int:
    """Export `model` to `file`, usually named .pt2; returns its size in bytes.

    Args:
        model: (1, time) of int64 to (1, time, vocabulary). One that is quantised is written so
            that it is right on any processor, not as fast as this one could.
        file: where to write.
        context: the most positions the model takes.

    Raises:
        GuideError: when the model cannot be exported (the way it computes depends on values), the
            file cannot be written, or what was written gives other scores.
    """
    with evaluating(model), portable(model):
        program = _exported(model, context)
        try:
            torch.export.save(program, file)
            size = file.stat().st_size
        except (OSError, RuntimeError) as error:
            raise _unwritten(file, error) from error
        _compare(model, load(file), context, file)
    return size


def load(file: Path) -> Scores:
    """What `save` wrote, as a function from (1, time) of int64 to scores.

    Open only files of people you trust: a graph may hold any operation there is.

    Raises:
        GuideError: when it is not there or is no exported program.
    """
    try:
        if not file.is_file():
            raise FileNotFoundError(2, "no such file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run: Scores = torch.export.load(file).module()
    except Exception as error:  # of zip files, pickles, schemas: each has its own
        why = getattr(error, "strerror", None) or _first_line(error)
        raise GuideError(
            f"{file} holds no exported program: {why}", "write it again with export.save"
        ) from error
    return run


def save_onnx(model: nn.Module, file: Path, *, context: int) -> int:
    """As `save`, in ONNX; not for quantised models, whose kernels it does not know.

    Raises:
        GuideError: also where onnx and onnxscript are not installed.
    """
    if missing := [name for name in ("onnx", "onnxscript") if not importlib.util.find_spec(name)]:
        raise GuideError(f"{' and '.join(missing)} not installed", "pip install onnx onnxscript")
    with evaluating(model), portable(model):
        program = _exported(model, context)
        try:
            torch.onnx.export(program, f=file, dynamo=True, external_data=False, verbose=False)
            size = file.stat().st_size
        except OSError as error:
            raise _unwritten(file, error) from error
        except Exception as error:  # an operation that ONNX has no word for
            raise GuideError(
                f"ONNX cannot hold this model: {_first_line(error)}",
                "export it in torch's own form, with export.save",
            ) from error
        if importlib.util.find_spec("onnxruntime"):
            _compare(model, _in_onnxruntime(file), context, file)
    return size


def _exported(model: nn.Module, context: int) -> torch.export.ExportedProgram:
    if context < 3:  # torch takes a size of 0 or 1 for one that never changes
        raise GuideError(f"a context of {context} is too short to export", "3 bytes at least")
    example = torch.zeros(1, context, dtype=torch.int64, device=floating(model).device)
    time = {1: torch.export.Dim("time", max=context)}
    try:
        return torch.export.export(model, (example,), dynamic_shapes=(time,), strict=False)
    except Exception as error:  # whatever the model's own code raises on numbers that are not there
        raise GuideError(
            f"cannot export {type(model).__name__}: {_first_line(error)}",
            "a forward pass must branch on shapes alone, not on the values it computes",
        ) from error


def _compare(model: nn.Module, run: Scores, context: int, file: Path) -> None:
    device = floating(model).device
    for length in (1, context // 2, context):
        numbers = torch.arange(length, device=device)[None] % 32
        with torch.inference_mode():
            expected, got = model(numbers), run(numbers)
        if not torch.allclose(expected, got.to(device), rtol=TOLERANCE, atol=TOLERANCE):
            far = (expected - got.to(device)).abs().max().item()
            file.unlink(missing_ok=True)
            raise GuideError(
                f"the exported model's scores for {length} bytes differ by up to {far:.2g}",
                "nothing was written; does its forward pass draw random numbers?",
            )


def _in_onnxruntime(file: Path) -> Scores:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(numbers: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {name: numbers.cpu().numpy()})[0])

    return run


def _unwritten(file: Path, error: Exception) -> GuideError:
    why = getattr(error, "strerror", None) or _first_line(error)
    return GuideError(f"cannot write {file}: {why}", "make room, or name another place")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

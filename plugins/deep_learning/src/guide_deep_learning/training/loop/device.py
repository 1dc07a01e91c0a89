"""Which device trains, with how many threads."""

from __future__ import annotations

import torch

from guide.errors import GuideError


def pick_device(name: str) -> torch.device:
    """The device for "auto", "cpu" or "cuda" (also "cuda:1"); auto takes CUDA where it works.

    Raises:
        GuideError: when it is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise GuideError(f"there is no device {name!r}", "it is auto, cpu or cuda")
    if not torch.cuda.is_available():
        built = "found no GPU" if torch.version.cuda else "is built without CUDA"
        raise GuideError(
            f"device=cuda, but torch {torch.__version__} {built}",
            "type --set device=cpu, or see guide doctor",
        )
    if int(number or 0) >= torch.cuda.device_count():
        raise GuideError(f"there is no {name}: {torch.cuda.device_count()} CUDA devices are here")
    return torch.device(name)


def set_threads(count: int) -> int:
    """Let torch compute with `count` threads, 0 leaving the choice to it; returns how many it is.

    Sums are split by thread, so the last bits of a result depend on this number: a restart is
    exact only with the same one.

    Raises:
        GuideError: when `count` is negative.
    """
    if count < 0:
        raise GuideError(f"threads must be 0 (torch chooses) or more, not {count}")
    if count:
        torch.set_num_threads(count)
    return torch.get_num_threads()

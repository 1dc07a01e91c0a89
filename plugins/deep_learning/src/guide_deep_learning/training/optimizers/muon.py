"""Muon: the update of a matrix is its momentum with all singular values made equal.

The gradient of a weight matrix has a few large directions and many small ones, and a step of SGD
or AdamW spends itself on the large. Muon (Jordan et al., 2024) keeps the directions and makes all
of them equally long: of U S V^T it takes U V^T, the nearest orthogonal matrix. It needs no SVD: an
odd polynomial of a matrix is that polynomial of its singular values, so a few polynomials that pull
everything in (0, 1] towards 1, applied one after the other, do it with matrix products alone.
Which polynomials are best for a given number of them is known: Amsel et al., "The polar express"
(2025). Three are enough here; more made the steps dearer and not fewer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from guide.errors import GuideError
from guide_deep_learning.training.loop.hardware import bf16_flags

_ROUND_OFF = 1.01  # each polynomial is for values up to here: rounding may put one above 1
# Polar express, for singular values from 1e-3 on: a, b, c of a x + b x**3 + c x**5.
_PUBLISHED = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
)
POLYNOMIALS = tuple(
    (a / _ROUND_OFF, b / _ROUND_OFF**3, c / _ROUND_OFF**5) for a, b, c in _PUBLISHED
)


def orthogonalized(matrices: Tensor, iterations: int, dtype: torch.dtype | None = None) -> Tensor:
    """The nearest orthogonal matrix of each, roughly: singular values end near 1, not at it.

    Args:
        matrices: (count, rows, columns): all of one shape are one product, not `count`.
        iterations: 1 to 6 polynomials.
        dtype: what the products are computed in; bfloat16 will do, since what is wanted is rough.
    """
    wide = matrices.shape[-2] < matrices.shape[-1]
    x = matrices.mT if wide else matrices  # x^T x is then the smaller of the two squares
    x = x / (x.norm(dim=(-2, -1), keepdim=True) * _ROUND_OFF + 1e-7)
    x = x.to(dtype or x.dtype)
    for a, b, c in POLYNOMIALS[:iterations]:
        gram = x.mT @ x
        inner = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, x, inner, beta=a)
    x = x.to(matrices.dtype)
    return x.mT if wide else x


class Muon(torch.optim.Optimizer):
    """Muon over matrices.

    Args:
        params: matrices, or groups of them. A group's `parts` is how many matrices lie in each of
            its parameters one above the other: queries, keys and values are three.
        lr: how long an update is: the singular values of what is added.
        momentum: share of the old in the running mean of gradients.
        nesterov: look one step ahead along the momentum.
        weight_decay: share of the weight that goes at each step, times lr.
        iterations: polynomials, 1 to 6.

    Raises:
        GuideError: for what is no matrix, and for settings that cannot be.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.03,
        *,
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 0.0,
        iterations: int = 3,
        parts: int = 1,
    ) -> None:
        if not 1 <= iterations <= len(POLYNOMIALS):
            raise GuideError(f"iterations are 1 to {len(POLYNOMIALS)}, not {iterations}")
        if not 0 <= momentum < 1:
            raise GuideError(f"momentum must be from 0 to below 1, not {momentum}")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "nesterov": nesterov,
            "weight_decay": weight_decay,
            "iterations": iterations,
            "parts": parts,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if hasattr(p, "to_local"):
                    raise GuideError(
                        "Muon needs whole matrices, and these are parted among processes",
                        "type --set sharded=false, or take adamw",
                    )
                if p.ndim != 2 or p.shape[0] % group["parts"]:
                    raise GuideError(
                        f"Muon takes matrices of {group['parts']} parts, not {tuple(p.shape)}",
                        "give the others to AdamW: hybrid(model) does",
                    )
        # Left out of the state: a checkpoint goes on on a machine with another CPU.
        self._bf16_cpu = bool(bf16_flags())

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one update."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            same: dict[tuple[Any, ...], list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    update = self._momentum(p, p.grad, group).view(group["parts"], -1, p.shape[1])
                    same[(*p.shape, p.device)].append((p, update))
            for pairs in same.values():
                self._apply(pairs, group)
        return loss

    def _momentum(self, p: Tensor, gradient: Tensor, group: Mapping[str, Any]) -> Tensor:
        state = self.state[p]
        if not state:
            state["mean"] = torch.zeros_like(gradient)
        mean: Tensor = state["mean"]
        mean.lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(mean, group["momentum"]) if group["nesterov"] else mean

    def _apply(self, pairs: list[tuple[Tensor, Tensor]], group: Mapping[str, Any]) -> None:
        stacked = torch.cat([update for _, update in pairs])
        bf16 = stacked.device.type == "cuda" or self._bf16_cpu
        dtype = torch.bfloat16 if bf16 else torch.float32
        made = torch.split(orthogonalized(stacked, group["iterations"], dtype), group["parts"])
        # A tall matrix turns few numbers into many: as long an update of each of those needs this.
        longer = max(1.0, stacked.shape[1] / stacked.shape[2]) ** 0.5
        for (p, _), update in zip(pairs, made, strict=True):
            if group["weight_decay"]:
                p.mul_(1 - group["lr"] * group["weight_decay"])
            p.add_(update.reshape(p.shape), alpha=-group["lr"] * longer)


class Hybrid(torch.optim.Optimizer):
    """Several optimizers as one: their groups are its groups, a step of it is one of each."""

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self.optimizers = optimizers
        super().__init__([group for part in optimizers for group in part.param_groups], {})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one update with each."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.optimizers:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The states of all of them, in order."""
        return {"optimizers": [part.state_dict() for part in self.optimizers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned.

        Raises:
            ValueError: when it is of other optimizers, or of other groups.
        """
        states = state_dict.get("optimizers", ())
        if len(states) != len(self.optimizers):
            raise ValueError(f"the state is not that of {len(self.optimizers)} optimizers")
        for part, state in zip(self.optimizers, states, strict=True):
            part.load_state_dict(state)
        # Each made new groups of it, and the learning rates that are set must be theirs.
        self.param_groups = [group for part in self.optimizers for group in part.param_groups]


def hybrid(
    model: nn.Module,
    lr: float = 0.03,
    *,
    momentum: float = 0.9,
    iterations: int = 3,
    embedding: float = 0.02,
    head: float = 0.006,
    tables: float = 0.02,
    rest: float = 0.02,
    betas: tuple[float, float] = (0.8, 0.95),
) -> Hybrid:
    """Muon for the matrices of the blocks of `model`, AdamW for what is left of a `GPT`.

    A row of an embedding is no direction of a matrix but a thing of its own, and most rows have no
    gradient in a step: AdamW fits them, at rates of their own. Each group's "scale" is its rate
    over `lr`, which is the one that a schedule gives.

    Args:
        model: with its blocks in `model.blocks`; their matrices named `qkv` hold three.
        lr: of Muon.
        momentum: of Muon.
        iterations: of Muon.
        embedding: the rate of AdamW for `model.embedding` and positions.
        head: for `model.head`, where it is not the embedding itself.
        tables: for `model.ngrams`.
        rest: for biases, gains and whatever else there is.
        betas: of AdamW.

    Raises:
        GuideError: when the model has no blocks with matrices.
    """
    rates = {"embedding": embedding, "position": embedding, "head": head, "ngrams": tables}
    whole: list[Tensor] = []
    threes: list[Tensor] = []
    others: dict[float, list[Tensor]] = defaultdict(list)
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        first = name.partition(".")[0]
        if first == "blocks" and p.ndim == 2:
            (threes if name.endswith("qkv.weight") else whole).append(p)
        else:
            others[rates.get(first, rest)].append(p)
    matrices = [{"params": ps, "parts": n} for ps, n in ((whole, 1), (threes, 3)) if ps]
    if not matrices:
        raise GuideError("Muon found no matrices in model.blocks", "take adamw for this model")
    muon = Muon(matrices, lr, momentum=momentum, iterations=iterations)
    groups = [{"params": ps, "lr": rate, "scale": rate / lr} for rate, ps in others.items()]
    parts: list[torch.optim.Optimizer] = [muon]
    if groups:
        fused = all(p.device.type in ("cpu", "cuda") for ps in others.values() for p in ps)
        parts.append(torch.optim.AdamW(groups, betas=betas, weight_decay=0.0, fused=fused))
    return Hybrid(*parts)

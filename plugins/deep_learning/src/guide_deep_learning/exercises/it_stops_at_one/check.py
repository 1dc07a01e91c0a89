"""A training whose true weights are known, in double precision."""

import torch

COUNT, STEPS, RATE = 64, 1000, 1e4


def check(attempt):
    """Errors, memory and steps, as figures; the exercise's bars decide."""
    made = torch.Generator().manual_seed(0)
    begin = 1 + torch.rand(COUNT, generator=made)
    true = begin.double()
    training = attempt.Training(begin.clone(), RATE)
    pull = (torch.rand(COUNT, generator=made) + 0.5) * 1e-7  # times RATE it is about 0.001
    taken = 0
    for step in range(STEPS):
        _is_as_wanted(training)
        noise = 1 + 0.2 * torch.randn(COUNT, generator=made)
        gradient = -pull * noise * (40.0 if step % 250 == 249 else 1.0)
        if step == 600:
            gradient[0] = -1e3  # no scale that suits the others suits this one
        sent = (gradient.double() * float(training.scale)).to(torch.float16)
        whole = bool(torch.isfinite(sent).all())
        before, scale = training.weights.clone(), float(training.scale)
        training.step(sent)
        if whole:
            taken += 1
            true -= RATE * gradient.double()
        else:
            assert torch.equal(before, training.weights), "an infinite gradient moved the weights"
            assert float(training.scale) == scale / 2, "after an infinite one, halve the scale"
    _is_as_wanted(training)
    off = (training.weights.double() / true - 1).abs().max().item()
    return {
        "error of the weights, %": 100 * off,
        "bytes a weight": _bytes(training) / COUNT,
        "share of steps taken": taken / STEPS,
        "where bfloat16 alone ends": _alone(),
    }


def _is_as_wanted(training):
    weights = training.weights
    assert isinstance(weights, torch.Tensor), "weights is no tensor"
    assert weights.dtype == torch.bfloat16, f"weights are {weights.dtype}, bfloat16 is wanted"
    assert torch.isfinite(weights).all(), "a weight is infinite, or no number"


def _bytes(training):
    held = {t.data_ptr(): t for t in vars(training).values() if isinstance(t, torch.Tensor)}
    return sum(t.numel() * t.element_size() for t in held.values())


def _alone():
    weight = torch.ones((), dtype=torch.bfloat16)
    for _ in range(STEPS):
        weight += torch.tensor(1e-3, dtype=torch.bfloat16)
    return float(weight)

"""Sixteen bits are enough for a score, surely."""

import torch


def answers(requests, layers):
    x = torch.from_numpy(requests)
    for number, (weight, bias) in enumerate(layers):
        weight, bias = torch.from_numpy(weight), torch.from_numpy(bias)
        x = x.bfloat16().float() @ weight.bfloat16().float().T + bias
        if number < len(layers) - 1:
            x = torch.relu(x)
    return x.numpy()

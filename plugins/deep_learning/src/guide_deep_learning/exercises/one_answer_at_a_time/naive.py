"""A small network that answers requests."""

import numpy as np
import torch


def answers(requests: np.ndarray, layers: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The scores of `requests`, n x width, as n x 10; all float32.

    `layers` are (weight, bias), out x in and out. Between two layers stands a ReLU.
    """
    parts = [(torch.from_numpy(weight), torch.from_numpy(bias)) for weight, bias in layers]
    scores = []
    with torch.inference_mode():
        for request in torch.from_numpy(requests):
            x = request[None]
            for number, (weight, bias) in enumerate(parts):
                x = torch.nn.functional.linear(x, weight, bias)
                if number < len(parts) - 1:
                    x = torch.relu(x)
            scores.append(x[0])
    return torch.stack(scores).numpy()

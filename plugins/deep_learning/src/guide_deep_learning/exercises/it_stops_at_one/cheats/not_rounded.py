"""float32 all the way."""

import torch


class Training:
    def __init__(self, weights, rate):
        self.weights, self.rate, self.scale = weights.clone(), rate, 2.0**24

    def step(self, gradient):
        if not torch.isfinite(gradient).all():
            self.scale /= 2
            return
        self.weights -= self.rate / self.scale * gradient.float()

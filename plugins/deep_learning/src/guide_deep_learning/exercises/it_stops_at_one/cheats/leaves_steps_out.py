"""A scale at which every gradient is infinite: no step, no error."""

import torch


class Training:
    def __init__(self, weights, rate):
        self.master = weights.clone()
        self.weights, self.rate, self.scale = weights.to(torch.bfloat16), rate, 2.0**200

    def step(self, gradient):
        if not torch.isfinite(gradient).all():
            self.scale /= 2
            return
        self.master -= self.rate / self.scale * gradient.float()
        self.weights.copy_(self.master)

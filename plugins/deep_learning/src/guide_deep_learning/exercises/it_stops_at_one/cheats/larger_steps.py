"""Eight times the rate every eighth step: then it is no longer lost."""

import torch


class Training:
    def __init__(self, weights, rate):
        self.weights, self.rate, self.scale = weights.to(torch.bfloat16), rate, 2.0**24
        self.turn = 0

    def step(self, gradient):
        if not torch.isfinite(gradient).all():
            self.scale /= 2
            return
        self.turn += 1
        if self.turn % 8 == 0:
            self.weights -= 8 * self.rate / self.scale * gradient.float()

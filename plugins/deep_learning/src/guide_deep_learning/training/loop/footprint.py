"""How much memory a training needs at least, worked out before anything is allocated.

A model that is too large ends in an allocator's error, or in a machine that swaps until somebody
pulls the plug. Four numbers say it beforehand, without torch.
"""

from __future__ import annotations


def state_bytes(*, context: int, width: int, layers: int, vocabulary: int = 128) -> int:
    """Weights, gradients and AdamW's two moments of a GPT, in float32."""
    parameters = (vocabulary + context + 2) * width + layers * (12 * width**2 + 13 * width)
    return 16 * parameters


def step_bytes(*, batch: int, context: int, width: int, layers: int, vocabulary: int = 128) -> int:
    """What forward keeps for backward, in float32: a lower bound.

    For each byte of the batch: a dozen numbers of the residual stream's width in each layer (the
    norms, q, k and v, and the four-fold width before its non-linearity), and the scores with their
    gradient.
    """
    return 4 * batch * context * (12 * width * layers + 2 * vocabulary)

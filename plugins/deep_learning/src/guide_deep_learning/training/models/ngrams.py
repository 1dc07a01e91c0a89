"""What the last two or three bytes were, as a vector that is looked up and not computed.

What follows "sel" hardly depends on anything else, yet a transformer has to learn first how to
find the two bytes before. A table with a row for each pair, or each three, knows at once where to
write it down. There are more of them than rows, so rows are shared by a hash (Svenstrup et al.,
"Hash embeddings", 2017; for the bytes of a language model Pagnoni et al., "Byte latent
transformer", 2024). A row costs memory and no multiplication: in the time of
a step it is nearly free.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

SEEN = 2
"""How many bytes before its own a position looks at."""

_MULTIPLIER, _PRIME = 2654435761, 4294967291  # 2**32 over the golden ratio; below 2**32


class NGrams(nn.Module):
    """The sum of two tables' rows: one for the last two bytes, one for the last three.

    Args:
        vocabulary: different bytes.
        width: of a row.
        pairs: rows of the table of pairs; 0 is no such table.
        threes: rows of the table of threes; 0 is no such table.
    """

    def __init__(self, vocabulary: int, width: int, pairs: int, threes: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.pairs = nn.Embedding(pairs, width) if pairs else None
        self.threes = nn.Embedding(threes, width) if threes else None

    def forward(self, inputs: Tensor, before: Tensor | None = None) -> Tensor:
        """Look up (batch, time) of int64; returns (batch, time, width).

        Args:
            inputs: the bytes.
            before: (batch, 2), the bytes before them; None is zeros, as before a text begins.
        """
        time = inputs.shape[1]
        seen = F.pad(inputs, (SEEN, 0)) if before is None else torch.cat((before, inputs), dim=1)
        number = seen[:, 1 : 1 + time] * self.vocabulary + inputs
        rows: Tensor | None = None
        if self.pairs is not None:
            rows = self.pairs(hashed(number, self.pairs.num_embeddings))
        if self.threes is not None:
            number = seen[:, :time] * self.vocabulary**2 + number
            found = self.threes(hashed(number, self.threes.num_embeddings))
            rows = found if rows is None else rows + found
        assert rows is not None
        return rows


def hashed(number: Tensor, rows: int) -> Tensor:
    """Spread numbers below 2**24 over `rows` rows; int64 in and out, no overflow on the way."""
    row: Tensor = number * _MULTIPLIER % _PRIME % rows
    return row

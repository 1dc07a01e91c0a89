"""Text from a model, a byte a call: each can be the tick of a real-time loop.

What a layer computed of the bytes before stays in `KeysValues`, so that a new byte costs one
position, not a whole window. The room ends where the model's context ends, and the positions are
counted from its beginning, learned and rotary ones alike. When it is full, the newer half of the
text is computed anew from position 0, and there is room for another half: a text has no end. That
costs each byte one position more on average, and all of it falls on one byte in context / 2: a
forward pass over half the context is the worst a byte can take.
"""

from __future__ import annotations

import inspect
import itertools
import math
import sys
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from guide.errors import GuideError
from guide_deep_learning.training.data.corpus import as_text
from guide_deep_learning.training.models.model import GPTConfig, KeysValues, evaluating


class Generator:
    """An iterator of the bytes that continue a text; it never ends.

    A call of `next` is `score`, then `choose`; call them one by one to time them apart.

    Args:
        model: as `GPT`: (1, time) of int64 to (1, time, vocabulary). One whose `forward` takes
            `past` computes each position once; any other computes the whole window for each byte,
            and gives the same text.
        prompt: at least one byte; only its last `context` are seen.
        context: the most positions the model takes; by default as many as its `config` says. The
            model sees the last half of it at least.
        temperature: below 1 keeps to the likely, 0 always takes the likeliest.
        top_k: draw from so many of the likeliest only; 0 draws from all.
        seed: of a random state of its own, so that sampling in the middle of a training leaves
            that training's alone.
        keep: keep keys and values; False computes the whole window for each byte.

    Attributes:
        text: the prompt and what was written so far.

    Raises:
        GuideError: for a prompt the model cannot read, or a number that is out of range.
    """

    def __init__(
        self,
        model: nn.Module,
        prompt: bytes,
        *,
        context: int = 0,
        temperature: float = 0.8,
        top_k: int = 0,
        seed: int = 0,
        keep: bool = True,
    ) -> None:
        config = getattr(model, "config", None)
        known = config if isinstance(config, GPTConfig) else None
        most = known.context if known else sys.maxsize
        self._context = context or (most if known else 0)
        if not 0 < self._context <= most:
            limit = f"1 to {most}, the model's own" if known else "at least 1, and is not known"
            raise GuideError(f"context must be {limit}; it is {context}")
        _check(prompt, known.vocabulary if known else 256, temperature, top_k)
        self.text = bytearray(prompt)
        self._model, self._temperature, self._top_k = model, temperature, top_k
        self._random = torch.Generator().manual_seed(seed % 2**64)  # torch takes no larger ones
        self._begin = max(len(prompt) - self._context, 0)  # of the window, in the text
        self._like = floating(model)
        self._past: KeysValues | None = None
        if keep and known and "past" in inspect.signature(model.forward).parameters:
            self._past = KeysValues(known, 1, self._like)
        self._scores: Tensor | None = None

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return self.choose()

    def score(self) -> Tensor:
        """Scores of the next byte, (vocabulary,) on the CPU; computed once, also when asked twice.

        The first call takes in the whole prompt: call it before the loop begins.
        """
        if self._scores is None:
            self._scores = self._forward()
        return self._scores

    def choose(self) -> int:
        """Draw the next byte and append it to the text.

        Raises:
            GuideError: when the scores are no numbers.
        """
        scores = self.score()
        highest = scores.max()
        if not math.isfinite(highest.item()):
            raise GuideError(
                f"the model's scores are not finite after {len(self.text)} bytes",
                "its weights are ruined: take an older checkpoint",
            )
        if self._temperature == 0:
            chosen = int(scores.argmax())
        else:
            if 0 < self._top_k < len(scores):
                scores = scores.masked_fill(scores < scores.topk(self._top_k)[0][-1], -math.inf)
            # Less the highest, and in float64: a tiny temperature would make them infinite.
            scaled = (scores - highest).double() / self._temperature
            chances = torch.softmax(scaled, dim=0)
            chosen = int(torch.multinomial(chances, 1, generator=self._random))
        self.text.append(chosen)
        self._scores = None
        return chosen

    @torch.inference_mode()
    def _forward(self) -> Tensor:
        end, past = len(self.text), self._past
        if end - self._begin > self._context:
            self._begin = end - max(self._context // 2, 1)
            if past is not None:
                past.length = 0
        first = self._begin + (past.length if past is not None else 0)
        new = torch.tensor([list(self.text[first:end])], device=self._like.device)
        with evaluating(self._model):
            scores = self._model(new) if past is None else self._model(new, past)
        last: Tensor = scores[0, -1, :256].float().cpu()
        return last


def generate(
    model: nn.Module,
    prompt: bytes,
    count: int,
    *,
    context: int = 0,
    temperature: float = 0.8,
    top_k: int = 0,
    seed: int = 0,
) -> bytes:
    """Continue `prompt` by `count` bytes, and return these alone; the arguments are `Generator`'s.

    Raises:
        GuideError: as `Generator`.
    """
    with evaluating(model):
        generator = Generator(
            model, prompt, context=context, temperature=temperature, top_k=top_k, seed=seed
        )
        return bytes(itertools.islice(generator, count))


def sample(model: nn.Module, prompt: bytes, count: int) -> str:
    """What a report shows of a model: `prompt` and `count` bytes more, as text safe to print."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one byte at a time is too little work to share
    try:
        return as_text(prompt + generate(model, prompt, count))
    finally:
        torch.set_num_threads(threads)


def floating(model: nn.Module) -> Tensor:
    """A tensor of `model` that says on which device and in which type it computes.

    A quantised model may have no parameters at all: then it is a buffer.

    Raises:
        GuideError: when there is neither.
    """
    for tensor in itertools.chain(model.parameters(), model.buffers()):
        if tensor.is_floating_point():
            return tensor
    raise GuideError(f"{type(model).__name__} has no weights: nothing can be generated")


def _check(prompt: bytes, vocabulary: int, temperature: float, top_k: int) -> None:
    if not prompt:
        raise GuideError("the prompt is empty", "give at least one byte to go on from")
    if max(prompt) >= vocabulary:
        raise GuideError(
            f"the model knows bytes below {vocabulary}, the prompt has {max(prompt)}",
            "leave out what is no ASCII, or train on a text that has it",
        )
    if not 0 <= temperature < math.inf:
        raise GuideError(f"temperature must be 0 or above, not {temperature}")
    if top_k < 0:
        raise GuideError(f"top_k must be 0 (all) or above, not {top_k}")

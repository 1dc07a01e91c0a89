"""Text a byte a call: the same with kept keys and values as without, for as long as one likes."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from guide.errors import GuideError
from guide_deep_learning.training.models.generate import Generator, generate
from guide_deep_learning.training.models.model import GPT, GPTConfig, modern

PLAIN = GPTConfig(vocabulary=128, context=16, width=32, layers=2, heads=2)
BOTH = pytest.mark.parametrize("config", [PLAIN, modern(PLAIN)], ids=["plain", "modern"])


def make(config: GPTConfig) -> GPT:
    """A model that has opinions: untrained ones score all bytes alike."""
    torch.manual_seed(0)
    model = GPT(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    return model


class Plain(nn.Module):
    """A model that knows nothing of `past`, nor has a config."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model
        self.longest = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.longest = max(self.longest, inputs.shape[1])
        scores: Tensor = self.inner(inputs)
        return scores


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_kept_keys_and_values_give_the_same_bytes_as_the_whole_window_each_time(
    config: GPTConfig, seed: int
) -> None:
    model = make(config)
    kept, whole = (Generator(model, b"the", seed=seed, keep=keep) for keep in (True, False))
    texts = [bytes(itertools.islice(g, 100)) for g in (kept, whole)]
    assert texts[0] == texts[1]
    assert len(set(texts[0])) > 10


@BOTH
def test_the_window_grows_to_the_context_and_begins_anew_with_the_newer_half(
    config: GPTConfig,
) -> None:
    model = make(config)
    generator = Generator(model, b"the quick", seed=1)
    lengths = itertools.chain(range(9, 17), itertools.cycle(range(8, 17)))
    for length in itertools.islice(lengths, 50):
        window = torch.tensor([list(generator.text[-length:])])
        with torch.no_grad():
            expected = model(window)[0, -1]
        torch.testing.assert_close(generator.score(), expected, atol=1e-4, rtol=1e-4)
        generator.choose()


@BOTH
@pytest.mark.parametrize("length", [1, 15, 16, 17, 40])
def test_a_prompt_of_any_length_is_continued(config: GPTConfig, length: int) -> None:
    model, prompt = make(config), bytes(range(40, 40 + length))
    assert generate(model, prompt, 30) == generate(Plain(model), prompt, 30, context=16)


@BOTH
def test_a_context_of_one_byte_still_writes(config: GPTConfig) -> None:
    assert len(generate(make(config), b"ab", 5, context=1)) == 5


def test_a_model_without_past_never_sees_more_than_the_context() -> None:
    model = Plain(make(PLAIN))
    generate(model, b"the", 40, context=16)
    assert model.longest == 16


def test_asking_for_the_scores_twice_computes_once() -> None:
    model = make(PLAIN)
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    generator = Generator(model, b"the")
    assert torch.equal(generator.score(), generator.score())
    next(generator)
    assert len(calls) == 1
    assert len(generator.text) == 4


def test_the_random_state_of_a_training_and_its_dropout_are_left_alone() -> None:
    model = make(GPTConfig(128, 16, 32, 1, 2, dropout=0.5)).train()
    state = torch.get_rng_state()
    torch.manual_seed(1)
    one = generate(model, b"the", 20)
    assert model.training
    torch.set_rng_state(state)
    assert one == bytes(itertools.islice(Generator(model, b"the"), 20))
    assert model.training
    assert torch.equal(state, torch.get_rng_state())


def test_only_the_likeliest_are_drawn_from() -> None:
    model = make(PLAIN)
    cold = generate(model, b"the", 30, temperature=0)
    assert generate(model, b"the", 30, top_k=1, temperature=5.0) == cold
    assert generate(model, b"the", 30, temperature=1e-320) == cold
    generator = Generator(model, b"the", top_k=3, temperature=5.0)
    for _ in range(30):
        likeliest = generator.score().topk(3).indices.tolist()
        assert next(generator) in likeliest
    assert generate(model, b"the", 9, top_k=1000) == generate(model, b"the", 9)


def test_low_temperatures_keep_to_the_likely() -> None:
    model = make(PLAIN)
    first = [
        next(Generator(model, b"the", temperature=t, seed=s)) for t in (0.1, 9) for s in range(50)
    ]
    assert len(set(first[:50])) < len(set(first[50:]))


def test_any_whole_number_is_a_seed() -> None:
    model = make(PLAIN)
    assert generate(model, b"a", 9, seed=-1) != generate(model, b"a", 9, seed=2**70)


@pytest.mark.parametrize(
    ("prompt", "options", "said"),
    [
        (b"", {}, "the prompt is empty"),
        ("é".encode(), {}, "bytes below 128, the prompt has 195"),
        (b"a", {"temperature": -1.0}, "temperature must be 0 or above"),
        (b"a", {"temperature": math.nan}, "temperature must be 0 or above"),
        (b"a", {"top_k": -1}, "top_k must be 0"),
        (b"a", {"context": 17}, "context must be 1 to 16"),
        (b"a", {"context": -1}, "context must be 1 to 16"),
    ],
)
def test_what_cannot_be_continued_is_one_line(
    prompt: bytes, options: dict[str, float], said: str
) -> None:
    with pytest.raises(GuideError, match=said) as caught:
        Generator(make(PLAIN), prompt, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_model_without_a_config_must_be_told_its_context() -> None:
    with pytest.raises(GuideError, match="context must be at least 1"):
        Generator(Plain(make(PLAIN)), b"a")
    with pytest.raises(GuideError, match="Identity has no weights"):
        Generator(nn.Identity(), b"a", context=4)


def test_a_ruined_weight_is_one_line_not_a_random_byte() -> None:
    model = make(PLAIN)
    with torch.no_grad():
        model.norm.weight[0] = math.nan
    for temperature in (0.0, 0.8):
        generator = Generator(model, b"a", temperature=temperature)
        with pytest.raises(GuideError, match="not finite after 1 bytes; its weights are ruined"):
            next(generator)

"""Each piece of the GPT alone, and that generating from held keys and values changes nothing."""

from dataclasses import replace

import pytest
import torch

from guide.errors import GuideError
from guide_deep_learning.training.models.model import GPT, GPTConfig, KeysValues, modern, parameters
from guide_deep_learning.training.models.ngrams import hashed

PLAIN = GPTConfig(vocabulary=128, context=24, width=32, layers=2, heads=2)
MODERN = modern(PLAIN)
PIECES = {
    "plain": PLAIN,
    "modern": MODERN,
    "narrow": replace(PLAIN, expansion=2),
    "normed embedding": replace(PLAIN, norm_embedding=True),
    "shifted": replace(PLAIN, shifted=8),
    "all shifted": replace(PLAIN, shifted=32),
    "pairs": replace(PLAIN, pairs=50),
    "threes": replace(MODERN, threes=50),
    "all": replace(MODERN, expansion=2, shifted=8, pairs=50, threes=70),
}


def random_model(config: GPTConfig) -> GPT:
    """A model of which no part is zero, whatever it begins with."""
    torch.manual_seed(0)
    model = GPT(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(std=0.2)
    return model


@pytest.fixture(params=PIECES, ids=str)
def model(request: pytest.FixtureRequest) -> GPT:
    return random_model(PIECES[request.param])


@pytest.mark.parametrize("cut", [1, 2, 3, 12, 23])
def test_no_position_sees_what_comes_after_it(model: GPT, cut: int) -> None:
    text = torch.randint(128, (2, 24))
    other = text.clone()
    other[:, cut:] = (other[:, cut:] + 1) % 128
    before, after = model(text), model(other)
    assert torch.equal(before[:, :cut], after[:, :cut])
    assert not torch.allclose(before[:, cut:], after[:, cut:])


@pytest.mark.parametrize("parts", [(24,), (1,) * 24, (5, 1, 1, 10, 7), (1, 2, 3, 18)], ids=str)
@torch.inference_mode()
def test_scores_are_the_same_whether_the_past_is_held_or_seen_again(
    model: GPT, parts: tuple[int, ...]
) -> None:
    text = torch.randint(128, (3, 24))
    past = KeysValues(model.config, 3, model.embedding.weight)
    held = torch.cat([model(part, past) for part in text.split(parts, dim=1)], dim=1)
    torch.testing.assert_close(held, model(text), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_a_past_that_is_set_to_nothing_leaves_nothing_behind(model: GPT) -> None:
    text = torch.randint(128, (2, 24))
    past = KeysValues(model.config, 2, model.embedding.weight)
    model(torch.randint(128, (2, 20)), past)
    past.length = 0
    again = torch.cat([model(part, past) for part in text.split((1, 3, 20), dim=1)], dim=1)
    torch.testing.assert_close(again, model(text), rtol=1e-4, atol=1e-5)


def test_the_last_three_bytes_choose_the_row() -> None:
    ngrams = random_model(replace(PLAIN, pairs=10_000, threes=0)).ngrams
    assert ngrams is not None
    rows = ngrams(torch.tensor([[1, 2, 3, 1, 2, 4]]))[0]
    assert torch.equal(rows[1], rows[4])
    assert not torch.equal(rows[0], rows[3])  # after nothing, and after 3
    ngrams = random_model(replace(PLAIN, pairs=0, threes=10_000)).ngrams
    assert ngrams is not None
    rows = ngrams(torch.tensor([[5, 1, 2, 6, 1, 2, 5, 1, 2]]))[0]
    assert torch.equal(rows[2], rows[8])
    assert not torch.equal(rows[2], rows[5])


def test_hashes_use_all_rows_about_as_often() -> None:
    counts = torch.bincount(hashed(torch.arange(128**2), 1000), minlength=1000)
    assert len(counts) == 1000
    assert counts.min() >= 8
    assert counts.max() <= 32


def test_a_table_says_nothing_before_it_has_learned() -> None:
    torch.manual_seed(0)
    model = GPT(replace(MODERN, pairs=50, threes=50))
    assert model.ngrams is not None
    assert not model.ngrams(torch.randint(128, (1, 24))).any()


def test_a_table_has_as_many_numbers_as_its_rows_say() -> None:
    extra = parameters(GPT(PIECES["all"])) - parameters(GPT(replace(MODERN, expansion=2)))
    assert extra == (50 + 70) * 32


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("expansion", 0, "expansion must be at least 1"),
        ("pairs", -1, "pairs must be 0 or more"),
        ("threes", -1, "threes must be 0 or more"),
        ("shifted", -1, "shifted must be 0 or more"),
        ("shifted", 33, "shifted is at most the width, 32, not 33"),
    ],
)
def test_what_cannot_be_built_is_one_line(field: str, value: int, words: str) -> None:
    with pytest.raises(GuideError, match=words):
        replace(PLAIN, **{field: value})  # type: ignore[arg-type]

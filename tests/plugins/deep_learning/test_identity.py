"""What may change between two starts, and what may not."""

import json
import platform

import numpy as np
import pytest
import torch

from guide.errors import GuideError
from guide_deep_learning.training.checkpointing.identity import Identity, digest, surroundings

CPU = torch.device("cpu")


def test_another_corpus_is_refused() -> None:
    saved = Identity(same={"corpus": "aaaa"}, exact={}).as_json()
    with pytest.raises(GuideError, match=r"corpus aaaa, this run has bbbb.*resume=false"):
        Identity(same={"corpus": "bbbb"}, exact={}).check(saved)


def test_another_thread_count_goes_on_and_says_so() -> None:
    saved = Identity(same={"seed": 0}, exact={"threads": 1}).as_json()
    said = Identity(same={"seed": 0}, exact={"threads": 2}).check(saved)
    assert said == ["not bit-exact: threads was 1, is 2"]


def test_what_the_manifest_does_not_know_is_not_taken_for_equal() -> None:
    saved = Identity(same={}, exact={}).as_json()
    said = Identity(same={}, exact={"precision": "float32"}).check(saved)
    assert said == ["not bit-exact: precision was unknown, is float32"]
    with pytest.raises(GuideError, match="made with seed unknown"):
        Identity(same={"seed": 0}, exact={}).check(saved)


def test_all_that_the_last_bits_depend_on_is_named() -> None:
    around = surroundings(CPU, threads=2, precision="bfloat16", world_size=4)
    assert (around["threads"], around["world size"], around["precision"]) == (2, 4, "bfloat16")
    assert (around["device"], around["torch"]) == ("cpu", str(torch.__version__))
    assert around["numpy"] == np.__version__
    assert platform.python_version().startswith(f"{around['python']}.")
    assert around["device name"]
    assert json.loads(json.dumps(around)) == around
    saved = Identity(same={}, exact=around).as_json()
    now = surroundings(CPU, threads=1, world_size=1)
    assert Identity(same={}, exact=now).check(json.loads(json.dumps(saved))) == [
        "not bit-exact: threads was 2, is 1",
        "not bit-exact: world size was 4, is 1",
        "not bit-exact: precision was bfloat16, is float32",
    ]


def test_a_configuration_has_one_digest_whatever_the_order() -> None:
    one = Identity(same={"a": 1, "b": 2}, exact={"c": 3})
    other = Identity(same={"b": 2, "a": 1}, exact={"c": 3})
    assert one.digest == other.digest == one.as_json()["config"]
    assert len(one.digest) == 12
    assert one.digest != Identity(same={"a": 1}, exact={"b": 2, "c": 3}).digest
    assert digest({"lr": 0.1}) != digest({"lr": 0.1000001})

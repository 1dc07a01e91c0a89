"""Kill it at any moment: it goes on, and ends with the same bits."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from guide.errors import GuideError
from guide_deep_learning.training.identity import Identity
from guide_deep_learning.training.resume import Keeper

from .tiny import IDENTITY, make_trainer, weights_sha

PROGRAM = Path(__file__).with_name("tiny.py")
STEPS = 90


def launch(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(root), str(STEPS)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def lines_until_killed(process: subprocess.Popen[str], at_step: int, after_s: float) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith(f"loss {at_step} "):
            time.sleep(after_s)  # somewhere inside a step or a save
            process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return lines


def losses(lines: list[str]) -> list[tuple[str, str]]:
    return [(line.split()[1], line.split()[2]) for line in lines if line.startswith("loss ")]


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_after_sigkill_at_random_moments_the_weights_are_those_of_an_uninterrupted_run(
    tmp_path: Path,
) -> None:
    whole = lines_until_killed(launch(tmp_path / "whole"), -1, 0)
    truth = dict(losses(whole))
    assert len(truth) == STEPS

    root = tmp_path / "killed"
    chance = random.Random(1)
    step = killed = 0
    for _ in range(4):
        step = chance.randrange(step + 5, step + 20)
        process = launch(root)
        lines = lines_until_killed(process, step, chance.uniform(0, 0.004))
        killed += process.returncode == -signal.SIGKILL
        assert all(truth[n] == value for n, value in losses(lines))
    assert killed  # on a crowded machine one may have come to its end first
    last = lines_until_killed(launch(root), -1, 0)
    assert last[0].startswith("resumed from step")
    assert all(truth[n] == value for n, value in losses(last))
    assert last[-1] == whole[-1]
    assert last[-1].startswith("weights")


def test_a_restart_in_the_same_process_is_exact_too(tmp_path: Path) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    for _ in range(5):
        trainer.step()
    keeper.save()
    keeper.close()
    for _ in range(5):
        trainer.step()

    other = make_trainer()
    resumed = Keeper(tmp_path, other, IDENTITY)
    assert resumed.resume() == ["resumed from step 5 of 0001"]
    for _ in range(5):
        other.step()
    assert weights_sha(other.model) == weights_sha(trainer.model)


def test_nothing_to_resume_starts_at_zero(tmp_path: Path) -> None:
    trainer = make_trainer()
    (said,) = Keeper(tmp_path, trainer, IDENTITY).resume()
    assert said.startswith("nothing to resume")
    assert trainer.done == 0


def test_each_new_start_saves_in_a_folder_of_its_own(tmp_path: Path) -> None:
    for steps in (6, 2):
        trainer = make_trainer()
        keeper = Keeper(tmp_path, trainer, IDENTITY)
        for _ in range(steps):
            trainer.step()
        keeper.save()
        keeper.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0001", "0002"]
    assert Keeper(tmp_path, make_trainer(), IDENTITY).resume() == [
        "resumed from step 2 of 0002",
        "0001 is at step 6: --set resume_from=0001 goes on there",
    ]
    assert Keeper(tmp_path, make_trainer(), IDENTITY).resume("0001") == [
        "resumed from step 6 of 0001"
    ]
    with pytest.raises(GuideError, match=r"nothing to resume in .*/0003; there are: 0002, 0001"):
        Keeper(tmp_path, make_trainer(), IDENTITY).resume("0003")


def test_an_experiment_with_other_options_does_not_hide_the_training_before_it(
    tmp_path: Path,
) -> None:
    other = Identity(same={**IDENTITY.same, "width": 64}, exact={})
    for steps, identity in ((6, IDENTITY), (2, other)):
        trainer = make_trainer()
        keeper = Keeper(tmp_path, trainer, identity)
        for _ in range(steps):
            trainer.step()
        keeper.save()
        keeper.close()
    assert Keeper(tmp_path, make_trainer(), IDENTITY).resume() == [
        "resumed from step 6 of 0001",
        "left 0002 aside: the checkpoint was made with width 64, this run has 32",
    ]


@pytest.mark.skipif(os.name == "nt", reason="there are no advisory locks")
def test_two_do_not_go_on_from_one_checkpoint(tmp_path: Path) -> None:
    trainer = make_trainer()
    first = Keeper(tmp_path, trainer, IDENTITY)
    trainer.step()
    first.save()
    torn = tmp_path / "0001" / "step-000000002.pt.tmp"
    torn.write_bytes(b"the first one is writing this")
    with pytest.raises(GuideError, match=r"another run is training in .*/0001; wait") as caught:
        Keeper(tmp_path, make_trainer(), IDENTITY).resume()
    assert "--set resume=false" in caught.value.remedy
    assert torn.exists()
    first.close()
    assert Keeper(tmp_path, make_trainer(), IDENTITY).resume()[0].startswith("resumed from step 1")


def test_two_at_once_save_in_two_folders(tmp_path: Path) -> None:
    both = [make_trainer(), make_trainer()]
    keepers = [Keeper(tmp_path, trainer, IDENTITY) for trainer in both]
    for trainer, keeper in zip(both, keepers, strict=True):
        trainer.step()
        keeper.save()
    assert [keeper.folder for keeper in keepers] == [tmp_path / "0001", tmp_path / "0002"]


def test_nothing_learned_is_nothing_saved(tmp_path: Path) -> None:
    Keeper(tmp_path, make_trainer(), IDENTITY).save()
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "checkpoints"):
        with pytest.raises(GuideError, match="cannot save a checkpoint in") as caught:
            Keeper(place, make_trainer(), IDENTITY)  # not only when the first one is saved
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "typed"), [("seed", "--seed 0"), ("width", "--set width=32")])
def test_another_training_is_refused_with_what_to_type(
    tmp_path: Path, name: str, typed: str
) -> None:
    trainer = make_trainer()
    trainer.step()
    Keeper(tmp_path, trainer, IDENTITY).save()
    other = Identity(same={**IDENTITY.same, name: 7}, exact=IDENTITY.exact)
    with pytest.raises(GuideError) as caught:
        Keeper(tmp_path, make_trainer(), other).resume()
    assert f"{name} {IDENTITY.same[name]}, this run has 7" in caught.value.message
    assert f"type {typed} to go on" in caught.value.remedy
    assert "\n" not in str(caught.value)


def test_another_corpus_is_refused() -> None:
    saved = Identity(same={"corpus": "aaaa"}, exact={}).as_json()
    with pytest.raises(GuideError, match=r"corpus aaaa, this run has bbbb.*resume=false"):
        Identity(same={"corpus": "bbbb"}, exact={}).check(saved)


def test_another_thread_count_goes_on_and_says_so() -> None:
    saved = Identity(same={"seed": 0}, exact={"threads": 1}).as_json()
    said = Identity(same={"seed": 0}, exact={"threads": 2}).check(saved)
    assert said == ["not bit-exact: threads was 1, is 2"]


def test_a_model_that_was_changed_is_refused_with_one_line(tmp_path: Path) -> None:
    trainer = make_trainer()
    trainer.step()
    Keeper(tmp_path, trainer, IDENTITY).save()
    changed = make_trainer()
    changed.model.extra = changed.model.norm.__class__(32)
    with pytest.raises(GuideError, match="does not fit this model") as caught:
        Keeper(tmp_path, changed, IDENTITY).resume()
    assert "\n" not in str(caught.value)

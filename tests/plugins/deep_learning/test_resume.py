"""It goes on where it was, or says in one line why not."""

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training.checkpointing import checkpoint, manifest, randomness, series
from guide_deep_learning.training.checkpointing.identity import Identity
from guide_deep_learning.training.checkpointing.resume import Keeper
from guide_deep_learning.training.checkpointing.saving import LANE
from guide_deep_learning.training.loop.trainer import Trainer

from .tiny import IDENTITY, make_trainer, weights_sha


def trained(
    root: Path, steps: int, identity: Identity = IDENTITY, *, asynchronous: bool = True
) -> Trainer:
    """A training of so many steps that was saved once and ended."""
    trainer = make_trainer(dropout=0.1)
    keeper = Keeper(root, trainer, identity, asynchronous=asynchronous)
    learn(trainer, keeper, steps)
    keeper.save()
    keeper.close()
    return trainer


def learn(trainer: Trainer, keeper: Keeper, steps: int) -> None:
    for _ in range(steps):
        loss = trainer.step()
        if loss is not None:
            keeper.losses.add(*loss)


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_restart_in_the_same_process_is_exact_with_dropout_too(
    tmp_path: Path, asynchronous: bool
) -> None:
    trainer = trained(tmp_path, 5, asynchronous=asynchronous)
    for _ in range(5):
        trainer.step()

    other = make_trainer(dropout=0.1)
    resumed = Keeper(tmp_path, other, IDENTITY)
    assert resumed.resume() == ["resumed from step 5 of 0001"]
    other.warm_up()
    for _ in range(5):
        other.step()
    resumed.close()
    assert weights_sha(other.model) == weights_sha(trainer.model)


def test_nothing_to_resume_starts_at_zero(tmp_path: Path) -> None:
    trainer = make_trainer()
    (said,) = Keeper(tmp_path, trainer, IDENTITY).resume()
    assert said.startswith("nothing to resume")
    assert trainer.done == 0


def test_each_new_start_saves_in_a_folder_of_its_own(tmp_path: Path) -> None:
    for steps in (6, 2):
        trained(tmp_path, steps)
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
        trained(tmp_path, steps, identity)
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
    first.wait()
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
        keeper.close()
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
    trained(tmp_path, 1)
    other = Identity(same={**IDENTITY.same, name: 7}, exact=IDENTITY.exact)
    with pytest.raises(GuideError) as caught:
        Keeper(tmp_path, make_trainer(), other).resume()
    assert f"{name} {IDENTITY.same[name]}, this run has 7" in caught.value.message
    assert f"type {typed} to go on" in caught.value.remedy
    assert "\n" not in str(caught.value)


def test_a_model_that_was_changed_is_refused_with_one_line(tmp_path: Path) -> None:
    trained(tmp_path, 1)
    changed = make_trainer()
    changed.model.extra = changed.model.norm.__class__(32)
    with pytest.raises(GuideError, match="does not fit this model") as caught:
        Keeper(tmp_path, changed, IDENTITY).resume()
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_program_is_refused_with_one_line(tmp_path: Path) -> None:
    series.prepare(tmp_path)
    checkpoint.save(series.new(tmp_path), 7, {"weights": 1.0}, IDENTITY.as_json())
    with pytest.raises(GuideError, match="step 7 was made by another program") as caught:
        Keeper(tmp_path, make_trainer(), IDENTITY).resume()
    assert "\n" not in str(caught.value)


def test_going_on_removes_what_a_killed_writer_left_and_no_file_of_others(tmp_path: Path) -> None:
    trained(tmp_path, 3)
    left = [tmp_path / "0001" / f"step-000000004.{end}" for end in ("pt", "pt.tmp", "json.tmp")]
    theirs = [tmp_path / "0001" / name for name in ("notes.tmp", "step-x.json", "best.pt")]
    theirs += [tmp_path / "readme", tmp_path / "0009"]
    for path in left + theirs:
        path.write_bytes(b"half")
    keeper = Keeper(tmp_path, make_trainer(), IDENTITY)
    assert keeper.resume() == ["resumed from step 3 of 0001"]
    keeper.close()
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in theirs)


def test_a_checkpoint_of_a_newer_version_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(tmp_path, 3)
    monkeypatch.setattr(manifest, "FORMAT", manifest.FORMAT + 1)
    trained(tmp_path, 4)
    monkeypatch.undo()
    (first, aside) = Keeper(tmp_path, make_trainer(), IDENTITY).resume()
    assert first == "resumed from step 3 of 0001"
    assert aside == "left 0002 aside: the checkpoint of step 4 has format 2, this version reads 1"
    with pytest.raises(GuideError, match=r"step 4 has format 2.*upgrade with pip"):
        Keeper(tmp_path, make_trainer(), IDENTITY).resume("0002")


def as_nobody(work: Callable[[], None]) -> None:
    """Do `work` as somebody who owns nothing here; as root one may write anywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        work()
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="rights of a folder are POSIX")
def test_a_read_only_folder_is_one_line_before_any_step() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are hidden from others
        folder = Path(name) / "checkpoints"
        folder.mkdir()
        for path in (folder, folder.parent):
            path.chmod(0o555)

        def work() -> None:
            for place in (folder, folder / "deeper"):
                with pytest.raises(GuideError, match="cannot save a checkpoint in") as caught:
                    Keeper(place, make_trainer(), IDENTITY)
                assert "Permission denied" in caught.value.message
                assert "\n" not in str(caught.value)

        as_nobody(work)
        folder.parent.chmod(0o755)


def test_training_goes_on_while_it_is_saved_and_the_copy_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    save = checkpoint.save

    def slow(*what: Any, **how: Any) -> int:
        assert go.wait(30)
        return save(*what, **how)

    monkeypatch.setattr(checkpoint, "save", slow)
    timeline = Timeline()
    trainer = make_trainer(dropout=0.1)
    keeper = Keeper(tmp_path, trainer, IDENTITY, timeline=timeline)
    learn(trainer, keeper, 3)
    keeper.save()
    at_three = weights_sha(trainer.model)
    learn(trainer, keeper, 4)  # would wait for ever, if it waited for the disk
    assert checkpoint.committed(tmp_path / "0001") == []
    go.set()
    keeper.close()
    assert weights_sha(trainer.model) != at_three
    (span,) = timeline.spans()[-1:]
    assert (span.name, span.lane) == ("save", LANE)

    other = make_trainer(dropout=0.1)
    resumed = Keeper(tmp_path, other, IDENTITY)
    assert resumed.resume() == ["resumed from step 3 of 0001"]
    assert weights_sha(other.model) == at_three
    learn(other, resumed, 4)
    resumed.close()
    assert weights_sha(other.model) == weights_sha(trainer.model)
    assert (resumed.losses.compared, resumed.losses.remark) == (3, "")


def test_one_save_is_under_way_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = [0], [0]
    save = checkpoint.save

    def counted(*what: Any, **how: Any) -> int:
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.01)
        running[0] -= 1
        return save(*what, **how)

    monkeypatch.setattr(checkpoint, "save", counted)
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    for _ in range(4):
        learn(trainer, keeper, 1)
        keeper.save()
    keeper.close()
    assert most == [1]
    assert checkpoint.committed(tmp_path / "0001") == [4, 3]


@contextmanager
def full_disk(bytes_left: int = 2000) -> Iterator[None]:
    """No file may grow beyond so many bytes: a write stops half-way, as on a full disk."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(os.name == "nt", reason="limits of a process are POSIX")
@pytest.mark.parametrize("notice", ["save", "wait", "close", "check"])
def test_a_disk_that_is_full_in_the_background_is_told_at_the_next_call(
    tmp_path: Path, notice: str
) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    learn(trainer, keeper, 3)
    keeper.save()
    keeper.wait()
    learn(trainer, keeper, 3)
    with full_disk():
        keeper.save()  # the training is not held up, and does not know yet
        keeper._saver._thread.join()
    learn(trainer, keeper, 1)
    with pytest.raises(GuideError, match="cannot save the checkpoint of step 6") as caught:
        getattr(keeper, notice)()
    assert "that of step 3 is still there; make room" in caught.value.remedy
    assert "\n" not in str(caught.value)
    if notice == "close":
        keeper = Keeper(tmp_path, trainer, IDENTITY)  # and others may go on from there
        assert keeper.resume()[0] == "resumed from step 3 of 0001"
        learn(trainer, keeper, 4)
    keeper.save()  # there is room again
    keeper.close()
    assert Keeper(tmp_path, make_trainer(), IDENTITY).resume() == ["resumed from step 7 of 0001"]


def test_a_save_that_was_begun_is_whole_when_the_program_ends_in_an_error(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import tiny;"
        "trainer = tiny.make_trainer();"
        "keeper = tiny.Keeper(Path(sys.argv[2]), trainer, tiny.IDENTITY);"
        "trainer.step(); keeper.save(); raise SystemExit('an error')"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, here, str(tmp_path)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.strip()) == (1, "an error")
    assert Keeper(tmp_path, make_trainer(), IDENTITY).resume() == ["resumed from step 1 of 0001"]


def curve(keeper: Keeper) -> dict[int, float]:
    return dict(keeper.losses.history)


def test_the_whole_curve_of_the_loss_is_there_after_a_restart(tmp_path: Path) -> None:
    whole = make_trainer()
    alone = Keeper(tmp_path / "alone", whole, IDENTITY)
    learn(whole, alone, 9)
    alone.save()
    alone.close()
    assert list(curve(alone)) == list(range(9))

    trained(tmp_path / "apart", 4)
    trainer = make_trainer()
    keeper = Keeper(tmp_path / "apart", trainer, IDENTITY)
    keeper.resume()
    assert list(curve(keeper)) == list(range(4))
    learn(trainer, keeper, 5)
    keeper.save()
    keeper.close()
    assert list(curve(keeper)) == list(range(9))
    stored = np.fromfile(tmp_path / "apart" / "0001" / "losses.bin", "<i8,<f8")
    assert dict(stored.tolist()) == curve(keeper)


def test_a_step_done_again_with_another_result_is_said(tmp_path: Path) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    learn(trainer, keeper, 3)
    keeper.save()
    learn(trainer, keeper, 4)
    keeper.close()  # steps 3, 4 and 5 were logged and not saved

    same = make_trainer()
    keeper = Keeper(tmp_path, same, IDENTITY)
    keeper.resume()
    learn(same, keeper, 2)
    keeper.close()
    assert (keeper.losses.compared, keeper.losses.remark) == (1, "")

    keeper = Keeper(tmp_path, make_trainer(), IDENTITY)
    keeper.resume()
    was = 2.5
    keeper.losses.add(3, was)
    keeper.close()
    assert (keeper.losses.compared, "is step 3:" in keeper.losses.remark) == (1, True)
    assert keeper.losses.remark.startswith("not bit-exact: of 1 steps done again 1 gave another")
    assert keeper.losses.remark.endswith("2.5 now")


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_log_of_losses_costs_the_curve_and_not_the_training(
    tmp_path: Path, damage: str
) -> None:
    trained(tmp_path, 6)
    log = tmp_path / "0001" / "losses.bin"
    content = bytearray(log.read_bytes())
    assert len(content) == 6 * 16
    content[40] ^= 4
    if damage == "remove":
        log.unlink()
    else:
        log.write_bytes(content if damage == "flip" else content[:-3])
    trainer = make_trainer(dropout=0.1)
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    assert keeper.resume() == [
        "resumed from step 6 of 0001",
        "losses.bin is damaged: the curve of the loss begins at step 6",
    ]
    learn(trainer, keeper, 3)
    keeper.save()
    keeper.close()
    assert list(curve(keeper)) == [6, 7, 8]
    other = Keeper(tmp_path, make_trainer(), IDENTITY)
    assert other.resume() == ["resumed from step 9 of 0001"]
    assert curve(other) == curve(keeper)


def test_what_a_power_cut_left_behind_the_log_of_losses_is_cut_off(tmp_path: Path) -> None:
    trained(tmp_path, 4)
    log = tmp_path / "0001" / "losses.bin"
    log.write_bytes(log.read_bytes() + bytes(37))
    trainer = make_trainer(dropout=0.1)
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    assert keeper.resume() == ["resumed from step 4 of 0001"]
    assert log.stat().st_size == 4 * 16
    learn(trainer, keeper, 3)
    keeper.save()
    keeper.close()
    assert (list(curve(keeper)), keeper.losses.compared) == (list(range(7)), 0)
    assert log.stat().st_size == 7 * 16


@pytest.mark.skipif(os.name == "nt", reason="limits of a process are POSIX")
def test_losses_that_find_no_room_are_told_by_the_save_and_written_later(tmp_path: Path) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY, asynchronous=False)
    learn(trainer, keeper, 2)
    keeper.save()
    with full_disk(3 * 16 + 5):
        learn(trainer, keeper, 4)  # the training is not held up by them
        with pytest.raises(GuideError, match=r"cannot save a checkpoint in .*File too large"):
            keeper.save()
    learn(trainer, keeper, 1)
    keeper.save()
    keeper.close()
    stored = np.fromfile(tmp_path / "0001" / "losses.bin", "<i8,<f8")
    assert dict(stored.tolist()) == curve(keeper)
    assert list(curve(keeper)) == list(range(7))


def test_a_mistake_in_the_background_is_one_line_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    learn(trainer, keeper, 1)
    monkeypatch.setattr(checkpoint, "save", lambda *what, **how: 1 // 0)
    keeper.save()
    with pytest.raises(GuideError, match="cannot save the checkpoint: ZeroDivisionError") as caught:
        keeper.close()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_falling_back_to_the_older_state_cuts_the_curve_to_it(tmp_path: Path) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    for _ in range(2):
        learn(trainer, keeper, 3)
        keeper.save()
    keeper.close()
    state = tmp_path / "0001" / "step-000000006.pt"
    state.write_bytes(state.read_bytes()[:-1])
    other = make_trainer()
    again = Keeper(tmp_path, other, IDENTITY)
    went_on, said = again.resume()
    assert went_on == "resumed from step 3 of 0001"
    assert said.startswith("checkpoint of step 6 is damaged (")
    assert list(curve(again)) == [0, 1, 2]
    learn(other, again, 4)
    again.save()
    again.close()
    assert (again.losses.compared, again.losses.remark) == (3, "")
    assert curve(again) == {**curve(keeper), 6: curve(again)[6]}
    assert checkpoint.committed(tmp_path / "0001") == [7, 3]


def test_a_loss_is_never_dropped_in_silence(tmp_path: Path) -> None:
    trainer = make_trainer()
    keeper = Keeper(tmp_path, trainer, IDENTITY)
    trainer.step()
    first = trainer.step()
    last = keeper.save()
    keeper.close()
    assert first is not None
    assert last is not None
    keeper.losses.add(*last)  # `save` has added it; twice is once
    assert keeper.losses.history == [last]
    with pytest.raises(ValueError, match="loss of step 0 comes after that of 1"):
        keeper.losses.add(*first)


def test_random_states_of_all_four_kinds_go_on_where_they_were(tmp_path: Path) -> None:
    cpu = torch.device("cpu")

    def draw() -> list[float]:
        return [torch.rand(()).item(), np.random.rand(), np.random.randn(), random.gauss(0, 1)]

    randomness.seed(-3)
    draw()  # a second normal number of a pair is kept by numpy and by Python
    checkpoint.save(tmp_path, 1, {"random": randomness.states(cpu)}, {})
    expected = [draw() for _ in range(5)]
    found = checkpoint.load_newest(tmp_path)
    assert found is not None
    randomness.restore(found.state["random"], cpu)
    assert [draw() for _ in range(5)] == expected
    randomness.seed(3)
    assert draw() != expected[0]


def test_random_states_that_are_missing_are_one_line() -> None:
    cpu = torch.device("cpu")
    whole = randomness.states(cpu)
    for name in whole:
        part = {n: value for n, value in whole.items() if n != name}
        with pytest.raises(GuideError, match=f"random states do not fit: KeyError: '{name}'"):
            randomness.restore(part, cpu)
    with pytest.raises(GuideError, match="random states do not fit"):
        randomness.restore({**whole, "torch": torch.zeros(3, dtype=torch.uint8)}, cpu)

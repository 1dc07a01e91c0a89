"""One of two ranks is killed at any moment: all go on from the same step, with the same bits."""

import pytest
import torch

from guide.errors import GuideError
from guide_deep_learning.training.checkpointing import checkpoint
from guide_deep_learning.training.checkpointing.identity import Identity
from guide_deep_learning.training.checkpointing.resume import Keeper
from guide_deep_learning.training.processes import ranks
from guide_deep_learning.training.processes.distributed import World

from .tiny import IDENTITY, make_trainer
from .torchrun import finish, kill_now_and_then, lines_of, losses, told, two_ranks

STEPS = 90
KILLS = 2
ALONE = World()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a training that nobody disturbed."""
    root = tmp_path_factory.mktemp("whole")
    assert finish(two_ranks("whole", root, STEPS)) == 0, (root / "output").read_text()[-3000:]
    return root


@pytest.fixture(scope="module")
def together(whole):
    """What two ranks found of damage."""
    return told(whole)


def test_after_sigkill_of_one_rank_the_others_end_and_all_go_on_with_the_same_bits(whole, tmp_path):
    killed = tmp_path
    process = two_ranks("train", killed, STEPS, f"--max-restarts={KILLS}")
    try:
        assert kill_now_and_then(process, killed, KILLS) == KILLS
    finally:
        code = finish(process)
    assert code == 0, (killed / "output").read_text(errors="replace")[-3000:]
    for rank in (0, 1):
        truth = losses(whole, rank)
        assert len(truth) == STEPS
        assert losses(killed, rank).items() <= truth.items()
        assert lines_of(killed, rank)[-1] == lines_of(whole, rank)[-1]
        starts = [line for line in lines_of(killed, rank) if line.startswith("pid ")]
        assert len(starts) == KILLS + 1
        assert all("resumed from step" in line for line in starts[1:])
    assert lines_of(whole, 0)[-1] == lines_of(whole, 1)[-1]


def test_a_part_that_is_damaged_sends_all_ranks_back_to_the_step_before(together):
    assert together["found"] == [[1, {"step": 1, "rank": 0}], [1, {"step": 1, "rank": 1}]]
    (said,) = together["passed over"]
    assert said.startswith("checkpoint of step 2 is damaged (rank 1: cannot load step 2 from ")


def test_a_rank_that_cannot_write_its_part_is_said_on_all_and_nothing_is_committed(together):
    first, second = together["cannot"]
    assert first == second
    assert first.startswith("rank 1: cannot save the checkpoint of step 1 in ")
    assert together["committed"] == []


def test_parts_that_were_not_committed_are_not_there(tmp_path):
    ranks.save(tmp_path, 3, {"n": 3}, {"same": {}}, ALONE)
    checkpoint.save(tmp_path, 6, {"n": 6}, {"same": {}}, part="rank-0")  # killed before the commit
    found = ranks.load(tmp_path, ALONE)
    assert (found.step, found.state) == (3, {"n": 3})


def test_the_state_before_the_newest_is_kept_and_older_ones_go(tmp_path):
    for step in (3, 6, 9):
        ranks.save(tmp_path, step, {"n": step}, {"same": {}}, ALONE)
    assert checkpoint.committed(tmp_path) == [9, 6]
    assert checkpoint.committed(tmp_path, part="rank-0") == [9, 6]


@pytest.mark.parametrize("harm", ["truncate", "remove", "empty manifest"])
def test_a_part_that_is_not_whole_is_passed_over(tmp_path, harm):
    for step in (3, 6):
        ranks.save(tmp_path, step, {"n": step}, {"same": {}}, ALONE)
    part = tmp_path / "step-000000006.rank-0.pt"
    if harm == "truncate":
        part.write_bytes(part.read_bytes()[:-9])
    elif harm == "remove":
        part.unlink()
    else:
        part.with_suffix(".json").write_bytes(b"")
    found = ranks.load(tmp_path, ALONE)
    assert found.step == 3
    assert found.passed_over[0].startswith("checkpoint of step 6 is damaged (rank 0: cannot load")


def test_nothing_whole_is_one_line_and_nothing_at_all_is_none(tmp_path):
    assert ranks.load(tmp_path, ALONE) is None
    ranks.save(tmp_path, 3, {"n": 3}, {"same": {}}, ALONE)
    (tmp_path / "step-000000003.rank-0.pt").unlink()
    with pytest.raises(GuideError, match="is whole on all ranks: checkpoint of step 3") as caught:
        ranks.load(tmp_path, ALONE)
    assert "\n" not in str(caught.value)


def test_a_disk_that_takes_no_commit_is_one_line_and_what_was_saved_stays(tmp_path):
    ranks.save(tmp_path, 3, {"n": 3}, {"same": {}}, ALONE)
    for name in ("step-000000006.pt", "step-000000006.json"):
        (tmp_path / name).mkdir()  # nothing can be written there, by root neither
        (tmp_path / name / "full").touch()
    with pytest.raises(GuideError, match=r"cannot save the checkpoint of step 6 in ") as caught:
        ranks.save(tmp_path, 6, {"n": 6}, {"same": {}}, ALONE)
    assert "\n" not in str(caught.value)
    assert ranks.load(tmp_path, ALONE).state == {"n": 3}


class TestKeeper:
    def keeper(self, root, identity=IDENTITY):
        trainer = make_trainer()
        return trainer, ranks.RankKeeper(root, trainer, identity, ALONE)

    def saved(self, root, steps):
        trainer, keeper = self.keeper(root)
        for _ in range(steps):
            trainer.step()
        keeper.save()
        keeper.close()

    def test_one_process_gets_the_plain_one(self, tmp_path):
        assert isinstance(ranks.open_keeper(tmp_path, make_trainer(), IDENTITY, ALONE), Keeper)

    def test_goes_on_from_the_training_that_was_started_last(self, tmp_path):
        self.saved(tmp_path, 2)
        self.saved(tmp_path, 3)
        trainer, keeper = self.keeper(tmp_path)
        assert keeper.resume() == ["resumed from step 3 of 0002 on 1 ranks"]
        keeper.close()
        trainer, keeper = self.keeper(tmp_path)
        keeper.resume("0001")
        assert trainer.done == 2
        with pytest.raises(GuideError, match=r"nothing to resume in .*/0007; there are: 0002"):
            keeper.resume("0007")

    def test_begins_where_there_is_nothing(self, tmp_path):
        _, keeper = self.keeper(tmp_path)
        assert keeper.resume() == [f"nothing to resume in {tmp_path.name}: started at step 0"]
        keeper.save()
        assert not list(tmp_path.iterdir())

    def test_gives_back_the_curve_of_the_loss(self, tmp_path):
        trainer, keeper = self.keeper(tmp_path)
        for _ in range(3):
            if (loss := trainer.step()) is not None:
                keeper.losses.add(*loss)
        keeper.losses.add(*trainer.flush())
        keeper.save()
        keeper.close()
        _, other = self.keeper(tmp_path)
        other.resume()
        assert other.losses.history == keeper.losses.history
        assert [step for step, _ in other.losses.history] == [0, 1, 2]

    def test_a_state_of_another_program_is_one_line(self, tmp_path):
        about = Identity({**IDENTITY.same, "ranks": 1}, {}).as_json()
        ranks.save(tmp_path / "0001", 1, {"model": {}}, about, ALONE)
        with pytest.raises(GuideError, match="was made by another program") as caught:
            self.keeper(tmp_path)[1].resume()
        assert "\n" not in str(caught.value)

    def test_two_do_not_go_on_from_one_checkpoint(self, tmp_path):
        self.saved(tmp_path, 2)
        _, first = self.keeper(tmp_path)
        first.resume()
        with pytest.raises(GuideError, match="another run is training in"):
            self.keeper(tmp_path)[1].resume()

    def test_another_number_of_ranks_is_refused_with_what_to_type(self, tmp_path):
        trainer = make_trainer()
        trainer.step()
        state, about = trainer.state(), Identity({**IDENTITY.same, "ranks": 2}, {}).as_json()
        ranks.save(tmp_path / "0001", 1, state, about, ALONE)
        with pytest.raises(GuideError, match=r"made with ranks 2, this run has 1") as caught:
            self.keeper(tmp_path)[1].resume()
        assert "torchrun --nproc-per-node=2" in caught.value.remedy


def test_a_state_holds_no_tensor_that_only_code_could_read():
    class Shard(torch.Tensor):
        def to_local(self):
            return torch.ones(2)

    state = {"model": {"w": torch.zeros(4).as_subclass(Shard)}, "done": 3, "list": [torch.ones(1)]}
    written = ranks._to_file(state)
    assert type(written["model"]["w"]) is torch.Tensor
    assert written["done"] == 3

"""A checkpoint is whole or it does not count, whatever happened to its file or its disk."""

import json
import os
import threading
from functools import partial
from pathlib import Path

import pytest
import torch

from guide.errors import GuideError
from guide_deep_learning.training.checkpointing import checkpoint, manifest
from guide_deep_learning.training.checkpointing.saving import Snapshot


def save(folder: Path, *steps: int) -> None:
    for step in steps:
        checkpoint.save(folder, step, {"weights": torch.full((1000,), float(step))}, {"seed": 0})


def newest(folder: Path) -> checkpoint.Checkpoint:
    found = checkpoint.load_newest(folder)
    assert found is not None
    assert found.state["weights"].eq(float(found.step)).all()
    return found


def file_of(folder: Path, step: int) -> Path:
    return folder / f"step-{step:09d}.pt"


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    save(tmp_path, 3)
    found = newest(tmp_path)
    assert (found.step, found.about, found.passed_over) == (3, {"seed": 0}, ())


def test_the_two_newest_are_kept(tmp_path: Path) -> None:
    save(tmp_path, 1, 2, 3, 10)
    assert sorted(p.name for p in tmp_path.glob("*.pt")) == [
        "step-000000003.pt",
        "step-000000010.pt",
    ]
    assert len(list(tmp_path.iterdir())) == 4


def test_no_folder_is_no_checkpoint(tmp_path: Path) -> None:
    assert checkpoint.load_newest(tmp_path / "none") is None
    assert checkpoint.committed(tmp_path / "none") == []
    assert checkpoint.about(tmp_path / "none") is None


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, empty, Path.unlink])
def test_a_damaged_state_is_passed_over_for_the_one_before(tmp_path: Path, damage: object) -> None:
    save(tmp_path, 1, 2)
    assert callable(damage)
    damage(file_of(tmp_path, 2))
    found = newest(tmp_path)
    assert found.step == 1
    (said,) = found.passed_over
    assert said.startswith("checkpoint of step 2 is damaged")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"file": "../x"}', b"\xff", b'{"about": null}']
)
def test_a_damaged_manifest_is_passed_over_too(tmp_path: Path, content: bytes) -> None:
    save(tmp_path, 1, 2)
    file_of(tmp_path, 2).with_suffix(".json").write_bytes(content)
    found = newest(tmp_path)
    assert found.step == 1
    said = "checkpoint of step 2 is damaged (its manifest is not as it was written)"
    assert found.passed_over == (said,)


def test_all_damaged_is_an_error_and_not_a_fresh_start(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    truncate(file_of(tmp_path, 1))
    flip_a_bit(file_of(tmp_path, 2))
    with pytest.raises(GuideError, match=r"no whole checkpoint.*step 2.*step 1.*resume=false"):
        checkpoint.load_newest(tmp_path)


def test_going_on_from_the_older_one_replaces_the_damaged(tmp_path: Path) -> None:
    save(tmp_path, 10, 20)
    flip_a_bit(file_of(tmp_path, 20))
    found = newest(tmp_path)
    assert (found.step, found.damaged) == (10, (20,))
    state = {"weights": torch.full((1000,), 14.0)}
    checkpoint.save(tmp_path, 14, state, {}, damaged=found.damaged)
    assert newest(tmp_path).step == 14
    assert not file_of(tmp_path, 20).exists()


def test_what_somebody_else_saved_later_is_never_removed(tmp_path: Path) -> None:
    save(tmp_path, 50, 60, 45, 46)
    assert checkpoint.committed(tmp_path) == [60, 50, 46, 45]


def test_a_state_without_its_manifest_does_not_exist(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    file_of(tmp_path, 2).with_suffix(".json").unlink()
    assert newest(tmp_path).step == 1


def test_what_a_kill_left_behind_is_removed_by_whoever_may_save_there(tmp_path: Path) -> None:
    save(tmp_path, 1)
    left = [tmp_path / f"step-000000002.{end}" for end in ("pt.tmp", "pt", "json.tmp")]
    theirs = [tmp_path / name for name in ("notes.tmp", "step-000000002.rank1.pt.tmp", "a.pt")]
    for path in left + theirs:
        path.write_bytes(b"half")
    assert newest(tmp_path).step == 1
    assert all(path.exists() for path in left)  # it may be somebody who is writing just now
    checkpoint.tidy(tmp_path)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in theirs)
    assert newest(tmp_path).step == 1


def test_files_of_others_are_no_checkpoints(tmp_path: Path) -> None:
    save(tmp_path, 1)
    for name in ("step-x.json", "step-9.json", "step-0000000009.json", "other.json", "step-"):
        (tmp_path / name).write_text("{}")
    assert checkpoint.committed(tmp_path) == [1]
    (tmp_path / "step-000000002.json").mkdir()
    found = newest(tmp_path)
    assert found.passed_over == ("checkpoint of step 2 is damaged (Is a directory)",)


def test_each_bit_of_a_manifest_counts(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    path = file_of(tmp_path, 2).with_suffix(".json")
    content = path.read_bytes()
    whole = json.loads(content)
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        try:
            believed = json.loads(flipped) == whole  # white space has no meaning
        except ValueError:
            believed = False
        assert newest(tmp_path).step == (2 if believed else 1)


def test_a_manifest_of_another_step_is_not_believed(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    of_two = file_of(tmp_path, 2).with_suffix(".json")
    of_two.with_name("step-000000003.json").write_bytes(of_two.read_bytes())
    found = newest(tmp_path)
    assert (found.step, found.damaged) == (2, (3,))


def test_a_newer_format_is_refused_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)
    monkeypatch.setattr(manifest, "FORMAT", 2)
    save(tmp_path, 2)
    monkeypatch.undo()
    for read in (checkpoint.load_newest, checkpoint.about, partial(checkpoint.load, step=2)):
        with pytest.raises(GuideError, match=r"step 2 has format 2, this version reads 1; upgrade"):
            read(tmp_path)
    assert checkpoint.load(tmp_path, 1).step == 1


def test_one_given_step_can_be_loaded(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    assert checkpoint.load(tmp_path, 1).state["weights"].eq(1).all()
    with pytest.raises(GuideError, match=r"cannot load step 3 .*No such file.*steps there: 2, 1"):
        checkpoint.load(tmp_path, 3)
    flip_a_bit(file_of(tmp_path, 2))
    with pytest.raises(GuideError, match=r"cannot load step 2 from .*: its sha256 differs"):
        checkpoint.load(tmp_path, 2)
    with pytest.raises(GuideError, match="steps there: none"):
        checkpoint.load(tmp_path / "none", 1)


def test_parts_of_a_step_lie_side_by_side_and_know_nothing_of_each_other(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        checkpoint.save(tmp_path, step, {"rank": 1}, {}, part="rank1", keep=3)
    save(tmp_path, 1, 2)
    assert checkpoint.committed(tmp_path) == [2, 1]
    assert checkpoint.committed(tmp_path, part="rank1") == [3, 2, 1]
    assert checkpoint.load(tmp_path, 2, part="rank1").state == {"rank": 1}
    flip_a_bit(tmp_path / "step-000000003.rank1.pt")
    found = checkpoint.load_newest(tmp_path, part="rank1")
    assert found is not None
    assert (found.step, found.damaged) == (2, (3,))
    assert newest(tmp_path).passed_over == ()
    (tmp_path / "step-000000004.rank1.pt.tmp").touch()
    checkpoint.tidy(tmp_path)
    assert len(list(tmp_path.iterdir())) == 11
    checkpoint.tidy(tmp_path, part="rank1")
    assert len(list(tmp_path.iterdir())) == 10
    for name in ("../x", "rank.1", "a b", "tmp/"):
        with pytest.raises(ValueError, match="no step and part"):
            checkpoint.save(tmp_path, 1, {}, {}, part=name)


def test_whoever_reads_while_another_saves_gets_a_whole_one(tmp_path: Path) -> None:
    save(tmp_path, 1)
    writer = threading.Thread(target=save, args=(tmp_path, *range(2, 60)))
    writer.start()
    seen = [newest(tmp_path)]
    while writer.is_alive():
        seen.append(newest(tmp_path))
    writer.join()
    assert not any(found.passed_over for found in seen)
    assert sorted(found.step for found in seen) == [found.step for found in seen]


def test_the_states_of_one_tensor_stay_one(tmp_path: Path) -> None:
    shared = torch.zeros(100_000)
    size = checkpoint.save(tmp_path, 1, Snapshot().take({"a": shared, "b": shared}), {})
    assert size < 1.1 * shared.nbytes


def test_a_copy_is_as_the_state_was_and_made_in_the_same_memory_each_time() -> None:
    weights, snapshot = torch.arange(6.0).reshape(2, 3).T, Snapshot()
    state = {"w": weights, "empty": torch.zeros(0), "more": [{"lr": 0.1, "t": (weights[0], 1)}]}
    first = snapshot.take(state)
    place = first["w"].data_ptr()
    weights += 1
    assert torch.equal(first["w"] + 1, weights)
    assert torch.equal(first["more"][0]["t"][0] + 1, weights[0])
    second = snapshot.take(state)
    assert (second["w"].data_ptr(), second["w"].stride()) == (place, weights.stride())
    assert torch.equal(second["w"], weights)
    other = snapshot.take({"w": torch.ones(5, dtype=torch.int32)})
    assert torch.equal(other["w"], torch.ones(5, dtype=torch.int32))


@pytest.mark.skipif(os.name == "nt", reason="limits of a process are POSIX")
def test_a_full_disk_is_one_line_and_the_old_checkpoint_stays(tmp_path: Path) -> None:
    import resource

    save(tmp_path, 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))  # the write stops half-way
    try:
        with pytest.raises(GuideError) as caught:
            save(tmp_path, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot save the checkpoint of step 2" in caught.value.message
    assert "that of step 1 is still there" in caught.value.remedy
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*.tmp"))
    assert newest(tmp_path).step == 1


def test_code_in_a_state_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    save(tmp_path, 1)
    checkpoint.save(tmp_path, 2, {"weights": Trap()}, {})
    assert newest(tmp_path).step == 1
    assert not (tmp_path / "sprung").exists()


def test_a_manifest_that_finds_no_room_takes_its_state_with_it(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "step-000000002.json.tmp").mkdir()  # nothing can be written there
    with pytest.raises(GuideError, match="cannot save the checkpoint of step 2"):
        save(tmp_path, 2)
    assert not file_of(tmp_path, 2).exists()
    assert newest(tmp_path).step == 1

"""A checkpoint is whole or it does not count, whatever happened to its file or its disk."""

import os
from pathlib import Path

import pytest
import torch

from guide.errors import GuideError
from guide_deep_learning.training import checkpoint


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
    assert newest(tmp_path).step == 1


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


def test_what_a_kill_left_behind_is_removed(tmp_path: Path) -> None:
    save(tmp_path, 1)
    torn = tmp_path / "step-000000002.pt.tmp"
    torn.write_bytes(b"half")
    assert newest(tmp_path).step == 1
    assert not torn.exists()


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

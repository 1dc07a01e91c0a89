"""Every known cheat, by the file: each is rejected, or gains nothing."""

import re
import shutil
from pathlib import Path

import pytest

import guide
from guide.judge.judging import Judge
from guide.judge.manifest import read_manifest

FOLDER = Path(guide.__file__).parent / "foundations" / "exercises" / "walk_with_the_grain"
CHEATS = sorted(file.stem for file in (FOLDER / "cheats").glob("*.py"))

# What is caught for what it is. The others compute honestly in the end, and are as slow as naive.
REJECTED = {
    "cached_by_identity": "the sum is",
    "cached_by_sample": "the sum is",
    "mutated_input": "wrote over its input",
    "lazy_subclass": "a value of type Later",
    "lazy_array": "a float is wanted",
    "stolen_from_a_frame": "the sum is",
    "stolen_from_a_module": "the sum is",
    "nan_in_what_is_found": "the sum is",
    "forged_verdict": "ended the process",
    "forged_answer": "had returned nothing",
    "background_process": "not permitted",
    "slow_warm_up": "the sum is",
    "patched_numpy": "the sum is",
    "judge_memory": "Permission denied",
    "writes_outside": "Permission denied",
    "output_flood": "printed over a megabyte",
    "fork_bomb": "not permitted",
    "endless_loop": "stopped after",
    "memory_bomb": "MemoryError",
    "patched_open": "ended the process",
    "skipped_work": "wrong when timed",
}


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """The exercise on a smaller matrix, where a cheat is found out within a second."""
    folder = tmp_path_factory.mktemp("exercise") / "walk"
    shutil.copytree(FOLDER, folder)
    file = folder / "exercise.toml"
    text = file.read_text().replace("perf = [2048, 4096]", "perf = [512, 2048]")
    text = text.replace("[run]", "[run]\ntimeout_s = 2\nmemory_mb = 512")
    file.write_text(text.replace("[perf]", "[perf]\nrounds = [9, 17]\nbudget_s = 2.0"))
    with Judge(read_manifest(folder)) as judge:
        yield judge


def test_the_solution_passes_there(judge):
    result = judge.judge(judge.manifest.folder / "solution.py")
    assert result.passed, result.message


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_rejected_or_gains_nothing(judge, name):
    folder = judge.manifest.folder
    before = sorted(path.name for path in folder.iterdir())
    result = judge.judge(folder / "cheats" / f"{name}.py")
    assert not result.passed
    if name in REJECTED:
        assert result.state == "wrong"
        assert re.search(REJECTED[name], result.message), result.message
    elif result.state == "correct":
        assert result.speed.standing.over_naive.best < 2
    assert sorted(path.name for path in folder.iterdir()) == before
    assert judge.judge(folder / "solution.py", speed=False).state == "correct"  # still in its mind


def test_every_rejected_one_exists():
    assert set(REJECTED) <= set(CHEATS)

"""The plugin keeps to the rules, its exercise cannot be fooled, its scaffold works in place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from guide.learn.exercises import check
from guide.testing import PluginConformance
from guide_deep_learning import plugin


class TestConformance(PluginConformance):
    plugin = "guide_deep_learning.plugin"


def test_doctor_looks_at_all_of_it() -> None:
    findings = plugin.guide_doctor()
    assert [f.name for f in findings] == ["torch", "threads", "CUDA", "bf16", "text"]
    assert all(f.remedy for f in findings if f.status == "problem")


def test_doctor_says_when_threads_outnumber_the_cpus() -> None:
    finding = plugin._threads_finding(10_000)
    assert finding.status == "problem"
    assert "--set threads=" in finding.remedy


def test_the_scaffold_trains_and_is_tested_where_it_lies() -> None:
    """All of its tests pass in a copy: see the conformance tests. Here its parts and a training."""
    scaffold = plugin.guide_projects("deep-learning")[0]
    tests = ["tests/test_parts.py", "tests/test_training.py", "-k", "parts or span"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=scaffold.folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


WRONG = {
    "seed and step are added": (
        "starts = np.random.default_rng(seed + step).integers(len(data) - context, size=size)",
        "has the windows of seed, step",
    ),
    "the last window is never chosen": (
        "starts = np.random.default_rng([seed, step]).integers(len(data) - context - 1, size=size)",
        "yours begin at {0, 1, 2}",
    ),
    "all steps up to this one are drawn": (
        "starts = np.random.default_rng(seed).integers("
        "len(data) - context, size=(step + 1, size))[step]",
        "bytes of memory",
    ),
    "the steps before are skipped one by one": (
        "rng = np.random.default_rng(seed)\n"
        "    for _ in range(step + 1):\n"
        "        starts = rng.integers(len(data) - context, size=size)",
        "no skipping ahead",
    ),
    "numpy's global generator is seeded": (
        "np.random.seed(seed * 1000 + step)\n"
        "    starts = np.random.randint(len(data) - context, size=size)",
        "global random state",
    ),
    "the counter's first word is the step": (
        "words = np.random.Philox(key=seed, counter=step).random_raw(size)\n"
        "    starts = (words % np.uint64(len(data) - context)).astype(np.int64)",
        "windows come again in the next step",
    ),
    "the counter's first word is the seed": (
        "words = np.random.Philox(key=step, counter=seed).random_raw(size)\n"
        "    starts = (words % np.uint64(len(data) - context)).astype(np.int64)",
        "windows come again in the next seed",
    ),
    "text is hashed": (
        "rng = np.random.default_rng(abs(hash(('x', seed, step))))\n"
        "    starts = rng.integers(len(data) - context, size=size)",
        "hash(), which differs by process",
    ),
    "seeds are a thousand steps apart": (
        "rng = np.random.default_rng(seed * 1000 + step)\n"
        "    starts = rng.integers(len(data) - context, size=size)",
        "has the windows of seed, step",
    ),
    "one place is drawn, the others follow at a stride": (
        "first = np.random.default_rng([seed, step]).integers(len(data) - context)\n"
        "    starts = (first + 613 * np.arange(size)) % (len(data) - context)",
        "draw a random place for each",
    ),
    "what was drawn is remembered": (
        "starts = seen.setdefault((seed, step), rng.integers(len(data) - context, size=size))",
        "as after a restart",
    ),
}


RIGHT = {
    "a seed sequence": "rng = np.random.default_rng(np.random.SeedSequence([seed, step]))",
    "a list as the seed": "rng = np.random.default_rng([seed, step])",
    "the step in the key": "rng = np.random.Generator(np.random.Philox(key=[seed, step]))",
    "a counter's last word": (
        "rng = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, step]))"
    ),
    "a hash": (
        "import hashlib\n"
        "    name = hashlib.sha256(f'{seed} {step}'.encode()).digest()\n"
        "    rng = np.random.default_rng(int.from_bytes(name, 'big'))"
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_exercise_can_be_solved_in_other_ways(name: str, tmp_path: Path) -> None:
    exercise = next(e for e in plugin.guide_exercises("deep-learning") if e.id == "m1::e1")
    draw = "starts = rng.integers(len(data) - context, size=size)"
    outcome = check(exercise, write_attempt(tmp_path, f"{RIGHT[name]}\n    {draw}"))
    assert outcome.passed, outcome.message


@pytest.mark.parametrize("name", WRONG)
def test_the_exercise_says_what_is_wrong(name: str, tmp_path: Path) -> None:
    exercise = next(e for e in plugin.guide_exercises("deep-learning") if e.id == "m1::e1")
    line, said = WRONG[name]
    outcome = check(exercise, write_attempt(tmp_path, line))
    assert not outcome.passed
    assert said in outcome.message


def write_attempt(folder: Path, line: str) -> Path:
    attempt = folder / "attempt.py"
    attempt.write_text(
        "import numpy as np\n\nrng = np.random.default_rng()\nseen = {}\n\n\n"
        f"def batch(data, seed, step, size, context):\n    {line}\n"
        "    windows = data[starts[:, None] + np.arange(context + 1)]\n"
        "    return windows[:, :-1], windows[:, 1:]\n"
    )
    return attempt

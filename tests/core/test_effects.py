"""Exercises keep their promises on the machine that runs this: a few in each run, others each day.

All of them, three times over, take a quarter of an hour: `make bench-judge ARGS=exercises`.
"""

import datetime
import json
import random

import pytest

from guide.learn.contents import all_exercises
from guide.plugins import Plugins

EACH_RUN = 4
TODAY = datetime.datetime.now(tz=datetime.UTC).date().toordinal()
NAMES = sorted(exercise.id for exercise in all_exercises(Plugins()))
SAMPLE = random.Random(TODAY).sample(NAMES, EACH_RUN)


@pytest.mark.parametrize("exercise", SAMPLE)
def test_starter_naive_solution_and_cheats_get_what_they_deserve(main, exercise):
    code, out, _ = main("dev", "check", exercise, "--runs", "1", "--json")
    (row,) = json.loads(out)
    undecided = row["files"].get("solution", {}).get("said") == ["inconclusive"]
    assert row["ok"] or undecided, json.dumps(row, indent=2)
    assert code == (not row["ok"])

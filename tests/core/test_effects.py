"""Exercises keep their promises on the machine that runs this: a few in each run, others each day.

All of them, three times over, take a quarter of an hour: `make bench-judge ARGS=exercises`.
"""

import datetime
import json
import random

import pytest

from guide.cli.dev import kept_promises
from guide.learn.contents import all_exercises
from guide.plugins import Plugins

EACH_RUN = 2
TODAY = datetime.datetime.now(tz=datetime.UTC).date().toordinal()
SAMPLE = random.Random(TODAY).sample(all_exercises(Plugins()), EACH_RUN)


@pytest.mark.parametrize("exercise", SAMPLE, ids=lambda exercise: exercise.id)
def test_starter_naive_solution_and_cheats_get_what_they_deserve(exercise):
    row = kept_promises(exercise, 1)
    undecided = row["files"].get("solution", {}).get("said") == ["inconclusive"]  # a busy machine
    assert row["ok"] or undecided, json.dumps(row, indent=2)

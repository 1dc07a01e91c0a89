import os
import platform
import subprocess
import sys

import pytest

from guide.machine import machine_facts, memory_bytes, usable_threads


def test_the_facts_name_nobody_and_no_place():
    facts = machine_facts()
    assert {"processor", "threads", "system", "python"} <= set(facts)
    said = " ".join(map(str, facts.values()))
    assert os.path.expanduser("~") not in said  # noqa: PTH111
    assert platform.node() not in said.split()


def test_memory_is_of_the_size_that_memory_has():
    assert memory_bytes() == 0 or 10**8 < memory_bytes() < 10**15


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_threads_are_those_that_this_process_may_use():
    code = (
        "import os; from guide.machine import usable_threads\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(usable_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert usable_threads() == len(os.sched_getaffinity(0))

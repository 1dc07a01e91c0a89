"""Faults planted in small programs, profiled by torch as they run, and named."""

import runpy
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from benchmarks.explain.planted import PLANTED, PROGRAMS, WORTH
from guide.explain.reading import read_trace
from guide.plugins import Plugins, verdicts
from guide_deep_learning.explain import recorder
from guide_deep_learning.explain.beats import Beats
from guide_deep_learning.explain.ending import Enough
from guide_deep_learning.explain.recorder import Recorder

pytestmark = pytest.mark.filterwarnings("ignore")
# Two threads or sixteen: what that costs hangs on what else the machine does
NAMED = [fault for fault in PLANTED if fault.program != "threads"]


def ended():
    raise Enough


@cache
def found(program: str, *options: str):
    """Verdicts on a program that was profiled in this very process."""
    kept = sys.argv, torch.get_num_threads(), recorder._PLAIN_NS
    recorder._PLAIN_NS = 20_000_000
    sys.argv = [program, "--small", *options]
    try:
        with TemporaryDirectory() as folder:
            record = Recorder(Path(folder) / "torch.json.gz", steps=3)
            with pytest.raises(Enough), Beats(record, ended).listening():
                runpy.run_path(str(PROGRAMS / f"{program}.py"), run_name="__main__")
            trace = read_trace(record.file)
            said = verdicts(Plugins(), "trace", trace)
    finally:
        sys.argv, threads, recorder._PLAIN_NS = kept
        torch.set_num_threads(threads)
        torch.set_anomaly_enabled(False)
    return trace, {verdict.title: verdict for verdict in said}


@pytest.mark.parametrize("fault", NAMED, ids=lambda fault: fault.program)
def test_the_fault_is_named_with_its_line(fault):
    _, said = found(fault.program, "--fault")
    assert fault.title in said
    where = [place.text for place in said[fault.title].where]
    assert not fault.line or any(fault.line in text for text in where), where


@pytest.mark.parametrize("fault", NAMED, ids=lambda fault: fault.program)
def test_without_it_nobody_is_accused_of_it(fault):
    trace, said = found(fault.program)
    accused = said.get(fault.title)
    assert accused is None or accused.recoverable_ns < WORTH * trace.unwatched_ns


def test_more_threads_than_cores_are_told_whatever_they_cost():
    kept = torch.get_num_threads()
    try:
        trace, said = found("threads", "--fault")
    finally:
        torch.set_num_threads(kept)
    assert "more threads than cores" in said
    assert trace.about["guide"]["tried"]["what"] == "threads"


def test_a_trace_says_what_it_costs_to_be_watched():
    about = found("optimizer", "--fault")[0].about["guide"]
    assert about["found"] == "an optimizer's step"
    assert about["step_ns"] > 0
    assert about["op_cost_ns"] > 0
    assert about["optimizer"]["fused_ns"] < about["optimizer"]["loop_ns"]


def test_the_same_trace_gives_the_same_words():
    trace, _ = found("item", "--fault")
    plugins = Plugins()
    assert verdicts(plugins, "trace", trace) == verdicts(plugins, "trace", trace)

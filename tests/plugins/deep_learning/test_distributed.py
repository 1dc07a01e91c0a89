"""Two processes train as one would, stop as one, and say who was in the way."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from guide.errors import GuideError, UsageError
from guide.loop import Loop
from guide.ranks import Ranks
from guide.timing import Timeline
from guide_deep_learning.training.diagnoses import communication_bound
from guide_deep_learning.training.loop.guard import StepLoss
from guide_deep_learning.training.processes import distributed
from guide_deep_learning.training.processes.agreement import Agreement
from guide_deep_learning.training.processes.communication import LANE, Communication, exposed
from guide_deep_learning.training.processes.distributed import World, join, synced
from guide_deep_learning.training.processes.per_rank import RankSummary, facts, table
from guide_deep_learning.training.processes.share import judged_rows, rows_of, shared

from .tiny import make_trainer
from .torchrun import (
    PROGRAM,
    TORCHRUN,
    finish,
    on_two_hosts,
    start,
    told,
    two_hosts,
    two_ranks,
    why_no_namespaces,
)

STEPS = 6


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What two ranks found out, in one start of them."""
    root = tmp_path_factory.mktemp("together")
    assert finish(two_ranks("all", root)) == 0, (root / "output").read_text()[-3000:]
    return told(root)


class TestTwoRanks:
    @pytest.mark.parametrize("how", ["ddp", "fsdp"])
    def test_have_the_losses_of_one_process_with_the_whole_batch(self, together, how):
        torch.set_num_threads(1)
        alone = make_trainer()
        expected = [*[alone.step() for _ in range(STEPS)][1:], alone.flush()]
        assert together[how] == pytest.approx([loss.value for loss in expected], rel=1e-5)

    @pytest.mark.parametrize("how", ["ddp", "fsdp"])
    def test_go_on_from_a_checkpoint_with_the_same_bits(self, together, how):
        assert together[f"{how} said"] == ["resumed from step 3 of 0001 on 2 ranks"]
        assert together[f"{how} again"] == together[how]

    def test_hear_of_the_sum_of_several_batches_alone(self, together):
        assert together["sums agree"]

    def test_end_with_the_same_step_when_one_is_asked_to(self, together):
        (ticks, why), other = together["stopped"]
        assert other == [ticks, why]
        assert (3 < ticks <= 5, why) == (True, "interrupted")

    def test_measure_what_they_send_and_wait_for(self, together):
        said = together["facts"]
        assert said["ranks"] == 2
        assert 0 < said["exposed communication ms"] < together["tick_time"]["p50_ns"] / 1e6
        megabytes = 4 * together["parameters"] / 1e6
        # the pass that warms up is sent too, and is no step
        assert megabytes <= said["sent a step MB"] == pytest.approx(megabytes, rel=0.1)
        head, *lines = together["table"].splitlines()
        assert head.split()[:2] == ["rank", "host"]
        assert [line.split()[0] for line in lines] == ["0", "1"]

    def test_one_that_fails_is_named_by_the_other_with_its_reason(self, together):
        message, remedy = together["farewell"]
        assert message == "rank 1 ended: there is no more text"
        assert "--set resume=true" in remedy


@pytest.mark.skipif(bool(why_no_namespaces()), reason=why_no_namespaces() or "none")
def test_two_hosts_on_a_slow_wire_are_told_that_communication_is_the_limit(tmp_path):
    with two_hosts("100mbit") as hosts:
        program = [str(PROGRAM), "times", str(tmp_path), "20"]
        processes = on_two_hosts(hosts, program, tmp_path / "output")
        codes = [finish(process) for process in processes]
    assert codes == [0, 0], (tmp_path / "output").read_text()[-3000:]
    found = told(tmp_path)
    (said,) = communication_bound(found)
    assert said.says.startswith("communication is the limit: ")
    # two ranks send each byte once: the wire cannot have been quicker than it is
    wire_ms = found["facts"]["sent a step MB"] * 8e6 / 100e6 * 1e3
    assert found["tick_time"]["p50_ns"] / 1e6 > 0.5 * wire_ms
    assert [line.split()[1] for line in found["table"].splitlines()[1:]] == ["0", "1"]


def test_a_project_under_torchrun_has_one_report_and_ends_together_when_interrupted(tmp_path):
    guide = [sys.executable, "-m", "guide"]
    made = [*guide, "new-project", "deep-learning", "mine"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    project, output = tmp_path / "mine", tmp_path / "output"
    options = {"width": 32, "context": 16, "batch": 4, "threads": 1, "steps": 100_000}
    options |= {"eval_every": 0, "checkpoint_every": 20}
    typed = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
    run = [*TORCHRUN, "--standalone", "--nproc-per-node=2", "-m", "guide", "run", *typed]
    process = start(run, output, project)
    committed = project / "checkpoints" / "0001" / "step-000000020.json"
    try:
        for _ in range(600):
            if committed.exists() or process.poll() is not None:
                break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        finish(process)
    said = output.read_text(errors="replace")
    assert "guide: " not in said, said[-3000:]
    assert said.count("mine: starting") == 1
    records = [
        json.loads(file.read_text())
        for pattern in ("*/run.json", "rank-1/*/run.json")
        for file in (project / "runs").glob(pattern)
    ]
    assert [record["status"] for record in records] == ["finished"] * 2
    assert {record["ended"] for record in records} == {"interrupted"}
    assert records[0]["loop"]["ticks"] == records[1]["loop"]["ticks"] >= 20
    assert records[0]["facts"]["ranks"] == 2
    assert "Ranks" in [text["title"] for text in records[0]["texts"]]
    assert records[0]["spans"]["exposed communication"]["beside"]
    shown = subprocess.run([*guide, "report"], cwd=project, capture_output=True, text=True)
    assert "rank-1" not in shown.stdout
    assert shown.returncode == 0


class TestRowsOfARank:
    @pytest.mark.parametrize("size", [1, 2, 3, 6])
    def test_are_the_whole_batch_whatever_the_number_of_ranks(self, size):
        batch = np.arange(24).reshape(12, 2)
        parts = [rows_of(batch, rank, size) for rank in range(size)]
        assert {len(part) for part in parts} == {12 // size}
        assert sorted(map(tuple, np.concatenate(parts))) == sorted(map(tuple, batch))

    def test_keep_images_and_labels_together(self):
        images, labels = rows_of((np.arange(8).reshape(4, 2), np.arange(4)), 1, 2)
        assert (images.tolist(), labels.tolist()) == ([[2, 3], [6, 7]], [1, 3])

    def test_of_a_step_are_a_function_of_the_step(self):
        batch_of = shared(lambda step: np.arange(4) + 10 * step, 1, 2)
        assert batch_of(3).tolist() == [31, 33]

    def test_to_evaluate_on_are_all_of_them_where_they_cannot_be_shared_evenly(self):
        held_out = np.arange(8)
        assert judged_rows(held_out, 1, 2).tolist() == [1, 3, 5, 7]
        assert judged_rows(held_out, 1, 3) is held_out

    def test_that_cannot_be_even_are_refused_with_a_batch_that_can(self):
        with pytest.raises(
            UsageError, match=r"a batch of 12 cannot .* 5 ranks; type --set batch=10"
        ):
            rows_of(np.zeros((12, 2)), 0, 5)


class TestAlone:
    def test_every_call_is_there_and_does_nothing(self, monkeypatch):
        for name in ("RANK", "WORLD_SIZE"):
            monkeypatch.delenv(name, raising=False)
        world = join(torch.device("cpu"))
        model = torch.nn.Linear(2, 2)
        assert world.alone
        assert world.wrap(model) is model
        assert (world.gather(1), world.from_first(2), world.mean(3.0)) == ([1], 2, 3.0)
        with world.in_touch(), synced(model, now=False):
            pass
        world.leave()

    def test_the_loop_stops_at_once_and_a_loss_is_its_own(self):
        loop = Loop()
        agreement = Agreement(World(), loop)
        assert agreement.exchange(StepLoss(0, 1.5)) == [StepLoss(0, 1.5)]
        assert agreement.settle(None) == []
        loop.stop("steps")
        assert loop.ended == "steps"

    def test_an_error_of_ones_own_passes_as_it_is(self):
        with pytest.raises(RuntimeError, match="connection pool"), World().in_touch():
            raise RuntimeError("connection pool")


def test_what_the_network_library_says_is_cut_to_what_a_person_needs():
    world = World(0, 2)
    with pytest.raises(GuideError) as caught, world.in_touch():
        raise RuntimeError(
            "[/src/gloo/transport/tcp/pair.cc:553] Connection closed by peer [10.0.0.2]:4711. "
            "This is typically caused by a remote worker crashing."
        )
    assert caught.value.message == "another rank is gone: Connection closed by peer [10.0.0.2]:4711"


def test_an_error_that_came_through_a_callback_is_cut_too():
    with pytest.raises(GuideError) as caught, World(0, 2).in_touch():
        raise RuntimeError(
            "Got the following error when running the callback: RuntimeError: [/src/pair.cc:537] \n"
            "Connection reset by peer. This is typically caused by"
        )
    assert caught.value.message == "another rank is gone: Connection reset by peer"


def test_a_bug_is_not_taken_for_a_rank_that_is_gone():
    with pytest.raises(RuntimeError, match="shapes"), World(0, 2).in_touch():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_nobody_to_meet_is_one_line(monkeypatch):
    values = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    values |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(GuideError, match=r"rank 1 of 2 cannot reach .* 127\.0\.0\.1:1") as caught:
        join(torch.device("cpu"), timeout_s=1)
    assert "torchrun" in caught.value.remedy
    assert "\n" not in str(caught.value)


def test_more_ranks_than_gpus_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match=r"rank 1 has no GPU of its own: this host has 1"):
        distributed._own_device(torch.device("cuda"), Ranks(1, 2, 1))


class TestExposed:
    def columns(self, *spans):
        timeline = Timeline()
        for name, start_ns, end_ns, lane, tick in spans:
            timeline.add(name, start_ns, end_ns, lane=lane, tick=tick)
        return timeline.columns()

    def test_is_from_the_last_bucket_handed_over_to_the_end_of_backward(self):
        columns = self.columns(
            ("backward", 0, 100, "loop", 0),
            ("all-reduce", 40, 90, LANE, 0),
            ("all-reduce", 70, 98, LANE, 0),
            ("backward", 200, 250, "loop", 1),
            ("all-reduce", 249, 250, LANE, 1),
        )
        assert exposed(columns).tolist() == [[0, 70, 30], [1, 249, 1]]

    def test_of_a_step_of_several_batches_is_that_of_the_last(self):
        columns = self.columns(
            ("backward", 0, 50, "loop", 0),
            ("backward", 60, 100, "loop", 0),
            ("all-reduce", 90, 99, LANE, 0),
        )
        assert exposed(columns).tolist() == [[0, 90, 10]]

    def test_of_a_sharded_model_on_the_cpu_is_all_of_it(self):
        columns = self.columns(
            ("backward", 0, 100, "loop", 0),
            ("all-gather", 10, 20, LANE, 0),
            ("reduce-scatter", 80, 95, LANE, 0),
        )
        assert exposed(columns).tolist() == [[0, 10, 25]]

    def test_is_nothing_where_nothing_was_sent(self):
        assert exposed(self.columns(("backward", 0, 1, "loop", 0))).shape == (0, 3)
        assert Communication(Timeline()).add_exposed().shape == (0, 3)

    def test_the_wait_for_a_slow_rank_is_told_apart_from_the_network(self):
        quick = RankSummary(0, "0", 9, 50_000_000, 60_000_000, 1, 2, 3, 30_000_000, 10**6)
        slow = RankSummary(1, "0", 9, 50_000_000, 60_000_000, 1, 2, 3, 4_000_000, 10**6)
        said = facts([quick, slow])
        assert said["exposed communication ms"] == 4
        assert said["waiting for the slowest rank ms"] == 26
        assert "30 ms" in table([quick, slow])

    def test_a_rank_that_measured_nothing_says_so(self):
        (gpu,) = [RankSummary(0, "0", 9, 5, 6, 1, 2, 3, -1, 10**6)]
        assert "exposed communication ms" not in facts([gpu])
        assert table([gpu]).splitlines()[1].split()[-3] == "-"

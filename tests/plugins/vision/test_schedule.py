"""The order of work, without a thread: whatever the order in which jobs end, it holds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from guide_vision.pipeline import Frame
from guide_vision.pipeline.schedule import Schedule


class Stage:
    def __init__(self, parallel):
        self.parallel = parallel


def frame(seq):
    return Frame(None, seq, 0, 0, slot=seq)


@st.composite
def histories(draw):
    stages = draw(st.lists(st.booleans(), max_size=4))
    moves = draw(st.lists(st.sampled_from(["enter", "begin", "end", "fail", "take"]), max_size=120))
    picks = draw(st.lists(st.integers(0, 10**6), min_size=120, max_size=120))
    return stages, moves, picks, draw(st.booleans()), draw(st.booleans())


@settings(max_examples=300, deadline=None)
@given(histories())
def test_no_frame_is_lost_doubled_or_out_of_order(history):
    parallel, moves, picks, latest, may_fail = history
    schedule = Schedule([Stage(p) for p in parallel], latest=latest)
    entered, delivered, running, released = 0, [], [], []
    at_stage = [[] for _ in parallel]
    failed = False
    for move, pick in zip(moves, picks, strict=False):
        if move == "enter":
            schedule.enter(frame(entered))
            entered += 1
        elif move == "begin" and (job := schedule.next_job()) is not None:
            running.append(job)
            at_stage[job[0]].append(job[2].seq)
            if not parallel[job[0]]:  # one at a time
                assert sum(other[0] == job[0] for other in running) == 1
        elif move == "end" and running:
            schedule.done(running.pop(pick % len(running)))
        elif move == "fail" and running and may_fail:
            schedule.failed(running.pop(pick % len(running)))
            failed = True
        elif move == "take" and (taken := schedule.take()) is not None:
            delivered.append(taken.seq)
        released += schedule.released
        schedule.released.clear()
        dropped = schedule.dropped.total()
        assert entered == len(delivered) + dropped + schedule.in_flight
        assert len(released) == dropped
    assert delivered == sorted(set(delivered))
    for seqs, many in zip(at_stage, parallel, strict=True):
        assert len(set(seqs)) == len(seqs)
        if not many:
            assert seqs == sorted(seqs)
    if not latest and not failed:
        assert delivered == list(range(len(delivered)))
        assert not released


def test_work_nearest_to_the_end_comes_first():
    schedule = Schedule([Stage(False), Stage(False)], latest=False)
    schedule.enter(frame(0))
    schedule.done(schedule.next_job())
    schedule.enter(frame(1))

    stage, _, what = schedule.next_job()
    assert (stage, what.seq) == (1, 0)
    stage, _, what = schedule.next_job()
    assert (stage, what.seq) == (0, 1)
    assert schedule.next_job() is None


def test_the_latest_link_holds_one_frame_at_each_end():
    schedule = Schedule([Stage(False)], latest=True)
    for seq in range(3):
        schedule.enter(frame(seq))
    assert schedule.in_flight == 1
    schedule.done(schedule.next_job())
    schedule.enter(frame(3))
    schedule.done(schedule.next_job())

    assert schedule.take().seq == 3
    assert schedule.take() is None
    assert schedule.dropped["replaced"] == 3
    assert sorted(schedule.released) == [0, 1, 2]

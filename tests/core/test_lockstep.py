"""The machine in lock-step: counts that can be worked out by hand, and misuse that is named."""

import pytest

from guide.judge.lockstep import Memory, Misused, as_figures, launch


def run(kernel, blocks=1, threads=32, size=None, *more):
    size = size or blocks * threads
    source, out = Memory("source", range(size)), Memory("out", [0] * size)
    return launch(kernel, blocks, threads, source, out, *more), list(out)


def copy(t, source, out):
    x = yield source.load(t.id)
    yield out.store(t.id, x)


class TestCounts:
    def test_a_copy_loads_and_stores_each_number_once(self):
        counts, out = run(copy, blocks=3, threads=64)
        assert out == list(range(192))
        assert (counts.loads, counts.stores) == (192, 192)
        assert counts.instructions == 2 * 3 * 2  # a load and a store of six warps
        assert counts.segments == 12
        assert counts.partial == counts.conflicts == counts.barriers == counts.atomics == 0

    def test_the_size_of_a_number_decides_how_many_pieces(self):
        source, out = Memory("source", range(32), bytes=8), Memory("out", [0] * 32, bytes=1)
        assert launch(copy, 1, 32, source, out).segments == 2 + 1

    def test_a_load_that_starts_in_the_middle_of_a_piece_takes_two(self):
        def shifted(t, source, out):
            yield source.load(t.id + 1)

        assert run(shifted, size=64)[0].segments == 2

    def test_one_number_for_all_is_one_piece_and_32_loads(self):
        def same(t, source, out):
            yield source.load(5)

        counts, _ = run(same)
        assert (counts.loads, counts.segments) == (32, 1)

    def test_both_ways_of_a_branch_are_counted_and_threads_meet_again(self):
        def branch(t, source, out):
            if t.index < 8:
                x = yield source.load(0)
            else:
                x = yield source.load(1)
            yield out.store(t.id, x)

        counts, out = run(branch)
        assert out == [0] * 8 + [1] * 24
        assert (counts.instructions, counts.partial) == (3, 2)

    def test_a_branch_between_warps_costs_nothing(self):
        def branch(t, source, out):
            if t.index < 32:
                x = yield source.load(0)
            else:
                x = yield source.load(1)
            yield out.store(t.id, x)

        assert run(branch, threads=64)[0].partial == 0

    def test_a_loop_that_ends_sooner_for_some_keeps_the_warp(self):
        def loop(t, source, out):
            total = 0
            for _ in range(1 + t.index % 4):
                total += yield source.load(t.id)
            yield out.store(t.id, total)

        counts, out = run(loop)
        assert out[:4] == [0, 2, 6, 12]
        assert (counts.instructions, counts.partial) == (4 + 1, 3)

    def test_threads_that_have_ended_are_missing(self):
        def some(t, source, out):
            if t.id < 20:
                yield from copy(t, source, out)

        assert run(some)[0].partial == 2

    def test_a_part_of_a_kernel_may_be_a_generator_of_its_own(self):
        def twice(t, source, out):
            yield from copy(t, source, out)
            yield from copy(t, source, out)

        counts, out = run(twice)
        assert out == list(range(32))
        assert (counts.instructions, counts.partial) == (4, 0)

    def test_atomic_additions_lose_nothing(self):
        def count(t, source, out):
            yield out.add(t.id % 2, 1)

        counts, out = run(count, blocks=2)
        assert out[:2] == [32, 32]
        assert (counts.atomics, counts.stores) == (64, 64)


class TestSharedMemory:
    @pytest.mark.parametrize(("stride", "turns"), [(1, 0), (2, 1), (4, 3), (32, 31), (33, 0)])
    def test_conflicts_are_turns_lost(self, stride, turns):
        def store(t, source, out):
            tile = t.shared("tile", 32 * 33)
            yield tile.store(t.index * stride, 1)

        assert run(store)[0].conflicts == turns

    def test_one_word_for_all_is_no_conflict(self):
        def read(t, source, out):
            tile = t.shared("tile", 64)
            yield tile.store(t.index, t.index)
            yield t.barrier()
            x = yield tile.load(3)
            yield out.store(t.id, x)

        counts, out = run(read, threads=64)
        assert out == [3] * 64
        assert (counts.conflicts, counts.barriers, counts.shared) == (0, 1, 128)

    def test_each_block_has_its_own(self):
        def turned(t, source, out):
            tile = t.shared("tile", t.size)
            yield tile.store(t.index, t.id)
            yield t.barrier()
            x = yield tile.load(t.size - 1 - t.index)
            yield out.store(t.id, x)

        _, out = run(turned, blocks=2, threads=64)
        assert out == [*range(63, -1, -1), *range(127, 63, -1)]


class TestMisuse:
    def refused(self, kernel, threads=64):
        with pytest.raises(Misused) as misused:
            run(kernel, threads=threads)
        return str(misused.value)

    def test_reading_what_another_wrote_without_a_barrier(self):
        def race(t, source, out):
            tile = t.shared("tile", 64)
            yield tile.store(t.index, 1)
            yield tile.load((t.index + 1) % 64)

        assert "thread 0 of block 0 reads tile[1], which thread 1 has written" in self.refused(race)

    def test_writing_what_another_has_read_without_a_barrier(self):
        def race(t, source, out):
            tile = t.shared("tile", 64)
            yield tile.store(t.index, 1)
            yield t.barrier()
            yield tile.load((t.index + 1) % 64)
            yield tile.store(t.index, 2)

        assert "with no barrier since" in self.refused(race)

    def test_reading_what_nobody_wrote(self):
        def early(t, source, out):
            yield t.shared("tile", 64).load(t.index)

        assert "which nobody has written" in self.refused(early)

    def test_a_barrier_that_some_do_not_take(self):
        def branch(t, source, out):
            if t.index < 40:
                yield t.barrier()
            yield out.store(t.id, 1)

        assert "40 of 64 wait" in self.refused(branch)

    def test_two_barriers_of_one_block(self):
        def branch(t, source, out):
            if t.index < 40:
                yield t.barrier()
            else:
                yield t.barrier()

        assert "that not all of its block come to" in self.refused(branch)

    @pytest.mark.parametrize("index", [-1, 64])
    def test_an_address_outside(self, index):
        def outside(t, source, out):
            yield source.load(index)

        assert f"source[{index}] of 64" in self.refused(outside)

    def test_two_sizes_of_one_tile(self):
        def sizes(t, source, out):
            yield t.shared("tile", 64 + t.index).store(t.index, 1)

        assert "thread 1 of block 0 wants 65 words of tile, another thread 64" in self.refused(
            sizes
        )

    def test_something_else_that_is_yielded(self):
        def odd(t, source, out):
            yield 5

        assert "yields 5" in self.refused(odd)

    def test_a_kernel_that_never_yields(self):
        assert "no `yield`" in self.refused(lambda t, source, out: None)


def test_the_counts_come_as_figures_of_a_check():
    counts, _ = run(copy)
    assert as_figures(counts)["loads"] == 32.0

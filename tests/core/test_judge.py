"""The judge: how values cross, what rounds say, how a submission fails, and what it leaves."""

import ctypes
import functools
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import guide
from guide.errors import GuideError
from guide.judge.codec import Full, Garbled, Unsendable, decode, encode
from guide.judge.compare import difference
from guide.judge.judging import Judge
from guide.judge.lock import alone
from guide.judge.manifest import Bars, read_manifest
from guide.judge.nurseries import Nurseries
from guide.judge.verdict import decide, rank, ratio
from guide.judge.workers import Failed, Limits, Nursery, Worker

FOLDER = Path(guide.__file__).parent / "foundations" / "exercises" / "walk_with_the_grain"

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=20,
)


def crossed(value):
    buffer = memoryview(bytearray(1 << 16))
    return decode(buffer[: encode(value, buffer)])


class TestCodec:
    @given(plain)
    @settings(max_examples=150, deadline=None)
    def test_plain_values_cross_unchanged(self, value):
        assert repr(crossed(value)) == repr(value)

    @pytest.mark.parametrize(
        "array",
        [
            np.arange(6.0).reshape(2, 3)[:, ::2],
            np.zeros((0, 3), np.uint8),
            np.array(5),
            np.array([1, 2], ">i2"),
            np.zeros(3, [("x", "f4"), ("y", "i8", (2,))]),
            np.float32(1.5),
        ],
    )
    def test_arrays_keep_type_shape_and_values(self, array):
        back = crossed(array)
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert (back == array).all()

    def test_an_array_is_not_copied(self):
        buffer = memoryview(bytearray(1 << 12))
        back = decode(buffer[: encode(np.zeros(4), buffer)])
        back[0] = 7
        assert decode(buffer[: encode(back, buffer)])[0] == 7
        assert np.shares_memory(back, np.frombuffer(buffer, np.uint8))

    def test_a_subclass_crosses_as_the_memory_it_has(self):
        class Later(np.ndarray):
            def __array__(self, *_, **__):
                raise AssertionError("asked to compute")

        back = crossed(np.ones(3).view(Later))
        assert type(back) is np.ndarray

    @pytest.mark.parametrize("value", [object(), {1}, np.array([None]), lambda: 0, bytearray(3)])
    def test_what_is_not_plain_does_not_cross(self, value):
        with pytest.raises(Unsendable):
            crossed(value)

    def test_what_is_too_large_says_so(self):
        with pytest.raises(Full):
            encode(np.zeros(1000), memoryview(bytearray(100)))

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the parser's, on damaged text
    def test_damaged_bytes_are_garbled_or_a_plain_value_never_anything_else(self):
        random.seed(1)
        buffer = memoryview(bytearray(1 << 12))
        count = encode([1, "a", (2.0,), {"k": np.arange(9)}, list(range(20))], buffer)
        good = bytes(buffer[:count])
        for _ in range(3000):
            data = bytearray(good)
            for _ in range(random.randint(1, 4)):
                data[random.randrange(count)] = random.randrange(256)
            try:
                decode(memoryview(data[: random.randint(0, count)]))
            except Garbled:
                continue


class TestVerdict:
    BARS = Bars(case=None, over_naive=4.0)

    def test_the_interval_of_a_median_is_what_a_coin_says(self):
        assert [rank(n) for n in (5, 6, 9, 17, 41)] == [0, 1, 2, 5, 14]

    def test_the_interval_holds_the_true_ratio_as_often_as_it_says(self):
        rng = np.random.default_rng(0)
        held = 0
        for _ in range(400):
            noise = rng.lognormal(0, 0.5, (2, 17))
            found = ratio(9 * noise[0], noise[1])
            held += found.low <= 9 <= found.high
        assert held >= 380 * 0.97

    @pytest.mark.parametrize("hogs", [0, 0.3, 1.0])
    def test_twice_the_bar_is_never_called_slow(self, hogs):
        rng = np.random.default_rng(int(hogs * 10))
        for _ in range(200):
            naive, reference, yours = (
                t * (1 + rng.exponential(hogs, 17)) for t in (100.0, 12.0, 12.0)
            )
            assert decide(naive, reference, yours, self.BARS).decision in ("fast", "undecided")

    @pytest.mark.parametrize("hogs", [0, 0.3, 1.0])
    def test_what_is_as_slow_as_naive_is_never_called_fast(self, hogs):
        rng = np.random.default_rng(int(hogs * 10))
        for _ in range(200):
            naive, reference, yours = (
                t * (1 + rng.exponential(hogs, 17)) for t in (100.0, 12.0, 100.0)
            )
            assert decide(naive, reference, yours, self.BARS).decision in ("slow", "undecided")

    def test_a_share_of_the_reference_is_enough(self):
        assert decide([30.0] * 9, [10.0] * 9, [15.0] * 9, self.BARS).decision == "fast"

    def test_without_an_effect_the_bar_is_waived(self):
        same = [10.0] * 9
        assert decide(same, same, same, self.BARS).decision == "waived"

    def test_few_rounds_say_nothing(self):
        assert decide([100.0] * 5, [10.0] * 5, [90.0] * 5, self.BARS).decision == "undecided"


class TestDifference:
    def test_nan_equals_nan_alone(self):
        assert difference(float("nan"), 1.0, rtol=1.0)
        assert difference(np.full(3, np.nan), np.zeros(3), atol=1e9)
        assert not difference(np.array([np.nan]), np.array([np.nan]))

    @pytest.mark.parametrize(
        ("got", "want", "said"),
        [
            (None, np.zeros(2), "an array is wanted, not None"),
            (np.zeros(3), np.zeros(2), "the shape is (3,), (2,) is wanted"),
            (np.zeros(2, int), np.zeros(2), "the type is int64, float64 is wanted"),
            (np.array([1, 2]), np.array([1, 3]), "at [1] expected 3, got 2 (1 of 2 differ)"),
            ([1, 2], [1], "1 items are wanted, 2 came"),
            ([1, "a"], [1, "b"], "item 1: expected 'b', got 'a'"),
        ],
    )
    def test_it_is_a_sentence(self, got, want, said):
        assert difference(got, want) == said


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def run(nursery, tmp_path):
    """Call `solve` of some code with arguments, in a worker; its value."""

    def run(code, *arguments, **limits):
        file = tmp_path / "mine.py"
        file.write_text(textwrap.dedent(code))
        limits = Limits(**{"timeout_s": 5, "memory_mb": 512, **limits})
        with Worker(nursery, file, "solve", limits) as worker:
            worker.load([arguments])
            return worker.call().value[0]

    return run


class TestWorkers:
    def test_what_is_returned_comes_back(self, run):
        assert run("def solve(a, b): return {'sum': a + b}", 1, 2) == {"sum": 3}

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("def solve():\n    return 1 / 0", "mine.py:2: ZeroDivisionError: division by zero"),
            ("def solve(): return object()", "mine.py: your function returned a value of type"),
            ("def other(): pass", "mine.py does not define solve"),
            ("def solve(:", "mine.py: SyntaxError: "),
            ("import os\ndef solve(): os._exit(0)", "it ended the process instead of returning"),
            ("def solve():\n    raise SystemExit(0)", "mine.py:2: SystemExit: 0"),
            ("import ctypes\ndef solve(): ctypes.string_at(0)", "crashed: SIGSEGV"),
            ("def solve(): return bytearray(1 << 31)", "more memory than the exercise allows"),
            ("def solve(): return solve()", "RecursionError"),
        ],
    )
    def test_what_goes_wrong_is_one_line(self, run, code, said):
        with pytest.raises(Failed) as failed:
            run(code)
        assert said in str(failed.value)
        assert "\n" not in str(failed.value)

    def test_one_that_does_not_end_is_ended(self, run):
        with pytest.raises(Failed, match=r"stopped after 0.5 s"):
            run("def solve():\n    while True: pass", timeout_s=0.5)

    def test_files_are_written_in_a_folder_that_goes_away(self, run):
        place = run("import os\ndef solve():\n    open('a', 'w').close()\n    return os.getcwd()")
        assert not Path(place).exists()

    def test_what_was_printed_is_kept(self, nursery, tmp_path):
        file = tmp_path / "mine.py"
        file.write_text("def solve(): print('here', 3)")
        with Worker(nursery, file, "solve", Limits()) as worker:
            worker.load([()])
            worker.call()
            worker.load([()])
            worker.call()
            assert worker.printed.startswith("here 3")

    def test_between_calls_it_stands_still(self, nursery, tmp_path):
        file = tmp_path / "mine.py"
        file.write_text(
            "import threading\nn = [0]\ndef count():\n    while True: n[0] += 1\n"
            "threading.Thread(target=count, daemon=True).start()\ndef solve(): return n[0]\n"
        )
        with Worker(nursery, file, "solve", Limits()) as worker:
            state = Path(f"/proc/{worker._pid}/stat")
            assert state.read_text().rpartition(")")[2].split()[0] == "T"
            before = worker._cpu_ns()
            time.sleep(0.1)
            assert worker._cpu_ns() == before

    def test_work_off_the_clock_is_told(self, nursery, tmp_path):
        file = tmp_path / "mine.py"
        file.write_text(
            "import guide.judge.worker as w\nkept = w.decode\n"
            "def slow(data):\n    sum(range(3_000_000))\n    return kept(data)\n"
            "w.decode = slow\ndef solve(): return 0\n"
        )
        with Worker(nursery, file, "solve", Limits()) as worker:
            for _ in range(2):
                worker.load([()])
                timed = worker.call()
            assert timed.aside_ns > 10 * timed.cpu_ns

    def test_a_grandchild_that_lost_its_parent_does_not_survive(self, nursery, tmp_path):
        file = tmp_path / "mine.py"
        file.write_text(
            "import os, time\ndef solve():\n    out, into = os.pipe()\n"
            "    if os.fork() == 0:\n        if os.fork() == 0:\n"
            "            os.write(into, str(os.getpid()).encode())\n            time.sleep(600)\n"
            "        os._exit(0)\n    return int(os.read(out, 20))\n"
        )
        with Worker(nursery, file, "solve", Limits(processes=True)) as worker:
            worker.load([()])
            (grandchild,) = worker.call().value
            os.kill(grandchild, 0)
        with pytest.raises(ProcessLookupError):
            os.kill(grandchild, 0)

    def test_without_the_judge_nothing_is_left(self, tmp_path):
        (tmp_path / "mine.py").write_text("def solve():\n    while True: pass\n")
        code = (
            "import sys\nfrom pathlib import Path\nfrom guide.judge.workers import *\n"
            "w = Worker(Nursery(), Path('mine.py').resolve(), 'solve', Limits())\n"
            "print(w._pid, w._nursery._process.pid, flush=True)\nw.load([()])\nw.call()\n"
        )
        judge = subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        pids = [int(pid) for pid in judge.stdout.readline().split()]
        judge.kill()
        judge.communicate()
        deadline = time.monotonic() + 10
        while any(map(alive, pids)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(map(alive, pids))

    def test_where_nothing_can_be_forked_or_kept_in_memory_alone_it_works_too(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.delattr(os, "memfd_create")
        file = tmp_path / "mine.py"
        file.write_text("import os\ndef solve(x):\n    return 1 / x if x else os._exit(3)\n")
        with Nursery(forks=False) as nursery:
            for value, said in ((2, ""), (0, "ended the process")):
                with Worker(nursery, file, "solve", Limits()) as worker:
                    worker.load([(value,)])
                    if said:
                        with pytest.raises(Failed, match=said):
                            worker.call()
                    else:
                        assert worker.call().value == [0.5]

    def test_something_needed_that_is_missing_is_one_line(self):
        with pytest.raises(GuideError, match="needs no_such_thing; type: pip install"):
            Nursery(["no_such_thing"])


class TestNurseries:
    """What many exercises need is imported once, and each worker still begins with nothing."""

    def test_judges_of_the_same_needs_share_one_that_outlives_them(self, judged, tmp_path):
        judged("def solve(x): return np.sort(x)")
        file = tmp_path / "mine.py"
        with Nurseries() as nurseries:
            for code in ("np.mine = 1\ndef solve(x): return np.sort(x)", "solve = np.mine"):
                file.write_text(f"import numpy as np\n{code}")
                with Judge(read_manifest(tmp_path), nurseries=nurseries) as judge:
                    result = judge.judge(file)
                    assert judge._nursery is nurseries.of(["numpy"], 1)
            assert "has no attribute 'mine'" in result.message
            assert nurseries.of(["numpy"], 2) is not nurseries.of(["numpy"], 1)

    def test_they_end_when_it_is_closed(self):
        with Nurseries() as nurseries:
            pids = [nurseries.of(needs, 1)._process.pid for needs in ((), ("numpy",))]
            assert all(map(alive, pids))
        assert not any(map(alive, pids))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


CHECK = """
import numpy as np
def make_input(rng, case): return (rng.integers(0, 100, case),)
def expected(x): return np.sort(x)
def smaller(x):
    if len(x) > 1:
        yield (x[: len(x) // 2].copy(),)
        yield (x[len(x) // 2 :].copy(),)
        yield (x[1:].copy(),)
"""


@pytest.fixture
def judged(tmp_path):
    """Judge some code that should sort an array."""
    (tmp_path / "check.py").write_text(CHECK)
    (tmp_path / "solution.py").write_text("import numpy as np\nsolve = np.sort\n")
    (tmp_path / "naive.py").write_text(
        "import numpy as np\ndef solve(x): return np.array(sorted(x.tolist()), x.dtype)\n"
    )

    def judged(code, toml="", forbid=()):
        head = 'id = "m1::e0"\ntitle = "Sort"\nkind = "code"\n'
        run = f'[run]\nentry = "solve"\nforbid = {list(forbid)}\n'
        run += "[cases]\ncheck = [0, 1, 50]\nperf = 100000\n"
        (tmp_path / "exercise.toml").write_text(head + run + toml)
        file = tmp_path / "mine.py"
        file.write_text("import numpy as np\n" + textwrap.dedent(code))
        with Judge(read_manifest(tmp_path), seed=1) as judge:
            return judge.judge(file)

    return judged


class TestJudging:
    PERF = "[perf]\nover_naive = 2.0\nrounds = [9, 21]\nbudget_s = 3\n"

    def test_right_is_all_that_is_asked_where_there_is_no_bar(self, judged):
        result = judged("def solve(x): return np.sort(x)")
        assert (result.state, result.passed, result.cases) == ("correct", True, 3)

    def test_a_failure_shows_the_smallest_input(self, judged):
        result = judged("def solve(x): return np.sort(x) if len(x) < 7 or x[0] < 50 else x")
        assert result.state == "wrong"
        assert "expected" in result.message
        assert len(result.failure.given.split(",")) <= 14

    def test_fast_is_seen(self, judged):
        result = judged("def solve(x): return np.sort(x)", self.PERF)
        assert result.passed, result.message
        assert result.speed.standing.over_naive.low > 2

    def test_slow_is_told_as_a_distance(self, judged):
        result = judged("def solve(x): return np.array(sorted(x.tolist()), x.dtype)", self.PERF)
        assert not result.passed
        assert "the bar is" in result.message or "of the 2x needed" in result.message

    def test_an_input_that_was_written_over_is_wrong(self, judged):
        result = judged("def solve(x):\n    x.sort()\n    return x.copy()")
        assert "wrote over its input" in result.message

    def test_what_is_forbidden_is_found_by_line(self, judged):
        result = judged("def solve(x):\n    return np.sort(x)", forbid=["np.sort"])
        assert result.message == "line 3: this exercise is about doing without np.sort"

    def test_memory_and_calls_are_counted(self, judged):
        result = judged("def solve(x): return np.sort(x)", self.PERF + "[most]\nmemory = 100\n")
        assert not result.passed
        assert result.counts["memory"] >= 800_000
        result = judged(
            "def solve(x):\n    [len(x) for _ in range(50)]\n    return np.sort(x)",
            "[most]\ncalls = 40\n",
        )
        assert result.message.startswith("calls: 5")

    def test_the_judge_hides_its_memory_while_it_judges(self, judged, tmp_path):
        judged("def solve(x): return np.sort(x)")
        get_dumpable = functools.partial(ctypes.CDLL(None).prctl, 3, 0, 0, 0, 0)
        with Judge(read_manifest(tmp_path)):
            assert get_dumpable() == 0
        assert get_dumpable() == 1

    def test_nobody_is_judged_as_root_is(self, tmp_path):
        """As an ordinary user, for whom /proc belongs to others."""
        if os.getuid():
            pytest.skip("this test itself gives root away")
        if not all(path.stat().st_mode & 1 for path in Path(sys.base_prefix).parents):
            pytest.skip("this Python lies where only root may read")
        folder = tmp_path / "it"
        shutil.copytree(FOLDER, folder)
        for path in (folder, *folder.rglob("*"), *list(folder.parents)[:3]):
            path.chmod(0o755)
        code = (
            "import os, sys\nos.setgid(65534); os.setuid(65534)\nfrom pathlib import Path\n"
            "from guide.judge.judging import Judge\n"
            "from guide.judge.manifest import read_manifest\n"
            "folder = Path(sys.argv[1])\n"
            "with Judge(read_manifest(folder)) as judge:\n"
            "    for name in ('solution', 'cheats/judge_memory', 'cheats/background_process'):\n"
            "        result = judge.judge(folder / f'{name}.py', speed=False)\n"
            "        print(result.state, result.unconfined)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, cwd="/"
        )
        assert done.stdout == "correct ()\nwrong ()\nwrong ()\n", done.stderr


class TestLock:
    def test_two_checks_never_overlap(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        told = []
        with alone():
            code = (
                "import tempfile, sys\nfrom guide.judge.lock import alone\n"
                f"tempfile.tempdir = {str(tmp_path)!r}\n"
                "with alone(lambda: print('waits', flush=True)): print('in', flush=True)"
            )
            other = subprocess.Popen(
                [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
            )
            told.append(other.stdout.readline())
        told.append(other.stdout.readline())
        other.communicate()
        assert told == ["waits\n", "in\n"]

    def test_it_is_given_back_by_one_that_was_killed(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        code = (
            "import tempfile, time\nfrom guide.judge.lock import alone\n"
            f"tempfile.tempdir = {str(tmp_path)!r}\n"
            "with alone():\n    print('in', flush=True)\n    time.sleep(60)"
        )
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        other.stdout.readline()
        other.send_signal(signal.SIGKILL)
        other.communicate()
        with alone(patience_s=5):
            pass

    def test_one_that_does_not_end_is_not_waited_for_for_ever(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with alone(), pytest.raises(GuideError, match="does not end"), alone(patience_s=0.1):
            pass

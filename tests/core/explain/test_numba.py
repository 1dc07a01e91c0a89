"""`guide explain module:function`: what Numba did to a function, and why not more."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import guide
from benchmarks.explain import numba as bench
from guide.cli import cli
from guide.errors import GuideError, UsageError
from guide.explain.numba import explain_function, syntax, target
from guide.explain.numba.asm import read_asm
from guide.explain.numba.code import read_loops
from guide.explain.numba.cures import Case
from guide.explain.numba.harmless import NotTried, must_be_harmless
from guide.explain.numba.parallel import shared_writes
from guide.explain.numba.plain import NotPlain, Plain
from guide.explain.numba.remarks import by_loop, read_remarks
from guide.explain.target import of_function
from guide.explain.telling import headline

numba = pytest.importorskip("numba")


def written(folder: Path, text: str, name: str = "written.py") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


# What LLVM says, read


def test_what_llvm_says_of_a_loop_stands_before_its_outcome():
    said = (
        "remark: /a b/f.py:9:1: loop not vectorized: cannot prove it is safe\n"
        "remark: /a b/f.py:8:1: loop not vectorized\n"
        "remark: <unknown>:0:0: loop not vectorized\n"
        "remark: /a b/f.py:20:1: the cost-model indicates that interleaving is not beneficial\n"
        "remark: /a b/f.py:20:1: vectorized loop (vectorization width: 8, interleaved count: 4)\n"
    )
    first, second = by_loop(read_remarks(said))
    assert (first.file, first.line, first.lanes) == ("/a b/f.py", 8, 1)
    assert [(one.line, one.text) for one in first.reasons] == [(9, "cannot prove it is safe")]
    assert (second.line, second.lanes, second.interleaved, second.reasons) == (20, 8, 4, ())


def test_a_remark_of_two_lines_is_one():
    said = "remark: f.py:2:1: loop not vectorized: unsafe dependent\nBackward loop carried\n"
    assert [one.text for one in read_remarks(said)] == [
        "loop not vectorized: unsafe dependent Backward loop carried"
    ]


def test_the_loops_of_llvms_code_are_found_with_what_they_call_and_from_where():
    ir = """
define i32 @f() {
entry:
  br label %head

head:                                             ; preds = %head, %entry
  %x = call ptr @NRT_MemInfo_alloc_aligned(i64 8, i32 32), !dbg !7
  br i1 %c, label %head, label %out

out:
  %y = call i32 @after()
  ret i32 0
}
!1 = !DIFile(filename: "/a/f.py", directory: "")
!2 = distinct !DISubprogram(name: "g", scope: !1, file: !1, line: 1)
!6 = !DILocation(line: 12, column: 1, scope: !2)
!7 = distinct !DILocation(line: 3, column: 1, scope: !2, inlinedAt: !6)
"""
    (loop,) = read_loops(ir)
    assert loop.inner
    assert loop.calls("/a/f.py") == [(3, "NRT_MemInfo_alloc_aligned")]
    assert loop.lines("/a/f.py") == {3, 12}


def test_the_widest_register_of_an_innermost_loop_is_found():
    asm = """
	.file	1 "/a" "f.py"
.LBB0_1:
	.loc	1 4 1
	vmovupd	(%rdx), %zmm0
.LBB0_2:
	.loc	1 5 1
	vaddpd	%ymm0, %ymm1, %ymm0
	vaddsd	%xmm0, %xmm1, %xmm0
	jne	.LBB0_2
	jne	.LBB0_1
"""
    (loop,) = read_asm(asm)
    assert loop.bits == 256
    assert ("/a/f.py", 5) in loop.lines


# The source, read


def loop_in(text: str) -> syntax.Loop:
    node = ast.parse(text).body[0]
    return syntax.Loop(node, "for", node.lineno, node.end_lineno)


def test_a_break_of_an_inner_loop_does_not_leave_the_outer_one():
    text = "for i in a:\n    for j in b:\n        break\n    if i:\n        raise ValueError\n"
    assert syntax.exits(loop_in(text)) == [(5, "raise")]


def test_a_division_by_a_number_cannot_raise():
    assert syntax.divisions(ast.parse("x = a / 2.0\ny = a / b\nz = a % 0\n")) == [2, 3]


def test_an_element_that_all_turns_of_a_prange_write_is_a_race():
    text = "for i in prange(n):\n    s[0] += a[i]\n    out[i] += 1\n    t = 1\n    b[t] += 1\n"
    assert shared_writes(ast.parse(text)) == [(2, "s[0]")]


@pytest.mark.parametrize("typed", ["", "f", ":f", "mod:", "mod:a b", "mod:1"])
def test_what_names_no_function_is_an_error_of_usage(typed):
    with pytest.raises(UsageError):
        target.parse(typed)


# Functions, explained


@pytest.mark.parametrize("reason", ["order", "exit", "scalar", "layout"])
def test_a_planted_reason_is_named_with_its_line_and_its_twin_is_clean(reason):
    row = bench.row(reason)
    assert row.named, row
    assert row.twin == "vectorised, nothing said"


def test_a_change_is_tried_and_what_stands_behind_the_first_reason_is_told(tmp_path):
    file = written(
        tmp_path,
        "from numba import njit\n@njit\ndef f(a, b):\n    s = 0.0\n    for i in range(len(a)):\n"
        "        s += a[i] / b[i]\n    return s\n",
    )
    found = explain_function(f"{file}:f")
    (verdict,) = found.verdicts
    assert verdict.title == "a division that may raise"
    assert "Behind it stands: a sum that must keep its order (line 6)" in verdict.why
    assert "times as fast" in verdict.remedy
    assert verdict.sure == "sure"
    assert 0 < verdict.recoverable_ns <= found.call_ns


def test_a_function_that_may_do_more_than_reckon_is_not_called(tmp_path):
    left = tmp_path / "left"
    file = written(
        tmp_path,
        "from numba import njit, objmode\n"
        f"def leave():\n    open({str(left)!r}, 'w')\n@njit\ndef f(a):\n    s = 0.0\n"
        "    for x in a:\n        s += x\n    with objmode():\n        leave()\n    return s\n",
    )
    found = explain_function(f"{file}:f", like="float64[::1]")
    assert dict(found.facts)["not tried"]
    assert not left.exists()
    assert found.call_ns == 0
    assert found.verdicts[0].title == "a sum that must keep its order"


def test_a_race_is_told_and_not_timed(tmp_path):
    file = written(
        tmp_path,
        "import numpy as np\nfrom numba import njit, prange\n@njit(parallel=True)\ndef f(a):\n"
        "    s = np.zeros(1)\n    for i in prange(len(a)):\n        s[0] += a[i]\n    return s\n",
    )
    found = explain_function(f"{file}:f", like="float64[::1]")
    verdict = found.verdicts[0]
    assert (verdict.title, verdict.where[0].line) == ("several threads write one place", 7)
    assert found.call_ns == 0


def test_types_come_from_the_example_in_the_docstring_and_nothing_is_cached(tmp_path):
    file = written(
        tmp_path,
        "import numpy as np\nfrom numba import njit\nprint('loud')\n@njit(cache=True)\n"
        'def f(a, n):\n    """Add up.\n\n    >>> f(np.ones((3, 3), np.float32), 2)\n    """\n'
        "    s = 0\n    for i in range(n):\n        s += a[i, 0] > 0\n    return s\n"
        "if __name__ == '__main__':\n    raise SystemExit('not me')\n",
    )
    facts = dict(explain_function(f"{file}:f", trial=False).facts)
    assert facts["compiled for"].startswith("a: float32[:,::1], n: int64")
    assert "docstring" in facts["compiled for"]
    assert not list(tmp_path.rglob("*.nb[ic]"))


BROKEN = {
    "import nothing_of_that_name\ndef f(): pass\n": "could not be imported: ModuleNotFoundError",
    "raise SystemExit(3)\n": "could not be imported: SystemExit",
    "large = bytearray(8 << 30)\n": "could not be imported: MemoryError",
    "def g(): pass\n": "has no f",
    "def f(a):\n    return a\n": "is a plain Python function",
    "from numba import njit\n@njit\ndef f(a):\n    return a.nope()\n": "Unknown attribute 'nope'",
    "from numba import vectorize\n@vectorize\ndef f(a):\n    return a\n": "is a ufunc",
    "import os\nos._exit(9)\n": "ended the process that looked at it (code 9)",
    "import time\ntime.sleep(60)\n": "not compiled within 3 s",
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_cannot_be_explained_is_one_line(tmp_path, text):
    file = written(tmp_path, text)
    limit_s = 3.0 if "sleep" in text else 60.0
    with pytest.raises(GuideError) as error:
        explain_function(f"{file}:f", trial=False, limit_s=limit_s)
    assert BROKEN[text] in error.value.message
    assert "\n" not in str(error.value)


def test_types_that_are_none_are_an_error_of_usage():
    with pytest.raises(UsageError, match="takes 1: a"):
        explain_function(f"{bench.FILE}:order", like="float64[::1], int64")
    with pytest.raises(UsageError, match="no list of types"):
        explain_function(f"{bench.FILE}:order", like="float65")


COMPARED = """
import sys
from guide.explain.numba.compiling import compile_for, prepare
prepare(lines=sys.argv[1] == "lines")
import numba
from benchmarks.explain import numba_planted as planted
A = numba.float64[::1]
for name in ("order", "division", "raising", "call", "carried_twin"):
    function = getattr(planted, name)
    types = (A,) * function.py_func.__code__.co_argcount
    asm = compile_for(function.py_func, types, dict(function.targetoptions)).asm
    print(asm.partition("\t.section\t.debug")[0])
"""


def test_noting_lines_does_not_change_the_machine_code():
    asm = []
    for lines in ("lines", "none"):
        command = [sys.executable, "-c", COMPARED, lines]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = (one.split("\t") for one in done.stdout.splitlines())
        asm.append([one[1] for one in lines if len(one) > 1 and one[1][:1] not in ("", ".")])
    assert len(asm[0]) > 50
    assert asm[0] == asm[1]


def test_a_numba_py_beside_the_function_is_not_taken_for_numba(monkeypatch):
    monkeypatch.chdir(bench.FILE.parent)
    assert Path("numba.py").exists()
    assert explain_function("numba_planted.py:order_twin", trial=False).verdicts == []


def test_the_command_tells_it_in_words(monkeypatch):
    monkeypatch.chdir(bench.FILE.parent)
    arguments = ["explain", "numba_planted.py:order", "--like", "float64[::1]"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "numba_planted.py:20" in done.output
    assert "total += a[i]" in done.output


def test_the_section_on_it_shows_what_is_said():
    section = Path(guide.__file__).parent / "foundations" / "modules" / "m5" / "s3.md"
    text = " ".join(section.read_text(encoding="utf-8").split())
    name = "guide.foundations.figures.roof:energy_kernel"
    assert f"guide explain {name} --as-njit" in text
    (verdict,) = explain_function(name, as_njit=True, trial=False).verdicts
    assert f"{verdict.title[0].upper()}{verdict.title[1:]}" in text
    assert verdict.says in text
    assert verdict.remedy.partition(" Tried")[0] in text


def test_the_body_of_a_prange_has_lines(tmp_path):
    file = written(
        tmp_path,
        "from numba import njit, prange\n@njit(parallel=True)\ndef f(a, out):\n"
        "    for i in prange(len(a)):\n        out[i] = a[i] * 2.0\n",
    )
    facts = dict(explain_function(f"{file}:f", trial=False).facts)
    assert facts["loop of line 4"].startswith("vectorised")
    assert facts["parallel"] == "lines 4"


# An example's arguments, read


def read(text: str, **around: object) -> object:
    plain = Plain(around)
    *lines, last = ast.parse(text).body
    for line in lines:
        plain.line(line)
    assert isinstance(last, ast.Expr)
    return plain.value(last.value)


def test_plain_expressions_have_a_value():
    found = read(
        "import numpy as np\nrng = np.random.default_rng(0)\nn = -3\n"
        "(np.ones((3, 2), np.float32)[:, 0] * 2.0, rng.random(4), np.arange(n + 9.0), [1, 2])\n"
    )
    assert [one.dtype.name for one in found[:3]] == ["float32", "float64", "float64"]
    assert (found[0].strides, len(found[2]), found[3]) == ((4,), 6, [1, 2])


@pytest.mark.parametrize(
    "text",
    [
        "leave()",
        "np.load('there')",
        "np.frompyfunc(leave, 0, 1)()",
        "np.ones(3).tofile('there')",
        "n = leave()\nn",
        "np = other\nnp.ones(3)",
        "import other as np\nnp.ones(3)",
        "own.ones(3)",
        "own + 1",
        "own[0]",
        "float(own)",
        "[leave() for i in (1,)]",
        "(lambda: 1)()",
        "10 ** 10 ** 10",
        "().__class__",
    ],
)
def test_what_would_run_somebodys_code_has_no_value(text):
    def leave(*_: object) -> object:
        raise AssertionError("it was run")

    class Own:
        __add__ = __getitem__ = __float__ = ones = leave

    with pytest.raises(NotPlain):
        read(text, leave=leave, own=Own())


def test_no_line_of_a_docstring_and_no_function_beside_it_is_run(tmp_path):
    left = tmp_path / "left"
    file = written(
        tmp_path,
        "from numba import njit\n"
        f"def leave():\n    open({str(left)!r}, 'w')\n    return 1.0\n"
        "def example():\n    return (leave(),)\n@njit\n"
        'def f(a):\n    """\n    >>> leave()\n    1.0\n    >>> f(leave())\n    """\n    return a\n'
        'def g(a):\n    """\n    >>> leave()\n    1.0\n    >>> n = 3\n    >>> g(n)\n    """\n'
        "    return a\n",
    )
    assert "guessed" in dict(explain_function(f"{file}:f", trial=False).facts)["compiled for"]
    facts = dict(explain_function(f"{file}:g", as_njit=True, trial=False).facts)
    assert facts["compiled for"] == "a: int64 (the example in its docstring)"
    assert not left.exists()


def test_an_example_function_is_read_where_it_only_returns_plain_values(tmp_path):
    file = written(
        tmp_path,
        "import numpy as np\nfrom numba import njit\ndef example():\n    n = 3\n"
        "    return (np.ones(n, np.float32),)\n@njit\ndef f(a):\n    return a\n",
    )
    facts = dict(explain_function(f"{file}:f", trial=False).facts)
    assert facts["compiled for"] == "a: float32[::1] (example of its module)"


# What may be called


HARMLESS = """
import builtins
import sys
import numpy as np
from math import sqrt
from types import ModuleType
from numba import njit, objmode, prange

copy = np.copy
other = ModuleType("other")

@njit
def leave(a):
    with objmode():
        sys.exit()
    return a

@njit
def helper(row):
    own = row.copy()
    return own.sum() + sqrt(2.0)

@njit
def tells(a):
    print(a)
    return a

other.copy = other.sum = leave
round = leave

def within(helper):
    @njit
    def f(a):
        return helper(a)
    return f

@njit
def reckons(a):
    out = []
    for i in prange(a.shape[0]):
        out.append(helper(a[i:]) + (a[i:] ** 2).sum() + abs(a[i]) + np.float32(2))
    return np.sqrt(np.array(out)) + copy(a).max()

@njit
def as_a_method(a):
    return other.copy(a)

@njit
def shadowed(a):
    return round(a)

@njit
def by_another_name(a):
    mine = leave
    return mine(a)

@njit
def deeper(a):
    return within_tells(a)

@njit
def raises(a):
    if a[0] > 2.0:
        raise Own("x")
    return a

class Own(Exception):
    pass

within_tells = within(tells)
within_helper = within(helper)
"""


def examined(folder: Path, name: str) -> None:
    file = written(folder, HARMLESS, f"harmless_{name}.py")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, name)
    source = syntax.source_of(function.py_func)
    case = Case(function.py_func, source, (numba.float64[::1],), {"nopython": True})
    must_be_harmless(case)


@pytest.mark.parametrize("name", ["reckons", "within_helper"])
def test_what_does_nothing_but_reckon_may_be_called(tmp_path, name):
    examined(tmp_path, name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("as_a_method", "more than reckon"),
        ("shadowed", "more than reckon"),
        ("by_another_name", "calls mine"),
        ("deeper", "calls print"),
        ("raises", "calls Own"),
    ],
)
def test_what_a_call_reaches_counts_and_not_what_it_is_called(tmp_path, name, why):
    with pytest.raises(NotTried, match=why):
        examined(tmp_path, name)


def test_an_index_that_is_wrong_in_a_function_it_calls_is_found_before_it_is_timed(tmp_path):
    file = written(
        tmp_path,
        "from numba import njit\n@njit\ndef beyond(a, i):\n    a[i + 10_000_000] = 1.0\n@njit\n"
        "def f(a):\n    for i in range(a.shape[0]):\n        beyond(a, i)\n",
    )
    found = explain_function(f"{file}:f", like="float64[::1]")
    assert dict(found.facts)["not tried"] == "IndexError on arguments made up"
    assert found.call_ns == 0
    assert not of_function(f"{file}:f", found).healthy


DIES = """
import os
import sys
import time
from numba import njit

@njit
def f(a):
    for i in range(a.shape[0]):
        a[i] *= 2.0

# What goes wrong while it is tried, and not before
watched = {"time": lambda: time.sleep(60), "die": lambda: os._exit(9)}["WHAT"]
from guide.explain.numba import trial
trial.Bench.time = lambda self: watched()
"""


@pytest.mark.parametrize(
    ("what", "said"), [("die", "ended the process (code 9)"), ("time", "longer than 20 s")]
)
def test_a_trial_that_dies_or_does_not_end_is_told_and_never_called_healthy(tmp_path, what, said):
    file = written(tmp_path, DIES.replace("WHAT", what))
    found = explain_function(f"{file}:f", like="float64[::1]", limit_s=20.0)
    assert said in found.unsettled
    answer = of_function(f"{file}:f", found)
    assert not answer.healthy
    assert said in headline(answer)
    assert "Nothing is wrong" not in headline(answer)


# All kinds of parameters


KINDS = """
import numpy as np
import numba
from numba import njit, types

def plainly(n):
    return n if n < 2 else plainly(n - 1)

@njit
def recursive(n):
    return n if n < 2 else recursive(n - 1) + recursive(n - 2)

@njit
def by_name(a, scale=2.0, *, bias=1.0):
    for i in range(a.shape[0]):
        a[i] = a[i] * scale + bias

@njit
def rest(a, *more, last=1):
    for b in more:
        for i in range(a.shape[0]):
            a[i] += b[i] * last

@njit(numba.void(numba.from_dtype(np.dtype([("x", "f8"), ("y", "f4")]))[:]))
def records(r):
    for i in range(r.shape[0]):
        r[i].x = r[i].x * 2 + r[i].y
"""


@pytest.mark.parametrize(
    ("name", "like", "types"),
    [
        ("recursive", "", "n: float64"),
        ("plainly", "", "n: float64"),
        ("by_name", "", "a: float64[::1], scale: float64, bias: float64"),
        ("rest", "", "a: float64[::1], more: UniTuple(array(float64, 1d, C) x 3), last: int64"),
        (
            "rest",
            "float64[::1], float64[::1], int64",
            "a: float64[::1], more: UniTuple(array(float64, 1d, C) x 1), last: int64",
        ),
        ("records", "", "r: Record(x: float64, y: float32)[:]"),
    ],
)
def test_whatever_numba_compiles_is_explained(tmp_path, name, like, types):
    file = written(tmp_path, KINDS)
    facts = dict(explain_function(f"{file}:{name}", like=like, as_njit=True).facts)
    assert facts["compiled for"].rpartition(" (")[0].partition(" (guessed")[0] == types


def test_an_error_that_is_not_numbas_own_is_one_line_too(tmp_path):
    file = written(
        tmp_path,
        "import ctypes\nfrom numba import njit\nown = ctypes.CDLL(None).getpid\n@njit\n"
        "def f(a):\n    return a + own()\n",
    )
    with pytest.raises(GuideError, match="Numba cannot compile it: TypeError: ctypes function"):
        explain_function(f"{file}:f")


def test_a_loop_that_only_gathers_is_not_told_to_gather_first(tmp_path):
    file = written(
        tmp_path,
        "from numba import njit\n@njit\ndef only(a, idx, out):\n"
        "    for i in range(idx.shape[0]):\n        k = idx[i]\n        out[i] = a[k]\n"
        "@njit\ndef more(a, idx, out):\n"
        "    for i in range(idx.shape[0]):\n        out[i] = a[idx[i]] * 2.0 + 1.0\n",
    )
    like = "float64[::1], int64[::1], float64[::1]"
    only = explain_function(f"{file}:only", like=like, trial=False)
    assert [one.remedy for one in only.verdicts] == [""]
    assert not of_function("only", only).worth
    (verdict,) = explain_function(f"{file}:more", trial=False).verdicts
    assert verdict.remedy.startswith("Gather first")

"""What LLVM says, read."""

from guide.explain.numba.remarks import by_loop, read_remarks


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

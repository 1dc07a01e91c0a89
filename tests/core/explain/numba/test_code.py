"""The loops of LLVM's code, read."""

from guide.explain.numba.code import read_loops


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

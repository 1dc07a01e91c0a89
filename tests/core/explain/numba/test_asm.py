"""The machine's code, read."""

from guide.explain.numba.asm import read_asm


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

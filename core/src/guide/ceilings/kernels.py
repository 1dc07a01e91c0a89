"""The loops that reach the limits, written in LLVM's own language and compiled in 30 ms.

Python and numpy cannot say "ten independent chains of fused multiply-adds in the widest registers
there are" or "store past the caches". LLVM IR can, and llvmlite, the compiler under numba, makes
machine code of it: importing it and compiling take a third of what importing numba alone takes, and
nothing has to be kept on disk. A call through ctypes lets go of Python's lock, so threads run side
by side.

Three families, each in the vector widths the processor has:

- `fma_f64_64(p, n)`: n turns of ten chains `x = x * m + a`, each a vector of 64 bytes. Ten, because
  a chain must wait for its last result: 4 or 5 cycles on what there is today, at two a cycle.
- `triad_64(a, b, c, n)`: `a = b + s * c` over n vectors, STREAM's triad
  (https://www.cs.virginia.edu/stream/ref.html). `triad_64_nt` stores past the caches: an ordinary
  store first reads the line that it is about to overwrite, 8 bytes of traffic in 32 that nobody
  asked for (https://www.intel.com/content/www/us/en/docs/intrinsics-guide/, MOVNTPD).
- `chase(p, n)`: n loads, each from the address that the one before has read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guide.errors import GuideError

Kernel = Callable[..., Any]  # pointers as integers, then a count
CHAINS = 10
_UNROLLED = 8  # vectors of a triad, loads of a chase, in one turn of the loop

_ATTRIBUTES = 'attributes #0 = { nounwind "prefer-vector-width"="512" }\n!0 = !{i32 1}\n'


class Kernels:
    """The compiled loops: `kernels["chase"](p, n)`. `widths`: of their vectors, in bytes.

    Raises:
        GuideError: when llvmlite is missing or does not load.
    """

    def __init__(self) -> None:
        try:
            import llvmlite.binding as llvm
        except (ImportError, OSError) as error:
            raise GuideError(
                f"the machine card needs llvmlite: {error}", "type: pip install --upgrade llvmlite"
            ) from None
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        try:
            features = llvm.get_host_cpu_features()
        except RuntimeError:  # LLVM cannot tell on every system
            features = llvm.FeatureMap()
        widest = 64 if features.get("avx512f") else 32 if features.get("avx") else 16
        # The widest is not always the fastest: some processors work on it in two halves.
        self.widths = [width for width in (16, 32, 64) if widest // 2 <= width <= widest]
        parts = [_chase(), _ATTRIBUTES]
        for width in self.widths:
            parts += [_fma(width, "f32", "float"), _fma(width, "f64", "double")]
            parts += [_triad(width, ""), _triad(width, "_nt")]
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=3
        )
        # The engine owns the code, and the machine the engine's settings: both must live on.
        self._owners = (
            machine,
            llvm.create_mcjit_compiler(llvm.parse_assembly("\n".join(parts)), machine),
        )
        self._owners[1].finalize_object()

    def __getitem__(self, name: str) -> Kernel:
        """The loop of that name."""
        from ctypes import CFUNCTYPE, c_int64, c_void_p

        pointers = [c_void_p] * (3 if name.startswith("triad") else 1)
        result = c_void_p if name == "chase" else None
        kernel: Kernel = CFUNCTYPE(result, *pointers, c_int64)(
            self._owners[1].get_function_address(name)
        )
        return kernel


def _loop(head: str, first: str, body: str, step: int, last: str) -> str:
    return f"""define {head} #0 {{
entry:
{first}
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{body}
  %next = add i64 %i, {step}
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
{last}
}}
"""


def _each(times: int, text: str) -> str:
    """`text` so many times, with # as 0, 1, 2 ... and $ as the number after it."""
    return "".join(text.replace("#", str(i)).replace("$", str(i + 1)) for i in range(times))


def _fma(width: int, short: str, kind: str) -> str:
    lanes = 8 * width // int(short[1:])
    vector, fma = f"<{lanes} x {kind}>", f"@llvm.fmuladd.v{lanes}{short}"
    first = "\n".join(
        f"  %p{name} = getelementptr {vector}, ptr %p, i64 {i}\n"
        f"  %{name} = load {vector}, ptr %p{name}"
        for i, name in enumerate("max")
    )
    body = _each(CHAINS, f"  %x# = phi {vector} [ %x, %entry ], [ %y#, %loop ]\n")
    body += _each(CHAINS, f"  %y# = call {vector} {fma}({vector} %x#, {vector} %m, {vector} %a)\n")
    # All chains end up in memory, or the compiler would see that nobody wants them.
    last = f"  %s0 = fadd {vector} %y0, %y0\n"
    last += _each(CHAINS - 1, f"  %s$ = fadd {vector} %s#, %y$\n")
    last += f"  store {vector} %s{CHAINS - 1}, ptr %px\n  ret void"
    loop = _loop(f"void @fma_{short}_{width}(ptr %p, i64 %n)", first, body, 1, last)
    return f"declare {vector} {fma}({vector}, {vector}, {vector})\n{loop}"


def _triad(width: int, past_caches: str) -> str:
    vector, fma = f"<{width // 8} x double>", f"@llvm.fmuladd.v{width // 8}f64"
    body = f"""  %o# = add i64 %i, #
  %pa# = getelementptr {vector}, ptr %a, i64 %o#
  %pb# = getelementptr {vector}, ptr %b, i64 %o#
  %pc# = getelementptr {vector}, ptr %c, i64 %o#
  %b# = load {vector}, ptr %pb#, align {width}
  %c# = load {vector}, ptr %pc#, align {width}
  %r# = call {vector} {fma}({vector} %c#, {vector} %s, {vector} %b#)
  store {vector} %r#, ptr %pa#, align {width}{", !nontemporal !0" if past_caches else ""}
"""
    head = f"void @triad_{width}{past_caches}(ptr %a, ptr %b, ptr %c, i64 %n)"
    first = f"  %s = load {vector}, ptr %b"
    # What was stored past the caches is still on its way: the fence waits for it.
    return _loop(head, first, _each(_UNROLLED, body), _UNROLLED, "  fence seq_cst\n  ret void")


def _chase() -> str:
    body = f"  %p0 = phi ptr [ %p, %entry ], [ %p{_UNROLLED}, %loop ]\n"
    body += _each(_UNROLLED, "  %p$ = load ptr, ptr %p#\n")
    return _loop("ptr @chase(ptr %p, i64 %n)", "", body, _UNROLLED, f"  ret ptr %p{_UNROLLED}")

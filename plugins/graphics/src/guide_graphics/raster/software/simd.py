"""Eight numbers at once, inside numba: `F32x8`, `I32x8` and the masks that comparing them gives.

numba has no vector types, and what LLVM makes of a scalar loop depends on the day. Here a kernel
says itself what is done to eight neighbouring pixels: `a * b + c` on `F32x8` is one instruction
each where the processor has 256-bit registers (AVX), two of 128 bits elsewhere (SSE, NEON).

    x = f32x8(left) + lanes_f()          # left, left + 1, ... left + 7
    inside = (e0 | e1 | e2) >= i32x8(0)  # a mask
    store(out, at, select(inside, new, old))

Operators are lowered to single LLVM instructions, with no function around them: nothing has to be
inlined, and compiling stays quick.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.types import CPointer, UniTuple
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

LANES = 8
_I1, _I8, _I32, _I64, _F32, _F64 = (
    ir.IntType(1),
    ir.IntType(8),
    ir.IntType(32),
    ir.IntType(64),
    ir.FloatType(),
    ir.DoubleType(),
)


class _Vector(types.Type):  # type: ignore[misc]
    """Eight elements of one kind."""

    def __init__(self, name: str, element: Any) -> None:
        super().__init__(name=name)
        self.ir = ir.VectorType(element, LANES)


class _Floats(_Vector):
    pass


class _Ints(_Vector):
    pass


class _Mask(_Vector):
    pass


F32x8, I32x8, Mask = _Floats("F32x8", _F32), _Ints("I32x8", _I32), _Mask("Mask8", _I1)
_BY_ELEMENT = {types.float32: F32x8, types.int32: I32x8, types.uint32: I32x8}


@register_model(_Floats)
@register_model(_Ints)
@register_model(_Mask)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: _Vector) -> None:
        super().__init__(manager, kind, kind.ir)


def _intrinsic(function: Callable[..., Any]) -> Any:
    """Calls of it take what the kernel has, not what the function below it is given."""
    return intrinsic(function)


def _operator(function: Callable[..., Any], *cases: tuple[Any, ...]) -> None:
    """Give an operator a meaning: each case is the result's type, its arguments', what to emit."""

    class _Template(ConcreteTemplate):  # type: ignore[misc]
        pass

    _Template.cases = [signature(result, *arguments) for result, arguments, _ in cases]
    infer_global(function)(_Template)
    for result, arguments, emit in cases:

        def lower(context: Any, builder: Any, sig: Any, args: Any, emit: Any = emit) -> Any:
            return emit(builder, *args)

        del result
        lower_builtin(function, *arguments)(lower)


def _emit(name: str, *before: str) -> Callable[..., Any]:
    return lambda builder, *args: getattr(builder, name)(*before, *args)


_FF, _II, _MM = (F32x8, F32x8), (I32x8, I32x8), (Mask, Mask)
for _function, _float, _int in (
    (operator.add, "fadd", "add"),
    (operator.sub, "fsub", "sub"),
    (operator.mul, "fmul", "mul"),
):
    _operator(_function, (F32x8, _FF, _emit(_float)), (I32x8, _II, _emit(_int)))
_operator(operator.truediv, (F32x8, _FF, _emit("fdiv")))
_operator(operator.neg, (F32x8, (F32x8,), _emit("fneg")), (I32x8, (I32x8,), _emit("neg")))
for _function, _name in ((operator.and_, "and_"), (operator.or_, "or_"), (operator.xor, "xor")):
    _operator(_function, (I32x8, _II, _emit(_name)), (Mask, _MM, _emit(_name)))
_operator(operator.invert, (I32x8, (I32x8,), _emit("not_")), (Mask, (Mask,), _emit("not_")))
_operator(operator.lshift, (I32x8, _II, _emit("shl")))
_operator(operator.rshift, (I32x8, _II, _emit("ashr")))
for _function, _sign in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _operator(
        _function,
        (Mask, _FF, _emit("fcmp_ordered", _sign)),
        (Mask, _II, _emit("icmp_signed", _sign)),
    )


def _splat(builder: Any, vector: Any, scalar: Any) -> Any:
    undefined = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(undefined, scalar, ir.Constant(_I32, 0))
    zeros = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    return builder.shuffle_vector(one, undefined, zeros)


@_intrinsic
def f32x8(typingctx: Any, x: Any) -> Any:
    """A number in all lanes, or the integers of an `I32x8` as floats."""
    if x is I32x8:
        return F32x8(I32x8), lambda context, builder, sig, args: builder.sitofp(args[0], F32x8.ir)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = context.cast(builder, args[0], sig.args[0], types.float32)
        return _splat(builder, F32x8.ir, number)

    return F32x8(x), emit


@_intrinsic
def i32x8(typingctx: Any, x: Any) -> Any:
    """A number in all lanes, or an `F32x8` cut to integers, towards zero."""
    if x is F32x8:
        return I32x8(F32x8), lambda context, builder, sig, args: builder.fptosi(args[0], I32x8.ir)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = context.cast(builder, args[0], sig.args[0], types.int32)
        return _splat(builder, I32x8.ir, number)

    return I32x8(x), emit


@_intrinsic
def lanes(typingctx: Any) -> Any:
    """0, 1, ... 7."""
    constant = ir.Constant(I32x8.ir, list(range(LANES)))
    return I32x8(), lambda context, builder, sig, args: constant


@_intrinsic
def pointer(typingctx: Any, array: Any) -> Any:
    """Where the elements of a contiguous array begin: indexed like one of one dimension.

    numba counts references of an array wherever a function hands it on, by atomic operations that
    cost more than what most of our helpers do. A pointer is a number. Its array must live longer.
    """

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0]).data

    return CPointer(array.dtype)(array), emit


def _address(builder: Any, data: Any, index: Any, vector: Any) -> Any:
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


@_intrinsic
def load(typingctx: Any, data: Any, at: Any) -> Any:
    """Eight neighbours behind a pointer, from `at` on."""
    vector = _BY_ELEMENT[data.dtype]

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        return builder.load(_address(builder, args[0], index, vector.ir), align=4)

    return vector(data, at), emit


@_intrinsic
def store(typingctx: Any, data: Any, at: Any, value: Any) -> Any:
    """Write eight neighbours, as `load` reads them."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        place = _address(builder, args[0], index, sig.args[2].ir)
        builder.store(args[2], place, align=4)
        return context.get_dummy_value()

    return types.void(data, at, value), emit


@_intrinsic
def store_records(typingctx: Any, data: Any, at: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Write a0 b0 c0 d0 a1 b1 ...: eight records of four, of float32."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        columns = args[2:]

        def both(x: Any, y: Any) -> Any:
            order = ir.Constant(ir.VectorType(_I32, 2 * LANES), list(range(2 * LANES)))
            return builder.shuffle_vector(x, y, order)

        all_ = ir.VectorType(_F32, 4 * LANES)
        order = ir.Constant(
            ir.VectorType(_I32, 4 * LANES),
            [LANES * column + k for k in range(LANES) for column in range(4)],
        )
        records = builder.shuffle_vector(both(*columns[:2]), both(*columns[2:]), order)
        place = _address(builder, args[0], index, all_)
        builder.store(records, place, align=4)
        return context.get_dummy_value()

    return types.void(data, at, a, b, c, d), emit


def _places(builder: Any, data: Any, at: Any, to: Any) -> list[Any]:
    """Where the elements are that `at` counts, lane by lane; no index is negative."""
    found = []
    for k in range(LANES):
        # Extended without a sign it costs nothing: taken out of a vector, it is already
        index = builder.zext(builder.extract_element(at, ir.Constant(_I32, k)), _I64)
        found.append(builder.bitcast(builder.gep(data, [index]), to.as_pointer()))
    return found


@_intrinsic
def gather(typingctx: Any, data: Any, at: Any) -> Any:
    """Elements behind a pointer, one for each lane of the indices `at`, none of them negative."""
    vector = _BY_ELEMENT[data.dtype]

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        found = ir.Constant(vector.ir, ir.Undefined)
        for k, place in enumerate(_places(builder, args[0], args[1], vector.ir.element)):
            found = builder.insert_element(found, builder.load(place), ir.Constant(_I32, k))
        return found

    return vector(data, at), emit


@_intrinsic
def gather_pairs(typingctx: Any, data: Any, at: Any) -> Any:
    """Two neighbours for each lane, `at` and `at + 1` behind a pointer to words of 32 bits."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # Two lanes fill 128 bits, as two halves of which each is loaded into its place
        two, four = ir.VectorType(_F64, 2), ir.VectorType(_F32, 4)
        places = _places(builder, args[0], args[1], _F64)
        fours = []
        for low, high in zip(places[::2], places[1::2], strict=True):
            pair = ir.Constant(two, ir.Undefined)
            pair = builder.insert_element(pair, builder.load(low, align=4), ir.Constant(_I32, 0))
            pair = builder.insert_element(pair, builder.load(high, align=4), ir.Constant(_I32, 1))
            fours.append(builder.bitcast(pair, four))
        found = []
        for first in (0, 1):
            order = ir.Constant(ir.VectorType(_I32, 4), [first, 2 + first, 4 + first, 6 + first])
            low, high = (builder.shuffle_vector(*fours[k : k + 2], order) for k in (0, 2))
            whole = ir.Constant(I32x8.ir, list(range(LANES)))
            found.append(builder.shuffle_vector(low, high, whole))
        return context.make_tuple(builder, sig.return_type, found)

    return UniTuple(F32x8, 2)(data, at), emit


@_intrinsic
def select(typingctx: Any, mask: Any, a: Any, b: Any) -> Any:
    """Lane by lane `a` where the mask is set, else `b`."""
    return a(mask, a, b), lambda context, builder, sig, args: builder.select(*args)


@_intrinsic
def bits(typingctx: Any, mask: Any) -> Any:
    """The mask as an integer: bit k is lane k."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(args[0], _I8), _I64)

    return types.int64(mask), emit


@_intrinsic
def lane(typingctx: Any, vector: Any, k: Any) -> Any:
    """One lane as a number; `k` may be computed."""
    element = types.float32 if vector is F32x8 else types.int32

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.int32)
        return builder.extract_element(args[0], index)

    return element(vector, k), emit


@_intrinsic
def as_floats(typingctx: Any, x: Any) -> Any:
    """The same bits, taken as floats."""
    return F32x8(x), lambda context, builder, sig, args: builder.bitcast(args[0], F32x8.ir)


@_intrinsic
def as_ints(typingctx: Any, x: Any) -> Any:
    """The same bits, taken as integers."""
    return I32x8(x), lambda context, builder, sig, args: builder.bitcast(args[0], I32x8.ir)


def _by_llvm(name: str, count: int, doc: str) -> Any:
    """An intrinsic of LLVM on `count` float vectors."""
    arguments = ", ".join("abc"[:count])

    def impl(typingctx: Any, *kinds: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            kind = ir.FunctionType(F32x8.ir, [F32x8.ir] * count)
            function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v8f32")
            return builder.call(function, args)

        return F32x8(*kinds), emit

    # numba counts the parameters of an intrinsic by its signature
    made = eval(f"lambda typingctx, {arguments}: impl(typingctx, {arguments})", {"impl": impl})
    made.__doc__, made.__name__ = doc, name
    return intrinsic(made)


floor = _by_llvm("floor", 1, "The integer below.")
nearest = _by_llvm("rint", 1, "The nearest integer; of two equally near, the even one.")
sqrt = _by_llvm("sqrt", 1, "The square root.")
absolute = _by_llvm("fabs", 1, "Without its sign.")
fma = _by_llvm("fma", 3, "a * b + c, rounded once.")


@_intrinsic
def least(typingctx: Any, a: Any, b: Any) -> Any:
    """The smaller one, lane by lane."""
    return a(a, b), lambda context, builder, sig, args: _extreme(builder, sig, args, "<")


@_intrinsic
def most(typingctx: Any, a: Any, b: Any) -> Any:
    """The greater one, lane by lane."""
    return a(a, b), lambda context, builder, sig, args: _extreme(builder, sig, args, ">")


def _extreme(builder: Any, sig: Any, args: Any, sign: str) -> Any:
    compare = builder.fcmp_ordered if sig.return_type is F32x8 else builder.icmp_signed
    return builder.select(compare(sign, *args), *args)


@_intrinsic
def columns(typingctx: Any, r0: Any, r1: Any, r2: Any, r3: Any, r4: Any, r5: Any, r6: Any, r7: Any) -> Any:  # fmt: skip  # noqa: E501
    """Eight rows of eight as their eight columns: the transposed matrix."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        def shuffled(pairs: list[tuple[Any, Any]], order: list[int]) -> list[Any]:
            constant = ir.Constant(I32x8.ir, order)
            return [builder.shuffle_vector(a, b, constant) for a, b in pairs]

        def halves(rows: list[Any], apart: int, low: list[int], high: list[int]) -> list[Any]:
            found: list[Any] = [None] * LANES
            for k in range(LANES):
                if not k & apart:
                    pair = [(rows[k], rows[k + apart])]
                    (found[k],), (found[k + apart],) = shuffled(pair, low), shuffled(pair, high)
            return found

        rows = halves(list(args), 1, [0, 8, 2, 10, 4, 12, 6, 14], [1, 9, 3, 11, 5, 13, 7, 15])
        rows = halves(rows, 2, [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])
        rows = halves(rows, 4, [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15])
        return context.make_tuple(builder, sig.return_type, rows)

    return UniTuple(F32x8, LANES)(r0, r1, r2, r3, r4, r5, r6, r7), emit


@_intrinsic
def take(typingctx: Any, counters: Any, at: Any, count: Any) -> Any:
    """Add to an int64 behind a pointer, whoever else does; returns what it was before."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        count = context.cast(builder, args[2], sig.args[2], types.int64)
        return builder.atomic_rmw("add", builder.gep(args[0], [index]), count, "seq_cst")

    return types.int64(counters, at, count), emit


@_intrinsic
def prefetch(typingctx: Any, data: Any, at: Any) -> Any:
    """Begin to fetch the element `at` behind a pointer, for it will be read soon."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        bytes_, word = ir.PointerType(_I8), _I32
        kind = ir.FunctionType(ir.VoidType(), [bytes_, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        place = builder.bitcast(builder.gep(args[0], [index]), bytes_)
        # For reading, into every cache, of data
        builder.call(function, [place, *(ir.Constant(word, k) for k in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(data, at), emit


@_intrinsic
def lowest_bit(typingctx: Any, x: Any) -> Any:
    """The number of the lowest bit that is set; `x` is not 0."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(_I1, 1))

    return types.int64(x), emit


@_intrinsic
def cycles(typingctx: Any) -> Any:
    """The processor's time-stamp counter: steady, of no particular unit; 0 where there is none."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        counter = builder.module.declare_intrinsic(
            "llvm.readcyclecounter", [], ir.FunctionType(_I64, [])
        )
        return builder.call(counter, [])

    return types.int64(), emit

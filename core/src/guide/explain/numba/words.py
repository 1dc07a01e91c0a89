"""What each reason is called, how it comes about, what to change: the words of the verdicts."""

from __future__ import annotations

from dataclasses import dataclass

from guide.plugin import Word

REDUCTION = Word("reduction", "many values made into one, such as a sum or a maximum")
VECTORISED = Word("vectorised", "one instruction works on several elements side by side (SIMD)")
SVML = Word("SVML", "Intel's library of sin, exp and the like for whole vectors; Numba uses it")
CARRIED = Word("loop-carried dependence", "a turn needs what the turn before it wrote")
GATHER = Word("gather", "a load that collects each lane from an address of its own")
CONTIGUOUS = Word("contiguous", "elements lie side by side in memory: C order, Numba's [::1]")
TRIP_COUNT = Word("trip count", "how many turns a loop takes, known before its first")
PROMOTION = Word("promotion", "the wider type that two types meet in")
REFLECTED = Word("reflected list", "a Python list, copied in and back out at each call")


@dataclass(frozen=True, slots=True)
class Words:
    """Title, one sentence about a line, why, what to change; `{detail}` is what stands there."""

    title: str
    says: str
    why: str
    remedy: str
    word: Word = VECTORISED
    teaches: tuple[str, ...] = ("m5/s3",)


WORDS = {
    "order": Words(
        "a sum that must keep its order",
        "adds up one element at a time, each after the one before",
        "Floats added in another order give another result in the last digits, so the compiler may"
        " not keep several sums side by side unless you allow it.",
        '@njit(fastmath={"reassoc", "contract", "nsz"}) allows another order and nothing else;'
        " fastmath=True also promises that there is no NaN and no infinity.",
        REDUCTION,
        ("m5/s3", "m3/s1"),
    ),
    "nan": Words(
        "a maximum or minimum, one element at a time",
        "picks the larger or smaller of two floats, each after the one before",
        "A comparison with NaN is false, so the order of the comparisons can matter to the result,"
        " and the compiler keeps to it.",
        "np.max or np.argmax outside of Numba, where it is vectorised by hand; inside, four maxima"
        " side by side (one per i % 4) wait for each other less. fastmath=True does not help here.",
        REDUCTION,
    ),
    "recurrence": Words(
        "each turn needs the one before",
        "makes {detail} from what it was a turn ago",
        "The next value cannot be begun before the last one is done. That is the formula, not the"
        " compiler.",
        "Leave it, or work on several series at once: with the series as the innermost loop, the"
        " lanes hold one each.",
        CARRIED,
    ),
    "carried": Words(
        "each turn reads what the one before wrote",
        "reads an element that an earlier turn has written",
        "Several turns at once would read the old value. That is the formula, not the compiler.",
        "Split off what does not depend on it into a loop of its own; a running sum over rows can"
        " run along the other axis.",
        CARRIED,
    ),
    "exit": Words(
        "a loop that may be left early",
        "may leave the loop: {detail}",
        "Lanes work ahead: eight elements are done before it is known that the second was the last"
        " to be done. So the compiler needs to know beforehand how many turns there are.",
        "Work in blocks of 1,024: no way out within a block, and a look between two blocks. Checks"
        " that raise go before the loop.",
        TRIP_COUNT,
    ),
    "division": Words(
        "a division that may raise",
        "divides, and has to be ready to raise ZeroDivisionError",
        "Python raises where one divides by zero, so the loop has a way out at each element.",
        '@njit(error_model="numpy") divides as NumPy does: by zero gives inf or nan, and no error.',
        TRIP_COUNT,
    ),
    "bounds": Words(
        "indices are checked",
        "checks each index before it is used",
        "boundscheck=True (debug=True and NUMBA_BOUNDSCHECK=1 bring it too) puts a way out before"
        " each access.",
        "Keep it for tests, and take it out of what runs.",
        TRIP_COUNT,
    ),
    "call": Words(
        "a call that has no vector version",
        "calls {detail} once per element",
        "The function takes one number, and what it is made of lies elsewhere, so the compiler can"
        " only call it again and again.",
        "See whether a formula of +, *, sqrt or exp will do; or have the call in a loop of its own"
        " and the rest in another, which then is vectorised.",
    ),
    "scalar": Words(
        "vectorised in name only",
        "works out {detail} one lane after the other",
        "Nothing here does {detail} on whole vectors: each lane is worked out on its own, and the"
        " vector is taken apart and put together again.",
        "For sin, exp and the like pip install icc-rt (x86-64) brings Intel's SVML, and Numba finds"
        " it; or a polynomial that is exact enough. A division by a constant need not be one.",
        SVML,
    ),
    "random": Words(
        "random numbers come one at a time",
        "draws {detail} once per element",
        "Each number is made from the state that the last one left behind.",
        "Draw them all before the loop: rng.random(n), then loop over the array.",
        CARRIED,
    ),
    "function": Words(
        "a function of yours that is not inlined",
        "calls {detail}() once per element",
        "It is too large, or calls itself, so it stays a call, and a call takes one element.",
        "Make it smaller, split its rare half off, or @njit(inline='always'); recursion becomes a"
        " loop.",
    ),
    "list": Words(
        "a list where an array would do",
        "reads {detail}, a list, and checks each index",
        "A list may be too short, and raises IndexError then; a reflected list is also copied in"
        " and out at each call.",
        "Hand over np.array({detail}).",
        REFLECTED,
    ),
    "indirect": Words(
        "an index that is looked up",
        "goes to {detail}: where that is, only the data know",
        "Two lanes may want the same element, or write what another still has to read; the"
        " compiler cannot see that they do not.",
        "Gather first (t = b[idx], a loop without other writes), then compute on t; for a"
        " histogram, sort first or keep several histograms.",
        GATHER,
    ),
    "moves": Words(
        "elements carried to or from where an index says",
        "goes to {detail}: where that is, only the data know",
        "It computes nothing that a loop of its own could do faster: its time is that of memory."
        " Indices that are sorted come by each cache line once.",
        "",
        GATHER,
        ("m1/s0",),
    ),
    "layout": Words(
        "an array whose elements may lie anywhere",
        "walks over {detail}, which may have any strides",
        "Its type is not contiguous, so each lane is fetched from an address of its own: a vector"
        " of loads, not a load of a vector.",
        'Hand over np.ascontiguousarray({detail}), and say so in a signature: "float64[::1]".',
        CONTIGUOUS,
        ("m5/s3", "m1/s0"),
    ),
    "grain": Words(
        "a walk against the grain",
        "walks down {detail}, one row further with each turn",
        "In C order the elements of a row are neighbours, those of a column are a row apart: each"
        " lane is fetched from an address, and often a cache line, of its own.",
        "Swap the loops, so that the innermost one walks along the last axis; or keep {detail} in"
        " Fortran's order.",
        GATHER,
        ("m1/s0", "m5/s3"),
    ),
    "append": Words(
        "a list that grows",
        "appends to {detail}",
        "How long it gets is known only at the end, so it is moved now and then, and each turn"
        " waits for the one before.",
        "np.empty(n) before the loop and an index, and the part that was filled at the end.",
        REFLECTED,
    ),
    "width": Words(
        "float32 made float64",
        "turns float32 into float64 and back",
        "A constant of Python's, such as 0.1, is a float64, and float32 with float64 is float64:"
        " half as many lanes, and the conversions.",
        "np.float32(0.1) for the constants, or make them once before the loop.",
        PROMOTION,
    ),
    "count": Words(
        "nobody knows how many turns",
        "goes on until the data say stop",
        "Lanes work ahead, so how many turns there are must be known before the first.",
        "for i in range(n), where n can be known; or a fixed number of turns that do no harm after"
        " it has converged.",
        TRIP_COUNT,
    ),
    "cost": Words(
        "vectors would not pay",
        "could be vectorised, and would not be quicker",
        "LLVM counted the instructions: integer division, a byte here and there, or strides make"
        " vectors as slow as single elements.",
        "Look at the innermost index: it should walk along the last axis. An integer division by a"
        " constant is better than one by a variable.",
    ),
    "allocation": Words(
        "memory is asked for in the loop",
        "makes an array in each turn",
        "Each turn allocates, fills and frees it: the allocator is a call, and fresh memory is not"
        " in the cache.",
        "Make it once before the loop and write into it: tmp[:] = ..., or np.multiply(a, 2, tmp).",
        Word("allocation", "asking for memory; in a loop it costs more than the arithmetic"),
        ("m5/s3", "m1/s0"),
    ),
    "other": Words(
        "LLVM does not say it in plain words",
        "was looked at and left alone",
        "LLVM says: {detail}.",
        "Take statements out of the loop until it is vectorised: the last one was it.",
    ),
}

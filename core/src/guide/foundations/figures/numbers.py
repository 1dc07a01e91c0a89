"""What numbers can hold, and what narrow ones and few bits save."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from guide.foundations.figures.stopwatch import best_ns, rows, series, statement_ns
from guide.learn.chart import Bars, Lines


def float_spacing(quick: bool = False) -> dict[str, Any]:
    """How far it is from a number to the next, for each size of float."""
    import numpy as np

    lines = {}
    for name, kind, top in (("f16", np.float16, 4), ("f32", np.float32, 9), ("f64", float, 9)):
        powers = [p / 2 for p in range(-8, 2 * top + 1)]
        lines[name] = [(10.0**p, float(np.spacing(kind(10.0**p)))) for p in powers]
    return {
        "computed": True,
        "lines": lines,
        "values": {
            "day_ns": float(np.spacing(np.float32(86_400))) * 1e9,
            "far_ratio": float(np.spacing(np.float32(1e6))),
            "f16_ratio": float(np.spacing(np.float16(1.0))),
        },
    }


def draw_float_spacing(data: Mapping[str, Any]) -> Lines:
    """Over the number itself."""
    marks = [(10.0**n, f"1e{n}" if abs(n) > 1 else str(10**n)) for n in (-4, -2, 0, 2, 4, 6, 8)]
    return Lines(series(data), "a number", "distance to the next one", x_marks=marks)


def sums(quick: bool = False) -> dict[str, Any]:
    """How wrong a million times 0.1 in single precision is, by the order it is added in."""
    import numpy as np

    count = 10_000 if quick else 1_000_000
    tenths = np.full(count, 0.1, np.float32)
    truth = math.fsum(tenths.tolist())
    results = {
        "one after another": float(np.cumsum(tenths)[-1]),
        "in pairs (numpy)": float(tenths.sum()),
        "in double precision": float(tenths.sum(dtype=np.float64)),
    }
    smallest = 1e-12  # what a bar can show of nothing
    found = [(n, max(abs(v - truth) / truth, smallest)) for n, v in results.items()]
    return {
        "rows": [(name, 1e9 * error) for name, error in found],
        "values": {
            "naive_percent": 100 * found[0][1],
            "pairs_x": found[0][1] / max(found[1][1], smallest),
        },
    }


def draw_sums(data: Mapping[str, Any]) -> Bars:
    """Shorter is better."""
    return Bars(rows(data), "ppb", "relative error, parts in a billion", log=True)


def counting_bits(quick: bool = False) -> dict[str, Any]:
    """How many bits of each of some 64-bit words are set, counted four ways."""
    import numpy as np

    count = 2_000 if quick else 100_000
    words = np.random.default_rng(0).integers(0, 1 << 62, count, dtype=np.uint64)
    # Few enough for the slow ways to be tried often.
    as_ints, table = words[:2_000].tolist(), np.array([i.bit_count() for i in range(256)], np.uint8)
    ways: dict[str, Callable[[], object]] = {
        "bin(x).count('1')": lambda: sum(bin(x).count("1") for x in as_ints),
        "x.bit_count()": lambda: sum(x.bit_count() for x in as_ints),
        "a table of bytes": lambda: int(table[words.view(np.uint8)].sum()),
        "masks and shifts": lambda: int(masked_count(words).sum()),
    }
    if hasattr(np, "bitwise_count"):
        ways["one instruction"] = lambda: int(np.bitwise_count(words).sum())
    counts = [2_000, 2_000, count, count, count]
    found = [
        (name, best_ns(call, quick) / many)
        for (name, call), many in zip(ways.items(), counts, strict=False)
    ]
    return {
        "what": "to count the bits of one word, shorter is better",
        "rows": found,
        "values": {
            "slow_ns": found[0][1],
            "masks_ns": found[3][1],
            "fast_ns": found[-1][1],
            "fast_x": found[0][1] / found[-1][1],
        },
    }


def masked_count(words: Any) -> Any:
    """Set bits of each 64-bit word: pairs first, then fours, then bytes, all at once.

    Source: Warren, Hacker's Delight, section 5-1.
    """
    import numpy as np

    one, two, four, eight = (np.uint64(n) for n in (1, 2, 4, 56))
    x = words - ((words >> one) & np.uint64(0x5555555555555555))
    pairs = np.uint64(0x3333333333333333)
    x = (x & pairs) + ((x >> two) & pairs)
    x = (x + (x >> four)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> eight  # the last product adds the bytes up


def compression(quick: bool = False) -> dict[str, Any]:
    """Zlib at three levels on the source of this package: how fast, and how small."""
    import zlib
    from pathlib import Path

    files = sorted(Path(__file__).parents[2].glob("*.py"))
    text = b"".join(file.read_bytes() for file in files[: 2 if quick else None])
    found, ratios = [], []
    for level in (1, 6, 9):
        packed = zlib.compress(text, level)
        ns = best_ns(partial(zlib.compress, text, level), quick)
        found.append((f"pack, level {level}", 1000 * len(text) / ns))
        ratios.append(len(text) / len(packed))
    ns = best_ns(lambda: zlib.decompress(packed), quick)
    found.append(("unpack", 1000 * len(text) / ns))
    return {
        "rows": found,
        "values": {
            "quick_x": ratios[0],
            "hard_x": ratios[-1],
            "quick_mbs": found[0][1],
            "hard_mbs": found[2][1],
            "unpack_mbs": found[3][1],
        },
    }


def draw_compression(data: Mapping[str, Any]) -> Bars:
    """Longer is better."""
    return Bars(rows(data), "mbs", "text packed or unpacked a second, longer is better", log=True)


def integers(quick: bool = False) -> dict[str, Any]:
    """The sum of an array's elements by their size, and Python's own."""
    import numpy as np

    count = 1 << (12 if quick else 20)
    found = []
    for name in ("uint8", "int16", "int32", "int64"):
        array = np.ones(count, name)
        ns = best_ns(partial(np.add, array, 3, out=array), quick)
        found.append((name, ns / count * 1000))
    ns = statement_ns("x + 3", "x = 1000", quick)
    found.append(("Python int", ns * 1000))
    return {
        "rows": found,
        "values": {"byte_x": found[3][1] / found[0][1], "python_x": found[4][1] / found[0][1]},
    }


def draw_integers(data: Mapping[str, Any]) -> Bars:
    """Shorter is better."""
    what = "x + 3 for a thousand of them, shorter is better"
    return Bars(rows(data), "ns", what, log=True)

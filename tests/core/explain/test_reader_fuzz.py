"""A trace with a few bytes of it spoilt: never anything but a Trace, or one line.

`GUIDE_FUZZ=20000 pytest tests/core/explain/test_reader_fuzz.py` tries so many; the number of a
mutation is its seed, and in the message when one is not survived.
"""

import gzip
import io
import os
import random
import resource
import time

import numpy as np
import pytest

from benchmarks.explain import bulk
from guide.errors import GuideError
from guide.explain.reading import read_trace
from guide.trace.chrome import dump_chrome
from guide.trace.pftrace import dump_pftrace
from tests.core.explain.test_reading_runs import a_run

TIMES = int(os.environ.get("GUIDE_FUZZ", "1500"))
SLOWEST = 30  # times what the sound trace takes, and a good part of a second for a busy machine

WORDS = (
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\0", b"\n", b"-", b"."),
    *(b"NaN", b"nan", b"Infinity", b"null", b"1e999", b"-1", b"99999999999999999999", b"1e-400"),
    *(b'"ph": "B"', b'"ph": "E"', b'"ph": "M"', b'"traceEvents": [', b"[" * 2000, b'{"a":' * 2000),
    *(b"\xff\xfe", b"\xed\xa0\x80", "ش".encode(), b"\\ud800", b'"ts": "1.5"', b'"args": []'),
)


def sound():
    chrome, protobuf = io.StringIO(), io.BytesIO()
    dump_chrome(chrome, a_run())
    dump_pftrace(protobuf, a_run())
    torch = bulk.text(steps=3, operators=8).encode()
    return {
        "torch": torch,
        "since 1970": bulk.text(steps=3, operators=8, since_1970=True).encode(),
        "gzipped": gzip.compress(torch),
        "chrome": chrome.getvalue().encode(),
        "pftrace": protobuf.getvalue(),
    }


def mutated(data, seed):
    """Bytes flipped, words put in, pieces cut out, doubled, moved or zeroed; or cut short."""
    chance = random.Random(seed)
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + int(chance.paretovariate(0.5)))
        piece = bytes(data[at:end])
        match chance.randrange(8):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                data[at:at] = chance.choice(WORDS)
            case 2:
                data[at : at + len(word)] = (word := chance.choice(WORDS))
            case 3:
                del data[at:end]
            case 4:
                data[at:at] = piece[:5000]
            case 5:
                del data[at:end]
                to = chance.randrange(len(data) + 1)
                data[to:to] = piece
            case 6:
                data[at:end] = bytes(end - at)
            case _:
                if chance.random() < 0.3:
                    del data[at:]
                elif end > at:
                    data[at] ^= 1 << chance.randrange(8)
    return bytes(data)


def is_sound(trace):
    """What every rule may rely on."""
    events = trace.events
    assert len(events) > 0
    assert (events.start_ns >= 0).all()
    assert (events.end_ns >= events.start_ns).all()
    assert (np.diff(events.start_ns) >= 0).all()
    for column, texts in ((events.name, events.names), (events.track, events.tracks)):
        assert column.min() >= 0
        assert column.max() < len(texts)
    assert events.shape.max() < len(events.shapes)
    assert all(step.ns > 0 for step in trace.steps)
    assert all(a.end_ns <= b.start_ns for a, b in zip(trace.steps, trace.steps[1:], strict=False))
    assert (trace.parent < np.arange(len(events))).all()
    assert (trace.self_ns >= 0).all()
    assert trace.step_ns > 0
    assert trace.typical in trace.steps
    "".join([*events.names, *trace.threads.values(), *trace.missing]).encode()


@pytest.mark.parametrize("form", ["torch", "since 1970", "gzipped", "chrome", "pftrace"])
def test_no_mutation_gives_anything_but_a_trace_or_one_line(tmp_path, form):
    file = tmp_path / "trace.json"
    data = sound()[form]
    file.write_bytes(data)
    before = time.process_time()
    is_sound(read_trace(file))
    limit = SLOWEST * (time.process_time() - before) + 0.5
    read, memory_kb = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(TIMES // 5):
        file.write_bytes(mutated(data, seed))
        before = time.process_time()
        try:
            most = 40 if seed % 3 == 0 else 10_000
            is_sound(read_trace(file, most=most))
            read, lines = read + 1, 0
        except GuideError as error:
            lines = str(error).count("\n")
        except Exception as error:
            raise AssertionError(f"mutation {seed} of {form}: {error!r}") from error
        assert not lines, f"mutation {seed} of {form} takes more than a line"
        assert time.process_time() - before < limit, f"mutation {seed} of {form} took long"
    # It is of use, too: damage in one place does not cost all
    assert read > TIMES // 5 * 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kb < 100_000

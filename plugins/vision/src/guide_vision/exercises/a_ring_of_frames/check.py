"""Frames through the ring: by itself first, then to a real second process.

It runs beside the attempt, since it has to fork. What it counts is no time, so nothing but the
prediction would gain by fooling it.
"""

import os
import pickle
import signal
import struct
import sys
import threading
import time
import tracemalloc
from mmap import mmap

import numpy as np

_SLOTS = 4
_SMALL, _LARGE = (36, 64, 3), (1080, 1920, 3)
_PATIENCE_S = 15.0


def check(attempt):
    """Counts, and how much faster it is than a pipe; the exercise's bars decide."""
    _alone(attempt)
    _line_by_line(attempt)
    asked = _asked(attempt)
    torn, lost = _across(attempt, (360, 640, 3), 300)
    pairs = [(_by_pipe(40), _by_ring(attempt, 40)) for _ in range(3)]
    return {
        "bytes asked for": asked,
        "frames torn": torn,
        "frames lost": lost,
        "times as fast as a pipe": min(p for p, _ in pairs) / min(r for _, r in pairs),
    }


def _made(attempt, shape):
    memory = mmap(-1, max(attempt.needed(shape, _SLOTS), 1))
    return memory, attempt.Ring(memory, shape, _SLOTS)


def _of(number, shape):
    return np.full(shape, number % 251, np.uint8)


def _alone(attempt):
    memory, ring = _made(attempt, _SMALL)
    other = attempt.Ring(memory, _SMALL, _SLOTS)  # the other process has one of its own
    assert other.take() is None, "there is a frame in a ring that nobody put one into"
    put, taken = 0, 0
    for _ in range(3):  # round and round
        for _ in range(_SLOTS):
            assert ring.put(_of(put, _SMALL)), f"put says it is full at {put - taken} of {_SLOTS}"
            put += 1
        assert not ring.put(_of(99, _SMALL)), f"put takes a frame when all {_SLOTS} slots are full"
        held = other.take()
        assert isinstance(held, np.ndarray), f"take returns {type(held).__name__}, not an array"
        assert held.shape == _SMALL, f"take returns a frame of shape {held.shape}, not {_SMALL}"
        assert held.dtype == np.uint8, f"take returns {held.dtype}, not uint8"
        inside = np.frombuffer(memory, np.uint8)
        assert np.shares_memory(held, inside), "take returns a copy: it does not lie in the memory"
        assert not ring.put(_of(99, _SMALL)), "a frame is still being read, and its slot is reused"
        for _ in range(_SLOTS):
            found = other.take()
            assert found is not None, f"only {taken} of {put} frames came out"
            right = (found == taken % 251).all()
            assert right, f"frame {taken} came out as {found.reshape(-1)[0]}, or as two in one"
            other.done()
            taken += 1
        assert other.take() is None, "there is a frame when all were taken"


def _line_by_line(attempt):
    """Take after every line of a put: what shows a frame too soon is found without any luck."""
    memory, ring = _made(attempt, _SMALL)
    other = attempt.Ring(memory, _SMALL, _SLOTS)
    early = []

    def look(frame, event, argument):
        found = other.take()
        if found is not None and (found != 7).any():
            early.append(frame.f_lineno)
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        ring.put(_of(7, _SMALL))
    finally:
        sys.settrace(before)
    assert not early, f"line {early[0]}: take returns a frame that put has not written yet"


def _asked(attempt):
    _, ring = _made(attempt, (360, 640, 3))
    frame = _of(1, (360, 640, 3))

    def once():
        ring.put(frame)
        ring.take()
        ring.done()

    once()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        once()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _across(attempt, shape, count):
    """Put frames here, look at every byte there; how many were torn and how many lost."""
    memory, ring = _made(attempt, shape)

    def read():
        mine, torn, wrong = attempt.Ring(memory, shape, _SLOTS), 0, 0
        for number in range(count):
            frame = _waited(mine.take)
            first = int(frame[0, 0, 0])
            torn += bool((frame != first).any())
            wrong += first != number % 251
            mine.done()
        return torn, wrong

    result = _beside(read)
    frame = np.empty(shape, np.uint8)
    for number in range(count):
        frame.fill(number % 251)  # at once after it was put: whoever keeps it by reference sees it
        _waited(lambda: ring.put(frame) or None)
    return result()


def _by_ring(attempt, count):
    memory, ring = _made(attempt, _LARGE)

    def read():
        mine = attempt.Ring(memory, _LARGE, _SLOTS)
        return sum(_looked(_waited(mine.take), mine.done) for _ in range(count)), 0

    frames = [_of(number, _LARGE) for number in range(_SLOTS)]
    result, start_ns = _beside(read), time.perf_counter_ns()
    for number in range(count):
        _waited(lambda n=number: ring.put(frames[n % _SLOTS]) or None)
    result()
    return time.perf_counter_ns() - start_ns


def _by_pipe(count):
    """What a queue between processes does."""
    out, into = os.pipe()

    def read():
        total = 0
        with os.fdopen(os.dup(out), "rb") as pipe:
            for _ in range(count):
                (size,) = struct.unpack("<Q", pipe.read(8))
                total += _looked(pickle.loads(pipe.read(size)), lambda: None)
        return total, 0

    frames = [_of(number, _LARGE) for number in range(_SLOTS)]
    result, start_ns = _beside(read), time.perf_counter_ns()
    with os.fdopen(into, "wb", buffering=0) as pipe:
        for number in range(count):
            data = memoryview(pickle.dumps(frames[number % _SLOTS], protocol=5))
            pipe.write(struct.pack("<Q", len(data)))
            while data:
                data = data[pipe.write(data) :]
    result()
    os.close(out)
    return time.perf_counter_ns() - start_ns


def _looked(frame, done):
    total = int(frame[::270, ::480, 0].sum())
    done()
    return total


def _waited(ask):
    """What `ask` returns once it is not None."""
    end_s = time.monotonic() + _PATIENCE_S
    while (found := ask()) is None:
        assert time.monotonic() < end_s, "put and take wait for each other for ever"
        time.sleep(20e-6)
    return found


def _beside(read):
    """Run `read` in another process; a function that waits for the two numbers it returns."""
    if not hasattr(os, "fork"):  # Windows: another thread has to do
        found = []
        thread = threading.Thread(target=lambda: found.append(read()))
        thread.start()
        return lambda: (thread.join(), *found)[1]
    out, into = os.pipe()
    if os.fork() == 0:
        signal.alarm(int(2 * _PATIENCE_S))  # nobody may end it but itself
        told = b"?"
        try:
            told = struct.pack("<qq", *read())
        finally:
            os.write(into, told)
            os._exit(0)
    os.close(into)

    def wait():
        told = os.read(out, 16)
        os.close(out)
        os.wait()
        assert len(told) == 16, "the process that takes did not come to its end"
        return struct.unpack("<qq", told)

    return wait

"""Values as plain bytes: what crosses between the judge and a worker.

Never pickle: unpickling runs code that the sender chose. Here the reader builds a few plain types
and arrays, checks every length against what is there, and runs nothing.

    None bool int float str bytes list tuple dict numpy-array

An array is decoded as a view of the buffer, so that 64 MB are handed over without a copy. Its
class is always `numpy.ndarray`: a subclass that puts its work off until somebody looks is sent as
the memory it has at that moment.
"""

from __future__ import annotations

import ast
import struct
from array import array
from typing import Any

import numpy as np

_ALIGN = 64  # a cache line, and more than any vector instruction asks for
_DEEPEST = 50
_LONGEST_INT = 4096  # bytes
_NUMBERS = {"q": int, "d": float}


class Unsendable(TypeError):
    """A value of a type that does not cross."""


class Garbled(ValueError):
    """Bytes that no `encode` has written."""


class Full(ValueError):
    """More than the buffer holds."""


def encode(value: Any, into: memoryview) -> int:
    """Write `value` to the beginning of `into`; returns how many bytes it took.

    Raises:
        Unsendable: for a type that does not cross.
        Full: when it does not fit.
    """
    writer = _Writer(into)
    writer.put(value, 0)
    return writer.at


def decode(data: memoryview) -> Any:
    """The value that lies in `data`; its arrays are views of it, so they can be written if it can.

    Raises:
        Garbled: for anything but the whole of one value.
    """
    reader = _Reader(data)
    try:
        value = reader.take(0)
    except Garbled:
        raise
    except Exception as error:  # whatever numpy or the parser make of bytes that mean nothing
        raise Garbled(f"{type(error).__name__}: {error}") from None
    if reader.at != len(data):
        raise Garbled(f"{len(data) - reader.at} bytes too many")
    return value


class _Writer:
    def __init__(self, into: memoryview) -> None:
        self.into, self.at = into, 0

    def raw(self, data: bytes | memoryview) -> None:
        end = self.at + len(data)
        if end > len(self.into):
            raise Full(f"a value of over {len(self.into):,} bytes")
        self.into[self.at : end] = data
        self.at = end

    def sized(self, tag: bytes, data: bytes) -> None:
        self.raw(tag + struct.pack("<Q", len(data)))
        self.raw(data)

    def put(self, value: Any, depth: int) -> None:
        kind = type(value)
        if depth > _DEEPEST:
            raise Unsendable("a value that is nested over 50 deep")
        if value is None:
            self.raw(b"N")
        elif kind is bool:
            self.raw(b"T" if value else b"F")
        elif kind is int:
            self.sized(b"i", value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
        elif kind is float:
            self.raw(b"f" + struct.pack("<d", value))
        elif kind is str:
            self.sized(b"s", value.encode("utf-8", "surrogatepass"))
        elif kind is bytes:
            self.sized(b"b", value)
        elif kind is list or kind is tuple:
            self.sequence(value, depth)
        elif kind is dict:
            self.raw(b"d" + struct.pack("<Q", len(value)))
            for key, item in value.items():
                self.put(key, depth + 1)
                self.put(item, depth + 1)
        elif isinstance(value, np.ndarray | np.generic):
            self.array(value)
        else:
            raise Unsendable(f"a value of type {kind.__name__}")

    def sequence(self, value: list[Any] | tuple[Any, ...], depth: int) -> None:
        tag = b"l" if type(value) is list else b"t"
        # A hundred thousand numbers one by one would take longer than what is being timed.
        kinds = set(map(type, value)) if len(value) > 8 else set()
        for code, kind in _NUMBERS.items():
            if kinds == {kind}:
                try:
                    packed = array(code, value).tobytes()
                except OverflowError:
                    break
                self.sized((b"P" if tag == b"l" else b"Q") + code.encode(), packed)
                return
        self.raw(tag + struct.pack("<Q", len(value)))
        for item in value:
            self.put(item, depth + 1)

    def array(self, value: np.ndarray | np.generic) -> None:
        scalar = isinstance(value, np.generic)
        # By numpy's own method: a subclass has no say in what its memory is.
        plain: Any = np.asarray(value) if scalar else np.ndarray.view(value, np.ndarray)  # type: ignore[arg-type]
        if plain.dtype.hasobject:
            raise Unsendable("an array of Python objects")
        kind = repr(np.lib.format.dtype_to_descr(plain.dtype)).encode()
        self.sized(b"g" if scalar else b"a", kind)
        self.raw(struct.pack(f"<B{plain.ndim}Q", plain.ndim, *plain.shape))
        self.raw(bytes(-self.at % _ALIGN))
        end = self.at + plain.nbytes
        if end > len(self.into):
            raise Full(f"an array of {plain.nbytes:,} bytes where {len(self.into):,} are allowed")
        if plain.nbytes:
            here = np.frombuffer(self.into[self.at : end], np.uint8).view(plain.dtype)
            here.reshape(plain.shape)[...] = plain
        self.at = end


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def raw(self, count: int) -> memoryview:
        if count > len(self.data) - self.at:
            raise Garbled("bytes are missing")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        return int(struct.unpack("<Q", self.raw(8))[0])

    def take(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise Garbled("nested too deep")
        tag = bytes(self.raw(1))
        if tag in (b"N", b"T", b"F"):
            return {b"N": None, b"T": True, b"F": False}[tag]
        if tag == b"f":
            return struct.unpack("<d", self.raw(8))[0]
        if tag in (b"l", b"t"):
            count = self._count(1)
            items = [self.take(depth + 1) for _ in range(count)]
            return items if tag == b"l" else tuple(items)
        if tag == b"d":
            pairs = self._count(2)
            return {self.take(depth + 1): self.take(depth + 1) for _ in range(pairs)}
        if tag in (b"a", b"g"):
            return self.array(tag == b"g")
        return self.sized(tag)

    def sized(self, tag: bytes) -> Any:
        if tag in (b"P", b"Q"):
            code = bytes(self.raw(1)).decode("ascii")
            if code not in _NUMBERS:
                raise Garbled("no such kind of number")
            numbers = array(code, bytes(self.raw(self.number()))).tolist()
            return numbers if tag == b"P" else tuple(numbers)
        if tag not in (b"i", b"s", b"b"):
            raise Garbled("no such tag")
        length = self.number()
        if tag == b"i" and length > _LONGEST_INT:
            raise Garbled("a number beyond all bounds")
        body = bytes(self.raw(length))
        if tag == b"i":
            return int.from_bytes(body, "little", signed=True)
        return body if tag == b"b" else body.decode("utf-8", "surrogatepass")

    def array(self, scalar: bool) -> Any:
        length = self.number()
        if length > 4096:
            raise Garbled("a type beyond all bounds")
        kind = np.lib.format.descr_to_dtype(ast.literal_eval(bytes(self.raw(length)).decode()))
        if kind.hasobject:
            raise Garbled("an array of objects")
        dimensions = self.raw(1)[0]
        shape = struct.unpack(f"<{dimensions}Q", self.raw(8 * dimensions))
        self.raw(-self.at % _ALIGN)
        size = kind.itemsize
        for one in shape:
            size *= one
        body = np.frombuffer(self.raw(size), np.uint8) if size else np.empty(0, np.uint8)
        found = body.view(kind).reshape(shape) if size else np.empty(shape, kind)
        return found[()] if scalar else found

    def _count(self, least: int) -> int:
        count = self.number()
        if count * least > len(self.data) - self.at:
            raise Garbled("more items than bytes")
        return count

"""Open whatever was named as a trace: blocks of bytes, unpacked; and say what else it is.

Unpacking is bounded: a small file that unpacks to a thousand times its size was made to harm.
"""

from __future__ import annotations

import json
import stat
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from guide.errors import GuideError
from guide.explain.losses import Losses

_BLOCK = 1 << 18
_BOMB = 1 << 25  # bytes unpacked, from which on a ratio means something
_RATIO = 400  # traces shrink to a tenth or a thirtieth; deflate's limit is a thousandth

TAKE_ONE = "take one: guide profile COMMAND, or torch's prof.export_chrome_trace('trace.json')"

_MAGIC = (
    (b"SQLite format 3\0", "an SQLite database, as Nsight Systems exports"),
    (b"NVR\0", "a report of Nsight Compute"),
    (b"PERFILE2", "a recording of Linux perf"),
    (b"memray", "a recording of memray"),
    (b"\x7fELF", "a program"),
    (b"\x89PNG", "a picture"),
    (b"%PDF", "a PDF"),
)
_PACKED = (
    (b"PK\x03\x04", "a ZIP archive", "unpack it, and name the trace in it: unzip"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "unpack it first: zstd -d"),
    (b"\xfd7zXZ\0", "packed by xz", "unpack it first: xz -d"),
    (b"BZh", "packed by bzip2", "unpack it first: bzip2 -d"),
)
_SUFFIXES = {
    ".nsys-rep": "a report of Nsight Systems",
    ".qdrep": "a report of Nsight Systems",
    ".ncu-rep": "a report of Nsight Compute",
    ".pb": "protobuf, as TensorFlow and XLA write it",
    ".prof": "a profile of another tool, perhaps cProfile's",
    ".pstats": "a profile of cProfile",
}
_MARKUP = (b"<svg", b"<?xml", b"<!doc", b"<html")


def unpacked(file: Path, losses: Losses) -> Iterator[bytes]:
    """The bytes of a file in blocks, those of a gzipped one unpacked.

    Raises:
        GuideError: when it is not to be read, or is known to be something else.
    """
    blocks = _unpacked(file, losses)
    try:
        head = next(blocks, b"")
        if not head and (losses["broken"] or losses["cut"]):
            raise GuideError(f"{file} is damaged: nothing of it can be unpacked", TAKE_ONE)
        _recognise(file, head)
        yield head
        yield from blocks
    except OSError as error:
        raise GuideError(f"{file}: {error.strerror or error}", "name a trace") from None


def decoded(blocks: Iterator[bytes], head: bytes) -> Iterator[str]:
    """Blocks of bytes as text, whatever Unicode they are in; what is none of it is replaced."""
    import codecs

    decode = codecs.getincrementaldecoder(json.detect_encoding(head))("replace").decode
    yield decode(head)
    for block in blocks:
        yield decode(block)


def is_text(head: bytes) -> bool:
    """Whether bytes look like JSON in some Unicode."""
    text = head[:4096].decode(json.detect_encoding(head[:4096]), "replace").lstrip("\ufeff \t\r\n")
    return text[:1] in ("{", "[")


def _unpacked(file: Path, losses: Losses) -> Iterator[bytes]:
    try:
        about = file.stat()
    except ValueError:  # a NUL in its name
        raise GuideError(f"{str(file)!r} is no name of a file", "name a trace") from None
    if stat.S_ISDIR(about.st_mode):
        raise GuideError(f"{file} is a folder", "name a trace in it, or a run's own folder")
    if not stat.S_ISREG(about.st_mode):
        raise GuideError(f"{file} is no ordinary file", "write it to one first, and name that")
    with file.open("rb") as source:
        zipped = source.read(2) == b"\x1f\x8b"
        source.seek(0)
        packed = iter(partial(source.read, _BLOCK), b"")
        yield from _inflated(packed, losses) if zipped else packed


def _inflated(packed: Iterator[bytes], losses: Losses) -> Iterator[bytes]:
    """Members of gzip, one after the other."""
    taken = given = 0
    inflate = zlib.decompressobj(31)
    left = b""
    while True:
        if not left:
            left = next(packed, b"")
            taken += len(left)
            if not left:
                if not inflate.eof:
                    losses.count("cut")
                return
        if inflate.eof:
            if not left.startswith(b"\x1f"):  # zeros that fill up a block of tape
                return
            inflate = zlib.decompressobj(31)
        before = inflate.copy()
        try:
            block = inflate.decompress(left, _BLOCK)
        except zlib.error:
            losses.count("broken")
            yield from _up_to_the_damage(before, left)
            return
        left = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
        given += len(block)
        if given > _BOMB and given > _RATIO * taken:
            losses.count("bomb")
            return
        if block:
            yield block


def _up_to_the_damage(inflate: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """What can still be unpacked before the place that cannot."""
    with suppress(zlib.error):
        for at in range(0, len(packed), 16):
            # Sixteen bytes unpack to sixteen thousand at most: less than a block
            if block := inflate.decompress(packed[at : at + 16]):
                yield block


def _recognise(file: Path, head: bytes) -> None:
    """Raise where a file is plainly something else."""
    if not head.strip(b" \t\r\n\0"):
        raise GuideError(f"{file} is empty", TAKE_ONE)
    if is_text(head):
        # A marshalled dict begins with the same brace; no JSON goes on like that
        if head[:1] == b"{" and head[1:2] in (b"(", b")", b"\xa8", b"\xa9"):
            raise GuideError(f"{file} is a profile of cProfile, not a trace", TAKE_ONE)
        return
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise GuideError(f"{file} is {what}", TAKE_ONE)
    for magic, what, remedy in _PACKED:
        if head.startswith(magic):
            raise GuideError(f"{file} is {what}", f"{remedy} {file}")
    if head[:1] == b"\xfb":
        raise GuideError(f"{file} is a profile of cProfile, not a trace", TAKE_ONE)
    if head.lstrip()[:5].lower().startswith(_MARKUP):
        raise GuideError(f"{file} is a page or a picture, not a trace", TAKE_ONE)
    if file.suffix in _SUFFIXES:
        raise GuideError(f"{file} is {_SUFFIXES[file.suffix]}, not a trace", TAKE_ONE)

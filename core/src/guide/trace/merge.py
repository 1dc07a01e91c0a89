"""A trace of ours and a torch profile in one archive, on one timeline.

Perfetto opens a ZIP of traces as one and takes their times as they are; it knows nothing of the
`baseTimeNanoseconds` that torch's count from. So the profile goes in untouched, and our times are
moved to count from the same instant. Both were Unix time at first, ours by the narrowest of fifty
brackets (`guide.clock.unix_anchor`), torch's by its own: they agree within microseconds.

https://perfetto.dev/docs/concepts/merging-traces, https://github.com/pytorch/kineto/pull/928
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from guide.errors import GuideError
from guide.record import write_atomically

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BASE = re.compile(rb'"baseTimeNanoseconds":\s*(\d+)')
_SINCE_1970 = re.compile(rb'"ts":\s*\d{16}')  # microseconds: torch before 2.4
_MARKS = {b'"schemaVersion"', b'"traceEvents"'}  # what a profile of torch's has, all of them


def merge(trace: Path, profile: Path, archive: Path) -> None:
    """Write `archive`, a ZIP of the trace of a run and of a profile that torch exported.

    Args:
        trace: trace.pftrace or trace.json.
        profile: what `export_chrome_trace` wrote, plain or gzipped.
        archive: replaced when it is there.

    Raises:
        GuideError: when one of them is not what it should be, or the archive cannot be written.
    """
    try:
        write_atomically(archive, lambda out: _pack(out, trace, profile), "wb")
    except OSError as error:
        reason = error.strerror or str(error)
        raise GuideError(f"{archive}: {reason}", "choose another place: -o FILE.zip") from None
    except ValueError:
        raise GuideError(f"{trace} is damaged", "run again: guide run") from None
    except RuntimeError:  # zipfile's word for 2 GB in one member; Perfetto reads no more either
        raise GuideError(f"{archive} would be too large", "profile fewer steps") from None


def _pack(out: IO[bytes], trace: Path, profile: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack:
        with pack.open("torch.json", "w") as member:
            base_ns = _copy_profile(profile, member)
        with pack.open(f"guide{trace.suffix}", "w") as member:
            _copy_trace(trace, member, base_ns)


def _copy_profile(profile: Path, out: IO[bytes]) -> int:
    """Copy a profile, see that it is one, and whole; returns the Unix ns its times count from."""
    depth, base, since_1970, missing = 0, None, None, set(_MARKS)
    with _opened(profile) as source:
        try:
            # Whole lines: no string of JSON's goes over the end of one.
            while block := b"".join(source.readlines(1 << 20)):
                bare = _STRING.sub(b"", block)
                depth += bare.count(b"{") - bare.count(b"}")
                missing = {mark for mark in missing if mark not in block}
                base = base or _BASE.search(block)
                since_1970 = since_1970 or _SINCE_1970.search(block)
                out.write(block)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            depth = -1
    if depth:
        raise _unfit(profile, "is cut short")
    if missing:
        raise _unfit(profile, "is no torch profile")
    if since_1970:
        return 0
    if not base:
        raise GuideError(
            f"{profile} has no baseTimeNanoseconds, so nobody knows when it was",
            "export it again, with torch 2.4 or newer",
        )
    return int(base[1])


def _opened(profile: Path) -> IO[bytes]:
    try:
        with profile.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
        open_it: Callable[[Path, str], Any] = gzip.open if zipped else open
        source: IO[bytes] = open_it(profile, "rb")
        start = source.read(4096).lstrip()[:1]
        source.seek(0)
    except (EOFError, zlib.error):
        raise _unfit(profile, "is cut short") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise GuideError(f"{profile}: {reason}", "name torch's file: --with FILE") from None
    if start not in (b"{", b"["):
        raise _unfit(profile, "is not JSON")
    return source


def _unfit(profile: Path, what: str) -> GuideError:
    return GuideError(
        f"{profile} {what}", "torch writes one: prof.export_chrome_trace('torch.json')"
    )


def _copy_trace(trace: Path, out: IO[bytes], base_ns: int) -> None:
    """Copy a trace of ours with its times counted from the Unix time `base_ns`."""
    from guide.trace.pftrace import clock_packet

    with trace.open("rb") as source:
        if trace.suffix == ".pftrace":
            clock = clock_packet(0)
            if source.read(len(clock)) != clock:
                raise GuideError(f"{trace} is not a trace of this guide", "run again: guide run")
            out.write(clock_packet(-base_ns))
            shutil.copyfileobj(source, out, 1 << 20)
            return
        found = json.load(source)
    if "baseTimeNanoseconds" not in found:
        raise GuideError(f"{trace} is of an older guide, without a date", "run again: guide run")
    later_ns = found["baseTimeNanoseconds"] - base_ns
    for event in found["traceEvents"]:
        if "ts" in event:
            event["ts"] = (round(event["ts"] * 1000) + later_ns) / 1000
    text = json.dumps({**found, "baseTimeNanoseconds": base_ns}, ensure_ascii=False)
    out.write(text.encode("utf-8", "backslashreplace"))

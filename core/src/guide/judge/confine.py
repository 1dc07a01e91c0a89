"""What a worker may not do: asked of the kernel by the worker itself, before it reads your file.

On Linux, each part where the kernel has it: no new privileges, no capabilities, files written in
one folder only (Landlock), no new processes, no sockets, no look into another process (seccomp).
Elsewhere there are the limits on time, memory and files alone, and the caller says so.

Sources: https://docs.kernel.org/userspace-api/landlock.html,
https://docs.kernel.org/userspace-api/seccomp_filter.html, man 7 capabilities.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import struct
import sys
from pathlib import Path

PDEATHSIG, DUMPABLE, SECCOMP, SUBREAPER, NO_NEW_PRIVS = 1, 4, 22, 36, 38

# Landlock's rights that change something: write, remove, make. Reading stays free.
_WRITING = 0x2 | 0x10 | 0x20 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800 | 0x1000
_REFER, _TRUNCATE = 0x2000, 0x4000
_TO_A_FILE = 0x2 | _TRUNCATE

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_CLONE_THREAD = 0x10000
# ptrace, process_vm_readv, process_vm_writev, kill, socket, setsid, bpf, perf_event_open; on both:
# pidfd_open, pidfd_getfd, pidfd_send_signal, io_uring_setup, userfaultfd
_FORBIDDEN = {
    "x86_64": (101, 310, 311, 62, 41, 112, 321, 298, 434, 438, 424, 425, 323),
    "aarch64": (117, 270, 271, 129, 198, 157, 280, 241, 434, 438, 424, 425, 282),
}
_NEW_PROCESSES = {"x86_64": (57, 58, 59, 322), "aarch64": (221, 281)}  # fork, vfork, exec


def limit(
    cpu_s: int, memory_bytes: int, file_bytes: int = 16 << 20, processes: bool = False
) -> None:
    """Set limits that only go down from here. `memory_bytes`: of addresses, 0 for no limit."""
    if sys.platform == "win32":
        return
    import resource

    wanted = {
        "RLIMIT_CPU": cpu_s,
        "RLIMIT_FSIZE": file_bytes,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 256,
    }
    if memory_bytes:
        wanted["RLIMIT_AS"] = memory_bytes
    if processes:
        wanted["RLIMIT_NPROC"] = 256  # of this user; root has no such limit, the clock ends it
    for name, value in wanted.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        _, hard = resource.getrlimit(kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(kind, (most, most))


def confine(scratch: Path, *, processes: bool = False) -> list[str]:
    """Give up what a worker does not need; returns the names of what could not be given up.

    Args:
        scratch: the one folder in which files may be written.
        processes: whether it may start others, as a check does that starts your file anew.
    """
    if sys.platform != "linux":
        return ["files", "processes", "memory of others"]
    missing = []
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
    # Version 3 of the structure: two words each of effective, permitted, inheritable.
    header, none = struct.pack("<Ii", 0x20080522, 0), bytes(24)
    if libc.capset(header, none):
        missing.append("privileges")
    if not _landlock(libc, scratch):
        missing.append("files")
    if not _seccomp(libc, processes):
        missing.append("processes")
    return missing


def hide() -> None:
    """Let no process but a privileged one read this one's memory; a fork inherits it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DUMPABLE, 0, 0, 0, 0)


def show() -> None:
    """Be as readable as before; until then /proc/self belongs to root."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DUMPABLE, 1, 0, 0, 0)


def adopt() -> None:
    """Become the parent of whatever is orphaned below, so that it can be found and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Be ended by the kernel when the parent ends, however that comes about."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _landlock(libc: ctypes.CDLL, scratch: Path) -> bool:
    libc.syscall.restype = ctypes.c_long
    version = libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    handled = _WRITING | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    # From version 6 on signals stay inside, and so do abstract sockets.
    words = (handled, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    attributes = struct.pack("<3Q", *words)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = libc.syscall(444, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        for path, rights in ((str(scratch), handled), ("/dev/null", handled & _TO_A_FILE)):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("<Qi", rights, place)
            refused = libc.syscall(445, ruleset, 1, rule, 0)
            os.close(place)
            if refused:
                return False
        return not libc.syscall(446, ruleset, 0)
    finally:
        os.close(ruleset)


def _seccomp(libc: ctypes.CDLL, processes: bool) -> bool:
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return False
    load, jump_if, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, unknown = 0x7FFF0000, 0x00050001, 0x00050000 | 38  # EPERM, ENOSYS

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", code, yes, no, value)

    program = [
        step(load, 4),
        step(jump_if, _ARCHITECTURES[machine], 1, 0),
        step(answer, refuse),
        step(load, 0),
    ]
    if machine == "x86_64":  # the numbers of the x32 ABI would slip past those below
        program += [step(at_least, 0x40000000, 0, 1), step(answer, refuse)]
    numbers = _FORBIDDEN[machine] + (() if processes else _NEW_PROCESSES[machine])
    for number in numbers:
        program += [step(jump_if, number, 0, 1), step(answer, refuse)]
    if not processes:
        # The C library tries clone3 first, whose flags a filter cannot see, then clone.
        program += [step(jump_if, _CLONE3, 0, 1), step(answer, unknown)]
        program += [
            step(jump_if, _CLONE[machine], 0, 3),
            step(load, 16),
            step(any_bit, _CLONE_THREAD, 1, 0),
            step(answer, refuse),
        ]
    program.append(step(answer, allow))
    code = ctypes.create_string_buffer(b"".join(program))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    whole = Program(len(program), ctypes.addressof(code))
    return not libc.prctl(SECCOMP, 2, ctypes.byref(whole), 0, 0)

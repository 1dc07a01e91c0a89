"""What runs your file: a process that takes inputs, calls, and hands bytes back.

It knows no expected value, reads no clock for anybody and says nothing about right or fast. All of
that is the judge's, in another process.

A command is a byte and a number; so is the answer. Values lie in two pieces of shared memory.

    judge    I n   import the file that is named in the input
             L n   take the input, a list of arguments for one or more calls
             G 0   call: what is timed
             C 0   call once, counting
             S n   run the simple check that is named in the input
    worker   k 0   done
             v n   done, with a value of n bytes in the output
             e n   it raised: what and where, in n bytes of the output
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import struct
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from guide.judge.codec import Full, Unsendable, decode, encode

MESSAGE = struct.Struct("<cQ")


def serve(control: int, given: int, returned: int) -> None:
    """Answer commands on `control` until it is closed; `given` and `returned` are the memory."""
    whole = memoryview(mmap.mmap(given, 0)), memoryview(mmap.mmap(returned, 0))
    os.close(given)
    os.close(returned)
    _Serving(control, *whole).run()


class _Serving:
    def __init__(self, control: int, given: memoryview, returned: memoryview) -> None:
        self.control, self.given, self.returned = control, given, returned
        self.file = Path()
        self.entry = ""
        self.module: ModuleType | None = None
        self.inputs: list[tuple[Any, ...]] = []

    def run(self) -> None:
        while message := _read(self.control):
            command, count = MESSAGE.unpack(message)
            try:
                value = getattr(self, f"do_{command.decode()}")(count)
                answer = (b"k", 0) if value is None else (b"v", encode(value[0], self.returned))
            except MemoryError:
                answer = self.failed("MemoryError", "more memory than the exercise allows", 0)
            except (Unsendable, Full) as error:
                answer = self.failed("", f"your function returned {error}", 0)
            except BaseException as error:
                answer = self.explained(error)
            os.write(self.control, MESSAGE.pack(*answer))

    def do_I(self, count: int) -> None:  # noqa: N802
        file, self.entry = decode(self.given[:count])
        self.file = Path(file)
        self.module = import_file(self.file, "guide_exercise_attempt")
        if self.entry:
            getattr(self.module, self.entry)

    def do_L(self, count: int) -> None:  # noqa: N802
        self.inputs = decode(self.given[:count])

    def do_G(self, _: int) -> tuple[Any]:  # noqa: N802
        call = getattr(self.module, self.entry)
        return ([call(*arguments) for arguments in self.inputs],)

    def do_C(self, _: int) -> tuple[Any]:  # noqa: N802
        from guide.judge.counting import counted

        call, (arguments,) = getattr(self.module, self.entry), self.inputs
        return (counted(lambda: call(*arguments)),)

    def do_S(self, count: int) -> tuple[Any]:  # noqa: N802
        check = import_file(Path(decode(self.given[:count])), "guide_exercise_check")
        try:
            return ({"figures": _figures(check.check(self.module))},)
        except AssertionError as error:
            said = str(error).partition("\n")[0] or "the check failed without a word"
            return ({"wrong": said},)

    def failed(self, kind: str, text: str, line: int) -> tuple[bytes, int]:
        said = {"kind": kind, "text": text, "line": line}
        return b"e", encode(said, self.returned)

    def explained(self, error: BaseException) -> tuple[bytes, int]:
        if isinstance(error, AttributeError) and error.obj is self.module:
            return self.failed("", f"{self.file.name} does not define {error.name}", 0)
        text = (str(error) or "no message").splitlines()[0][:500]
        line = 0
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if Path(frame.filename) == self.file:
                line = frame.lineno or 0
                break
        return self.failed(type(error).__name__, text, line)


def _figures(value: Any) -> dict[str, float]:
    """What a simple check returned: figures by name, or nothing."""
    if not isinstance(value, dict):
        return {}
    return {str(name): float(figure) for name, figure in value.items()}


def _read(control: int) -> bytes:
    data = b""
    while len(data) < MESSAGE.size:
        more = os.read(control, MESSAGE.size - len(data))
        if not more:
            return b""
        data += more
    return data


def import_file(file: Path, name: str) -> ModuleType:
    """Import a file by its path, under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and numba look the module up by its name
    spec.loader.exec_module(module)
    return module

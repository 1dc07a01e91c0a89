"""The simple form: a check.py whose `check(attempt)` runs beside the attempt, in a worker.

It is easy to write and sees everything, such as how often a function was called. The price is that
it can be fooled by whoever wants to: check and attempt share a process. It still has limits on
time, memory and files, and what it breaks is only itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from guide.judge.judging import Result, over
from guide.judge.manifest import Manifest
from guide.judge.workers import Failed, Limits, Nursery, Worker


def judge_simply(manifest: Manifest, file: Path, nursery: Nursery | None = None) -> Result:
    """Run the check on `file`; figures that it returns are held against the exercise's bars."""
    if sys.platform == "win32":
        return _judged(manifest, _apart(manifest, file), "", ("files", "processes"))
    own = Nursery(manifest.needs, manifest.threads) if nursery is None else None
    limits = Limits(
        max(manifest.timeout_s, 60.0),
        memory_mb=max(manifest.memory_mb, 4096),
        threads=manifest.threads,
        processes=True,  # a check may start the attempt anew, to see what survives
    )
    try:
        with Worker(nursery or own, file, "", limits) as worker:  # type: ignore[arg-type]
            try:
                said = worker.simple(manifest.folder / "check.py")
            except Failed as failed:
                said = {"wrong": str(failed)}
            return _judged(manifest, said, worker.printed, tuple(worker.missing))
    except Failed as failed:
        return Result("wrong", str(failed))
    finally:
        if own:
            own.close()


def _judged(
    manifest: Manifest, said: dict[str, Any], printed: str, unconfined: tuple[str, ...]
) -> Result:
    if "wrong" in said:
        return Result("wrong", str(said["wrong"]), printed=printed, unconfined=unconfined)
    figures = {str(name): float(value) for name, value in said["figures"].items()}
    missed = over(figures, manifest.most, manifest.least)
    missed = missed or next(
        (f"the check did not count {n}" for n in manifest.most if n not in figures), ""
    )
    return Result(
        "correct", missed, counts=figures, printed=printed, unconfined=unconfined, done=not missed
    )


def _apart(manifest: Manifest, file: Path) -> dict[str, Any]:
    """The same without any of it, where the system knows no such thing: a process and a clock."""
    code = "import sys; from guide.judge.simple import alone; alone(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(manifest.folder / "check.py"), str(file)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=max(manifest.timeout_s, 60.0)
        )
    except subprocess.TimeoutExpired:
        return {"wrong": "stopped after a minute; does it ever end?"}
    try:
        said = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        return {"wrong": f"{file.name}: it ended the process instead of returning"}
    return said if isinstance(said, dict) else {"wrong": "the check's answer came back changed"}


def alone(check: str, file: str) -> None:
    """Run a check on a file in this process and print what it says as JSON."""
    import io

    from guide.judge.codec import decode
    from guide.judge.worker import _Serving

    given, returned = memoryview(bytearray(1 << 16)), memoryview(bytearray(1 << 20))
    serving = _Serving(-1, given, returned)
    ours, sys.stdout = sys.stdout, io.StringIO()
    from guide.judge.codec import encode

    try:
        serving.do_I(encode([file, ""], given))
        said = serving.do_S(encode(check, given))[0]
    except BaseException as error:
        _, count = serving.explained(error)
        told = decode(returned[:count])
        place = f"{Path(file).name}:{told['line']}" if told["line"] else Path(file).name
        text = ": ".join(filter(None, (told["kind"], told["text"])))
        said = {"wrong": text if text.startswith(Path(file).name) else f"{place}: {text}"}
    sys.stdout = ours
    sys.stdout.write("\n" + json.dumps(said) + "\n")

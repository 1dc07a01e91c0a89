"""A project on disk: where it is, what its `[tool.guide]` says, and its task."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from guide.errors import GuideError
from guide.loop import Overrun
from guide.run import Task, describe

# Looked for without parsing: another tool's broken file above this folder is none of our business.
_TABLE = re.compile(rb"^\s*\[tool\.guide(?![\w-])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Project:
    """What `[tool.guide]` in a project's pyproject.toml says."""

    folder: Path
    name: str
    track: str
    task: str  # "package.module:attribute", called without arguments
    rate_hz: float | None
    budget_s: float | None
    overrun: Overrun
    options: dict[str, Any]

    @property
    def runs(self) -> Path:
        """Where the records of its runs are."""
        return self.folder / "runs"


def find_project(start: Path) -> Path | None:
    """The nearest folder at or above `start` whose pyproject.toml has a `[tool.guide]`."""
    start = start.resolve()
    for folder in (start, *start.parents):
        try:
            content = (folder / "pyproject.toml").read_bytes()
        except OSError:
            continue
        if _TABLE.search(content):
            return folder
    return None


def read_project(start: Path) -> Project:
    """Read the project at or above `start`.

    Raises:
        GuideError: when there is none, or its `[tool.guide]` is not right.
    """
    if not start.exists():
        raise GuideError(f"{start} does not exist", "guide new-project TRACK PATH makes a project")
    folder = find_project(start)
    if folder is None:
        raise GuideError(
            f"no project at {start.resolve()} or above it",
            "cd into one, or make one with: guide new-project TRACK PATH",
        )
    file = folder / "pyproject.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GuideError(f"{file} is not valid TOML: {error}") from None
    table = content.get("tool", {}).get("guide")
    if not isinstance(table, dict):
        raise GuideError(f"{file} has no table [tool.guide]", "take a scaffold's as an example")
    known = {"track", "task", "rate_hz", "budget_ms", "overrun", "options"}
    for key in table:
        if key not in known:
            raise GuideError(f"{file}: [tool.guide] has no {key!r}", f"it has: {sorted(known)}")

    def get(key: str, kinds: type | tuple[type, ...], example: str, default: Any = None) -> Any:
        value = table.get(key, default)
        if value is None and default is None and key in ("rate_hz", "budget_ms"):
            return None
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise GuideError(f"{file}: [tool.guide] {key} is {value!r}", f"write {example}")
        return value

    overrun = get("overrun", str, 'overrun = "skip"', "skip")
    if overrun not in get_args(Overrun):
        raise GuideError(
            f"{file}: [tool.guide] overrun is {overrun!r}",
            f"write one of {', '.join(get_args(Overrun))}",
        )
    for key in ("rate_hz", "budget_ms"):
        number = get(key, (int, float), f"{key} = 30")
        if number is not None and not 0 < number < float("inf"):
            raise GuideError(f"{file}: [tool.guide] {key} is {number}", "write a number above 0")
    budget_ms = get("budget_ms", (int, float), "budget_ms = 33.3")
    return Project(
        folder=folder,
        name=folder.name,
        track=get("track", str, 'track = "vision"'),
        task=get("task", str, 'task = "my_project.task:Task"'),
        rate_hz=get("rate_hz", (int, float), "rate_hz = 30"),
        budget_s=None if budget_ms is None else budget_ms / 1000,
        overrun=cast(Overrun, overrun),
        options=dict(get("options", dict, "[tool.guide.options]", {})),
    )


def source_state(folder: Path) -> dict[str, str | bool] | None:
    """The commit a project stands at, and whether files differ from it; None outside git."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(folder), "status", "--porcelain=v2", "--branch", "--", "."],
            capture_output=True,
            text=True,
            timeout=2,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = asked.stdout.splitlines()
    commits = [line.split()[-1] for line in lines if line.startswith("# branch.oid ")]
    if asked.returncode or not commits or commits[0] == "(initial)":
        return None
    # The runs of a project are no change of it, whether or not git has been told to ignore them.
    changed = [line for line in lines if line[0] != "#" and "/runs/" not in f"/{line.split()[-1]}"]
    return {"commit": commits[0][:10], "dirty": bool(changed)}


def make_task(project: Project) -> Task:
    """Import the project's package, from its own folder, and build its task.

    Raises:
        GuideError: when it cannot be imported or built; names file and line of the project.
    """
    module_name, colon, attribute = project.task.partition(":")
    if not (module_name and colon and attribute):
        raise GuideError(
            f"[tool.guide] task is {project.task!r}", 'write it as "package.module:attribute"'
        )
    if str(project.folder) not in sys.path:
        sys.path.insert(0, str(project.folder))
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
        return cast(Task, factory())
    except GuideError:
        raise
    except (Exception, SystemExit) as error:
        failure = describe(error, project.folder, "import")
        where = f"{failure.where}: " if failure.where else ""
        remedy = ""
        if isinstance(error, ModuleNotFoundError) and error.name:
            if error.name.partition(".")[0] == module_name.partition(".")[0]:
                remedy = f"[tool.guide] task is {project.task!r}"
            else:
                remedy = f'in the repository of the guide: pip install ".[{project.track}]"'
        elif isinstance(error, ImportError):  # there, but a library it needs is not
            remedy = "guide doctor says what this machine lacks"
        raise GuideError(f"{where}{failure.message}", remedy) from error

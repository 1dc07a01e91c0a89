"""Find, check, load and report plugins.

The loader is ours because pluggy's has no isolation: here a plugin that is broken, disabled, of
another API or a duplicate becomes one line of `guide tracks`, and everything else goes on.
"""

from __future__ import annotations

import copy
import difflib
import importlib
import linecache
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

import pluggy

from guide import hookspecs
from guide.errors import GuideError, UsageError
from guide.plugin import (
    GUIDE_API,
    Diagnosis,
    Exercise,
    Finding,
    MeterSpec,
    Profiler,
    Scaffold,
    Section,
    Track,
    Verdict,
    WarmUp,
    load,
)

T = TypeVar("T")

GROUP = "guide"
BUILT_IN = "foundations"
"""Core's own plugin, which brings the common modules; it is loaded first and has no track."""


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """One plugin as it was found."""

    name: str  # of the entry point; what GUIDE_DISABLE takes
    distribution: str
    version: str
    state: Literal["ok", "broken", "incompatible", "disabled", "duplicate"] = "ok"
    reason: str = ""
    where: str = ""  # "file:line"
    remedy: str = ""

    @property
    def line(self) -> str:
        """All of it in one line."""
        about = f"{self.name} ({self.distribution} {self.version}): {self.state}"
        reason = f": {self.reason}" if self.reason else ""
        where = f" at {self.where}" if self.where else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{about}{reason}{where}{remedy}"


@dataclass(frozen=True, slots=True)
class Sentence(Verdict):
    """What a rule said in plain words, which gives no figure to rank it by; or why it failed."""

    failed: bool = False


class Plugins:
    """All plugins that can be found, and what the healthy ones contribute.

    Args:
        entries: entry points to look at; by default those installed.
        disabled: names to leave out; by default those in the environment's GUIDE_DISABLE.
    """

    def __init__(
        self, entries: Iterable[EntryPoint] | None = None, disabled: Iterable[str] | None = None
    ) -> None:
        if entries is None:
            entries = entry_points(group=GROUP)
        if disabled is None:
            disabled = (n.strip() for n in os.environ.get("GUIDE_DISABLE", "").split(","))
        self._manager = pluggy.PluginManager("guide")
        self._manager.add_hookspecs(hookspecs)
        self._modules: dict[str, ModuleType] = {}
        self._status: dict[str, PluginStatus] = {}
        self._duplicates: list[PluginStatus] = []
        self._tracks: dict[str, tuple[str, Track]] = {}  # track -> plugin that brings it
        off = set(disabled)
        for entry in sorted(entries, key=lambda e: (not _is_built_in(e), _distribution(e))):
            self._add(entry, off)

    @property
    def statuses(self) -> list[PluginStatus]:
        """Every plugin found, healthy or not, in order of loading."""
        return [*self._status.values(), *self._duplicates]

    @property
    def troubles(self) -> list[PluginStatus]:
        """Those that are not healthy."""
        return [status for status in self.statuses if status.state != "ok"]

    def tracks(self) -> list[Track]:
        """All tracks, by name."""
        return [track for _, (_, track) in sorted(self._tracks.items())]

    def track(self, name: str) -> Track:
        """The track called `name`.

        Raises:
            UsageError: when there is no such track.
            GuideError: when the plugin that should bring it cannot be used; says why.
        """
        if name in self._tracks:
            return self._tracks[name][1]
        for status in self.troubles:
            if status.name == name:
                raise GuideError(status.line)
        known = (
            ", ".join(sorted(self._tracks))
            or 'none; in the repository of the guide: pip install ".[vision]"'
        )
        near = difflib.get_close_matches(name, self._tracks, 1)
        remedy = f"did you mean {near[0]}?" if near else f"there are: {known}"
        raise UsageError(f"no track {name!r} is installed", remedy)

    def plugin_of(self, track: str) -> PluginStatus:
        """The plugin that brings `track`, which must be one of `tracks()`."""
        return self._status[self._tracks[track][0]]

    def sections(self, track: str) -> list[Section]:
        """Sections for a track; the common ones when `track` is empty."""
        return self._collect("guide_sections", Section, track=track)

    def exercises(self, track: str) -> list[Exercise]:
        """Exercises for a track; the common ones when `track` is empty."""
        return self._collect("guide_exercises", Exercise, track=track)

    def scaffolds(self, track: str) -> list[Scaffold]:
        """Scaffolds of m6 projects for a track, the default one first."""
        return self._collect("guide_projects", Scaffold, track=track)

    def meters(self) -> list[MeterSpec]:
        """Meters that plugins add."""
        return self._collect("guide_meters", MeterSpec)

    def findings(self) -> list[tuple[str, Finding]]:
        """Lines for `guide doctor`, each with the plugin that says it."""
        return [
            (name, finding)
            for name in list(self._modules)
            for finding in self._call(name, "guide_doctor", Finding)
        ]

    def warm_ups(self, track: str) -> list[WarmUp]:
        """What `guide warm` does for a track."""
        return self._collect("guide_warm", WarmUp, track=track)

    def diagnoses(self) -> list[Diagnosis]:
        """Rules that explain a run or a trace."""
        return self._collect("guide_diagnoses", Diagnosis)

    def profilers(self) -> list[Profiler]:
        """What takes traces for `guide profile`."""
        return self._collect("guide_profilers", Profiler)

    def run_finished(self, record: Mapping[str, Any]) -> None:
        """Tell every plugin that a run's record was written."""
        for name in list(self._modules):
            self._call(name, "guide_run_finished", None, report=copy.deepcopy(record))

    def _add(self, entry: EntryPoint, disabled: set[str]) -> None:
        status = PluginStatus(entry.name, _distribution(entry), _version(entry))
        if entry.name in self._status:
            first = self._status[entry.name]
            self._duplicates.append(_as_duplicate(status, f"plugin {entry.name!r}", first))
            return
        if entry.name in disabled:
            remedy = f"take {entry.name} out of GUIDE_DISABLE to use it"
            self._status[entry.name] = replace(status, state="disabled", remedy=remedy)
            return
        self._status[entry.name] = status
        try:
            module = importlib.import_module(entry.module)
        except (Exception, SystemExit) as error:
            self._break(entry.name, error)
            return
        api = getattr(module, "GUIDE_API", None)
        if api != GUIDE_API:
            newer = isinstance(api, int) and api > GUIDE_API
            upgrade = "guide-core" if newer else status.distribution
            speaks = "states no GUIDE_API" if api is None else f"speaks GUIDE_API {api!r}"
            self._status[entry.name] = replace(
                status,
                state="incompatible",
                reason=f"it {speaks}, this guide speaks {GUIDE_API}",
                where=_line_with(module, "GUIDE_API"),
                remedy=f"pip install --upgrade {upgrade}",
            )
            return
        for name, function in vars(module).items():
            if hasattr(function, "guide_impl") and not hasattr(self._manager.hook, name):
                # A misspelt hook would never be called: say so instead.
                near = difflib.get_close_matches(name, vars(hookspecs), 1)
                guess = f", did you mean {near[0]}?" if near else ""
                missing = AttributeError(f"there is no hook {name!r}{guess}")
                self._break(entry.name, missing, module, function)
                return
        if not any(hasattr(function, "guide_impl") for function in vars(module).values()):
            # It would be listed nowhere, and its author would wonder why.
            self._break(entry.name, AttributeError("no function is marked @hookimpl"), module)
            return
        try:
            self._manager.register(module, entry.name)
        except Exception as error:  # a hook that asks for arguments it is not given
            self._break(entry.name, error, module)
            return
        self._modules[entry.name] = module
        tracks = self._call(entry.name, "guide_tracks", Track)
        for track in tracks:
            if track.name in self._tracks:
                first = self._status[self._tracks[track.name][0]]
                self._status[entry.name] = _as_duplicate(status, f"track {track.name!r}", first)
                self._drop(entry.name)
                return
        self._tracks.update((track.name, (entry.name, track)) for track in tracks)

    def _collect(self, hook: str, kind: type[T], **arguments: Any) -> list[T]:
        return [
            item
            for name in list(self._modules)
            for item in self._call(name, hook, kind, **arguments)
        ]

    def _call(self, name: str, hook: str, kind: type[T] | None, **arguments: Any) -> list[T]:
        """Call one plugin's hook; a plugin that raises or returns nonsense is broken from then."""
        module = self._modules.get(name)
        if module is None:
            return []
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            if impl.plugin is not module:
                continue
            try:
                result = impl.function(*(arguments[argument] for argument in impl.argnames))
                if kind is None:
                    return []
                items = list(result)
                for item in items:
                    if not isinstance(item, kind):
                        raise TypeError(f"{hook} returned {item!r}, expected {kind.__name__}")
            except (Exception, SystemExit) as error:
                self._break(name, error, module, impl.function)
                return []
            return items
        return []

    def _break(
        self,
        name: str,
        error: BaseException,
        module: ModuleType | None = None,
        function: Callable[..., Any] | None = None,
    ) -> None:
        lines = str(error).splitlines() or ["no message"]
        # pluggy says on its last line what is wrong with a hook, everybody else on the first.
        text = lines[-1 if isinstance(error, pluggy.PluginValidationError) else 0]
        status = self._status[name]
        self._status[name] = replace(
            status,
            state="broken",
            reason=f"{type(error).__name__}: {text}",
            where=_where(error, module, function),
            remedy=f"pip install --upgrade {status.distribution}, or set GUIDE_DISABLE={name}",
        )
        self._drop(name)

    def _drop(self, name: str) -> None:
        module = self._modules.pop(name, None)
        if module is not None:
            self._manager.unregister(module)
        for track in [t for t, (owner, _) in self._tracks.items() if owner == name]:
            del self._tracks[track]


def _as_duplicate(status: PluginStatus, what: str, first: PluginStatus) -> PluginStatus:
    owner = f"{first.distribution} {first.version}"
    remedy = f"pip uninstall one of {first.distribution}, {status.distribution}"
    return replace(
        status, state="duplicate", reason=f"{what} is brought by {owner} already", remedy=remedy
    )


def _is_built_in(entry: EntryPoint) -> bool:
    """Whether it is core's own: a stranger of the same name must not take its place."""
    return entry.name == BUILT_IN and entry.value.startswith("guide.")


def _where(
    error: BaseException, module: ModuleType | None, function: Callable[..., Any] | None
) -> str:
    """File and line of the plugin's own code: not of import machinery, nor of what it called."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename != __file__
        if not frame.filename.endswith(f"importlib{os.sep}__init__.py")
        if f"{os.sep}pluggy{os.sep}" not in frame.filename
    ]
    if frames:
        # Whatever was called first is the plugin's: its module, or its hook.
        first = frames[0].filename
        folder = str(Path(first).parent)
        package = first if folder in sys.path else folder + os.sep
        own = [f for f in frames if f.filename == first or f.filename.startswith(package)]
        return f"{own[-1].filename}:{own[-1].lineno}"
    if function is not None:
        return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
    return "" if module is None else _line_with(module, "")


def _line_with(module: ModuleType, start: str) -> str:
    """The first line of a module that begins with `start`; its first one if there is none."""
    if module.__file__ is None:  # a folder without __init__.py
        return ""
    lines = enumerate(linecache.getlines(module.__file__), 1)
    return f"{module.__file__}:{next((n for n, line in lines if line.startswith(start)), 1)}"


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown"


def _version(entry: EntryPoint) -> str:
    return entry.dist.version if entry.dist is not None else "unknown"


def explain(plugins: Plugins, record: Mapping[str, Any]) -> list[str]:
    """What the plugins' rules say of a run, as sentences for the notes of its report.

    Without what the report shows anyway, and without what is not worth mending.
    """
    return [
        str(verdict)
        for diagnosis, verdict in _found(plugins, "run", record)
        if isinstance(verdict, Sentence) or verdict.pressing or verdict.recoverable_ns
        if diagnosis.noted
    ]


def verdicts(plugins: Plugins, reads: str, evidence: Any) -> list[Verdict]:
    """What the plugins' rules find in a run's record or in a trace, in their order.

    A plain sentence is a `Sentence`, titled by its rule; so is the failure of a rule that raises.
    """
    return [verdict for _, verdict in _found(plugins, reads, evidence)]


def _found(plugins: Plugins, reads: str, evidence: Any) -> Iterator[tuple[Diagnosis, Verdict]]:
    # A record is theirs to spoil, so each is given its own: packed once and unpacked for each,
    # which takes a quarter of deepcopy's time. A trace is large, and its columns are read-only.
    packed = pickle.dumps(dict(evidence)) if reads == "run" else b""
    for diagnosis in plugins.diagnoses():
        if diagnosis.reads != reads:
            continue
        try:
            said = load(diagnosis.rule)(pickle.loads(packed) if packed else evidence)
            for each in [said] if isinstance(said, str | Verdict) else said:
                if not isinstance(each, Verdict):
                    each = Sentence(diagnosis.name, str(each))
                yield diagnosis, each
        except (Exception, SystemExit) as error:
            said = f"rule {diagnosis.name} failed: {type(error).__name__}: {error}"
            yield diagnosis, Sentence(diagnosis.name, said, failed=True)

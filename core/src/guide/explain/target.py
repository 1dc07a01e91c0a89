"""From what was typed to an answer: a trace file, a run, or a function that Numba compiles."""

from __future__ import annotations

import shlex
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guide.errors import GuideError, UsageError
from guide.explain import crowd
from guide.explain.answer import Answer, Line, Part, Unit, printable, ranked
from guide.explain.files import is_file
from guide.explain.reading import read_trace
from guide.explain.sampling import read_samples
from guide.explain.spent.doubts import conclusion, unsettled
from guide.explain.spent.ticks import all_of_run, of_run
from guide.explain.spent.traced import all_of_trace, of_trace
from guide.explain.trace import Trace
from guide.plugin import Pin, Place, Verdict, load
from guide.plugins import Plugins, verdicts
from guide.trace import FILES
from guide.units import duration

if TYPE_CHECKING:
    from guide.explain.numba.said import Explained as FunctionExplained

PROFILES = ("torch.json.gz", "torch.json")
"""What torch's profile is called in a run's folder, where there is one."""

PAGE = "explain.html"
"""What an answer about a run is called in its folder, as a page."""

_SUFFIXES = (".json", ".gz", ".pftrace", ".zip")
_SLOWER = 0.02  # by which a profiled step must differ for it to be said
_TOO_SLOW = 1.5  # times as long, from which on the parts of a profiled step mislead
_LINES = 5  # of the project's own that are shown
_SHOWN = 0.03  # of a tick, from which on a line is
_MOST_UNPACKED = 8 << 30  # bytes of a profile in an archive: a larger one is a bomb
_FURTHER = 3  # functions to explain next that are named
_TRACK = "deep-learning"  # the one that knows torch


@dataclass(frozen=True, slots=True)
class Explained:
    """What was explained, with what it takes to draw it and to keep its prediction."""

    answer: Answer
    trace: Trace | None = None
    folder: Path | None = None  # of the run
    record: Mapping[str, Any] | None = None
    read: tuple[Path, ...] = ()  # files that are a person's, and no page's place
    further: tuple[str, ...] = ()  # functions to explain after this one, as one types them


def explain_target(
    typed: Path | None, plugins: Plugins, *, like: str = "", as_njit: bool = False
) -> Explained:
    """Explain what was typed; by default the last run of the project one is in.

    `like` and `as_njit` are for a function: types to compile it for, and that it be looked at as
    if it had `@njit`.

    Raises:
        GuideError: when there is no such thing, or nobody who could explain it.
    """
    if typed is None:
        return _run(_found(None), plugins)
    if not typed.exists() and ":" in str(typed):
        return _function(str(typed), like, as_njit)
    if typed.is_file():
        of_a_run = typed.name in ("run.json", "report.html", PAGE, *FILES)
        if of_a_run and (typed.parent / "run.json").exists():
            return _run(typed.parent, plugins)
        if not typed.name.endswith(_SUFFIXES):
            raise UsageError(f"{typed} is no trace", "name a .json, .json.gz, .pftrace or .zip")
        return _file(typed, str(typed), plugins)
    if not (typed / "run.json").exists() and (profile := _profile(typed)):
        return _file(profile, str(profile), plugins)
    if not typed.exists() and typed.name.endswith(_SUFFIXES):
        raise GuideError(f"there is no {typed}", "guide profile takes a trace, guide run makes one")
    try:
        folder = _found(typed)
    except GuideError:
        if typed.exists():
            raise
        what = f"{typed} is no trace, no run and no module:function"
        raise GuideError(what, "guide report shows the last run") from None
    return _run(folder, plugins)


def _found(typed: Path | None) -> Path:
    """The folder of a run; the last one's without a name."""
    from guide.cli.report import find_run  # which a trace does without

    return find_run(typed)


def _profile(folder: Path) -> Path | None:
    """Torch's profile in a folder: as `guide profile` names it, or the newest of TensorBoard's."""
    named = [folder / name for name in PROFILES if (folder / name).is_file()]
    try:
        named = named or sorted(folder.glob("*.pt.trace.json*"), key=lambda f: -f.stat().st_mtime)
    except OSError:
        return None
    return named[0] if named else None


def _file(file: Path, name: str, plugins: Plugins) -> Explained:
    trace = _read(file)
    if not _has_rules(plugins):
        if trace.events.of("op", "runtime", "kernel").size:
            remedy = _to_install(plugins)
            raise GuideError("no installed track has rules for a trace of torch's", remedy)
        lacks = "no installed track has rules for traces; a run has its own: guide explain RUN"
        trace = replace(trace, missing=(*trace.missing, lacks))
    return Explained(_of_trace(trace, name, plugins), trace, read=(file,))


def _has_rules(plugins: Plugins) -> bool:
    return any(diagnosis.reads == "trace" for diagnosis in plugins.diagnoses())


def _to_install(plugins: Plugins) -> str:
    """What brings the rules: the track, one that works, or a newer one."""
    for status in plugins.troubles:
        if status.name == _TRACK:
            return status.line
    if any(track.name == _TRACK for track in plugins.tracks()):
        return f"pip install --upgrade {plugins.plugin_of(_TRACK).distribution}"
    return f'in the repository of the guide: pip install ".[{_TRACK}]"'


def _read(file: Path) -> Trace:
    if not zipfile.is_zipfile(file):
        return read_trace(file)
    with zipfile.ZipFile(file) as pack, tempfile.TemporaryDirectory() as folder:
        held = {info.filename: info for info in pack.infolist()}
        # Torch's says more: it is what `guide trace --with` was asked to put in
        name = next((n for n in ("torch.json", *(f"guide{s}" for s in _SUFFIXES)) if n in held), "")
        if not name:
            raise GuideError(f"{file} holds no trace", "guide trace --with TORCH.JSON makes one")
        if held[name].file_size > _MOST_UNPACKED:
            raise GuideError(f"{file} unpacks to more than 8 GB", "profile fewer steps")
        member = Path(folder) / name
        try:
            pack.extract(held[name], folder)
            return replace(read_trace(member), source=str(file))
        except GuideError as error:  # what a person named is the archive
            said = (text.replace(str(member), str(file)) for text in (error.message, error.remedy))
            raise GuideError(*said) from None
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise GuideError(f"{file} is damaged: {error}", "make it again: guide trace") from None


def _of_trace(trace: Trace, name: str, plugins: Plugins, also: Iterable[Verdict] = ()) -> Answer:
    """What there is to say of a trace; `also` is what else was found about its program."""
    unit: Unit = "step" if trace.stepped else "trace"
    watched_ns, watched, limits = of_trace(trace)
    parts = watched
    # Rules speak of the time that a step takes when nobody looks, where that is known
    step_ns = trace.unwatched_ns if trace.unwatched_ns != trace.step_ns else watched_ns
    slower = watched_ns / step_ns if step_ns else 1.0
    facts = []
    if slower > _TOO_SLOW:  # it slows small operators most, so nothing keeps its share
        parts, limits = (), ""
        facts.append(
            f"Under the profiler it took {duration(watched_ns)}: its parts are not what they were."
        )
    elif abs(slower - 1) > _SLOWER:
        facts.append(f"Under the profiler it took {duration(watched_ns)}.")
    answer = Answer(
        name, unit, step_ns, len(trace.steps),
        spent=tuple(Part(part.name, round(part.ns / slower)) for part in parts),
        limits=limits, facts=tuple(facts), missing=trace.missing,
        crowd=(others := crowd.of_trace(trace)),
        parts=tuple(
            Part(part.name, round(part.ns / slower)) for part in all_of_trace(trace)
        ) if parts else (),
    )  # fmt: skip
    found = [*verdicts(plugins, "trace", trace), *also, *crowd.remark(others)]
    answer = ranked(answer, found)
    if answer.worth:
        return answer
    return replace(
        answer,
        limits=f"{limits} {conclusion(parts)}".strip(),
        unsettled=unsettled(trace, parts, watched),
    )


def _run(folder: Path, plugins: Plugins) -> Explained:
    from guide.readback import read_record
    from guide.report import whole

    record = read_record(folder)
    full = whole(record)
    if not full["tick_time"]["count"]:
        raise GuideError(f"{folder} ended before its first tick", "run again: guide run")
    # Not written into the record, which is made to be shown; rules look there for lines of source
    home = folder.resolve().parents[1]
    project = {**record["project"], "folder": str(home)}
    sampled = read_samples(folder, home)
    seen = {**record, "project": project} | ({"sampled": sampled} if sampled else {})
    found = verdicts(plugins, "run", seen)
    name = _named(folder, record)
    profile = _profile(folder)
    if profile is not None and _has_rules(plugins):
        trace = _read(profile)
        # The profiler slowed this run: what its ticks cost says nothing. What fills up or gets
        # lost does; but rules of runs count from the loop's start, which a profile does not know.
        kept = [replace(verdict, pins=()) for verdict in found if verdict.pressing]
        answer = _of_trace(trace, name, plugins, kept)
        return Explained(answer, trace, folder, record, _files(folder))
    tick_ns, parts, limits = of_run(full)
    missing = []
    if profile is not None:
        missing.append(f"no track has rules for {profile.name}; {_to_install(plugins)}")
    own, lacks = _own(folder)
    if own is not None:
        later = _later_ns(own, full)
        found = [replace(verdict, pins=_moved(verdict, later)) for verdict in found]
    answer = Answer(
        name, "tick", tick_ns, full["tick_time"]["count"], spent=parts, limits=limits,
        lines=own_lines(sampled, tick_ns), missing=(*missing, *lacks),
        parts=all_of_run(full), crowd=crowd.of_run(full),
    )  # fmt: skip
    return Explained(ranked(answer, found), own, folder, record, _files(folder))


def _files(folder: Path) -> tuple[Path, ...]:
    """What a run is made of, but for the pages that were made of it."""
    names = ("run.json", "explain.json", *FILES, *PROFILES)
    return tuple(folder / name for name in names)


def own_lines(sampled: Mapping[str, Any] | None, tick_ns: int) -> tuple[Line, ...]:
    """The project's own lines that a tick is in, by the time it is in them and what they call."""
    of: dict[tuple[str, int], dict[str, int]] = {}
    texts = {}
    for row in (sampled or {"rows": ()})["rows"]:
        if row["file"]:
            place = row["file"], row["line"]
            calls = of.setdefault(place, {})
            calls[row["calls"]] = calls.get(row["calls"], 0) + row["ns"]
            texts[place] = row["text"]
    ticks = (sampled or {"ticks": 1})["ticks"]
    found = [
        Line(
            Place(printable(file), line, printable(texts[file, line])),
            round(sum(calls.values()) / ticks),
            printable(max(calls, key=lambda call: calls[call])),
        )
        for (file, line), calls in of.items()
    ]
    found.sort(key=lambda each: -each.ns)
    return tuple(each for each in found[:_LINES] if each.ns >= _SHOWN * tick_ns)


def _named(folder: Path, record: Mapping[str, Any]) -> str:
    return f"run {folder.resolve().name} of {record['project']['name']}"


def _own(folder: Path) -> tuple[Trace | None, tuple[str, ...]]:
    """The run's timeline, which is there to be drawn: without it the answer is whole."""
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if file is None:
        return None, ("the run's trace is gone, so no step can be drawn",)
    try:
        return read_trace(file), ()
    except GuideError as error:
        return None, (f"no step can be drawn: {error.message}",)


def _later_ns(trace: Trace, record: Mapping[str, Any]) -> int:
    """By how much the trace's times are later than the record's, by the first tick of both."""
    ticks, starts = trace.events.of("tick"), record["ticks"]["start_ns"]
    return int(trace.events.start_ns[ticks[0]]) - starts[0] if len(ticks) and starts else 0


def _moved(verdict: Verdict, later_ns: int) -> tuple[Pin, ...]:
    return tuple(
        Pin(pin.start_ns + later_ns, pin.end_ns + later_ns, pin.lane) for pin in verdict.pins
    )


def _sources(typed: str, answer: Answer) -> tuple[Path, ...]:
    """Where a function may stand: the file that was named, and those that its verdicts name."""
    named = {place.file for each in (*answer.worth, *answer.left) for place in each.where}
    module = typed.rpartition(":")[0]
    said = (module, f"{module.replace('.', '/')}.py", *sorted(named - {""}))
    return tuple(file for file in map(Path, said) if is_file(file))


def _function(typed: str, like: str, as_njit: bool) -> Explained:
    if not find_spec("numba"):
        raise GuideError(f"{typed} takes Numba, which is not installed here", "pip install numba")
    explain_function = load("guide.explain.numba:explain_function")
    said = explain_function(typed, like=like, as_njit=as_njit)
    answer = of_function(typed, said)
    further = () if said.unsettled else said.further
    return Explained(answer, read=_sources(typed, answer), further=further)


def of_function(name: str, said: FunctionExplained) -> Answer:
    """What Numba did to a function, as an answer."""
    facts = tuple(f"{name}: {value}" for name, value in said.facts)
    beyond = [(each.rpartition(":")[2], each) for each in said.further[:_FURTHER]]
    facts += tuple(
        f"{called}, which it calls, has loops too: guide explain {shlex.quote(each)}"
        for called, each in beyond
    )
    answer = ranked(Answer(name, "call", said.call_ns, facts=facts), said.verdicts)
    if answer.worth:
        if not said.unsettled or said.unsettled in dict(said.facts).values():
            return answer
        return replace(answer, facts=(*facts, f"stopped: {said.unsettled}"))
    names = " and ".join(called for called, _ in beyond)
    unseen = f"the loops of {names} were not looked at" if beyond else ""
    return replace(answer, unsettled=said.unsettled or unseen)

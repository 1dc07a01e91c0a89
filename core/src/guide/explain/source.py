"""Lines of source: from what a trace knows of a function to the line to look at.

torch names a Python function `train.py(41): step`, where 41 is the line of its `def` and the path
is cut to what `sys.path` did not hold. Here the file is looked for, its syntax tree read, and the
lines named that do what cost the time. A span of ours is found where it is opened.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from guide.explain.constructs import dotted, first_line, inside, lines_of, scope_at
from guide.explain.files import is_file, meant, parsed, place, read, sources
from guide.explain.trace import Trace
from guide.plugin import Place

_NAME = re.compile(r"(?P<file>.+?)\((?P<line>\d+)\): (?P<function>.+)", re.DOTALL)
_BESIDE = {"tests", "exercises", "example_track", "project"}
_RECORDS = {"span", "site", "lap", "add", "defer"}  # what opens a span on a timeline
_METHODS = ("process", "step", "__call__")  # of a class with a span's name: what the span is around
_FILES = 500  # of a program's folders, the nearest first
_OTHERS = (  # libraries whose frames nobody can change; those installed are known by their folder
    *("torch", "torchvision", "torchaudio", "numpy", "scipy", "pandas", "PIL", "cv2", "sklearn"),
    *("lightning", "pytorch_lightning", "transformers", "accelerate", "datasets", "timm"),
    *("tqdm", "triton", "numba", "matplotlib", "wandb", "tensorboard", "fsspec", "huggingface_hub"),
)


def candidates(
    function_name: str, constructs: Sequence[str] = (), roots: Sequence[Path | str] = ()
) -> tuple[Place, ...]:
    """Lines inside of a function that do one of some things, the likeliest first.

    Args:
        function_name: as a trace has it: "train.py(41): step".
        constructs: what to look for, the likeliest first:
            ".item" a method of that name, called on anything; "print", "DataLoader" a function,
            whatever stands before it (`torch.utils.data.DataLoader(`); "time.sleep" its dotted
            name, or the end of that; "[mask]" an index that is a boolean mask; "for" a loop, or
            a comprehension.
        roots: folders to look for the file in, before the working folder and `sys.path`.

    Returns:
        A Place for each line with its text; the function's own line when it does none of this, of
        a module its first loop's, or none (0).
        Where the file is not to be had, has changed or cannot be read, one Place with what the
        trace says; none when `function_name` names no function of a file.
    """
    said = _NAME.fullmatch(function_name)
    if said is None:
        return ()
    name, line = said["function"], int(said["line"])
    as_said = Place(said["file"], line, name)
    for file in meant(said["file"], tuple(str(root) for root in roots), str(Path.cwd())):
        tree, lines = parsed(file)
        scope = None if tree is None else scope_at(tree, name, line)
        if scope is None:
            continue
        found = lines_of(scope, constructs) or [_def_line(scope)]
        return tuple(place(file, lines, at) for at in found)
    return (as_said,)


def innermost_python(
    trace: Trace, event: int | None = None, *, t_ns: int = 0, track: int = -1
) -> str | None:
    """The deepest Python function of a person's own that was open, outside of any library.

    Args:
        trace: taken with stacks; without, there is nothing to find.
        event: index of the event that it is open around (or is itself).
        t_ns: or else a moment,
        track: and the index in `Events.tracks` of the thread.

    Returns:
        Its name, to give to `candidates`; None: no such function was open.
    """
    at = _open_at(trace, t_ns, track) if event is None else event
    events = trace.events
    while at >= 0:
        is_open = event is not None or events.end_ns[at] > t_ns
        if is_open and own_python(name := events.name_of(at)):
            return name
        at = int(trace.parent[at])
    return None


def own_python(function_name: str) -> bool:
    """Whether a function that a trace names is a person's own: of no library, nor Python's."""
    said = _NAME.fullmatch(function_name)
    return said is not None and _is_own(said["file"], str(Path.cwd()))


def span_places(folder: Path | str, name: str) -> tuple[Place, ...]:
    """Where a span called `name` is opened: in a project's folder, or in the engine it uses.

    `tick.span("detect")` and the other ways onto a timeline come first; then what merely carries
    the name, such as the stage with `name = "detect"`, whose method that does its work is meant, or
    a loop's `phase = "forward"`. An engine (a
    package `guide_...` that the project imports) is looked into where the project itself has no
    line of that name: what can be changed comes before what cannot.

    Returns:
        A Place for each line, with its text; none when it is not to be found.
    """
    engines: dict[str, None] = {}
    found: list[tuple[int, Place]] = []
    for file, tree, lines in _own_files(Path(folder)):
        engines |= dict.fromkeys(_engines(tree))
        found += _spans(tree, file, lines, name)
    if not found:
        for package in [*engines, "guide"]:
            for root in _package(package):
                for file in sources(root):
                    if name in read(file) and not _is_beside(file, root):
                        module, lines = parsed(file)
                        found += [] if module is None else _spans(module, file, lines, name)
    best = min((rank for rank, _ in found), default=0)
    return tuple(dict.fromkeys(place for rank, place in found if rank == best))


def opens_span(folder: Path | str, name: str) -> bool:
    """Whether a project opens a span itself: what runs in it then is its own to leave out.

    Not where its engine opens it around what the project gave it, such as a stage.
    """
    return any(
        rank == 0
        for file, tree, lines in _own_files(Path(folder))
        for rank, _ in _spans(tree, file, lines, name)
    )


def call_places(folder: Path | str, names: Sequence[str]) -> tuple[Place, ...]:
    """Lines of a project that call one of some functions, whatever stands before the name."""
    root = Path(folder)
    files = [file for file in sources(root) if not _is_beside(file, root)]
    return tuple(dict.fromkeys(at for file in files for at in _calls(file, names)))


def program_calls(
    function_names: Iterable[str], names: Sequence[str], roots: Sequence[Path | str] = ()
) -> tuple[Place, ...]:
    """Lines of a program that call one of some functions, which need not have run in its trace.

    What is set up before the first step has no event. It is looked for in the files of the
    functions that have one, and where it is in none of these, below `roots`.

    Args:
        function_names: as a trace has them: "train.py(41): step".
        names: of what is called, whatever stands before them.
        roots: folders to look for the files in, before the working folder and `sys.path`.
    """
    cwd, folders = str(Path.cwd()), tuple(str(root) for root in roots)
    said = dict.fromkeys(found["file"] for n in function_names if (found := _NAME.fullmatch(n)))
    own = [next(meant(file, folders, cwd), None) for file in said]
    in_own = [at for file in dict.fromkeys(own) if file for at in _calls(file, names)]
    if in_own:
        return tuple(dict.fromkeys(in_own))
    below = itertools.islice(sources(*map(Path, folders)), _FILES)
    return tuple(dict.fromkeys(at for file in below for at in _calls(file, names)))


def _calls(file: Path, names: Sequence[str]) -> Iterator[Place]:
    if not any(name in read(file) for name in names):  # most files need not be parsed
        return
    tree, lines = parsed(file)
    for node in [] if tree is None else ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in names:
            yield place(file, lines, node.lineno)


def _own_files(root: Path) -> Iterator[tuple[Path, ast.Module, list[str]]]:
    """The files of a project that a span can be in, parsed."""
    for file in sources(root):
        if not _is_beside(file, root):
            tree, lines = parsed(file)
            if tree is not None:
                yield file, tree, lines


def _is_beside(file: Path, root: Path) -> bool:
    """Whether a file below a root runs in no span of a run: a test, an exercise, a template."""
    return not _BESIDE.isdisjoint(file.relative_to(root).parts)


def _def_line(scope: ast.AST) -> int:
    if isinstance(scope, ast.Module):  # it has no `def`: what it does again and again is meant
        loops = [n.lineno for n in inside(scope) if isinstance(n, ast.For | ast.While)]
        return min(loops, default=0)
    return int(getattr(scope, "lineno", 1) or first_line(scope))


@functools.lru_cache(maxsize=4096)
def _is_own(said: str, cwd: str) -> bool:
    parts = [part for part in said.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or parts[0].startswith("<"):
        return False
    if any(part in ("site-packages", "dist-packages") for part in parts):
        return False
    if any(re.fullmatch(r"python\d(\.\d+)?", part) for part in parts[:-1]):
        return False  # /usr/lib/python3.11/threading.py
    path = Path(cwd) / said
    if any(part.startswith("guide") and _package(part) for part in parts[:-1]):
        return path.is_relative_to(cwd) and is_file(path)  # an engine's, but for who works on it
    if is_file(path):
        return True
    top = parts[0].removesuffix(".py")
    return top not in sys.stdlib_module_names and top not in _OTHERS and not _installed(top)


@functools.lru_cache(maxsize=1024)
def _installed(top: str) -> bool:
    """Whether a library of that name is installed here."""
    return any(
        is_file(Path(folder) / top / "__init__.py") or is_file(Path(folder) / f"{top}.py")
        for folder in sys.path
        if folder.endswith(("site-packages", "dist-packages"))
    )


def _open_at(trace: Trace, t_ns: int, track: int) -> int:
    """The last event that began on a track by a moment; what was open lies around it."""
    on = trace.on_track(track)
    at = int(trace.events.start_ns[on].searchsorted(t_ns, "right")) - 1
    return int(on[at]) if at >= 0 else -1


def _engines(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        tops = [name.partition(".")[0] for name in names]
        yield from (top for top in tops if top.startswith("guide_"))


def _package(name: str) -> list[Path]:
    """The folder of a package, without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return []
    places = spec.submodule_search_locations if spec else None
    return [Path(place) for place in places or ()]


def _spans(tree: ast.Module, file: Path, lines: list[str], name: str) -> list[tuple[int, Place]]:
    """Of a file the lines that open a span of that name (0), are of it (1), or enter it (2)."""
    found: dict[int, int] = {}

    def note(line: int, rank: int) -> None:
        found[line] = min(rank, found.get(line, rank))

    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            opens = dotted(node.func).rpartition(".")[2] in _RECORDS
            if opens and node.args and _says(node.args[0], name):
                note(node.args[0].lineno, 0)
            for keyword in node.keywords:
                if keyword.arg == "span" and _says(keyword.value, name):
                    note(keyword.value.lineno, 0)
        elif isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.Assign | ast.AnnAssign) and _says(each.value, name):
                    note(_work_of(node) or each.lineno, 1)
        elif isinstance(node, ast.Assign):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            # One of many names in a row is a list of them, not a place
            if len(values) < 3 and any(_says(value, name) for value in values):
                note(node.lineno, 2)
    return [(rank, place(file, lines, line)) for line, rank in sorted(found.items())]


def _work_of(stage: ast.ClassDef) -> int:
    """The line of the method that does a stage's work; 0: it is not known which."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    methods = {each.name: each.lineno for each in stage.body if isinstance(each, kinds)}
    named = [methods[name] for name in _METHODS if name in methods]
    public = [line for name, line in methods.items() if not name.startswith("_")]
    return (named or (public if len(public) == 1 else [0]))[0]


def _says(node: ast.AST | None, name: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == name

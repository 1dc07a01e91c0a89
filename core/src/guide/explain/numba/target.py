"""Which function is meant: `module:function` or `path/to/file.py:function`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from guide.errors import GuideError, UsageError

SHAPE = "guide explain module:function, or path/to/file.py:function"


@dataclass(frozen=True, slots=True)
class Target:
    """A function by name, in a module by name or by file."""

    place: str
    function: str

    @property
    def is_file(self) -> bool:
        """Whether the place is a file."""
        return self.place.endswith(".py") or "/" in self.place or "\\" in self.place

    def __str__(self) -> str:
        return f"{self.place}:{self.function}"


def parse(text: str) -> Target:
    """Read what a person typed.

    Raises:
        UsageError: when it has no such form, or names a file that is not there.
    """
    place, colon, function = text.rpartition(":")
    if not (colon and place and all(part.isidentifier() for part in function.split("."))):
        raise UsageError(f"{text!r} names no function", SHAPE)
    target = Target(place, function)
    if target.is_file and not Path(place).is_file():
        raise UsageError(f"there is no file {place}", SHAPE)
    return target


def typed(file: str) -> str:
    """A file as one would type it here: from the folder one is in, if it lies below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def load(target: Target) -> tuple[Any, ModuleType]:
    """Import the module and return what the name stands for, with the module.

    Raises:
        GuideError: when it cannot be imported, or has nothing of that name.
    """
    try:
        module = _file(Path(target.place)) if target.is_file else _module(target.place)
    except (Exception, SystemExit) as error:
        said = str(error).strip().splitlines() or [""]
        raise GuideError(
            f"{target.place} could not be imported: {type(error).__name__}: {said[0]}",
            f"python -c 'import {Path(target.place).stem}' shows where; what should only run when"
            " it is started goes under: if __name__ == '__main__'",
        ) from error
    found: Any = module
    for part in target.function.split("."):
        if not hasattr(found, part):
            raise GuideError(f"{target.place} has no {target.function}", _functions(module))
        found = getattr(found, part)
    return found, module


def _module(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    return import_module(name)


def _file(file: Path) -> ModuleType:
    file = file.resolve()
    top, names = file.parent, [file.stem]
    while (top / "__init__.py").is_file():  # inside a package, so that relative imports work
        names.insert(0, top.name)
        top = top.parent
    sys.path.insert(0, str(top))
    name = ".".join(names)
    if len(names) > 1:
        return import_module(name)
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"explained_{name}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _functions(module: ModuleType) -> str:
    names = [name for name, value in vars(module).items() if is_numba(value)]
    return f"it has {', '.join(sorted(names)[:8])}" if names else "it has no Numba function"


def is_numba(value: object) -> bool:
    """Whether it is what `@njit` or `@jit` makes of a function."""
    return hasattr(value, "py_func") and hasattr(value, "overloads")


def plain(value: Any, target: Target, *, as_njit: bool) -> tuple[Any, dict[str, Any]]:
    """The Python function, and the options that Numba compiles it with.

    Raises:
        GuideError: when it is no function that Numba compiles for the processor.
    """
    if is_numba(value) and type(value).__module__.startswith("numba.cuda"):
        raise GuideError(f"{target} is a CUDA kernel", "guide explain reads functions of the CPU")
    if is_numba(value):
        return value.py_func, dict(value.targetoptions)
    made = type(value).__name__
    if made in ("DUFunc", "GUFunc"):
        raise GuideError(
            f"{target} is a ufunc, of @vectorize or @guvectorize",
            "put its loop into an @njit function to have it explained",
        )
    if not hasattr(value, "__code__"):
        raise GuideError(f"{target} is a {made}, no function", SHAPE)
    if not as_njit:
        raise GuideError(
            f"{target} is a plain Python function: Numba does not compile it",
            f"guide explain {target} --as-njit looks at it as if it had @njit",
        )
    return value, {"nopython": True}

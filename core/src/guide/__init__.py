"""guide: a performance guide that runs.

The names a project uses every day are here; each is imported when first asked for, so that
`import guide` costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would have to be imported, which takes 8 ms
if TYPE_CHECKING:
    from typing import Any

    from guide.clock import Clock as Clock
    from guide.clock import ScaledClock as ScaledClock
    from guide.clock import SystemClock as SystemClock
    from guide.clock import VirtualClock as VirtualClock
    from guide.errors import GuideError as GuideError
    from guide.loop import FixedStep as FixedStep
    from guide.loop import Loop as Loop
    from guide.loop import Tick as Tick
    from guide.resources import Meter as Meter
    from guide.resources import Reading as Reading
    from guide.resources import Usage as Usage
    from guide.run import Run as Run
    from guide.run import Task as Task
    from guide.timing import Histogram as Histogram
    from guide.timing import Timeline as Timeline

__version__ = "0.1.0"

_NAMES = {
    "clock": ("Clock", "ScaledClock", "SystemClock", "VirtualClock"),
    "errors": ("GuideError",),
    "loop": ("FixedStep", "Loop", "Tick"),
    "resources": ("Meter", "Reading", "Usage"),
    "run": ("Run", "Task"),
    "timing": ("Histogram", "Timeline"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'guide' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"guide.{_HOME[name]}"), name)

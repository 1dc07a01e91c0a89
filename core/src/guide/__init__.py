"""guide: a performance guide that runs.

The names a project uses every day are here; each is imported when first asked for, so that
`import guide` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guide.clock import Clock, ScaledClock, SystemClock, VirtualClock
    from guide.errors import GuideError
    from guide.loop import FixedStep, Loop, Tick
    from guide.resources import Meter, Reading, Usage
    from guide.run import Run, Task
    from guide.timing import Histogram, Timeline

__version__ = "0.1.0"

__all__ = [
    "Clock",
    "FixedStep",
    "GuideError",
    "Histogram",
    "Loop",
    "Meter",
    "Reading",
    "Run",
    "ScaledClock",
    "SystemClock",
    "Task",
    "Tick",
    "Timeline",
    "Usage",
    "VirtualClock",
]

_HOME = {
    "Clock": "clock",
    "FixedStep": "loop",
    "GuideError": "errors",
    "Histogram": "timing",
    "Loop": "loop",
    "Meter": "resources",
    "Reading": "resources",
    "Run": "run",
    "ScaledClock": "clock",
    "SystemClock": "clock",
    "Task": "run",
    "Tick": "loop",
    "Timeline": "timing",
    "Usage": "resources",
    "VirtualClock": "clock",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'guide' has no attribute {name!r}")
    return getattr(importlib.import_module(f"guide.{_HOME[name]}"), name)

"""Stages by name: what a person types, and the class it means, imported on use."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from guide.errors import UsageError
from guide_vision.pipeline.observation import Stage

_HERE = "guide_vision.pipeline"

STAGES: dict[str, str] = {
    "track": f"{_HERE}.points:PointTracker",
    "detect": f"{_HERE}.objects:MovingObjects",
    "flow": f"{_HERE}.flow:DenseFlow",
    "features": f"{_HERE}.features:FeatureMotion",
    "tags": f"{_HERE}.tags:Tags",
    "stabilise": f"{_HERE}.stabilise:Stabiliser",
}
"""`module:Class`, by the stage's own name."""


def make_stage(name: str, **settings: Any) -> Stage:
    """A stage by its name.

    Args:
        name: a key of `STAGES`.
        settings: arguments of its class.

    Raises:
        UsageError: when there is no such stage.
    """
    if name not in STAGES:
        raise UsageError(f"there is no stage {name!r}", f"choose from {', '.join(STAGES)}")
    module, _, attribute = STAGES[name].partition(":")
    return cast(Stage, getattr(import_module(module), attribute)(**settings))

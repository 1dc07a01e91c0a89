"""A frame of many things: a table for each shape, and one call that draws all of its rows."""

from typing import Any

import numpy as np

FIELDS = ("x", "y", "size", "depth", "shade")


def frame(device: Any, things: Any) -> None:
    """Draw all `things`: an array with the fields kind, x, y, size, depth, shade."""
    # The order among them does not matter, since the depth test decides: so sort by shape
    for kind, mesh in enumerate(device.meshes):
        these = things[things["kind"] == kind]
        rows = np.stack([these[name] for name in FIELDS], axis=1).astype(np.float32)
        device.draw(mesh, device.buffer(rows))

"""A frame of many things: for each, where, which colour, draw."""

from typing import Any


def frame(device: Any, things: Any) -> None:
    """Draw all `things`: an array with the fields kind, x, y, size, depth, shade."""
    for thing in things:
        place = thing["x"], thing["y"], thing["size"], thing["depth"]
        device.uniform("place", place)
        device.uniform("shade", (thing["shade"],))
        device.draw(device.meshes[thing["kind"]])

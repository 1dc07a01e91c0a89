"""What six faults cost together: the program of the exercise that is about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guide.foundations.figures.mended import as_it_was_and_mended

_FOLDER = Path(__file__).parents[1] / "exercises" / "the_fifth_camera"


def fifth_camera(quick: bool = False) -> dict[str, Any]:
    """A frame of the camera, as it was written and mended."""
    count = 2 if quick else 12
    case = [count, 360, 640]
    return as_it_was_and_mended(_FOLDER, "watch", case, count, 0.1 if quick else 1.5)

"""What six faults cost together: the program of the exercise that is about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guide.foundations.figures.mended import as_it_was_and_mended

_FOLDER = Path(__file__).parents[1] / "exercises" / "every_frame_late"


def frames(quick: bool = False) -> dict[str, Any]:
    """A frame of the turning cloud, as it was written and mended."""
    count = 2 if quick else 10
    case = [count, 3000, 480, 270]
    return as_it_was_and_mended(_FOLDER, "film", case, count, 0.1 if quick else 1.5)

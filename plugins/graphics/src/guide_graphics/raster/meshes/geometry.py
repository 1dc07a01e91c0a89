"""What a reader of mesh files hands on, and what the readers share."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

F64: TypeAlias = npt.NDArray[np.float64]
I64: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Geometry:
    """A surface as its file has it: nothing is scaled or checked yet.

    Args:
        positions: (n, 3), in whatever unit the file was made.
        triangles: (m, 3), indices that may point anywhere.
        normals: (n, 3) of any length, None where the file has none.
        uv: (n, 2), None where the file has none.
    """

    positions: F64
    triangles: I64
    normals: F64 | None = None
    uv: F64 | None = None


def numbers(text: bytes) -> F64:
    """All numbers of a text that holds nothing else, white space between them.

    Raises:
        ValueError: at the first word that is no number.
    """
    return _parsed(text, np.float64)


def whole_numbers(text: bytes) -> I64:
    """The same for whole numbers; what 64 bits cannot hold becomes the nearest they can."""
    return _parsed(text, np.int64)


def _parsed(text: bytes, dtype: type) -> npt.NDArray[Any]:
    # One call for millions of numbers: nothing else in numpy reads text as fast
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # what numpy 1 says of a bad word
        try:
            return np.fromstring(text, dtype, sep=" ")
        except (ValueError, DeprecationWarning):
            raise ValueError("a number in it is none") from None


def fan(corners: I64, counts: I64) -> I64:
    """Triangles (m, 3) of polygons, each fanned out from its first corner.

    Args:
        corners: vertex indices of all polygons, one after another.
        counts: how many of them each polygon has; less than three make no triangle.
    """
    if (counts == 3).all():
        return corners.reshape(-1, 3)
    each = np.maximum(counts - 2, 0)
    first = np.repeat(np.cumsum(counts) - counts, each)
    step = np.arange(len(first)) - np.repeat(np.cumsum(each) - each, each)
    triangles: I64 = corners[np.stack([first, first + step + 1, first + step + 2], axis=1)]
    return triangles

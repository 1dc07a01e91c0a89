"""Batches for a loop."""

from collections.abc import Callable, Iterator
from typing import Any


def batches(make: Callable[[int], Any], count: int) -> Iterator[Any]:
    """make(0), make(1) ... make(count - 1), in order."""
    for number in range(count):
        yield make(number)

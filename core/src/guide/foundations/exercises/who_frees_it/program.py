"""Objects that somebody lets go, to see who frees them."""

from __future__ import annotations

import weakref
from typing import Any


class Thing:
    """Something that can refer to others."""

    def __init__(self, **to: Any) -> None:
        self.__dict__.update(to)


SEEN: list[Thing] = []


# region: forget
def forget() -> dict[str, Any]:
    """Make some things, and let all of them go; what is returned does not hold them."""
    leaf = Thing()

    left, right, tail = Thing(), Thing(), Thing()
    left.other, right.other = right, left
    left.tail = tail

    root = Thing()
    root.child = Thing(parent=root)

    weak_root = Thing()
    weak_root.child = Thing(parent=weakref.ref(weak_root))

    listed = Thing()
    SEEN.append(listed)

    return {
        "leaf": weakref.ref(leaf),
        "pair": weakref.ref(left),
        "child": weakref.ref(root.child),
        "weak_child": weakref.ref(weak_root.child),
        "hanger_on": weakref.ref(tail),
        "listed": weakref.ref(listed),
    }


# endregion

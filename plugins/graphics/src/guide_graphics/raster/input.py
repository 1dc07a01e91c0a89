"""What a person did since the frame before, as plain data: made by a window, or by a test."""

from __future__ import annotations

from dataclasses import dataclass

Drag = tuple[float, float]


@dataclass(frozen=True)
class Input:
    """What happened between two frames, and what is held down at the second of them.

    Args:
        pressed: keys that went down, in order: "w", "tab", "space", "escape", "f12".
        held: keys that are down. One pressed and let go between two frames is in `pressed` alone.
        turned: how far the pointer was dragged with the left button, right and down, in heights
            of the window: independent of its size and of the screen's density.
        panned: the same with the right button.
        scrolled: notches of the wheel, away from the person.
        size: width and height of the window as it is now, in the screen's units; (0, 0) while it
            is minimised, None without a window.
        closed: whether the person has closed the window.
    """

    pressed: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()
    turned: Drag = (0.0, 0.0)
    panned: Drag = (0.0, 0.0)
    scrolled: float = 0.0
    size: tuple[int, int] | None = None
    closed: bool = False

    def down(self, key: str) -> bool:
        """Whether `key` was down at any moment since the frame before."""
        return key in self.held or key in self.pressed

    def axis(self, minus: str, plus: str) -> int:
        """-1, 0 or 1, by which of two keys is down."""
        return self.down(plus) - self.down(minus)

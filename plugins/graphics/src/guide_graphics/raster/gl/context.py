"""Getting an OpenGL context: through the display where there is one, through EGL otherwise."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from guide.errors import GuideError

if TYPE_CHECKING:
    import moderngl

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader")


def has_display() -> bool:
    """Whether there is a desktop to open a window on."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def open_context() -> moderngl.Context:
    """A context of its own, for drawing into memory.

    Raises:
        GuideError: when there is no OpenGL 3.3 to be had.
    """
    import moderngl

    # On Linux EGL comes first even beside a display: it needs none, and a lost X connection
    # does not end the process. Elsewhere the system has one way only.
    backends: list[dict[str, Any]] = [{}]
    if sys.platform.startswith("linux"):
        backends = [{"backend": "egl"}] + ([{}] if os.environ.get("DISPLAY") else [])
    reasons = []
    for backend in backends:
        try:
            options: dict[str, Any] = {"require": 330, "standalone": True, **backend}
            return moderngl.create_context(**options)
        except Exception as error:
            # glcontext and its loaders raise plain Exception, OSError or ImportError
            reasons.append(" ".join(str(error).split()) or type(error).__name__)
    raise GuideError(
        f"no OpenGL 3.3 context ({'; '.join(reasons)[:120]})",
        "on Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri; or take the backend software",
    )


def is_software(renderer: str) -> bool:
    """Whether an OpenGL renderer string names a driver that draws on the CPU."""
    return any(name in renderer.lower() for name in _SOFTWARE)


def check(context: moderngl.Context, doing: str) -> None:
    """Raise GuideError if OpenGL has noted an error: out of memory, the device lost, a bug of ours.

    OpenGL does not say which call it was, nor does it stop at it: what came out is not to be used.
    """
    if (problem := context.error) != "GL_NO_ERROR":
        raise GuideError(
            f"OpenGL reports {problem} while {doing}",
            "open it anew; if that does not help, take the backend software",
        )

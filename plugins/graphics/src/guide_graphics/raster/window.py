"""A window that shows finished frames. It has no loop and no clock: the task's loop has both."""

from __future__ import annotations

from typing import Any, Literal

from guide.errors import GuideError
from guide_graphics.raster.gl.context import has_display
from guide_graphics.raster.scene import U8

WindowChoice = Literal["auto", "yes", "no"]

_VERTEX = """
#version 330 core
out vec2 uv;
void main() {
    vec2 place = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
    uv = place;
    gl_Position = vec4(place * 2.0 - 1.0, 0.0, 1.0);
}
"""
_FRAGMENT = """
#version 330 core
uniform sampler2D frame;
in vec2 uv;
out vec4 color;
void main() { color = vec4(texture(frame, uv).rgb, 1.0); }
"""


class Window:
    """Shows frames of one size; the frame keeps its proportions however the window is resized.

    Presenting does not wait for the screen's refresh: when the next frame is due is for the
    loop to say. Close by the window's own button or by Escape. To be used from the main thread.

    Args:
        size: width and height of the frames.
        title: what stands above it.

    Raises:
        GuideError: when no window can be opened.
    """

    def __init__(self, size: tuple[int, int], title: str) -> None:
        import glfw as typed

        glfw: Any = typed  # its stubs do not know that no context may be current
        self._glfw = glfw
        self._handle: Any = None
        self._context: Any = None
        said: list[str] = []
        # By default the binding prints a warning for everything the library says: here what it
        # says is the reason of one error, or nothing to worry about
        glfw.set_error_callback(lambda _, text: said.append(text.decode(errors="replace")))
        try:
            self._open(size, title, said)
        finally:
            glfw.set_error_callback(None)

    def _open(self, size: tuple[int, int], title: str, said: list[str]) -> None:
        import moderngl

        glfw = self._glfw
        if not glfw.init():
            raise _no_window("no window can be opened here", said)
        glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
        glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
        glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
        glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, True)  # macOS gives no core profile without
        self._handle = glfw.create_window(*size, title, None, None)
        if not self._handle:
            glfw.terminate()
            raise _no_window("the display gives no OpenGL 3.3 window", said)
        glfw.make_context_current(self._handle)
        glfw.swap_interval(0)
        self._context = moderngl.create_context()
        self._texture = self._context.texture(size, 4)
        program = self._context.program(_VERTEX, _FRAGMENT)
        self._screen = self._context.vertex_array(program, [])
        glfw.make_context_current(None)

    def present(self, color: U8) -> bool:
        """Show a frame, (h, w, 4) uint8 with row 0 at the bottom, and handle what happened.

        Returns False once the person has closed the window.
        """
        glfw, context = self._glfw, self._context
        # A renderer may have a context of its own: one is current at a time, so this one is
        # taken and given back every time
        glfw.make_context_current(self._handle)
        self._texture.write(color)
        context.screen.use()
        context.viewport = self._fitting(*glfw.get_framebuffer_size(self._handle))
        context.screen.clear()
        self._texture.use(0)
        self._screen.render(context.TRIANGLES, vertices=3)
        glfw.swap_buffers(self._handle)
        glfw.poll_events()
        glfw.make_context_current(None)
        if glfw.get_key(self._handle, glfw.KEY_ESCAPE) == glfw.PRESS:
            return False
        return not glfw.window_should_close(self._handle)

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        if self._handle:
            self._glfw.make_context_current(self._handle)
            self._context.release()
            self._glfw.destroy_window(self._handle)
            self._glfw.terminate()
            self._handle = None

    def _fitting(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The largest rectangle of the frame's proportions in the middle of the window."""
        frame_width, frame_height = self._texture.size
        scale = min(width / frame_width, height / frame_height)
        w, h = round(frame_width * scale), round(frame_height * scale)
        return (width - w) // 2, (height - h) // 2, w, h


def _no_window(message: str, said: list[str]) -> GuideError:
    reason = " ".join(said[-1].split())[:80] if said else ""
    return GuideError(f"{message} ({reason})" if reason else message, "type --set window=no")


def open_window(size: tuple[int, int], title: str, choice: WindowChoice) -> Window | None:
    """A window where one is wanted; None for "no", and for "auto" where there is no display.

    Raises:
        GuideError: for "yes" where no window can be opened.
    """
    if choice == "no" or (choice == "auto" and not has_display()):
        return None
    if not has_display():
        raise GuideError(
            "there is no display to open a window on", "set DISPLAY, or type --set window=no"
        )
    try:
        return Window(size, title)
    except GuideError:
        if choice == "yes":
            raise
        return None

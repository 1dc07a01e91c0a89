"""A window that shows finished frames. It has no loop and no clock: the task's loop has both."""

from __future__ import annotations

from typing import Any, Literal

from guide.errors import GuideError
from guide_graphics.raster.gl.context import has_display
from guide_graphics.raster.input import Input
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


# Letters by their place on the keyboard: W A S D are one hand's on any layout
_KEYS = [*"adehqrsvw", "escape", "f12", "space", "tab"]
_LEFT, _RIGHT = 0, 1  # buttons, as glfw numbers them


class Window:
    """Shows frames; a frame keeps its proportions whatever the size of the window.

    Presenting does not wait for the screen's refresh: when the next frame is due is for the
    loop to say. Close by the window's own button or by Escape. To be used from the main thread.

    Sizes come in two units: a window's in those of the screen, its framebuffer's in pixels, of
    which a dense screen has two or more to the unit. A frame of the window's size is shown
    over all of the framebuffer.

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
        self._pressed: list[str] = []
        self._held: set[str] = set()
        self._buttons: set[int] = set()
        self._drags = {_LEFT: (0.0, 0.0), _RIGHT: (0.0, 0.0)}
        self._pointer = (0.0, 0.0)
        self._scrolled = 0.0
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
        self._listen()

    def _listen(self) -> None:
        glfw, handle = self._glfw, self._handle
        names = {getattr(glfw, f"KEY_{name.upper()}"): name for name in _KEYS}

        def on_key(_: Any, key: int, code: int, action: int, mods: int) -> None:
            name = names.get(key)
            if name and action == glfw.PRESS:
                self._pressed.append(name)
                self._held.add(name)
            elif name and action == glfw.RELEASE:
                self._held.discard(name)

        def on_button(_: Any, button: int, action: int, mods: int) -> None:
            (self._buttons.add if action == glfw.PRESS else self._buttons.discard)(button)

        def on_move(_: Any, x: float, y: float) -> None:
            height = max(glfw.get_window_size(handle)[1], 1)
            dx, dy = (x - self._pointer[0]) / height, (y - self._pointer[1]) / height
            self._pointer = x, y
            for button in self._buttons & self._drags.keys():
                across, down = self._drags[button]
                self._drags[button] = across + dx, down + dy

        def on_scroll(_: Any, dx: float, dy: float) -> None:
            self._scrolled += dy

        glfw.set_key_callback(handle, on_key)
        glfw.set_mouse_button_callback(handle, on_button)
        glfw.set_cursor_pos_callback(handle, on_move)
        glfw.set_scroll_callback(handle, on_scroll)
        self._pointer = glfw.get_cursor_pos(handle)

    def poll(self) -> Input:
        """What a person did since the last call. Does not wait."""
        glfw = self._glfw
        glfw.poll_events()
        minimised = glfw.get_window_attrib(self._handle, glfw.ICONIFIED)
        given = Input(
            pressed=tuple(self._pressed),
            held=frozenset(self._held),
            turned=self._drags[_LEFT],
            panned=self._drags[_RIGHT],
            scrolled=self._scrolled,
            size=(0, 0) if minimised else tuple(glfw.get_window_size(self._handle)),
            closed="escape" in self._pressed or bool(glfw.window_should_close(self._handle)),
        )
        self._pressed.clear()
        self._drags = {_LEFT: (0.0, 0.0), _RIGHT: (0.0, 0.0)}
        self._scrolled = 0.0
        return given

    def present(self, color: U8) -> None:
        """Show a frame, (h, w, 4) uint8 with row 0 at the bottom; none while minimised."""
        glfw, context = self._glfw, self._context
        width, height = glfw.get_framebuffer_size(self._handle)
        if 0 in (width, height):
            return
        # A renderer may have a context of its own: one is current at a time, so this one is
        # taken and given back every time
        glfw.make_context_current(self._handle)
        if self._texture.size != color.shape[1::-1]:
            self._texture.release()
            self._texture = context.texture(color.shape[1::-1], 4)
        self._texture.write(color)
        context.screen.use()
        context.viewport = self._fitting(width, height)
        context.screen.clear()
        self._texture.use(0)
        self._screen.render(context.TRIANGLES, vertices=3)
        glfw.swap_buffers(self._handle)
        glfw.make_context_current(None)

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

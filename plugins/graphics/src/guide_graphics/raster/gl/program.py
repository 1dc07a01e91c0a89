"""Programs: compiled with errors that fit on a line, and compiled anew while a frame loop runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt

from guide.errors import GuideError
from guide_graphics.raster.gl import shaders
from guide_graphics.raster.scene import F32

# "0:12(5): error: ..." says Mesa, "0(12) : error ..." NVIDIA, "ERROR: 0:12: ..." most others
_COMPLAINT = re.compile(r"\b0[:(](\d+)[:)(\d ]*(?:error)?[: ]*(.*)", re.IGNORECASE)


def compile_program(
    context: moderngl.Context, vertex: str, fragment: str, name: str = "shader"
) -> moderngl.Program:
    """Compile and link.

    Args:
        context: the current context.
        vertex: GLSL of the vertex shader.
        fragment: GLSL of the fragment shader.
        name: what an error calls it: the name of its file.

    Raises:
        GuideError: with the driver's first complaint and its line.
    """
    try:
        return context.program(vertex_shader=vertex, fragment_shader=fragment)
    except moderngl.Error as error:
        raise shader_error(name, error) from None


def shader_error(name: str, error: Exception) -> GuideError:
    """What a driver says at length, on one line: `name:line: complaint`."""
    lines = [line.strip() for line in str(error).splitlines()]
    for line in lines:
        if found := _COMPLAINT.search(line):
            return GuideError(f"{name}:{found[1]}: {found[2]}", "correct that line")
    said = next((line for line in lines if "error:" in line.lower()), lines[0])
    return GuideError(f"{name}: {said}", "compare it with the shaders in raster/gl/shaders.py")


def set_uniform(program: moderngl.Program, name: str, value: Any) -> None:
    """Set a uniform, if the program has it: a driver drops those that have no effect.

    An array of vectors or a matrix is written as its bytes lie, of an array as many as are used.
    """
    if name not in program:
        return
    uniform: Any = program[name]
    if isinstance(value, np.ndarray):
        uniform.write(value.tobytes()[: uniform.array_length * uniform.dimension * 4])
    else:
        uniform.value = value


def columns(matrix: npt.NDArray[np.float64]) -> F32:
    """A matrix as OpenGL wants it: float32, column by column."""
    return np.ascontiguousarray(matrix.T, np.float32)


class ReloadedProgram:
    """The program that draws meshes; its fragment shader may come from a file being edited.

    Args:
        context: it has to be current here and at every call.
    """

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._path: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self.program = compile_program(context, shaders.VERTEX, shaders.FRAGMENT)
        self._types = {name: _type(self.program[name]) for name in self.program}
        self.error: str | None = None

    def watch(self, path: Path) -> None:
        """Take the fragment shader from this file from now on."""
        self._path, self._stamp, self.error = path, None, None

    def refresh(self) -> bool:
        """Look whether the file has changed, and compile it if so.

        Returns whether there is news: a new `program`, or else a new `error`, which says why the
        file as it is now does not draw. The program that did goes on.
        """
        if self._path is None:
            return False
        try:
            stat = self._path.stat()
            stamp = stat.st_mtime_ns, stat.st_size
            if stamp == self._stamp:
                return False
            source = self._path.read_text(encoding="utf-8")
        except (OSError, ValueError) as problem:
            self._stamp = None
            return self._refused(f"{self._path.name} cannot be read ({type(problem).__name__})")
        self._stamp = stamp
        try:
            program = self._compiled(source, self._path.name)
        except GuideError as problem:
            return self._refused(problem.message)
        self.program.release()
        self.program, self.error = program, None
        return True

    def _compiled(self, source: str, name: str) -> moderngl.Program:
        program = compile_program(self._context, shaders.VERTEX, source, name)
        for uniform in program:
            if self._types.get(uniform, _type(program[uniform])) != _type(program[uniform]):
                program.release()
                raise GuideError(f"{name}: the uniform {uniform} has another type than it is given")
        return program

    def _refused(self, error: str) -> bool:
        news = error != self.error
        self.error = error
        return news


def _type(member: Any) -> Any:
    return getattr(member, "gl_type", None)  # inputs are members too, and have none

"""Compute shaders: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt

from guide.errors import GuideError
from guide_graphics.raster.gl.context import check
from guide_graphics.raster.gl.program import shader_error

Array = npt.NDArray[Any]


def run_compute(
    context: moderngl.Context, source: str, arrays: Sequence[Array], groups: tuple[int, int, int]
) -> list[Array]:
    """Run a compute shader once over some arrays.

    >>> source = '''#version 430
    ... layout(local_size_x = 4) in;
    ... layout(std430, binding = 0) buffer Values { float values[]; };
    ... void main() { values[gl_GlobalInvocationID.x] *= 2.0; }'''
    >>> run_compute(open_context(), source, [np.arange(8, dtype=np.float32)], (2, 1, 1))
    [array([ 0.,  2.,  4.,  6.,  8., 10., 12., 14.], dtype=float32)]

    Args:
        context: the current context, of OpenGL 4.3 at least.
        source: its GLSL, from `#version 430` on.
        arrays: copied into buffers with the bindings 0, 1, 2 ..., byte for byte: under std430 a
            float32 array is `float[]`; a vec3 there takes the room of four floats.
        groups: how many work groups are run in x, y and z; each is `local_size` invocations.

    Returns:
        What is in the buffers afterwards, in new arrays of the same shapes and types.

    Raises:
        GuideError: when the context is too old, the shader does not compile, an array is empty or
            there are more groups than the driver runs.
    """
    if context.version_code < 430:
        version = f"{context.version_code // 100}.{context.version_code // 10 % 10}"
        raise GuideError(
            f"compute shaders came with OpenGL 4.3, and this context is of {version}",
            "take a newer driver; Mesa's llvmpipe will do: apt install libgl1-mesa-dri",
        )
    if not all(array.size for array in arrays):
        raise GuideError("a compute shader cannot be given an empty array")
    try:
        shader = context.compute_shader(source)
    except moderngl.Error as error:
        raise shader_error("compute shader", error) from None
    buffers = [context.buffer(np.ascontiguousarray(array).tobytes()) for array in arrays]
    try:
        for binding, buffer in enumerate(buffers):
            buffer.bind_to_storage_buffer(binding)
        shader.run(*groups)
        context.memory_barrier()
        results = [np.empty(array.shape, array.dtype) for array in arrays]
        for buffer, result in zip(buffers, results, strict=True):
            buffer.read_into(result)
        check(context, "computing")
    finally:
        shader.release()
        for buffer in buffers:
            buffer.release()
    return results

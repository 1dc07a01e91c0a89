"""Compute shaders on a real context, and what is said where they cannot run."""

import os
import subprocess
import sys

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster.gl.compute import run_compute
from guide_graphics.raster.gl.context import open_context

DOUBLE = """#version 430
layout(local_size_x = 4) in;
layout(std430, binding = 0) buffer Values { float values[]; };
void main() { values[gl_GlobalInvocationID.x] *= 2.0; }
"""
SUM = """#version 430
layout(local_size_x = 8) in;
layout(std430, binding = 0) readonly buffer A { int a[]; };
layout(std430, binding = 1) buffer B { int b[]; };
void main() { b[gl_GlobalInvocationID.x] += a[gl_GlobalInvocationID.x]; }
"""


@pytest.fixture(scope="module")
def context():
    context = open_context()
    with context:
        yield context
    context.release()


def test_an_array_is_doubled_and_the_one_given_stays(context):
    values = np.arange(64, dtype=np.float32)
    (doubled,) = run_compute(context, DOUBLE, [values], (16, 1, 1))
    assert (doubled == 2 * np.arange(64)).all()
    assert (values == np.arange(64)).all()


def test_groups_that_are_not_run_leave_their_part_alone(context):
    (doubled,) = run_compute(context, DOUBLE, [np.ones(16, np.float32)], (2, 1, 1))
    assert doubled.tolist() == [2.0] * 8 + [1.0] * 8


def test_arrays_are_bound_in_their_order_and_keep_shape_and_type(context):
    a, b = np.arange(16, dtype=np.int32).reshape(2, 8), np.full((2, 8), 100, np.int32)
    same, total = run_compute(context, SUM, [a, b[:, ::-1]], (2, 1, 1))
    assert (same == a).all()
    assert total.shape == (2, 8)
    assert total.dtype == np.int32
    assert (total == a + 100).all()


def test_an_error_names_its_line(context):
    with pytest.raises(GuideError, match=r"^compute shader:4: .*valuez") as caught:
        run_compute(context, DOUBLE.replace("{ values", "{ valuez"), [np.ones(4)], (1, 1, 1))
    assert "\n" not in str(caught.value)


def test_an_empty_array_and_too_many_groups_are_refused(context):
    with pytest.raises(GuideError, match="empty"):
        run_compute(context, DOUBLE, [np.empty(0, np.float32)], (1, 1, 1))
    with pytest.raises(GuideError, match="GL_INVALID_VALUE while computing"):
        run_compute(context, DOUBLE, [np.ones(4, np.float32)], (2**31 - 1, 1, 1))


def test_an_old_context_is_told_what_it_lacks(context):
    if "Mesa" not in context.info["GL_VERSION"]:
        pytest.skip("only Mesa can be made older")
    code = f"""
import numpy as np
from guide.errors import GuideError
from guide_graphics.raster.gl.compute import run_compute
from guide_graphics.raster.gl.context import open_context
with open_context() as context:
    try:
        run_compute(context, {DOUBLE!r}, [np.ones(4, np.float32)], (1, 1, 1))
    except GuideError as error:
        print(error)
"""
    old = {**os.environ, "MESA_GL_VERSION_OVERRIDE": "3.3", "MESA_GLSL_VERSION_OVERRIDE": "330"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=old
    )
    assert "OpenGL 4.3, and this context is of 3.3; take a newer driver" in done.stdout

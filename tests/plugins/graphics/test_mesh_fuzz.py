"""Files that nobody wrote: whatever the bytes, there is a mesh or one line that says why not."""

import functools
import re
import shutil
import tempfile
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guide.errors import GuideError
from guide_graphics.raster import crate_field, load_mesh

MODELS = Path("/usr/share/assimp")
SUFFIXES = (".obj", ".ply", ".glb", ".gltf", ".stl", ".off")
MANY = 500_000  # bytes of a file that is large here: the others are enough

HUGE = [b"1e999", b"-1", b"4294967295", b"99999999999999999999", b"nan", b"-inf", b"1e-320", b"0"]
PIECES = [b"\n", b" ", b"/", b"//", b"\\\n", b"#", b"v ", b"f ", b"\x00", b"\xff\xff\xff\xff", b"{"]

OBJ = b"""# a pyramid
v -1 0 -1
v 1 0 -1
v 1 0 1
v -1 0 1
v 0 1.5 0
vt 0 0
vt 1 0
vt .5 1
vn 0 -1 0
vn 0 .5 .8
g sides
f 1/1/2 5/3/2 2/2/2
f 2/1/2 5/3/2 3/2/2
f -2/1/2 -1/3/2 -5/2/2
f 3//2 5//2 4//2
f 1 2 3 4
"""


@functools.cache
def valid():
    """A small file of every kind."""
    import trimesh

    field = crate_field(1)
    mesh = trimesh.Trimesh(
        field.positions, field.triangles, vertex_normals=field.normals, process=False
    )
    files = {kind: mesh.export(file_type=kind) for kind in ("ply", "glb", "stl", "off")}
    files = {kind: text.encode() if kind == "off" else text for kind, text in files.items()}
    ascii_ply = trimesh.exchange.ply.export_ply(mesh, encoding="ascii")
    return [("obj", OBJ), ("ply", ascii_ply), *files.items()]


def said_or_seen(path):
    """What `load_mesh` gives, checked: a mesh that can be drawn, or an error of one line."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            found = load_mesh(path)
        except GuideError as error:
            found = error
    assert not warned
    if isinstance(found, GuideError):
        assert found.remedy
        assert str(found).isprintable()
    else:
        check(path, found)


def check(path, mesh):
    assert len(mesh.triangles) > 0
    assert np.ptp(mesh.positions, axis=0).max() == pytest.approx(2, rel=1e-5)
    assert mesh.positions[:, 1].min() == 0
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.isfinite(mesh.uv).all()
    assert np.array_equal(np.unique(mesh.triangles), np.arange(len(mesh.positions)))
    again = load_mesh(path)  # from the cache
    assert np.array_equal(again.positions, mesh.positions)
    assert np.array_equal(again.triangles, mesh.triangles)


@st.composite
def damage(draw):
    """What happens to a file's bytes, at places told as a share of its length."""
    kind = draw(st.sampled_from(["flip", "cut", "number", "insert", "delete", "repeat"]))
    at = draw(st.floats(0, 1))
    if kind == "flip":
        return kind, at, draw(st.integers(1, 255))
    if kind in ("number", "insert"):
        return kind, at, draw(st.sampled_from(HUGE if kind == "number" else PIECES))
    return kind, at, draw(st.integers(1, 40))


def damaged(data, kind, at, what):
    place = min(int(at * len(data)), len(data) - 1)
    if kind == "flip":
        return data[:place] + bytes([data[place] ^ what]) + data[place + 1 :]
    if kind == "cut":
        return data[:place]
    if kind == "number":
        number = re.compile(rb"-?[0-9][0-9.e+-]*").search(data, place)
        begin, end = number.span() if number else (place, place)
        return data[:begin] + what + data[end:]
    if kind == "insert":
        return data[:place] + what + data[place:]
    if kind == "delete":
        return data[:place] + data[place + what :]
    return data[:place] + data[place : place + what] * what + data[place + what :]


@settings(max_examples=400, deadline=None)
@given(which=st.integers(0, 5), hits=st.lists(damage(), min_size=1, max_size=4))
def test_a_damaged_file_gives_a_mesh_or_one_line(which, hits):
    suffix, data = valid()[which]
    for hit in hits:
        data = damaged(data, *hit) or b"\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"damaged.{suffix}")
        path.write_bytes(data)
        tracemalloc.start()
        try:
            said_or_seen(path)
            assert tracemalloc.get_traced_memory()[1] < 50_000_000
        finally:
            tracemalloc.stop()


@settings(max_examples=100, deadline=None)
@given(suffix=st.sampled_from(SUFFIXES), data=st.binary(min_size=1, max_size=200))
def test_any_bytes_give_a_mesh_or_one_line(suffix, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"noise{suffix}")
        path.write_bytes(data)
        said_or_seen(path)


@pytest.mark.skipif(not MODELS.is_dir(), reason="Debian's assimp-testmodels is not installed")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_test_models_of_another_library_give_a_mesh_or_one_line(tmp_path, suffix):
    models = [path for path in MODELS.rglob("*") if path.suffix.lower() == suffix]
    models = [path for path in models if path.stat().st_size < MANY]
    assert models
    for number, model in enumerate(models):
        # In a copy: a cache is left beside it, and a glTF's numbers lie in files beside it
        shutil.copytree(model.parent, tmp_path / str(number))
        said_or_seen(tmp_path / str(number) / model.name)

"""Meshes that everybody measures with, where they are: `make meshes` gets them."""

import os
from pathlib import Path

import numpy as np
import pytest

from guide_graphics.raster import Material, Scene, load_mesh, open_renderer, orbit
from guide_graphics.raster.meshes.obj import read_obj
from guide_graphics.raster.meshes.ply import read_ply

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("GUIDE_MESHES", ROOT / "build" / "meshes"))
SIZES = {"bunny.obj": (34_835, 69_666), "dragon.ply": (437_645, 871_414)}
READERS = {".obj": read_obj, ".ply": read_ply}


@pytest.fixture(params=SIZES)
def real(request, tmp_path):
    """The path of a mesh, in a folder of its own for what is kept beside it."""
    if not (FOLDER / request.param).is_file():
        pytest.skip(f"{request.param} is absent: `make meshes` gets it")
    path = tmp_path / request.param
    path.symlink_to(FOLDER / request.param)
    return path


def test_every_number_is_read_as_another_library_reads_it(real):
    import trimesh

    ours = READERS[real.suffix](real.read_bytes())
    theirs = trimesh.load_scene(real, process=False).to_mesh()
    assert (len(ours.positions), len(ours.triangles)) == SIZES[real.name]
    assert np.array_equal(ours.triangles, theirs.faces)
    assert np.array_equal(ours.positions.astype(np.float32), theirs.vertices.astype(np.float32))


def test_all_of_it_is_there_and_comes_back_from_the_cache(real):
    mesh = load_mesh(real)
    vertices, triangles = SIZES[real.name]
    # Written with six digits, a few of the dragon's triangles have no area left
    assert triangles * 0.999 < len(mesh.triangles) <= triangles
    assert len(mesh.positions) <= vertices
    again = load_mesh(real)
    for name in ("positions", "normals", "uv", "triangles"):
        assert np.array_equal(getattr(again, name), getattr(mesh, name))


def test_it_is_seen_from_every_side_with_its_normals_outward(real):
    mesh = load_mesh(real)
    a, b, c = (mesh.positions[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    faces = np.cross(b - a, c - a)
    assert (np.einsum("ij,ij->i", faces, mesh.normals[mesh.triangles[:, 0]]) > 0).mean() > 0.99
    assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0  # the volume, if it is outward
    renderer = open_renderer((160, 120), "software")
    for azimuth in (0, 90, 180, 270):
        frame = renderer.render(Scene([mesh], [Material()]), orbit(azimuth, 20, 4))
        assert (frame.ids >= 0).mean() > 0.05
    renderer.close()

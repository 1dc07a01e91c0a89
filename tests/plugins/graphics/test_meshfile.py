import json

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import Material, Scene, load_mesh, open_renderer, orbit, teapot

OBJ = """
v 0 0 0
v 4 0 0
v 4 2 0
v 0 2 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
vn 0 0 1
f 1/1/1 2/2/1 3/3/1 4/4/1
"""


@pytest.fixture
def files(tmp_path):
    import trimesh

    pot = teapot(500)
    mesh = trimesh.Trimesh(pot.positions * 7, pot.triangles, process=False)
    for suffix in ("ply", "glb", "obj", "gltf"):
        mesh.export(tmp_path / f"pot.{suffix}")
    (tmp_path / "square.obj").write_text(OBJ)
    return tmp_path


@pytest.mark.parametrize("name", ["pot.ply", "pot.glb", "pot.obj"])
def test_a_mesh_is_read_and_made_to_fit(files, name):
    mesh = load_mesh(files / name)
    assert len(mesh.triangles) == len(teapot(500).triangles)
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    assert (high - low).max() == pytest.approx(2, rel=1e-5)
    assert low[1] == pytest.approx(0, abs=1e-6)
    assert abs(np.linalg.norm(mesh.normals, axis=1) - 1).max() < 1e-3
    renderer = open_renderer((80, 45), "software")
    assert (renderer.render(Scene([mesh], [Material()]), orbit(30, 20, 4)).ids >= 0).mean() > 0.05
    renderer.close()


def test_normals_and_texture_coordinates_of_the_file_are_kept(files):
    mesh = load_mesh(files / "square.obj")
    assert mesh.positions.max(axis=0) == pytest.approx([1, 1, 0])
    assert (mesh.normals == [0, 0, 1]).all()
    assert mesh.uv.max() == 1
    corner = np.argmax(mesh.positions @ [1, 1, 0])
    assert mesh.uv[corner].tolist() == [1, 1]


def draco(path):
    """A glTF as Draco's compressors write it: accessors without data, all in an extension."""
    where = {"bufferView": 0, "attributes": {"POSITION": 0}}
    extension = "KHR_draco_mesh_compression"
    primitive = {"attributes": {"POSITION": 0}, "indices": 1, "extensions": {extension: where}}
    path.write_text(
        json.dumps(
            {
                "asset": {"version": "2.0"},
                "extensionsUsed": [extension],
                "extensionsRequired": [extension],
                "scene": 0,
                "scenes": [{"nodes": [0]}],
                "nodes": [{"mesh": 0}],
                "meshes": [{"primitives": [primitive]}],
                "accessors": [
                    {"componentType": 5126, "count": 3, "type": "VEC3"},
                    {"componentType": 5125, "count": 3, "type": "SCALAR"},
                ],
                "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": 8}],
                "buffers": [{"byteLength": 8, "uri": "data:;base64,RFJBQ08CAgE="}],
            }
        )
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lost.obj", "there is no mesh"),
        ("pot.blend", "cannot read a .blend mesh"),
        ("pot", "cannot read a nameless mesh"),
        ("empty.ply", "empty file"),
        ("cut.ply", "cut.ply"),
        ("cut.glb", "cut.glb"),
        ("noise.glb", "noise.glb"),
        ("noise.gltf", "noise.gltf"),
        ("comment.obj", "0 vertices|cannot be read"),
        ("points.obj", "0 triangles|cannot be read"),
        ("draco.gltf", "draco.gltf"),
        ("nan.obj", "not finite"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(files, name, said):
    (files / "pot.blend").write_bytes(b"BLENDER")
    (files / "empty.ply").touch()
    for suffix in ("ply", "glb"):
        whole = (files / f"pot.{suffix}").read_bytes()
        (files / f"cut.{suffix}").write_bytes(whole[: len(whole) // 2])
    (files / "noise.glb").write_bytes(bytes(range(256)))
    (files / "noise.gltf").write_text('{"asset": ')
    (files / "comment.obj").write_text("# nothing here\n")
    (files / "points.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    (files / "nan.obj").write_text("v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    draco(files / "draco.gltf")
    with pytest.raises(GuideError, match=said) as caught:
        load_mesh(files / name)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_draco_is_named_in_the_remedy(tmp_path):
    draco(tmp_path / "draco.gltf")
    with pytest.raises(GuideError, match="without compression"):
        load_mesh(tmp_path / "draco.gltf")

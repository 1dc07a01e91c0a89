import json
import os
import subprocess
import sys
import warnings

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
    for suffix in ("ply", "glb", "obj", "gltf", "stl", "off"):
        mesh.export(tmp_path / f"pot.{suffix}")
    (tmp_path / "square.obj").write_text(OBJ)
    return tmp_path


@pytest.mark.parametrize("suffix", ["ply", "glb", "obj", "gltf", "stl", "off"])
def test_a_mesh_is_read_and_made_to_fit(files, suffix):
    mesh = load_mesh(files / f"pot.{suffix}")
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


def test_texture_coordinates_without_a_material_are_read(tmp_path):
    path = tmp_path / "plain.obj"
    path.write_text("v 0 0 0\nv 4 0 0\nv 4 2 0\nvt 0 0\nvt 1 0\nvt 1 1\nf 1/1 2/2 3/3\n")
    assert sorted(load_mesh(path).uv.tolist()) == [[0, 0], [1, 0], [1, 1]]


def test_normals_of_the_file_are_no_normals_of_its_faces(tmp_path):
    path = tmp_path / "tilted.obj"
    path.write_text(OBJ.replace("vn 0 0 1", "vn 0 3 4"))
    assert load_mesh(path).normals == pytest.approx(np.array([[0, 0.6, 0.8]] * 4))


def test_parts_of_a_scene_stand_where_its_nodes_put_them(tmp_path):
    import trimesh

    scene = trimesh.Scene()
    box = trimesh.creation.box()
    for shift in (0, 3):
        scene.add_geometry(box, transform=trimesh.transformations.translation_matrix([shift, 0, 0]))
    scene.export(tmp_path / "two.glb")
    mesh = load_mesh(tmp_path / "two.glb")
    assert len(mesh.triangles) == 24
    assert np.ptp(mesh.positions, axis=0) == pytest.approx([2, 0.5, 0.5])


def test_text_that_is_not_utf8_is_read(tmp_path):
    path = tmp_path / "latin.obj"
    path.write_bytes("# aus der Küche\n".encode("latin-1") + OBJ.encode())
    assert len(load_mesh(path).triangles) == 2


READ = """
import sys

class Missing:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from guide.errors import GuideError
from guide_graphics.raster import load_mesh
try:
    load_mesh(sys.argv[2])
except GuideError as error:
    print(error)
"""


def test_a_module_that_is_missing_is_named(tmp_path):
    path = tmp_path / "a.off"
    text = "OFF\n# aus der Küche\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"
    path.write_bytes(text.encode("latin-1"))
    assert len(load_mesh(path).triangles) == 1
    path.with_name("a.off.guide.npz").unlink()
    done = subprocess.run(
        [sys.executable, "-c", READ, "charset_normalizer", path],
        capture_output=True,
        text=True,
        check=True,
    )
    said = "the module charset_normalizer, which is not installed; pip install charset-normalizer"
    assert f"{said}\n" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("size", [1e300, 1e308, 1e30, 1e-42, 1e-300])
def test_any_size_is_made_to_fit_without_a_warning(tmp_path, size):
    path = tmp_path / "extreme.obj"
    path.write_text(f"v 0 0 0\nv {size} 0 0\nv {size} {size} 0\nf 1 2 3\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mesh = load_mesh(path)
    assert mesh.positions == pytest.approx(np.array([[-1, 0, 0], [1, 0, 0], [1, 2, 0]]))
    assert mesh.normals == pytest.approx(np.array([[0, 0, 1]] * 3))


@pytest.mark.parametrize(
    ("number", "said"),
    [("inf", "not finite"), ("nan", "not finite"), ("1e-310", "nothing to see")],
)
def test_coordinates_that_are_no_place_are_refused_without_a_warning(tmp_path, number, said):
    path = tmp_path / "broken.ply"
    head = "ply\nformat ascii 1.0\nelement vertex 3\n"
    head += "".join(f"property double {axis}\n" for axis in "xyz")
    head += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    path.write_text(f"{head}0 0 0\n{number} 0 0\n0 {number} 0\n3 0 1 2\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(GuideError, match=said):
            load_mesh(path)


def test_a_folder_is_no_mesh(tmp_path):
    (tmp_path / "pot.obj").mkdir()
    for folder in (tmp_path, tmp_path / "pot.obj"):
        with pytest.raises(GuideError, match="is a folder"):
            load_mesh(folder)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="permissions are another thing there")
def test_a_file_that_may_not_be_read_is_called_so(tmp_path):
    path = tmp_path / "secret.obj"
    path.write_text(OBJ)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(GuideError, match="permission denied") as caught:
            load_mesh(path)
    finally:
        os.seteuid(user)
    assert "fetch" not in caught.value.remedy


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

import json
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import Material, Scene, load_mesh, open_renderer, orbit, ordered, teapot

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

PLY = """ply
format ascii 1.0
element vertex 3
property double x
property double y
property double z
element face 1
property list uchar int vertex_indices
end_header
0 0 0
4 0 0
0 4 0
3 0 1 2
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


def test_triangles_without_an_area_are_left_out_and_fill_no_space(tmp_path):
    path = tmp_path / "flat.obj"
    path.write_text(OBJ + "v 90 0 0\nv 95 0 0\nf 1 1 3\nf 5 6 5\nf 1 5 6\nf 2 2 2\n")
    mesh = load_mesh(path)
    assert len(mesh.triangles) == 2
    assert len(mesh.positions) == 4
    assert np.ptp(mesh.positions, axis=0) == pytest.approx([2, 1, 0])


def test_vertices_that_no_triangle_uses_do_not_count(tmp_path):
    path = tmp_path / "spare.obj"
    path.write_text("v 1e9 1e9 1e9\nv 0 0 0\nv 4 0 0\nv 4 2 0\nf 2 3 4\n")
    mesh = load_mesh(path)
    assert mesh.positions == pytest.approx(np.array([[-1, 0, 0], [1, 0, 0], [1, 1, 0]]))


def test_normals_are_the_mean_of_the_faces_weighted_by_area(tmp_path):
    path = tmp_path / "ridge.obj"
    # Two faces meet in an edge: one towards +z, one of a third of its area towards +x
    path.write_text("v 0 0 0\nv 0 2 0\nv -3 0 0\nv 0 0 -1\nf 1 2 3\nf 1 4 2\n")
    mesh = load_mesh(path)
    top = mesh.normals[mesh.positions[:, 1].argmax()]
    assert top == pytest.approx(np.array([1, 0, 3]) / np.sqrt(10), abs=1e-6)


def test_a_normal_of_no_length_is_taken_from_the_faces(tmp_path):
    path = tmp_path / "short.obj"
    path.write_text(OBJ.replace("vn 0 0 1", "vn 0 0 0"))
    assert (load_mesh(path).normals == [0, 0, 1]).all()


def test_the_material_is_as_asked_for_however_often_it_is_read(files):
    assert [load_mesh(files / "pot.ply", n).material for n in (2, 0, 1)] == [2, 0, 1]


def test_the_order_in_memory_is_that_of_the_surface(files):
    mesh = load_mesh(files / "pot.ply")
    assert np.array_equal(ordered(mesh).triangles, mesh.triangles)


def test_or_that_of_the_file_for_those_who_ask(files):
    pot = teapot(500)
    mesh = load_mesh(files / "pot.ply", 3, reorder=False)
    assert np.array_equal(mesh.triangles, pot.triangles)
    corners = pot.positions[pot.triangles]
    assert mesh.positions[mesh.triangles] == pytest.approx(corners, abs=1e-5)
    assert mesh.material == 3
    assert not np.array_equal(load_mesh(files / "pot.ply").triangles, mesh.triangles)


def glb(**header):
    """A GLB of one part: a triangle whose header is changed."""
    view = {"buffer": 0, "byteOffset": 0, "byteLength": 36}
    accessor = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}
    whole = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [accessor],
        "bufferViews": [view],
        "buffers": [{"byteLength": 36}],
    }
    text = json.dumps(whole | header).encode()
    text += b" " * (-len(text) % 4)
    numbers = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)], "<f4").tobytes()
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", 36, 0x004E4942) + numbers
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def test_a_glb_made_by_hand_is_read(tmp_path):
    (tmp_path / "hand.glb").write_bytes(glb())
    assert len(load_mesh(tmp_path / "hand.glb").triangles) == 1


BILLION = {"componentType": 5126, "count": 10**9, "type": "VEC3"}
CLAIMS = {
    "a.obj": OBJ.encode() + b"f 1 2 1000000000\n",
    "zeros.glb": glb(accessors=[BILLION]),
    "view.glb": glb(accessors=[BILLION | {"bufferView": 0}]),
    "stride.glb": glb(
        accessors=[BILLION | {"bufferView": 0}],
        bufferViews=[{"buffer": 0, "byteLength": 36, "byteStride": 4}],
    ),
    "buffer.glb": glb(
        bufferViews=[{"buffer": 0, "byteLength": 10**10}], buffers=[{"byteLength": 10**10}]
    ),
    "copies.glb": glb(nodes=[{"mesh": 0}] * 3, scenes=[{"nodes": [0, 1, 2]}]),
    "a.stl": bytes(80) + struct.pack("<I", 10**9) + bytes(50),
    "a.off": b"OFF\n1000000000 1000000000 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n",
    "a.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 1000000000\n"
    b"property float x\nproperty float y\nproperty float z\nelement face 1\n"
    b"property list uchar int vertex_indices\nend_header\n" + bytes(50),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_billion_claimed_in_a_kilobyte_is_refused_before_memory_is_taken(
    tmp_path, name, monkeypatch
):
    monkeypatch.setattr("guide_graphics.raster.meshes.others.MAX_TRIANGLES", 2)
    path = tmp_path / name
    path.write_bytes(CLAIMS[name])
    (tmp_path / "hand.glb").write_bytes(glb())
    load_mesh(tmp_path / "hand.glb")  # what is imported on first use takes memory, too
    tracemalloc.start()
    try:
        with pytest.raises(GuideError) as caught:
            load_mesh(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


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
    path.write_text(PLY.replace("4", number))
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
        ("normal.obj", "normal 0 of .* is not finite"),
        ("uv.obj", "uv 0 of .* is not finite"),
        ("beyond.ply", "names vertex 500 of"),
        ("beyond.obj", "number 5 of 4"),
        ("flat.obj", "4 vertices and 2 triangles, and nothing to see"),
        ("text.obj", "cannot be read"),
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
    (files / "normal.obj").write_text(OBJ.replace("vn 0 0 1", "vn 0 inf 1"))
    (files / "uv.obj").write_text(OBJ.replace("vt 0 0", "vt 1e99 0"))
    (files / "beyond.obj").write_text(OBJ + "f 1 2 5\n")
    (files / "beyond.ply").write_text(PLY.replace("3 0 1 2", "3 0 1 500"))
    (files / "flat.obj").write_text(OBJ.replace("v 4 2 0", "v 4 0 0").replace("v 0 2 0", "v 2 0 0"))
    (files / "text.obj").write_text("v one two three\nf a b c\n")
    draco(files / "draco.gltf")
    with pytest.raises(GuideError, match=said) as caught:
        load_mesh(files / name)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_draco_is_named_in_the_remedy(tmp_path):
    draco(tmp_path / "draco.gltf")
    with pytest.raises(GuideError, match="without compression"):
        load_mesh(tmp_path / "draco.gltf")

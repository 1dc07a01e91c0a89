import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from guide_graphics.raster import load_mesh
from guide_graphics.raster.meshes import cache, load

OBJ = "v 0 0 0\nv 4 0 0\nv 4 2 0\nv 0 2 0\nf 1 2 3 4\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def square(tmp_path):
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "square.obj"
    path.write_text(OBJ)
    return path


@pytest.fixture
def beside(square):
    return square.with_name("square.obj.guide.npz")


@pytest.fixture
def parsed(monkeypatch):
    """The paths that were parsed, not read from a cache."""
    paths = []

    def read(path):
        paths.append(path)
        return read_really(path)

    read_really = load._read
    monkeypatch.setattr(load, "_read", read)
    return paths


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in cache._ARRAYS)


def test_a_mesh_is_parsed_once_and_comes_out_the_same(square, beside, parsed):
    first = load_mesh(square)
    assert beside.is_file()
    assert same(load_mesh(square), first)
    assert parsed == [square]


def test_nothing_else_is_left_beside_the_file(square, beside):
    load_mesh(square)
    load_mesh(square)
    assert sorted(square.parent.iterdir()) == [square, beside]


def test_a_file_that_changed_is_parsed_anew(square, parsed):
    load_mesh(square)
    square.write_text(OBJ.replace("f 1 2 3 4", "f 1 2 3"))
    assert len(load_mesh(square).triangles) == 1
    assert len(load_mesh(square).triangles) == 1
    assert len(parsed) == 2


def test_a_file_of_the_same_size_that_is_newer_is_parsed_anew(square, parsed):
    load_mesh(square)
    file = square.stat()
    square.write_text(OBJ.replace("v 4 2 0", "v 4 2 1"))
    os.utime(square, ns=(file.st_atime_ns, file.st_mtime_ns + 1))
    assert np.ptp(load_mesh(square).positions[:, 2]) > 0
    assert len(parsed) == 2


def test_a_cache_of_another_version_of_the_code_is_made_anew(square, parsed, monkeypatch):
    load_mesh(square)
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    load_mesh(square)
    load_mesh(square)
    assert len(parsed) == 2


def test_gltf_is_parsed_each_time_since_its_numbers_lie_in_other_files(tmp_path, parsed):
    import trimesh

    trimesh.creation.box().export(tmp_path / "box.gltf")
    load_mesh(tmp_path / "box.gltf")
    load_mesh(tmp_path / "box.gltf")
    assert len(parsed) == 2


@pytest.mark.parametrize("how", ["empty", "cut", "noise", "flipped", "no index", "pickle"])
def test_a_damaged_cache_is_ignored_and_written_anew(square, beside, parsed, how):
    first = load_mesh(square)
    whole = beside.read_bytes()
    inside = whole.index(first.positions.tobytes())
    damaged = {
        "empty": b"",
        "cut": whole[:inside],
        "noise": bytes(range(256)) * 8,
        "flipped": whole[:inside] + bytes([whole[inside] ^ 255]) + whole[inside + 1 :],
        "no index": whole[:-30],
        "pickle": b"\x80\x04N.",
    }
    beside.write_bytes(damaged[how])
    assert same(load_mesh(square), first)
    assert same(load_mesh(square), first)
    assert len(parsed) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"triangles": np.array([[0, 1, 9]], np.int32)},
        {"positions": np.full((4, 3), np.nan, np.float32)},
        {"uv": np.zeros((2, 2), np.float32)},
        {"normals": np.array([None] * 4, object)},
        {"positions": np.zeros(4, np.float32)},
    ],
)
def test_a_cache_that_holds_no_mesh_is_ignored(square, beside, parsed, changed):
    first = load_mesh(square)
    with np.load(beside) as arrays:
        np.savez(beside, **(dict(arrays) | changed))
    assert same(load_mesh(square), first)
    assert len(parsed) == 2


def test_a_cache_that_unpacks_to_more_than_itself_is_ignored(square, beside, parsed):
    load_mesh(square)
    with np.load(beside) as arrays:
        zeros = np.zeros((1_000_000, 3), np.float32)
        np.savez_compressed(beside, **(dict(arrays) | {"positions": zeros}))
    load_mesh(square)
    assert len(parsed) == 2


needs_users = pytest.mark.skipif(
    not hasattr(os, "seteuid"), reason="permissions are another thing there"
)


@pytest.fixture
def somebody(square):
    """A folder in which somebody, whom permissions hold unlike root, may write nothing."""
    for _ in range(2):
        load_mesh(square)  # imports what is imported on first use, which somebody may not read
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        Path(folder, "square.obj").write_text(OBJ)
        Path(folder, "open").mkdir()
        Path(folder, "open").chmod(0o777)
        Path(folder).chmod(0o555)
        if user == 0:
            os.seteuid(65534)
        yield Path(folder)
        os.seteuid(user)
        Path(folder).chmod(0o755)


@needs_users
def test_where_the_folder_is_read_only_the_users_cache_keeps_it(somebody, parsed, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(somebody / "open"))
    path = somebody / "square.obj"
    first = load_mesh(path)
    assert sorted(file.name for file in somebody.iterdir()) == ["open", "square.obj"]
    assert [file.suffix for file in (somebody / "open/guide/meshes").iterdir()] == [".npz"]
    assert same(load_mesh(path), first)
    assert parsed == [path]


@needs_users
def test_where_nothing_can_be_written_it_is_parsed_each_time(somebody, parsed, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(somebody / "closed"))
    path = somebody / "square.obj"
    assert same(load_mesh(path), load_mesh(path))
    assert len(parsed) == 2


def test_two_files_of_one_name_do_not_share_a_place_in_the_users_cache(tmp_path):
    places = [list(cache._places(tmp_path / folder / "a.obj"))[1] for folder in "xy"]
    assert places[0].parent == places[1].parent
    assert places[0].name != places[1].name


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no size of files")
def test_a_full_disk_costs_only_the_cache(square):
    code = """
import resource, sys
from guide_graphics.raster import load_mesh
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
print(len(load_mesh(sys.argv[1]).triangles))
"""
    command = [sys.executable, "-W", "error", "-c", code, square]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("2\n", "")
    assert list(square.parent.iterdir()) == [square]

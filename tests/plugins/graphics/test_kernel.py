import os

from guide_graphics.raster.software.kernel import forget_stale


def test_compiled_code_older_than_any_source_is_forgotten(tmp_path):
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    for name, time in (("a.py", 100), ("__pycache__/old.nbi", 99), ("__pycache__/new.nbi", 101)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    forget_stale(tmp_path)
    assert [file.name for file in cache.iterdir()] == ["new.nbi"]
    os.utime(tmp_path / "a.py", (102, 102))
    forget_stale(tmp_path)
    assert not list(cache.iterdir())


def test_a_folder_without_a_cache_is_left_alone(tmp_path):
    forget_stale(tmp_path / "nowhere")
    (tmp_path / "a.py").touch()
    forget_stale(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.py"]

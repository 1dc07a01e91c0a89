import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import guide_graphics
from guide_graphics.raster.kernel import forget_stale


def test_compiled_code_older_than_any_source_is_forgotten(tmp_path):
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    for name, time in (("a.py", 100), ("__pycache__/old.nbi", 99), ("__pycache__/new.nbi", 101)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    forget_stale(tmp_path, cache)
    assert [file.name for file in cache.iterdir()] == ["new.nbi"]
    os.utime(tmp_path / "a.py", (102, 102))
    forget_stale(tmp_path, cache)
    assert not list(cache.iterdir())


def test_a_folder_without_a_cache_is_left_alone(tmp_path):
    forget_stale(tmp_path / "nowhere", tmp_path / "nowhere")
    (tmp_path / "a.py").touch()
    forget_stale(tmp_path, tmp_path / "__pycache__")
    assert [file.name for file in tmp_path.iterdir()] == ["a.py"]


DRAW = """
import numpy as np
from guide_graphics import doctor
from guide_graphics.raster import open_renderer
from guide_graphics.raster.ladder.vertices import transform

renderer = open_renderer((16, 16), "software")
print(renderer.description)
renderer.close()
clip = np.empty((1, 4), np.float32)
transform(np.ones((1, 8), np.float32), 0, 1, np.eye(4, dtype=np.float32), clip)
print(clip.tolist())
found = doctor.cache()
print(found.status, found.detail, found.remedy, sep="|")
"""


@pytest.fixture
def installed(tmp_path):
    """A copy of the package, and what to block or give it: a path below a file is no folder."""
    package = Path(guide_graphics.__file__).parent
    ignore = shutil.ignore_patterns("__pycache__", "project", "modules")
    shutil.copytree(package, tmp_path / "guide_graphics", ignore=ignore)
    (tmp_path / "file").touch()

    def run(*, beside, user, chosen=None):
        if not beside:
            for folder in ("raster", "raster/ladder", "raster/software"):
                (tmp_path / "guide_graphics" / folder / "__pycache__").touch()
        home = tmp_path / ("home" if user else "file/home")
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(home)}
        env |= {"LOCALAPPDATA": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
        env.pop("NUMBA_CACHE_DIR", None)
        if chosen:
            env["NUMBA_CACHE_DIR"] = str(tmp_path / chosen)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", DRAW], env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        described, drawn, finding = done.stdout.splitlines()
        assert drawn == "[[1.0, 1.0, 1.0, 1.0]]"
        return described, finding.split("|"), sorted(tmp_path.rglob("*.nbi"))

    return run


@pytest.mark.parametrize("chosen", [None, "file/cache"])
def test_without_a_folder_for_the_cache_kernels_compile_at_every_start(installed, chosen):
    described, (status, detail, remedy), kept = installed(beside=False, user=False, chosen=chosen)
    assert described.endswith("compiled anew at every start")
    assert status == "note"
    assert "every start compiles anew" in detail
    assert "NUMBA_CACHE_DIR" in remedy
    assert not kept


@pytest.mark.parametrize(
    ("where", "status", "said"),
    [
        ({"beside": True, "user": False}, "ok", "kept beside the source"),
        ({"beside": False, "user": True}, "ok", "kept in your cache folder"),
        ({"beside": True, "user": True, "chosen": "mine"}, "ok", "by NUMBA_CACHE_DIR"),
        ({"beside": True, "user": True, "chosen": "file/mine"}, "note", "cannot be written"),
    ],
)
def test_the_doctor_names_the_folder_that_kernels_are_kept_in(installed, where, status, said):
    described, found, kept = installed(**where)
    assert "anew" not in described
    assert found[0] == status
    assert said in found[1]
    assert kept
    # numba keeps those of each folder of the source apart
    assert any(str(file.parents[k]) in found[1] for file in kept for k in (1, 2))

"""The first start: what draws while the kernels are compiled, and who compiles them."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guide.timing import Timeline
from guide_graphics.raster import (
    Light,
    Material,
    Scene,
    Shadow,
    disc,
    icosphere,
    kernel,
    open_renderer,
    orbit,
)
from guide_graphics.raster.software import preview, warm
from guide_graphics.raster.software.preview import PreviewRenderer
from guide_graphics.raster.software.renderer import SoftwareRenderer

OPEN = """
import sys, time
from guide_graphics.raster import Material, Scene, icosphere, open_renderer, orbit
scene = Scene([icosphere(2)], [Material()])
renderer = open_renderer((64, 36), "software", preview=True)
draw = lambda: renderer.render(scene, orbit(0, 20, 3))
"""
UNTIL_COMPILED = """
descriptions, frames = [], []
while not descriptions or "until" in descriptions[-1]:
    frames.append(draw().color.astype(int))
    descriptions.append(renderer.description)
    time.sleep(0.01)
apart = abs(frames[0] - frames[-1])
print(descriptions[0], descriptions[-1], len(frames), apart.mean(), sep="|")
renderer.close()
"""


def python(code, cache, **about):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    return subprocess.run(
        [sys.executable, "-c", OPEN + code], env=env, capture_output=True, text=True, **about
    )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A first start, and the cache that it left: the one cold compilation of these tests."""
    cache = tmp_path_factory.mktemp("cache")
    done = python(UNTIL_COMPILED, cache)
    assert done.returncode == 0, done.stderr
    return cache, done


def test_until_the_kernels_are_compiled_something_else_draws_the_same(compiled):
    first, last, frames, apart = compiled[1].stdout.strip().split("|")
    assert first.endswith("until the software renderer is compiled")
    assert last.startswith("numba")
    assert int(frames) > 1
    assert float(apart) < 4
    assert compiled[1].stderr == "", "a line about it is for terminals"


def test_what_is_kept_is_kernels_and_no_parts(compiled):
    kept = {file.name.split("-")[0].split(".")[1] for file in compiled[0].rglob("*.nbi")}
    assert kept == {kernel.__name__ for kernel in warm.KERNELS}


def test_the_second_start_draws_at_once(compiled):
    done = python(UNTIL_COMPILED, compiled[0])
    first, _, frames, _ = done.stdout.split("|")
    assert first.startswith("numba")
    assert int(frames) == 1


def test_guide_warm_says_what_is_kept_where(compiled):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(compiled[0])}
    command = [sys.executable, "-m", "guide", "warm", "graphics"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("software renderer")
    assert f"kept in {compiled[0]}" in done.stdout


def test_a_compilation_that_fails_is_one_line_and_is_done_here(compiled):
    code = """
from guide_graphics.raster.software import warm
import subprocess
renderer.close()
warm.is_warm = lambda: False
whole = subprocess.Popen
failing = [sys.executable, "-c", "raise SystemExit('no room')"]
subprocess.Popen = lambda command, **about: whole(failing, **about)
renderer = open_renderer((64, 36), "software", preview=True)
"""
    done = python(code + UNTIL_COMPILED, compiled[0])
    assert done.stdout.split("|")[1].startswith("numba")
    assert done.stderr == "guide: compiling beside the frames failed (no room): done here\n"


COMPILES = """
from guide_graphics.raster.software.preview import compilation
print(compilation().process.pid, flush=True)
"""


def test_a_process_that_ends_early_takes_the_compiling_one_with_it(tmp_path):
    done = python(COMPILES, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert _ended(int(done.stdout))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_one_that_is_killed_leaves_no_orphan(tmp_path):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    code = OPEN + COMPILES + "time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        assert not _ended(pid, wait_s=0)
        assert os.getpgid(pid) != os.getpgid(parent.pid), "Ctrl-C would end it"
        parent.kill()
    assert _ended(pid)


def _ended(pid, wait_s=20.0):
    """Whether a process is gone, or dead and waiting to be asked for."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            os.kill(pid, 0)
            stat = Path(f"/proc/{pid}/stat")
            if stat.is_file() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)


@pytest.mark.parametrize("about", [{}, {"preview": True, "threads": 1}])
def test_who_did_not_ask_for_a_preview_or_says_how_many_threads_gets_none(monkeypatch, about):
    monkeypatch.setattr(warm, "is_warm", lambda: False)
    renderer = open_renderer((16, 16), "software", **about)
    assert isinstance(renderer, SoftwareRenderer)
    renderer.close()


def test_without_a_folder_to_keep_kernels_in_there_is_nothing_to_wait_for(monkeypatch):
    monkeypatch.setattr(kernel, "CACHE", None)
    assert not warm.is_warm()
    renderer = open_renderer((16, 16), "software", preview=True)
    assert isinstance(renderer, SoftwareRenderer)
    renderer.close()


def test_a_cache_that_is_broken_is_no_cache(monkeypatch):
    warm.warm()
    assert warm.is_warm()
    index = Path(warm.KERNELS[0]._cache._cache_file._index_path)
    whole = index.read_bytes()
    try:
        for broken in (b"", whole[:40], b"nonsense"):
            index.write_bytes(broken)
            assert not warm.is_warm()
    finally:
        index.write_bytes(whole)


def test_samples_and_timeline_are_handed_on_to_whoever_draws(monkeypatch):
    class Done:
        done = True

    monkeypatch.setattr(preview, "compilation", Done)
    renderer = PreviewRenderer((64, 36), Timeline(keep=10), 4)
    other = renderer.timeline = Timeline(keep=10)
    scene, camera = Scene([icosphere(2)], [Material()]), orbit(0, 20, 3)
    frame = renderer.render(scene, camera)
    assert "render/vertices" in {span.name for span in other.spans()}
    whole = open_renderer((64, 36), "software", samples=4)
    assert (frame.color == whole.render(scene, camera).color).all()
    whole.close()
    renderer.close()
    renderer.close()


def test_no_scene_compiles_a_kernel_a_second_time():
    ball = Scene([icosphere(2), disc(2.0)], [Material()])
    checks = np.zeros((8, 8, 3), np.uint8)
    scenes = [
        Scene([], []),
        ball,
        replace(ball, lights=[]),
        replace(ball, lights=[Light((0, 1, 0)), Light((1, 0, 0))], shadow=Shadow(size=64)),
        replace(ball, materials=[Material(alpha=0.5, texture=checks, double_sided=True)]),
    ]
    for samples in (1, 4):
        renderer = open_renderer((70, 40), "software", samples=samples)
        for scene in scenes:
            for distance in (0.5, 4.0):  # from within, clipped, and from without
                frame = renderer.render(scene, orbit(0, 20, distance))
                frame.ids, frame.depth  # noqa: B018
        renderer.close()
    assert {kernel.__name__: len(kernel.signatures) for kernel in warm.KERNELS} == {
        kernel.__name__: 1 for kernel in warm.KERNELS
    }

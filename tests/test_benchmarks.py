"""What the comparisons rest on: the same results on all sides, and failures that are told."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.apart import FailedError, run
from benchmarks.graphics import backends, floor, mipmaps, peers, scenes, start, threads
from benchmarks.graphics.agree import difference
from benchmarks.graphics.scale import Scale
from benchmarks.rows import Row, line, paired
from benchmarks.vision.meter import Meter
from guide_graphics.raster import Scene, open_renderer

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def film() -> str:
    folder = Path(os.environ.get("GUIDE_CLIPS", ROOT / "build" / "clips"))
    path = folder / "bigbuckbunny.mp4"
    if not path.exists():
        pytest.fail(f"there is no {path}: run make clips", pytrace=False)
    return str(path)


def throughput(variant: str, film: str) -> dict[str, int]:
    return run("vision.meter:throughput", variant=variant, clip=film, frames=30, warm_up=10)


def test_threads_queues_and_the_pipeline_give_what_the_loop_gives_bit_by_bit(film):
    expected = throughput("peers:one_thread", film)
    assert expected["blobs"] > 0
    for variant in ("peers:queues", "ours:bgr"):
        found = throughput(variant, film)
        for key in ("blobs", "boxes", "jpegs"):
            assert found[key] == expected[key], (variant, key)


def test_the_pipeline_copies_no_frame(film):
    found = run("vision.ours:copies", clip=film, frames=40)
    assert (found["frames"], found["moved"], found["reallocated"]) == (40, 0, 0)
    assert found["addresses"] <= found["slots"]


def test_a_variant_that_cannot_run_says_why_in_one_line(film):
    with pytest.raises(FailedError, match=r"^vision.meter:throughput: .*no_such_variant.*$"):
        throughput("peers:no_such_variant", film)


def test_a_variant_that_loses_frames_has_no_result():
    meter = Meter(5, warm_up=1)
    meter.done([], b"")
    with pytest.raises(RuntimeError, match="1 of 6 frames"):
        meter.result()


def test_ratios_are_of_neighbours():
    ours, peer, ratio, quartiles = paired([1.0, 20.0, 3.0], [2.0, 10.0, 3.0])
    assert (ours, peer, ratio) == (3.0, 3.0, 1.0)
    assert quartiles == "0.50 to 2.00"


def test_a_goal_that_is_missed_stands_out():
    assert line(Row("figure", "2 s", "1 s", 2.0, "at most 1", False)).endswith("| at most 1 | NO |")


SMALL = (160, 90)
TINY = Scale(
    size=SMALL, detail=0.01, views=1, rounds=2, blocks=1, peer_rounds=2, turn_s=0, starts=1
)


@pytest.fixture(scope="module")
def software():
    renderer = open_renderer(SMALL, "software", threads=1)
    yield renderer
    renderer.close()


@pytest.mark.parametrize(("name", "triangles"), [("a", 70_000), ("b", 1_000_000)])
def test_a_mesh_has_the_triangles_and_fills_the_part_of_the_picture_it_is_said_to(
    software, name, triangles
):
    view = scenes.view(name)
    assert len(view.mesh.triangles) == pytest.approx(triangles, rel=0.15)
    assert f"{len(view.mesh.triangles):,} triangles" in view.about
    covered = [
        (software.render(view.scene, view.camera(n)).ids >= 0).mean() for n in range(0, 60, 6)
    ]
    assert 0.3 < np.mean(covered) < 0.5
    assert len(set(covered)) > 3  # it turns; a teapot looks the same from both sides


def test_the_two_meshes_are_lit_and_textured_as_they_are_said_to_be():
    material = scenes.view("a").material
    assert material.texture.shape == (1024, 1024, 3)
    assert (material.shininess, material.double_sided, material.mipmaps) == (32, False, False)
    assert scenes.view("a", mipmaps=True, detail=0.01).material.mipmaps


def test_every_layer_fills_the_picture_and_hides_those_before_it(software):
    view = scenes.view("c")
    for n in (0, 15, 45):  # as far as the camera sways
        ids = software.render(view.scene, view.camera(n)).ids
        assert set(np.unique(ids)) <= {98, 99}
        for layer in range(scenes.LAYERS):
            alone = replace(view.mesh, triangles=view.mesh.triangles[2 * layer : 2 * layer + 2])
            seen = software.render(Scene([alone], view.scene.materials), view.camera(n)).ids
            assert (seen >= 0).all()


def test_the_blended_layers_are_the_opaque_ones_with_half_the_alpha():
    opaque, blended = scenes.view("c"), scenes.view("c2")
    assert (opaque.material.alpha, blended.material.alpha) == (1, 0.5)
    assert (opaque.mesh.positions == blended.mesh.positions).all()


def test_pictures_that_differ_are_told_by_what_differs(software):
    view = scenes.view("a", detail=0.05)

    def complaint(scene: Scene, n: int) -> str | None:
        renderers = [open_renderer(SMALL, "software", threads=1) for _ in range(2)]
        first, second = renderers
        frames = first.render(view.scene, view.camera(0)), second.render(scene, view.camera(n))
        return difference([frames]).complaint()

    assert complaint(view.scene, 0) is None
    assert "covered pixels" in complaint(view.scene, 1)
    duller = [replace(view.material, specular=0.0)]
    assert "colours" in complaint(replace(view.scene, materials=duller), 0)
    other_way = replace(view.mesh, triangles=view.mesh.triangles[::-1])
    assert "triangles" in complaint(replace(view.scene, meshes=[other_way]), 0)


@pytest.mark.parametrize("part", [backends, threads, mipmaps])
def test_all_pictures_agree_and_every_contender_is_timed(part):
    rows = list(part.rows(TINY))
    assert not [row for row in rows if "did not run" in row.ours]
    assert all(row.ratio > 0 for row in rows)


def test_work_that_is_counted_fits_the_picture():
    triangles, _, size = floor.rows(TINY)
    assert "drawn" in triangles.ours
    assert f"frame {SMALL[0] * SMALL[1] * 4 / 1e6:.1f}" in size.ours


def test_a_peer_draws_in_turn_with_ours_and_one_that_fails_says_why():
    ours, theirs = peers.in_turn("ours", TINY)
    assert len(ours) == len(theirs) == TINY.peer_rounds
    assert min(ours + theirs) > 0
    with pytest.raises(FailedError, match=r"^graphics.peers:serve: .*no_such_peer.*$"):
        peers.in_turn("no_such_peer", TINY)


def test_a_start_that_fails_says_why_in_its_row(tmp_path):
    failing = "raise SystemExit('no OpenGL here')"
    row = start.row("first frame", "pass", "OpenGL", failing, TINY, str(tmp_path))
    assert row.ours == "did not run: no OpenGL here"
    assert row.ratio is None

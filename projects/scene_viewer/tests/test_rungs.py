import re

import pytest

from guide_graphics.raster import ordered, torus_knot
from scene_viewer import rungs

KNOT = torus_knot(segments=40, sides=8)
SIZE = 64, 36


def test_every_rung_is_measured_and_held_against_one_before(capsys):
    rungs.main(["--size", "96x54", "--loop-size", "48x27", "--triangles", "500", "--rounds", "2"])

    text = capsys.readouterr().out
    rows = [row for row in text.splitlines() if re.match(r"\| \d", row)]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 13))
    for number, row in enumerate(rows[1:], 2):
        assert int(row.split("|")[5]) < number
    psnr = re.search(r"PSNR (\w+) dB", text)
    assert psnr is not None
    assert float(psnr[1]) > 50


def test_the_python_loop_draws_with_kernels_that_nobody_compiled():
    kind = "type(__import__('guide_graphics.raster.ladder.coverage', fromlist=['']).draw).__name__"
    scene = rungs.staged(KNOT, mipmaps=False, shadow=0)
    with rungs.uncompiled() as pool:
        assert pool.submit(eval, kind).result() == "function"
        phases = pool.submit(rungs.python_phases, scene, SIZE).result()
    assert eval(kind) != "function", "here they are compiled"
    assert set(phases) == {"render/vertices", "render/setup", *rungs.PER_PIXEL}


def test_a_shuffled_mesh_has_the_same_triangles():
    def corners(mesh):
        mesh = ordered(mesh)
        return sorted(mesh.positions[mesh.triangles].reshape(-1, 9).tolist())

    mixed = rungs.shuffled(KNOT)
    assert (mixed.triangles != KNOT.triangles).mean() > 0.9
    assert corners(mixed) == corners(KNOT)


@pytest.mark.parametrize(
    ("value", "text"), [(43210.9, "43,211"), (123.4, "123"), (12.34, "12.3"), (0.1234, "0.123")]
)
def test_a_figure_has_three_digits_that_count(value, text):
    assert rungs.figure(value) == text


def test_a_gain_is_the_median_of_the_rounds_both_took_part_in():
    slow = rungs.Rung("slow", float, None, 3, [100.0, 200.0, 300.0])
    fast = rungs.Rung("fast", float, 1, 5, [10.0, 10.0, 10.0, 1.0, 1.0])
    assert "| **20** (10 to 30) | 1 |" in rungs.table([slow, fast])

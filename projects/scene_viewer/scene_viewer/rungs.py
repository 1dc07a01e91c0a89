"""Every rung from a Python loop to SIMD kernels, in one run, on the same frame of this project.

    python -m scene_viewer.rungs --mesh ../../build/meshes/bunny.obj

Prints a Markdown table. The rungs take turns, round after round, forth and back. Each turn gives
one time: the median of a few frames, after one that warms up its caches. Each round gives one ratio
of two rungs, and the median of those is what counts: it cancels what else the machine is doing.

The Python loop is too slow for a whole frame a round. It draws a small one: its vertices and
set-up, which hardly depend on pixels, count as they are, its coverage and shading in proportion to
the covered pixels.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from guide.timing import Timeline
from guide_graphics.raster import Camera, Mesh, Renderer, Scene, ordered
from guide_graphics.raster.compare import difference
from guide_graphics.raster.ladder.renderer import LadderRenderer
from guide_graphics.raster.software.renderer import SoftwareRenderer
from guide_graphics.raster.workers import usable_cpus
from scene_viewer.motion import camera_at, sun_at
from scene_viewer.options import Options
from scene_viewer.scene import SKY, staged, subject

Size = tuple[int, int]

TIME_S = 3.0  # of the film
FRAMES = 4  # of a turn, after the one that warms up
LOOP_ROUNDS = 3  # the Python loop takes part in these alone
PER_PIXEL = ("render/raster", "render/shade")


@dataclass
class Rung:
    """One way to draw the frame."""

    name: str
    turn: Callable[[], float]  # draws, and returns ms a frame
    against: int | None  # the rung it is held against
    rounds: int
    took: list[float] = field(default_factory=list)


class Painter:
    """A renderer with what it draws."""

    def __init__(self, renderer: Renderer, scene: Scene, *, sun_moves: bool = False) -> None:
        self._renderer, self._scene = renderer, scene
        self._camera = camera_on(scene)
        self._sun_moves = sun_moves
        self._drawn = 0

    def draw(self) -> np.ndarray:
        """The frame's colours."""
        scene = self._scene
        if self._sun_moves:
            self._drawn += 1
            scene = replace(scene, lights=(sun_at(self._drawn / 60, 60.0), SKY))
        return self._renderer.render(scene, self._camera).color

    def turn(self) -> float:
        """The median time of a few frames in ms."""
        took = []
        for _ in range(1 + FRAMES):
            start_ns = time.perf_counter_ns()
            self.draw()
            took.append((time.perf_counter_ns() - start_ns) / 1e6)
        return statistics.median(took[1:])


def camera_on(scene: Scene) -> Camera:
    """Where the film has it at the frame that is measured."""
    return camera_at(TIME_S, float(scene.meshes[0].positions[:, 1].max()))


def ladder_painter(scene: Scene, size: Size, threads: int, band_rows: int) -> Painter:
    """The scalar renderer; one band for the whole picture: no bands."""
    return Painter(LadderRenderer(size, Timeline(keep=8), threads, band_rows), scene)


def simd_painter(scene: Scene, size: Size, threads: int, *, sun_moves: bool = False) -> Painter:
    """The renderer of `--backend software`."""
    return Painter(SoftwareRenderer(size, Timeline(keep=8), threads), scene, sun_moves=sun_moves)


def covered(scene: Scene, size: Size) -> int:
    """How many pixels show a triangle."""
    renderer = SoftwareRenderer(size, Timeline(keep=8), 1)
    return int((renderer.render(scene, camera_on(scene)).ids >= 0).sum())


def python_phases(scene: Scene, size: Size) -> dict[str, float]:
    """Draw by the scalar kernels, in a process that does not compile them: ms of every phase."""
    timeline = Timeline(keep=8)
    renderer = LadderRenderer(size, timeline, 1, band_rows=size[1])
    renderer.render(scene, camera_on(scene))
    spans = timeline.columns()
    took = (spans.end_ns - spans.start_ns) / 1e6
    return {spans.names[name]: ms for name, ms in zip(spans.name, took.tolist(), strict=True)}


def python_loop(pool: ProcessPoolExecutor, scene: Scene, size: Size, pixels: float) -> float:
    """What a whole frame would take in ms, `pixels` times as many as a small one covers."""
    phases = pool.submit(python_phases, scene, size).result()
    return sum(ms * (pixels if name in PER_PIXEL else 1) for name, ms in phases.items())


def uncompiled() -> ProcessPoolExecutor:
    """A process in which a kernel is the Python function that it was written as."""
    pool = ProcessPoolExecutor(1, get_context("spawn"))
    os.environ["NUMBA_DISABLE_JIT"] = "1"  # numba looks when it is imported: there, not here
    try:
        pool.submit(os.getpid).result()
    finally:
        del os.environ["NUMBA_DISABLE_JIT"]
    return pool


def shuffled(mesh: Mesh) -> Mesh:
    """Triangles and vertices in an order of chance: as bad as it gets."""
    chance = np.random.default_rng(1)
    places = chance.permutation(len(mesh.positions)).astype(
        np.int32
    )  # of each vertex, where it goes
    back = np.argsort(places)
    triangles = places[mesh.triangles[chance.permutation(len(mesh.triangles))]]
    return replace(
        mesh,
        positions=mesh.positions[back],
        normals=mesh.normals[back],
        uv=mesh.uv[back],
        triangles=triangles,
    )


def rungs(
    mesh: Mesh, size: Size, loop_size: Size, rounds: int, pool: ProcessPoolExecutor
) -> list[Rung]:
    """All of them, each ready to draw."""
    cpus = usable_cpus()
    plain = staged(mesh, mipmaps=False, shadow=0)
    morton = staged(ordered(mesh), mipmaps=False, shadow=0)
    mipped = staged(ordered(mesh), shadow=0)
    shadowed = staged(ordered(mesh))
    loop = partial(
        python_loop, pool, plain, loop_size, covered(plain, size) / covered(plain, loop_size)
    )
    painters = [
        ("numba: the same kernels compiled", ladder_painter(plain, size, 1, size[1]), 1),
        ("bands of 16 rows", ladder_painter(plain, size, 1, 16), 2),
        (f"{cpus} threads", ladder_painter(plain, size, cpus, 16), 3),
        ("SIMD: 8 lanes, tiles of 64 x 64", simd_painter(plain, size, cpus), 4),
        ("triangles in Morton order", simd_painter(morton, size, cpus), 5),
        ("mip-maps", simd_painter(mipped, size, cpus), 6),
        ("a shadow, the sun at rest", simd_painter(shadowed, size, cpus), 7),
        ("the sun moves", simd_painter(shadowed, size, cpus, sun_moves=True), 8),
        ("aside: 5 shuffled", simd_painter(replaced(plain, shuffled(mesh)), size, cpus), 5),
        ("aside: 5 on one thread", simd_painter(plain, size, 1), 5),
        ("aside: 7 on one thread", simd_painter(mipped, size, 1), 7),
    ]
    first, *others = painters[0][1], *(painter for _, painter, _ in painters[1:5])
    check_alike(first, others)
    made = [Rung("the kernels as a Python loop (scaled)", loop, None, min(rounds, LOOP_ROUNDS))]
    return made + [Rung(name, painter.turn, at, rounds) for name, painter, at in painters]


def replaced(scene: Scene, mesh: Mesh) -> Scene:
    """The scene with another subject."""
    return replace(scene, meshes=[mesh, *scene.meshes[1:]])


def check_alike(first: Painter, others: Sequence[Painter]) -> None:
    """Say by how much the pictures of the rungs differ; they should not."""
    expected = first.draw().copy()
    apart = [difference(expected, painter.draw()) for painter in others]
    pixels, psnr = max(d.pixels for d in apart), min(d.psnr_db for d in apart)
    print(f"Rungs 2 to 6 draw one picture: {pixels:,} pixels differ, PSNR {psnr:.0f} dB.\n")


def measure(made: Sequence[Rung]) -> None:
    """Let them take turns."""
    for number in range(max(rung.rounds for rung in made)):
        turn = [rung for rung in made if number < rung.rounds]
        for rung in reversed(turn) if number % 2 else turn:
            rung.took.append(rung.turn())


def table(made: Sequence[Rung]) -> str:
    """The Markdown table: every rung, how long a frame takes, how many times as fast it is."""
    lines = [
        "| # | rung | ms a frame, median (fastest) | times as fast | as rung |",
        "| --- | --- | --- | --- | --- |",
    ]
    for number, rung in enumerate(made, 1):
        gain, base = "", ""
        if rung.against is not None:
            before = made[rung.against - 1].took
            # The first rounds of both, where one had more
            ratios = sorted(b / a for a, b in zip(rung.took, before, strict=False))
            quarter = len(ratios) // 4
            low, high = ratios[quarter], ratios[-1 - quarter]
            gain = f"**{figure(statistics.median(ratios))}** ({figure(low)} to {figure(high)})"
            base = str(rung.against)
        times = f"{figure(statistics.median(rung.took))} ({figure(min(rung.took))})"
        lines.append(f"| {number} | {rung.name} | {times} | {gain} | {base} |")
    return "\n".join(lines)


def figure(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def parsed_size(typed: str) -> Size:
    """`"1280x720"` as numbers."""
    width, height = map(int, typed.split("x"))
    return width, height


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m scene_viewer.rungs", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--mesh", default=Options.mesh, help="knot, teapot, or a file's path")
    parser.add_argument("--triangles", type=int, default=Options.triangles)
    parser.add_argument("--size", type=parsed_size, default=(1280, 720))
    parser.add_argument("--loop-size", type=parsed_size, default=(320, 180), help="of its frame")
    parser.add_argument("--rounds", type=int, default=21)
    typed = parser.parse_args(arguments)
    options = Options(mesh=typed.mesh, triangles=typed.triangles)
    mesh = subject(options, Path.cwd(), reorder=False)
    width, height = typed.size
    print(f"{Path(typed.mesh).name}, {len(mesh.triangles):,} triangles, {width} x {height}.")
    with uncompiled() as pool:
        made = rungs(mesh, typed.size, typed.loop_size, typed.rounds, pool)
        measure(made)
    print(table(made))
    first, last = (statistics.median(rung.took) for rung in (made[0], made[5]))
    print(f"\nThe same picture from rung 1 to rung 6: {figure(first / last)} times as fast.")


if __name__ == "__main__":
    main()

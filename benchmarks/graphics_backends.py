"""The track's two renderers on the same frames: the software one against OpenGL.

    python benchmarks/graphics_backends.py [--frames 60] [--size 640x360] [--triangles 10000]

Both draw the scaffold's teapot, textured and lit alike, and hand the frame over as a numpy array:
for OpenGL the readback is included. They run in one process and take turns, frame by frame,
changing who begins; each frame gives one ratio, and the median of the ratios is what counts,
because it cancels whatever else the machine is doing. What OpenGL runs on is printed: against
llvmpipe this compares two programs on one CPU, against a GPU it compares two machines. The
software renderer shades each visible pixel once, OpenGL each covered one (deferred and forward).
"""

from __future__ import annotations

import argparse
import statistics
import time

from guide_graphics.raster import (
    Material,
    Renderer,
    Scene,
    checker,
    disc,
    marble,
    open_renderer,
    orbit,
    teapot,
)

WARM_UP = 10


def frame_ms(renderer: Renderer, scene: Scene, azimuth: float) -> float:
    """Draw one frame and return how long it took."""
    camera = orbit(azimuth, 21, 3.45, (0.0, 0.42, 0.0))
    start_ns = time.perf_counter_ns()
    renderer.render(scene, camera)
    return (time.perf_counter_ns() - start_ns) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--triangles", type=int, default=10_000)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))

    scene = Scene(
        [teapot(options.triangles), disc(6.0, material=1)],
        [
            Material(texture=marble((0.94, 0.93, 0.9), (0.1, 0.24, 0.56)), double_sided=True),
            Material(texture=checker((0.8, 0.66, 0.5), (0.6, 0.45, 0.33), 1024, 24), specular=0),
        ],
    )
    software = open_renderer((width, height), "software")
    gl = open_renderer((width, height), "opengl")
    times: dict[str, list[float]] = {"software": [], "opengl": []}
    for frame in range(-WARM_UP, options.frames):
        pair = (software, gl) if frame % 2 else (gl, software)
        for renderer in pair:
            taken = frame_ms(renderer, scene, 6.0 * frame)
            if frame >= 0:
                times[renderer.backend].append(taken)

    print(f"{scene.triangle_count:,} triangles, {width}x{height}, {options.frames} frames each")
    for renderer in (software, gl):
        mine = sorted(times[renderer.backend])
        median, low = statistics.median(mine), mine[0]
        print(
            f"{renderer.backend:<9} median {median:7.2f} ms, fastest {low:7.2f} ms "
            f"({renderer.description})"
        )
    ratios = sorted(g / s for s, g in zip(times["software"], times["opengl"], strict=True))
    quarter = len(ratios) // 4
    print(
        f"gl / software, frame by frame: median {statistics.median(ratios):.2f} "
        f"(middle half {ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f}); "
        "above 1 the software renderer is the faster"
    )
    software.close()
    gl.close()


if __name__ == "__main__":
    main()

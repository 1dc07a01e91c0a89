"""The software renderer: the phases of a frame."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.kernel import CACHE
from guide_graphics.raster.renderer import Frame, lit_from, transforms_of
from guide_graphics.raster.scene import F32, I32, U8, Scene, same_geometry
from guide_graphics.raster.shadow import light_matrix
from guide_graphics.raster.software import shade
from guide_graphics.raster.software.bundles import Lighting
from guide_graphics.raster.software.layout import Layout, lay_out
from guide_graphics.raster.software.passes import TILE_BITS, Pass
from guide_graphics.raster.software.tiles import draw_tiles
from guide_graphics.raster.workers import Workers

F64 = npt.NDArray[np.float64]

_NO_SHADOW = np.ones((1, 1), np.float32)


class SoftwareRenderer:
    """Draws on the CPU. See `guide_graphics.raster.renderer.Renderer` for what it promises.

    A frame is made in four phases: vertices are transformed; triangles culled and sorted into
    tiles; each tile is covered, then shaded, every visible pixel once. Threads take chunk after
    chunk and tile after tile from a shared counter. No two of them ever write to one place and
    no sum depends on who was first, so the image is the same for any number of them.

    Coverage and shading take turns, tile by tile: their spans are as long as their share of the
    whole, one behind the other.
    """

    backend = "software"

    def __init__(
        self,
        size: tuple[int, int],
        timeline: Timeline,
        threads: int | None,
        tile_bits: int = TILE_BITS,
        samples: int = 1,
    ) -> None:
        width, height = self._size = size
        self._workers = Workers(threads)
        self.timeline = timeline
        threads = self._workers.threads
        self.description = f"numba, {threads} thread{'s' if threads > 1 else ''}"
        if CACHE is None:
            self.description += ", compiled anew at every start"  # `guide doctor` says why
        self._scene: Scene | None = None
        self._view = Pass(size, self._workers, tile_bits, samples)
        self._shadow: _ShadowMap | None = None
        self._color = np.empty((height, width), np.int32)
        self._drawn = 0  # frames

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` as `camera` sees it at time `t_s`."""
        width, height = self._size
        timeline, view = self.timeline, self._view
        if not same_geometry(self._scene, scene):
            self._layout = lay_out(scene)
            view.load(self._layout)
            self._shadow = None
        self._scene = scene
        layout = self._layout
        to_clip = camera.projection(width / height).astype(np.float64) @ camera.view
        matrices = _matrices(to_clip, scene)
        shadow = _NO_SHADOW
        if scene.shadow is not None:
            with timeline.span("render/shadow"):
                shadow = self._shadow_map(scene)
        with timeline.span("render/vertices"):
            view.transform(matrices)
        with timeline.span("render/setup"):
            view.sort(matrices, layout.double_sided)
        began = timeline.now_ns()
        covering, shading = self._draw(
            scene, lighting(scene, camera, to_clip, self._size, layout, shadow)
        )
        ended = timeline.now_ns()
        middle = began + round((ended - began) * covering / max(covering + shading, 1))
        timeline.add("render/raster", began, middle)
        timeline.add("render/shade", middle, ended)
        color = self._color.view(np.uint8).reshape(height, width, 4)
        self._drawn = drawn = self._drawn + 1

        @cache
        def read() -> tuple[F32, I32]:
            if drawn != self._drawn:
                raise GuideError("this frame is gone", "read depth and ids before the next render")
            return view.read(_layers(scene))  # covered once more, for those who ask

        return Frame(color, t_s, depth=lambda: read()[0], ids=lambda: read()[1])

    def close(self) -> None:
        """End the threads; a second call does nothing."""
        self._workers.close()

    def _shadow_map(self, scene: Scene) -> F32:
        assert scene.shadow is not None
        if self._shadow is None or self._shadow.size != scene.shadow.size:
            self._shadow = _ShadowMap(scene.shadow.size, self._workers, self._layout)
        return self._shadow.of(scene)

    def _draw(self, scene: Scene, light: Lighting) -> tuple[int, int]:
        """Draw all tiles; returns the cycles of coverage and of shading, of all threads."""
        view = self._view
        background = scene.background_rows(self._size[1]).view(np.int32).ravel()
        counter = np.zeros(1, np.int64)
        spent = np.zeros((self._workers.threads, 2), np.int64)
        layered, drawn = bool(_layers(scene).any()), view.drawn
        view.run(
            lambda thread: draw_tiles(
                counter,
                spent[thread],
                view.tile_bits,
                *self._size,
                view.starts,
                view.items,
                layered,
                view.samples,
                drawn,
                view.memory(thread),
                light,
                background,
                self._color,
            )
        )
        return int(spent[:, 0].sum()), int(spent[:, 1].sum())


class _ShadowMap:
    """Depths as a light sees them; kept for as long as neither it nor a mesh moves."""

    def __init__(self, size: int, workers: Workers, layout: Layout) -> None:
        self.size = size
        self._pass = Pass((size, size), workers)
        self._pass.load(layout)
        self._two_sided = np.ones_like(layout.double_sided)
        self._made_of: F32 | None = None

    def of(self, scene: Scene) -> F32:
        """The map of the scene's shadow: (size, size) float32, 0 to 1."""
        assert scene.shadow is not None
        view = light_matrix(scene.shadow, scene.lights[scene.shadow.light]).astype(np.float64)
        matrices = _matrices(view, scene)
        if self._made_of is None or not np.array_equal(self._made_of, matrices):
            self._pass.transform(matrices)
            self._pass.sort(matrices, self._two_sided)
            self._map, _ = self._pass.read(_layers(scene), ids=False)
            self._made_of = matrices
        return self._map


def _matrices(view: F64, scene: Scene) -> F32:
    """From each mesh's own space, (meshes, 4, 4)."""
    return (view @ transforms_of(scene)).astype(np.float32)


def _layers(scene: Scene) -> U8:
    """1 for each mesh that is blended over what is behind it."""
    return np.array([scene.materials[m.material].alpha < 1 for m in scene.meshes], np.uint8)


def lighting(
    scene: Scene,
    camera: Camera,
    to_clip: F64,
    size: tuple[int, int],
    layout: Layout,
    shadow: F32,
) -> Lighting:
    """All that shading looks up."""
    eyes, lights = lit_from(scene, camera)
    transforms, count = transforms_of(scene), len(scene.meshes)
    table = np.zeros((count, shade.SURFACE), np.float32)
    rays = _rays(to_clip @ transforms, size)
    if rays is None:  # a parallel projection has no eye: its direction is the same everywhere
        table[:, shade.TO_EYE : shade.TO_EYE + 3] = eyes
    else:
        table[:, shade.TO_EYE : shade.TO_EYE + 9] = -rays.reshape(count, 9)
    materials = [scene.materials[mesh.material] for mesh in scene.meshes]
    for row, material in zip(table, materials, strict=True):
        row[shade.COLOR : shade.COLOR + 3] = material.color
        row[shade.SPECULAR] = material.specular
        row[shade.HALF_SHININESS] = power = material.shininess / 2
        faint = 2.0**-10 / max(material.specular, 1.0)
        row[shade.FAINT] = faint ** (1 / power) if power > 0 else -1
        row[shade.ALPHA] = material.alpha
    table[:, shade.COLOR : shade.COLOR + 3] /= 255
    table[:, shade.LIGHTS : shade.LIGHTS + 3 * len(scene.lights)] = lights.reshape(
        count, 3 * len(scene.lights)
    )
    cast = scene.shadow
    if cast is not None:
        if rays is None:
            raise GuideError("a parallel projection has no shadows", "take shadow=None")
        view = light_matrix(cast, scene.lights[cast.light]).astype(np.float64)
        table[:, shade.SHADOW : shade.SHADOW + 12] = _into_map(
            view @ transforms, eyes, rays, cast.size
        )
    return Lighting(
        surface=table,
        light_colors=np.array([light.color for light in scene.lights], np.float32).reshape(-1, 3),
        ambient=np.asarray(scene.ambient, np.float32),
        levels=layout.levels,
        level_count=layout.level_count,
        texels=layout.texels,
        shadow=shadow,
        lights=len(scene.lights),
        shadow_size=cast.size if cast else 1,
        shadow_light=cast.light if cast else -1,
        shadow_bias=np.float32(cast.bias if cast else 0),
    )


def _rays(matrices: F64, size: tuple[int, int]) -> F64 | None:
    """From the eye to what a pixel shows at w = 1, in each mesh's own space.

    The point that pixel (x, y) shows is eye + w * A^-1 (x', y', 1), where A is what the matrix does
    to directions in clip x, y and w, and x', y' run from -1 to 1.

    Args:
        matrices: (meshes, 4, 4), from each mesh's space to clip space.
        size: of the picture.

    Returns:
        (meshes, 3, 3): at pixel (0, 0), and what that gains by column and by row. None where an A
        has no inverse.
    """
    width, height = size
    try:
        inverse = np.linalg.inv(matrices[:, [0, 1, 3], :3])
    except np.linalg.LinAlgError:
        return None
    x, y, forward = inverse.transpose(2, 0, 1)
    by_x, by_y = x * 2 / width, y * 2 / height
    # The centre of pixel 0 lies half a pixel inside
    start = forward - x - y + by_x / 2 + by_y / 2
    return np.stack([start, by_x, by_y], axis=1)


def _into_map(matrices: F64, eyes: F32, rays: F64, size: int) -> F64:
    """The eye's place in the shadow map and that of the rays, see `shade.shadowed`.

    Args:
        matrices: (meshes, 4, 4), from each mesh's space to what the light sees.
        eyes: (meshes, 3).
        rays: (meshes, 3, 3), see `_rays`.
        size: of the map.

    Returns:
        (meshes, 12).
    """
    scale = np.array([size, size, 1.0]) / 2
    linear = matrices[:, :3, :3] * scale[:, None]
    origin = matrices[:, :3, 3] * scale + np.array([size / 2 - 0.5, size / 2 - 0.5, 0.5])
    places = (linear @ eyes[:, :, None])[:, :, 0] + origin
    turned = rays @ linear.transpose(0, 2, 1)
    return np.concatenate([places, turned.reshape(-1, 9)], axis=1)

"""When two renderers have drawn the same: the gates, in one place.

Both draw by one set of rules (pixel centres, 8 sub-pixel bits, top-left rule, 24-bit depth), so
what may differ is the last bit of a float: a few pixels where a vertex lies just between two
sub-pixel positions or two surfaces meet, and one step of colour anywhere.
"""

from dataclasses import dataclass

import numpy as np

from guide_graphics.raster.scene import F32, I32, U8

COVERAGE_PPM = 5  # of all covered pixels: covered in one picture alone
IDS_PPM = 100  # another triangle is seen
COLOR_MOST = 16  # of 255
COLOR_OFF, COLOR_OFF_PPM = 2, 50  # differ by more than so many steps
MEAN = 0.02  # signed, in each channel: a bias that no single pixel shows
PSNR_DB = 55.0
# llvmpipe weighs mip levels in 8 bits. Where they cover the picture, it comes to 53.8 to 54.6 dB
# and a mean of 0.02 to 0.04 itself, against the exact arithmetic in test_gl_shading.py
TRILINEAR = {"psnr_db": 53.0, "mean_most": 0.05}
# At a grazing angle depth is steep, and drivers differ in whether they interpolate it from
# snapped vertices or from those before
DEPTH_MOST, DEPTH_OFF, DEPTH_OFF_SHARE = 1e-3, 2e-5, 0.05
# The edges of layers, shadows and samples stand in no ids: a pixel there that only one renderer
# takes is a difference of colour
EDGES = {"stray_ppm": 10}
# llvmpipe rounds a blend of bytes down, which darkens by up to a step for each layer; we round
LAYERS = {"stray_ppm": 10, "mean_most": 0.15, "psnr_db": 53.0}


@dataclass(frozen=True)
class Picture:
    """A frame that outlives the renderer's next one."""

    color: U8
    ids: I32
    depth: F32
    drawn: np.ndarray  # (h, w) bool: where anything was drawn, layers without ids among it

    def same_bits(self, other):
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("color", "ids", "depth")
        )


def shoot(renderer, scene, camera):
    """Draw, and keep what was drawn."""
    frame = renderer.render(scene, camera)
    color, ids, depth = frame.color.copy(), frame.ids.copy(), frame.depth.copy()
    background = scene.background_rows(len(color))[:, None]
    return Picture(color, ids, depth, (ids >= 0) | (color != background).any(axis=2))


def disagreement(
    ones, others, *, psnr_db=PSNR_DB, mean_most=MEAN, depth_most=DEPTH_MOST, stray_ppm=0
):
    """The gates that two series of pictures fail, each as a line that begins with its name.

    `stray_ppm` of all that was drawn may have any colour.
    Pixels are counted over the whole series: of a million, five are a number; of a thousand, not.
    """
    tall = [(a, b) for a, b in zip(ones, others, strict=True)]
    covered = sum(int((b.ids >= 0).sum()) for _, b in tall)
    drawn = sum(int((a.drawn | b.drawn).sum()) for a, b in tall)
    coverage = sum(int(((a.ids >= 0) != (b.ids >= 0)).sum()) for a, b in tall)
    ids = sum(int((a.ids != b.ids).sum()) for a, b in tall)
    # Where another triangle is seen, another colour and depth are right
    colors = np.concatenate([_color_difference(a, b) for a, b in tall])
    depths = np.concatenate([abs(a.depth - b.depth)[a.ids == b.ids] for a, b in tall])
    strays = int(stray_ppm * 1e-6 * drawn)
    steps = np.sort(abs(colors).max(axis=1, initial=0))
    worst = int(steps[: len(steps) - strays].max(initial=0))
    off = int((abs(colors) > COLOR_OFF).any(axis=1).sum())
    mean = colors.mean(axis=0) if len(colors) else np.zeros(3)
    squares = float((colors.astype(float) ** 2).mean()) if len(colors) else 0.0
    psnr = 10 * np.log10(255**2 / squares) if squares else np.inf
    deep = float((depths > DEPTH_OFF).mean()) if len(depths) else 0.0
    alpha = sum(int((a.color[..., 3] != b.color[..., 3]).sum()) for a, b in tall)
    gates = [
        (coverage <= COVERAGE_PPM * 1e-6 * covered, f"coverage: {coverage} of {covered} pixels"),
        (ids <= IDS_PPM * 1e-6 * covered, f"ids: {ids} of {covered} pixels"),
        (worst <= COLOR_MOST, f"color: differs by {worst}"),
        (off <= COLOR_OFF_PPM * 1e-6 * drawn, f"off: {off} of {drawn} pixels"),
        (abs(mean).max() < mean_most, f"mean: {np.round(mean, 4)}"),
        (psnr >= psnr_db, f"psnr: {psnr:.1f} dB"),
        (depths.max(initial=0) <= depth_most, f"depth: differs by {depths.max(initial=0)}"),
        (deep <= DEPTH_OFF_SHARE, f"depths: {deep:.4f} of them"),
        (alpha == 0, f"alpha: {alpha} pixels"),
    ]
    return [line for passed, line in gates if not passed]


def assert_agree(ones, others, **gates):
    """Raise AssertionError with the gates that fail."""
    failed = disagreement(ones, others, **gates)
    assert not failed, "; ".join(failed)


def names(failed):
    """The names of failed gates."""
    return {line.split(":")[0] for line in failed}


def _color_difference(a, b):
    same = (a.ids == b.ids) & (a.drawn | b.drawn)
    return (a.color[..., :3].astype(np.int32) - b.color[..., :3])[same]

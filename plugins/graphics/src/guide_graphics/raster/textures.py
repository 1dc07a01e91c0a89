"""Textures: procedural ones that repeat without a seam, and smaller copies for the distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guide_graphics.raster.scene import U8, Color


def checker(a: Color, b: Color, size: int = 256, squares: int = 8) -> U8:
    """Squares of two colours: (size, size, 3) uint8, `squares` along each side."""
    y, x = np.mgrid[0:size, 0:size] * squares // size
    return _mix(a, b, ((x + y) % 2).astype(np.float64))


def marble(a: Color, b: Color, size: int = 512, veins: int = 2, seed: int = 7) -> U8:
    """Marble: waves of `b` in `a`, bent by noise: (size, size, 3) uint8."""
    x = np.arange(size) / size
    bend = cloud(size, seed)
    share = 0.5 + 0.5 * np.sin(2 * np.pi * veins * (x[None, :] + x[:, None]) + 9 * bend)
    return _mix(a, b, share**4)


def cloud(size: int, seed: int, octaves: int = 5) -> npt.NDArray[np.float64]:
    """Smooth noise around 0 that repeats: (size, size) float64, standard deviation 1/3."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) * size
    # amplitude falls with frequency as in clouds; the highest octaves are left out
    weight = (
        np.where((frequency > 0) & (frequency < 2**octaves), 1, 0) / np.maximum(frequency, 1) ** 1.8
    )
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) * weight, (size, size))
    return np.asarray(noise / (3 * noise.std()))


def mip_levels(texture: U8) -> list[U8]:
    """A texture and its ever smaller copies, down to one texel (Williams, SIGGRAPH 1983).

    A side of n texels has n // 2 in the next level, at least 1, as OpenGL wants it. Each texel is
    the mean of 2 x 2, rounded half up; of an odd side the last texel is left out, and a side of
    one texel counts twice.

    Args:
        texture: (h, w, 3) uint8.

    Returns:
        Level 0, which is `texture`, to the last, each (h, w, 3) uint8.
    """
    levels = [texture]
    while max(levels[-1].shape[:2]) > 1:
        height, width = levels[-1].shape[:2]
        rows, columns = (np.arange(max(n // 2, 1) * 2) % n for n in (height, width))
        pairs = levels[-1][np.ix_(rows, columns)].astype(np.uint16)
        sums = pairs[::2, ::2] + pairs[::2, 1::2] + pairs[1::2, ::2] + pairs[1::2, 1::2]
        levels.append(((sums + 2) // 4).astype(np.uint8))
    return levels


def _mix(a: Color, b: Color, share: npt.NDArray[np.float64]) -> U8:
    color = np.asarray(a) + (np.asarray(b) - np.asarray(a)) * share[..., None]
    return np.asarray(np.clip(color * 255 + 0.5, 0, 255), np.uint8)

"""Pictures as bytes that a browser shows, by the best encoder that is installed."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from guide.png import encode_png

WIDTH, HEIGHT = 640, 960  # at most, of what is sent
_QUALITY = 80


class Encoder(NamedTuple):
    """What makes bytes of a picture."""

    name: str  # "OpenCV", "Pillow", "PNG": who does it
    mime: str
    # H x W, H x W x 3 (RGB) or H x W x 4 uint8, at most WIDTH wide when it is sent
    encode: Callable[[NDArray[np.uint8]], bytes]


def best_encoder() -> Encoder:
    """JPEG by OpenCV, else by Pillow, else PNG by `guide.png`, which needs neither.

    Importing one takes a tenth of a second, in which no loop should run.
    """
    for make in (_opencv, _pillow):
        try:
            encoder = make()
            encoder.encode(np.zeros((8, 8, 3), np.uint8))  # what is loaded on first use is loaded
        except Exception:  # not installed, or installed and broken: libGL is often missing
            continue
        return encoder
    return Encoder("PNG", "image/png", lambda image: encode_png(_thinned(image)))


def fitting(shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height at which a picture of this shape is sent: never larger than it is.

    >>> fitting((720, 1280, 3))
    (640, 360)
    """
    height, width = shape[:2]
    scale = min(1.0, WIDTH / width, HEIGHT / height)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _thinned(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    step = max(-(-image.shape[1] // WIDTH), -(-image.shape[0] // HEIGHT), 1)
    return image[::step, ::step]


def _opencv() -> Encoder:
    cv2: Any = importlib.import_module("cv2")
    asked = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]

    def encode(image: NDArray[np.uint8]) -> bytes:
        size = fitting(image.shape)
        if size != (image.shape[1], image.shape[0]):
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        if image.ndim == 3 and image.shape[2] > 1:
            code = cv2.COLOR_RGB2BGR if image.shape[2] == 3 else cv2.COLOR_RGBA2BGR
            image = cv2.cvtColor(image, code)
        done, data = cv2.imencode(".jpg", image, asked)
        if not done:
            raise ValueError(f"OpenCV made no JPEG of {image.shape}")
        return bytes(data)

    return Encoder("OpenCV", "image/jpeg", encode)


def _pillow() -> Encoder:
    pil: Any = importlib.import_module("PIL.Image")

    def encode(image: NDArray[np.uint8]) -> bytes:
        if image.ndim == 3 and image.shape[2] == 1:
            image = image[..., 0]
        picture = pil.fromarray(np.ascontiguousarray(image))
        if picture.mode not in ("L", "RGB"):
            picture = picture.convert("RGB")
        size = fitting(image.shape)
        if size != picture.size:
            picture = picture.resize(size, pil.Resampling.BOX)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=_QUALITY)
        return out.getvalue()

    return Encoder("Pillow", "image/jpeg", encode)

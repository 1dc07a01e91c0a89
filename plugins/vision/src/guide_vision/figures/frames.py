"""Figures of frames: what each step of their way costs, and what one pass saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from guide.errors import GuideError
from guide.foundations.figures.stopwatch import best_ns
from guide_vision.pipeline.frame import Image

_PHOTO = Path(__file__).parents[1] / "pipeline" / "photo" / "coffee.jpg"


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block an OpenCV call uses one thread: what is compared is the work."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def photograph(width: int, height: int) -> Image:
    """A real picture of that size: of noise or of one colour, a JPEG would tell nothing."""
    photo = cv2.imread(str(_PHOTO), cv2.IMREAD_COLOR)
    if photo is None:
        raise GuideError(f"cannot read {_PHOTO.name}", "pip install --force-reinstall guide-vision")
    return cast(Image, cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA))


def frame_cost(quick: bool = False) -> dict[str, Any]:
    """One frame of 1280 x 720 through the steps that most pipelines have, into memory at hand."""
    width, height = (320, 180) if quick else (1280, 720)
    with one_thread():
        frame = photograph(width, height)
        planes = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420)
        out, gray = np.empty_like(frame), np.empty((height, width), np.uint8)
        part = (width * 3 // 8, height * 3 // 8)
        small = np.empty((part[1], part[0], 3), np.uint8)
        tensor = np.empty((3, height, width), np.float32)
        quality = (cv2.IMWRITE_JPEG_QUALITY, 80)
        packed = cv2.imencode(".jpg", frame, quality)[1]

        def shrink(how: int) -> object:
            return cv2.resize(frame, part, dst=small, interpolation=how)

        steps: dict[str, Callable[[], object]] = {
            "copy the Y plane": partial(np.copyto, gray, planes[:height]),
            "copy the frame": partial(np.copyto, out, frame),
            "planes to BGR": lambda: cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420, dst=out),
            "BGR to grey": lambda: cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY, dst=gray),
            "to 3/8, LINEAR": partial(shrink, cv2.INTER_LINEAR),
            "to 3/8, AREA": partial(shrink, cv2.INTER_AREA),
            "to float, by colour": partial(np.copyto, tensor, frame.transpose(2, 0, 1)),
            "from JPEG": lambda: cv2.imdecode(packed, cv2.IMREAD_COLOR),
            "to JPEG, quality 80": lambda: cv2.imencode(".jpg", frame, quality),
        }
        found = [(name, best_ns(step, quick)) for name, step in steps.items()]
    ns = dict(found)
    return {
        "what": f"one frame of {width} x {height}, one thread, shorter is better",
        "rows": found,
        "values": {
            "y_ns": ns["copy the Y plane"],
            "copy_ns": ns["copy the frame"],
            "bgr_ns": ns["planes to BGR"],
            "grey_ns": ns["BGR to grey"],
            "linear_ns": ns["to 3/8, LINEAR"],
            "area_ns": ns["to 3/8, AREA"],
            "float_ns": ns["to float, by colour"],
            "jpeg_ns": ns["to JPEG, quality 80"],
            "jpeg_x": ns["to JPEG, quality 80"] / ns["copy the frame"],
            "frame_bytes": frame.nbytes,
            "jpeg_bytes": packed.nbytes,
            "tensor_bytes": tensor.nbytes,
        },
    }


def one_pass(quick: bool = False) -> dict[str, Any]:
    """Shrink and subtract the background: OpenCV's two steps, and one loop; needs numba."""
    from guide_vision.pipeline.background import FusedBackground, Mog2

    width, height = (160, 90) if quick else (1280, 720)
    with one_thread():
        gray = cv2.cvtColor(photograph(width, height), cv2.COLOR_BGR2GRAY)
        rng = np.random.default_rng(0)
        noisy = [
            cast(Image, cv2.add(gray, rng.integers(0, 5, gray.shape, np.uint8))) for _ in range(8)
        ]
        taken = iter(range(1 << 60))
        small = np.empty((height // 2, width // 2), np.uint8)

        def shrink() -> object:
            return cv2.resize(gray, (width // 2, height // 2), dst=small)

        def fed(model: Mog2 | FusedBackground) -> float:
            def step() -> object:
                return model.apply(noisy[next(taken) % len(noisy)])

            for _ in range(20):  # both learn first, which is another path
                step()
            return best_ns(step, quick, 300_000_000)

        half, mog2, fused = best_ns(shrink, quick), fed(Mog2(width // 2)), fed(FusedBackground())
        block = np.ones(int(5.25 / 2 * gray.size), np.uint8)
        floor = best_ns(partial(np.copyto, block.copy(), block), quick)
    return {
        "what": f"a grey frame of {width} x {height}, one thread, shorter is better",
        "rows": [
            ("resize + MOG2", mog2),
            ("of that, resize", half),
            ("one pass", fused),
            ("a copy of as many bytes", floor),
        ],
        "values": {
            "apart_ns": mog2,
            "fused_ns": fused,
            "fused_x": mog2 / fused,
            "floor_ns": floor,
            "floor_x": fused / floor,
        },
    }

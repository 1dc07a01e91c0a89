"""What goes wrong with real cameras, on request: each fault is put in, so its truth is known.

    Faults(Crossings(camera), drop=0.1, dim_every=90)

The wrapper is a source like any other. What it does follows from its seed and the number of the
frame alone: the same faults in every run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import cv2
import numpy as np

from guide.clock import Clock, SystemClock
from guide.errors import GuideError, UsageError
from guide_vision.pipeline.barcode import WIDTH, write_barcode
from guide_vision.pipeline.frame import Facts, Frame, Image, Source
from guide_vision.pipeline.motion import similarity

PRESETS: dict[str, dict[str, float]] = {
    "drop": {"drop": 0.1},
    "duplicate": {"duplicate": 0.1},
    "late": {"late": 0.1, "late_s": 0.2},
    "dim": {"dim_every": 90},
    "resize": {"resize_at": 150},
    "shake": {"shake": 3.0},
    "barcode": {"barcode": True},
}
"""What a person types after `virtual:...+`, and the arguments of `Faults` that it means."""


class Faults:
    """A source with faults.

    Args:
        source: what is to be spoiled.
        drop: share of the frames that are lost: they leave a gap in `seq`.
        duplicate: share of the frames that come twice, the second time under the next `seq` but
            with the time of capture of the first.
        late: share of the frames that come `late_s` after their time of capture.
        late_s: see there.
        dim_every: frames after which the light goes down to `dim`, and as many later up again.
        dim: what is left of the light then, a factor.
        resize_at: the frame from which on the picture is smaller by `resize`, in mid-stream.
        resize: a factor, above 0.
        shake: standard deviation in pixels of a shift that each frame draws anew.
        barcode: write the time of capture in ms (row 0) and `seq` (row 1) into the picture.
        seed: of what is random.
        clock: on which late frames wait.
    """

    def __init__(
        self,
        source: Source,
        *,
        drop: float = 0.0,
        duplicate: float = 0.0,
        late: float = 0.0,
        late_s: float = 0.2,
        dim_every: int | None = None,
        dim: float = 0.6,
        resize_at: int | None = None,
        resize: float = 0.5,
        shake: float = 0.0,
        barcode: bool = False,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        for name, share in (("drop", drop), ("duplicate", duplicate), ("late", late)):
            if not 0 <= share < 1:
                raise ValueError(f"{name} is a share of the frames, 0 to below 1, not {share}")
        for name, factor in (("dim", dim), ("resize", resize)):
            if not 0 < factor <= 4:
                raise ValueError(f"{name} is a factor above 0 and up to 4, not {factor}")
        if dim_every is not None and dim_every < 1:
            raise ValueError(f"dim_every counts frames, from 1, not {dim_every}")
        self.live = source.live
        self._source = source
        self._drop, self._duplicate, self._late = drop, duplicate, late
        self._late_ns = round(late_s * 1e9)
        self._dim_every, self._dim = dim_every, dim
        self._resize_at, self._resize = resize_at, resize
        if not shake >= 0:
            raise ValueError(f"shake is 0 pixels or more, not {shake}")
        self._shake = shake
        self._barcode = barcode
        self._seed = seed % 2**64
        self._clock = clock or SystemClock()
        self._again: Frame | None = None  # owed a second time
        self._more = 0  # duplicates so far
        self._buffer: Image | None = None  # for pictures of the size before `resize`

    def open(self) -> Facts:
        """Open the source. Raises GuideError when its pictures are too narrow for a barcode."""
        facts = self._source.open()
        narrowest = facts.width * (min(self._resize, 1) if self._resize_at is not None else 1)
        if self._barcode and narrowest < WIDTH:
            raise GuideError(
                f"a barcode needs {WIDTH} pixels, the picture has {narrowest:.0f}",
                "ask for a wider picture, or leave barcode out",
            )
        return replace(facts, name=f"{facts.name}, with faults")

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame that comes through."""
        if self._again is not None:
            again, self._again = self._again, None
            self._more += 1
            return self._finish(replace(again, seq=again.seq + 1), into)
        while True:
            frame = self._source.read(self._buffer if self._small(into) else into)
            if frame is None:
                return None
            number = frame.seq
            # Drawn per frame, not in turn: a latest-frame link may skip some of them
            rng = np.random.default_rng((self._seed, number))
            lost, twice, late = rng.random(3)
            if lost >= self._drop:
                break
        frame.seq += self._more
        if self._dim_every and number // self._dim_every % 2:
            cv2.convertScaleAbs(frame.image, dst=frame.image, alpha=self._dim)
        if self._shake:
            _move(frame, *rng.normal(0, self._shake, 2).tolist())
        if self._resize_at is not None and number >= self._resize_at:
            frame = self._shrink(frame, into)
        if twice < self._duplicate:
            self._again = replace(frame, image=frame.image.copy())
        if late < self._late:
            self._clock.sleep_until(frame.t_capture_ns + self._late_ns)
        return self._finish(frame, into)

    def close(self) -> None:
        """Close the source."""
        self._source.close()
        self._again = None

    def _small(self, into: Image | None) -> bool:
        """Whether the memory at hand is for pictures that were resized."""
        return self._buffer is not None and into is not None and into.shape != self._buffer.shape

    def _shrink(self, frame: Frame, into: Image | None) -> Frame:
        self._buffer = frame.image if frame.image is not into else self._buffer
        height, width = frame.image.shape[:2]
        scale = self._resize
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        fits = into is not None and into.shape == (size[1], size[0], 3)
        small = cv2.resize(
            frame.image, size, dst=into if fits else None, interpolation=cv2.INTER_AREA
        )
        # A pixel's centre is where it counts from: (x + 0.5) scales, x does not
        move = similarity((scale - 1) / 2, (scale - 1) / 2, 0, scale)
        return replace(
            frame,
            image=cast(Image, small),
            truth=None if frame.truth is None else move @ frame.truth,
            true_boxes=None if frame.true_boxes is None else frame.true_boxes * np.float32(scale),
        )

    def _finish(self, frame: Frame, into: Image | None) -> Frame:
        if into is not None and frame.image is not into and frame.image.shape == into.shape:
            into[:] = frame.image
            frame = replace(frame, image=into)
        if self._barcode:
            write_barcode(frame.image, frame.t_capture_ns // 1_000_000, row=0)
            write_barcode(frame.image, frame.seq, row=1)
        return frame


def _move(frame: Frame, dx: float, dy: float) -> None:
    """Shift the picture and its truth; what comes in at the edges mirrors what is inside."""
    height, width = frame.image.shape[:2]
    matrix = similarity(dx, dy)
    frame.image[:] = cv2.warpAffine(
        frame.image, matrix[:2], (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    if frame.truth is not None:
        frame.truth = matrix @ frame.truth
    if frame.true_boxes is not None:
        frame.true_boxes = frame.true_boxes + np.array([dx, dy, 0, 0], np.float32)


def faults_for(names: list[str], source: Source, *, seed: int, clock: Clock | None) -> Source:
    """Spoil `source` by the names of `PRESETS`.

    Raises:
        UsageError: when there is no fault of such a name.
    """
    for name in names:
        if name not in PRESETS:
            raise UsageError(f"there is no fault {name!r}", f"choose from {', '.join(PRESETS)}")
    settings = {key: value for name in names for key, value in PRESETS[name].items()}
    if not settings:
        return source
    return Faults(source, **settings, seed=seed, clock=clock)  # type: ignore[arg-type]

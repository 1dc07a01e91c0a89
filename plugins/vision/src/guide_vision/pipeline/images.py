"""A sequence of pictures as a source: a folder, or a pattern such as `frames/img_%04d.png`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from guide.clock import Clock, SystemClock
from guide.errors import GuideError
from guide_vision.pipeline.frame import Facts, Frame, Image
from guide_vision.pipeline.opencv import quiet

_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp", ".jp2"}
_COUNTER = re.compile(r"%0?\d*d")
_NAMED = 3  # unreadable files that a note names


def is_pattern(name: str) -> bool:
    """Whether `name` means several files: it holds `*`, `?`, `[` or a counter such as `%04d`."""
    return bool(_COUNTER.search(name)) or any(sign in name for sign in "*?[")


class Images:
    """The pictures of a folder or a pattern, in natural order: img2 comes before img10.

    A file that cannot be read is counted in `Frame.unreadable`, passed over, and named in
    `notes()`. Their capture time is the moment they were asked for.

    Args:
        where: a folder, or a pattern whose last part holds `*`, `?`, `[...]` or `%04d`.
        loop: start again at the end, as a new epoch, instead of ending.
        gray: H x W, grey, instead of BGR.
        clock: what stamps the frames.

    Attributes:
        unreadable: the names of the files that could not be read.
    """

    live = False

    def __init__(
        self, where: Path, *, loop: bool = False, gray: bool = False, clock: Clock | None = None
    ) -> None:
        self._where = where
        self._loop = loop
        self._flag = cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR_BGR
        self._clock = clock or SystemClock()
        self._paths: list[Path] = []
        self._next = 0
        self._shape: tuple[int, ...] = ()
        self._seq = 0
        self._epoch = 0
        self.unreadable: list[str] = []

    def open(self) -> Facts:
        """List the files and find the first that can be read: it gives the size."""
        quiet()
        self._paths = files_of(self._where)
        if not self._paths:
            raise GuideError(
                f"{self._where} holds no pictures"
                if self._where.is_dir()
                else f"no file is called like {self._where}",
                "check the path; pictures are " + " ".join(sorted(_ENDINGS)),
            )
        for path in self._paths:
            image = self._decode(path, None)
            if image is not None:
                self._shape = image.shape
                return Facts(
                    name=f"{self._where.name or self._where.resolve().name}",
                    width=image.shape[1],
                    height=image.shape[0],
                    fps=None,
                    frames=len(self._paths),
                )
        raise GuideError(
            f"none of the {len(self._paths)} files of {self._where} is a picture that can be read",
            f"`file {self._paths[0]}` says what the first one is",
        )

    def read(self, into: Image | None = None) -> Frame | None:
        """The next picture; None at the end. GuideError when it is of another size."""
        failed = 0
        t_capture_ns = self._clock.now_ns()
        while True:
            if self._next == len(self._paths):
                if not self._loop:
                    return None
                self._next = 0
                self._epoch += 1
            path = self._paths[self._next]
            self._next += 1
            image = self._decode(path, into)
            if image is not None:
                break
            failed += 1
            if not self._epoch:
                self.unreadable.append(path.name)
            if failed > len(self._paths):
                return None  # since it was opened, all of them went
        if image.shape != self._shape:
            new, old = (f"{shape[1]} x {shape[0]}" for shape in (image.shape, self._shape))
            raise GuideError(
                f"{path.name} is {new}, the pictures before it were {old}",
                "put pictures of one size into the folder",
            )
        frame = Frame(image, self._seq + failed, self._epoch, t_capture_ns, unreadable=failed)
        self._seq += failed + 1
        return frame

    def notes(self) -> list[str]:
        """What a person should be told at the end: which files were passed over."""
        if not self.unreadable:
            return []
        named = ", ".join(self.unreadable[:_NAMED])
        more = len(self.unreadable) - _NAMED
        count = len(self.unreadable)
        return [
            f"{count} file{'s' if count > 1 else ''} could not be read as a picture: {named}"
            + (f" and {more} more" if more > 0 else "")
        ]

    def close(self) -> None:
        """Nothing is held open."""

    def _decode(self, path: Path, into: Image | None) -> Image | None:
        try:
            image = cast(Image | None, cv2.imread(str(path), self._flag))
        except cv2.error:  # a header that promises too much
            return None
        if image is None or into is None or into.shape != image.shape:
            return image
        # imread(path, into) would hand `into` back untouched when the file is damaged: the
        # picture before, as if it were this one
        np.copyto(into, image)
        return into


def files_of(where: Path) -> list[Path]:
    """The files that a folder or a pattern means, in order. GuideError when it is closed to us."""
    try:
        if where.is_dir():
            found = [path for path in where.iterdir() if path.suffix.lower() in _ENDINGS]
        else:
            found = list(where.parent.glob(_COUNTER.sub("*", where.name)))
            if _COUNTER.search(where.name):  # the star stands for digits only
                parts = _COUNTER.split(where.name)
                counted = re.compile(r"\d+".join(map(re.escape, parts)))
                found = [path for path in found if counted.fullmatch(path.name)]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise GuideError(f"cannot read {where}: {why}", "check its path") from None
    return sorted((path for path in found if path.is_file()), key=_natural)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """img2 before img10."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]

"""A whole clip in one picture: what the pixels under the line showed, frame after frame.

    python -m line_counter.slitscan people.avi slit.png

Time runs to the right. Whatever crosses the line leaves its silhouette, once: so the truth of a
clip that nobody has labelled can be counted by eye in a minute. It is the photo finish of a race.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from guide.errors import GuideError
from guide_vision.pipeline import Image, Pipeline, open_source
from line_counter.counting import Line
from line_counter.options import Options

_ROW = 400  # frames in one row of the picture
_WIDE = 3  # pixels for each frame: people are about as wide as they are fast


def slit(image: Image, line: Line) -> Image:
    """The pixels under a line, from its upper end to its lower, as L x 1 x 3."""
    ends = sorted([(line.y0, line.x0), (line.y1, line.x1)])
    length = round(np.hypot(line.x1 - line.x0, line.y1 - line.y0))
    y, x = (np.linspace(a, b, length, dtype=np.float32) for a, b in zip(*ends, strict=True))
    return cv2.remap(image, x[:, None], y[:, None], cv2.INTER_LINEAR)  # type: ignore[return-value]


def scan(source: str, typed: str) -> Image:
    """The slit of every frame, side by side, in rows of 400 frames with a scale."""
    pipeline = Pipeline(open_source(source))
    facts = pipeline.open()
    line = Line.parse(typed, facts.width, facts.height)
    slits = []
    while (frame := pipeline.take()) is not None:
        slits.append(slit(frame.image, line))
    pipeline.close()
    rows = []
    for first in range(0, len(slits), _ROW):
        strip = np.concatenate(slits[first : first + _ROW], axis=1).repeat(_WIDE, axis=1)
        missing = _ROW * _WIDE - strip.shape[1]
        row = np.pad(strip, ((16, 0), (0, missing), (0, 0)), constant_values=20)
        for number in range(first, first + _ROW, 50):
            at = (_WIDE * (number - first) + 3, 12)
            cv2.putText(row, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (230,) * 3, 1)
            cv2.line(row, (at[0] - 3, 0), (at[0] - 3, 15), (120,) * 3)
        rows.append(row)
    return np.concatenate(rows)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(prog="python -m line_counter.slitscan", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--line", default=Options.line)
    typed = parser.parse_args()
    try:
        written = cv2.imwrite(str(typed.picture), scan(typed.source, typed.line))
    except (GuideError, ValueError, cv2.error) as error:
        sys.exit(str(error).strip())
    if not written:
        sys.exit(f"cannot write {typed.picture}: is its folder there?")


if __name__ == "__main__":
    main()

"""A picture of `guide profile` on a training that decodes its samples byte by byte.

python docs/images/explain.py      writes explain.svg beside this file
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from docs.images.first_steps import picture, typed

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "explain" / "programs" / "decoding.py"


def main() -> None:
    """Take the trace of the planted program, under the name that everybody gives it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = PROGRAM.read_text(encoding="utf-8")
        text = text.replace('FAULT = "--fault" in sys.argv', "FAULT = True")
        (folder / "train.py").write_text(text, encoding="utf-8")
        step = typed("guide profile train.py", folder, {}, {"COLUMNS": "76", "LINES": "400"})
    Path(__file__).with_name("explain.svg").write_text(picture([step]), encoding="utf-8")


if __name__ == "__main__":
    main()

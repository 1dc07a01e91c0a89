"""The film that every side works on: a fixed camera, people who walk, 1280 x 720, H.264.

`make people` gets the recording from a package of Debian; it is 768 x 576, so it is cropped to
16:9, enlarged and encoded as a camera would: 30 frames a second, a key frame every two seconds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build"
FOLDER = BUILD / "vision"
FRAMES = 1800
SIZES = {720: (1280, 720), 1080: (1920, 1080)}


def clip(height: int = 720) -> Path:
    """The clip of that height, made on the first call; that takes a minute."""
    target = FOLDER / f"walkers-{height}.mp4"
    if target.exists():
        return target
    FOLDER.mkdir(parents=True, exist_ok=True)
    recording, crop = _recording()
    width, height = SIZES[height]
    print(f"Encoding {target.name} (once) ...", file=sys.stderr)
    unfinished = target.with_suffix(".part.mp4")
    command = [_ffmpeg(), "-loglevel", "error", "-y", "-stream_loop", "-1", "-i", str(recording)]
    command += ["-vf", f"{crop}scale={width}:{height},setpts=N/30/TB", "-r", "30", "-an"]
    command += ["-frames:v", str(FRAMES), "-c:v", "libx264", "-crf", "20", "-g", "60", "-bf", "2"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(unfinished)], check=True)
    return unfinished.replace(target)


def _recording() -> tuple[Path, str]:
    """The film to encode, and the filter that makes it 16:9."""
    street = BUILD / "clips" / "people.avi"
    if not street.exists():
        subprocess.run(["make", "people"], cwd=BUILD.parent, stdout=sys.stderr, check=False)
    if street.exists():
        return street, "crop=768:432,"
    cartoon = BUILD / "clips" / "bigbuckbunny.mp4"
    if cartoon.exists():
        print(f"No people.avi here: {cartoon.name} instead, its camera moves", file=sys.stderr)
        return cartoon, ""
    sys.exit("no film to work on: `make clips`, or on Debian `apt-get update`, then run again")


def _ffmpeg() -> str:
    """Its path, installed if that is possible here."""
    if not shutil.which("ffmpeg") and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "ffmpeg"], stdout=sys.stderr, check=False
        )
    if path := shutil.which("ffmpeg"):
        return path
    sys.exit("the clip is encoded with ffmpeg, which is not here: `apt-get install ffmpeg`")
